// Xen's interface to a guest on x86-64, as far as it goes here: numbers of hypercalls and their commands, errors, layouts of what
// both sides read. Names and numbers are those of Xen's public headers, xen/include/public/*.h.

/** __HYPERVISOR_*: number and name. Those that Xen has and this hypervisor has not are answered with -ENOSYS. */
const HYPERCALL_NAMES: readonly (readonly [number: number, name: string])[] = [
  [0, 'set_trap_table'],
  [1, 'mmu_update'],
  [2, 'set_gdt'],
  [3, 'stack_switch'],
  [4, 'set_callbacks'],
  [5, 'fpu_taskswitch'],
  [8, 'set_debugreg'],
  [9, 'get_debugreg'],
  [10, 'update_descriptor'],
  [12, 'memory_op'],
  [13, 'multicall'],
  [14, 'update_va_mapping'],
  [15, 'set_timer_op'],
  [17, 'xen_version'],
  [18, 'console_io'],
  [20, 'grant_table_op'],
  [21, 'vm_assist'],
  [23, 'iret'],
  [24, 'vcpu_op'],
  [25, 'set_segment_base'],
  [26, 'mmuext_op'],
  [28, 'nmi_op'],
  [29, 'sched_op'],
  [30, 'callback_op'],
  [32, 'event_channel_op'],
  [33, 'physdev_op'],
];
const NAMES: ReadonlyMap<number, string> = new Map(HYPERCALL_NAMES);

/** 'mmu_update'; undefined for a number that Xen does not use, or not for guests of this kind. */
export const hypercallName = (number: number): string | undefined => NAMES.get(number);

export const IRET = 23;
/** A hypercall page has room for so many; each has 32 bytes of it. */
export const HYPERCALL_ENTRIES = 128;
export const HYPERCALL_ENTRY_BYTES = 32;

/** xen/include/public/errno.h, with the words that are there. */
export const ERRNO = {
  EPERM: {value: 1, words: 'operation not permitted'},
  ENOENT: {value: 2, words: 'no such file or directory'},
  EFAULT: {value: 14, words: 'bad address'},
  EBUSY: {value: 16, words: 'device or resource busy'},
  EEXIST: {value: 17, words: 'file exists'},
  EINVAL: {value: 22, words: 'invalid argument'},
  ENOSPC: {value: 28, words: 'no space left on device'},
  ENOSYS: {value: 38, words: 'function not implemented'},
} as const;
export type Errno = keyof typeof ERRNO;

// ── selectors and flags: arch-x86/xen-x86_64.h, arch-x86/xen.h ──────────────────────────────────────────────────────

/** Kernel and user of a 64-bit guest have the same segments: both are in ring 3. */
export const FLAT_RING3_CS64 = 0xe033;
export const FLAT_RING3_CS32 = 0xe023;
export const FLAT_RING3_SS64 = 0xe02b;
/** In iret_context.flags: back from a system call, so RCX and R11 need not be restored. */
export const VGCF_IN_SYSCALL = 0x100n;
/** trap_info.flags: who may come by INT n, and whether events are masked on the way in. */
export const TRAP_DPL = 3;
export const TRAP_MASKS_EVENTS = 4;
/** callback_register.flags. */
export const CALLBACKF_MASK_EVENTS = 1;
export const CALLBACK_TYPES = ['event', 'failsafe', 'syscall'] as const;

/** Linear addresses that are Xen's in every address space: L4 slots 256 to 271. */
export const HYPERVISOR_VIRT_START = 0xffff_8000_0000_0000n;
export const HYPERVISOR_VIRT_END = 0xffff_8800_0000_0000n;
export const FIRST_XEN_SLOT = 256;
export const LAST_XEN_SLOT = 271;

// ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────

export const DOMID_SELF = 0x7ff0;
/** The lowest two bits of mmu_update.ptr. */
export const MMU_NORMAL_PT_UPDATE = 0;
export const MMU_PT_UPDATE_PRESERVE_AD = 2;

export const MMUEXT = {
  PIN_L1_TABLE: 0,
  PIN_L4_TABLE: 3,
  UNPIN_TABLE: 4,
  NEW_BASEPTR: 5,
  TLB_FLUSH_LOCAL: 6,
  INVLPG_LOCAL: 7,
  NEW_USER_BASEPTR: 15,
} as const;
const MMUEXT_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'PIN_L1_TABLE'],
  [1, 'PIN_L2_TABLE'],
  [2, 'PIN_L3_TABLE'],
  [3, 'PIN_L4_TABLE'],
  [4, 'UNPIN_TABLE'],
  [5, 'NEW_BASEPTR'],
  [6, 'TLB_FLUSH_LOCAL'],
  [7, 'INVLPG_LOCAL'],
  [15, 'NEW_USER_BASEPTR'],
]);
export const mmuextName = (command: number): string => `MMUEXT_${MMUEXT_NAMES.get(command) ?? command}`;

export const UVMF_FLUSH_TYPE = 3n;
export const UVMF_TLB_FLUSH = 1n;
export const UVMF_INVLPG = 2n;

export const EVTCHNOP = {bind_virq: 1, close: 3, unmask: 9} as const;
export const VIRQ_TIMER = 0;
export const VIRQS = 24;
export const EVENT_CHANNELS = 4096;

export const SCHEDOP = {yield: 0, block: 1, shutdown: 2} as const;
export const SHUTDOWN_REASONS = ['poweroff', 'reboot', 'suspend', 'crash'] as const;
export const VCPUOP = {is_up: 3, set_singleshot_timer: 8, stop_singleshot_timer: 9} as const;
export const CONSOLEIO_WRITE = 0;
export const SEGMENT_BASES = ['FS', 'GS_USER', 'GS_KERNEL'] as const;
/** Xen 4.17, as xen_version says it: the one whose rules are followed. */
export const XEN_VERSION = (4n << 16n) | 17n;

// ── layouts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** struct shared_info, of which vcpu_info[0] is the beginning. */
export const SHARED = {
  upcallPending: 0x00,
  upcallMask: 0x01,
  pendingSelector: 0x08,
  cr2: 0x10,
  timeVersion: 0x20,
  tscTimestamp: 0x28,
  systemTime: 0x30,
  tscToSystemMul: 0x38,
  tscShift: 0x3c,
  pending: 0x800,
  mask: 0xa00,
} as const;

/** struct start_info. */
export const START_INFO = {
  magic: 0,
  pages: 32,
  sharedInfo: 40,
  pageTableBase: 88,
  pageTableFrames: 96,
  frameList: 104,
} as const;
export const START_MAGIC = 'xen-3.0-x86_64';
