// Guests of a few bytes under many settings, for a hypervisor that runs them one after the other and prints how each was left:
// the same program on this machine and on Bochs. Where the two agree, two readings of the manual do.

/** The parts of an exit that are printed, in this order. */
export const VMX_COLUMNS = [
  'reason',
  'qualification',
  'length',
  'information',
  'interruption',
  'error',
  'vectoring',
  'linear',
  'physical',
  'rip',
] as const;
export type VmxColumn = (typeof VMX_COLUMNS)[number];

/** What the hypervisor writes before it enters; 0 where nothing is said. Controls are added to what the processor demands. */
export interface VmxCase {
  readonly what: string;
  /** In hexadecimal; HLT follows. The guest is in 64-bit mode at CPL 0, with its hypervisor's page tables. */
  readonly code: string;
  readonly pin?: number;
  readonly primary?: number;
  readonly secondary?: number;
  readonly exceptions?: number;
  readonly cr0Mask?: number;
  readonly cr0Shadow?: number;
  readonly cr4Mask?: number;
  readonly inject?: number;
  readonly injectedLength?: number;
  readonly tprThreshold?: number;
  readonly rflags?: number;
  readonly activity?: number;
  readonly interruptibility?: number;
  /** The EPT entry of the page at 30000h. */
  readonly eptEntry?: number;
  /** The MSR, the field's encoding, the type: what RCX, RDX and RBX hold. */
  readonly rcx?: number;
  readonly rdx?: number;
  readonly rbx?: number;
  /** Columns that the manual defines for this exit, beside reason, qualification and rip. */
  readonly defined?: readonly VmxColumn[];
}

const L: readonly VmxColumn[] = ['length'];
const LI: readonly VmxColumn[] = ['length', 'information'];
const EVENT: readonly VmxColumn[] = ['interruption'];
const INVLPG = 1 << 9,
  MWAIT = 1 << 10,
  RDPMC = 1 << 11,
  RDTSC = 1 << 12,
  CR3_LOAD = 1 << 15,
  CR3_STORE = 1 << 16,
  CR8_LOAD = 1 << 19,
  CR8_STORE = 1 << 20,
  TPR_SHADOW = 1 << 21,
  MOV_DR = 1 << 23,
  IO = 1 << 24,
  TRAP_FLAG = 1 << 27,
  MONITOR = 1 << 29,
  PAUSE = 1 << 30,
  WINDOW = 1 << 2;
const EPT = 1 << 1,
  TABLES = 1 << 2,
  RDTSCP = 1 << 3,
  WBINVD = 1 << 6;
const PAGE = 0x3_0000;
/** Identity, write-back, R W X. */
const MAPPED = PAGE | 0x37;

const INSTRUCTIONS: readonly VmxCase[] = [
  {what: 'HLT', code: '', defined: L},
  {what: 'CPUID', code: '0f a2', defined: L},
  {what: 'INVD', code: '0f 08', defined: L},
  {what: 'WBINVD', code: '0f 09', secondary: WBINVD, defined: L},
  {what: 'WBINVD stays', code: '0f 09', defined: L},
  {
    what: 'INVLPG [RBX+12345h]',
    code: '0f 01 bb 45 23 01 00',
    primary: INVLPG,
    rbx: 0x1000,
    defined: L,
  },
  {what: 'INVLPG stays', code: '0f 01 3b', defined: L},
  {what: 'RDTSC', code: '0f 31', primary: RDTSC, defined: L},
  {what: 'RDTSC stays', code: '0f 31', defined: L},
  {what: 'RDTSCP', code: '0f 01 f9', primary: RDTSC, secondary: RDTSCP, defined: L},
  {what: 'RDTSCP not enabled is #UD', code: '0f 01 f9', primary: RDTSC, exceptions: 1 << 6, defined: EVENT},
  {what: 'RDPMC', code: '0f 33', primary: RDPMC, defined: L},
  {what: 'PAUSE', code: 'f3 90', primary: PAUSE, defined: L},
  {what: 'PAUSE stays', code: 'f3 90', defined: L},
  {what: 'MONITOR', code: '0f 01 c8', primary: MONITOR, defined: L},
  {what: 'MWAIT', code: '0f 01 c9', primary: MWAIT, defined: L},
  {what: 'RDMSR', code: '0f 32', rcx: 0x174, defined: L},
  {what: 'WRMSR', code: '0f 30', rcx: 0x174, defined: L},
  {what: 'GETSEC without SMXE is #UD', code: '0f 37', exceptions: 1 << 6, defined: EVENT},
  {what: 'RSM outside SMM is #UD', code: '0f aa', exceptions: 1 << 6, defined: EVENT},
];

const REGISTERS: readonly VmxCase[] = [
  {what: 'MOV RDX, CR3', code: '0f 20 da', primary: CR3_STORE, defined: L},
  {what: 'MOV CR3, RCX', code: '0f 22 d9', primary: CR3_LOAD, rcx: 0x7_0000, defined: L},
  {what: 'MOV CR0, RBX: TS is the host’s', code: '0f 20 c3 48 83 cb 08 0f 22 c3', cr0Mask: 8, defined: L},
  {what: 'MOV CR0, RBX stays', code: '0f 20 c3 0f 22 c3', cr0Mask: 8, defined: L},
  {
    what: 'MOV CR4, R9: TSD is the host’s',
    code: '44 0f 20 e1 90 41 0f 20 e1 49 83 c9 04 41 0f 22 e1',
    cr4Mask: 4,
    defined: L,
  },
  {what: 'CLTS', code: '0f 06', cr0Mask: 8, cr0Shadow: 8, defined: L},
  {what: 'CLTS stays', code: '0f 06', cr0Mask: 8, defined: L},
  {what: 'LMSW BX', code: '0f 01 f3', cr0Mask: 8, rbx: 0x9, defined: L},
  {what: 'LMSW [RBX]', code: '66 c7 03 09 00 0f 01 33', cr0Mask: 8, rbx: PAGE, defined: ['length', 'linear']},
  {what: 'LMSW without change stays', code: '0f 01 f3', cr0Mask: 8, rbx: 0x1, defined: L},
  {what: 'SMSW EBX stays', code: '0f 01 e3', cr0Mask: 8, defined: L},
  {what: 'MOV CR8, RCX', code: '44 0f 22 c1', primary: CR8_LOAD, rcx: 3, defined: L},
  {what: 'MOV R10, CR8', code: '45 0f 20 c2', primary: CR8_STORE, defined: L},
  {what: 'MOV CR8 below the TPR threshold', code: '44 0f 22 c1', primary: TPR_SHADOW, tprThreshold: 5, rcx: 4},
  {
    what: 'MOV CR8 at the TPR threshold stays',
    code: '44 0f 22 c1',
    primary: TPR_SHADOW,
    tprThreshold: 5,
    rcx: 5,
    defined: L,
  },
  {
    what: 'MOV CR8 of 16 is #GP',
    code: '44 0f 22 c1',
    primary: TPR_SHADOW,
    rcx: 16,
    exceptions: 1 << 13,
    defined: ['interruption', 'error'],
  },
  {what: 'MOV DR3, RCX', code: '0f 23 d9', primary: MOV_DR, defined: L},
  {what: 'MOV R11, DR7', code: '41 0f 21 fb', primary: MOV_DR, defined: L},
  {what: 'SGDT [RBX+8]', code: '0f 01 43 08', secondary: TABLES, rbx: PAGE, defined: L},
  {what: 'SIDT [RBX+RCX*4+10h]', code: '0f 01 4c 8b 10', secondary: TABLES, rbx: PAGE, defined: L},
  {what: 'LGDT [RIP+100h]', code: '0f 01 15 00 01 00 00', secondary: TABLES, defined: L},
  {what: 'SLDT R9D', code: '41 0f 00 c1', secondary: TABLES, defined: LI},
  {what: 'STR [RBX]', code: '0f 00 0b', secondary: TABLES, rbx: PAGE, defined: LI},
  {what: 'LLDT CX', code: '0f 00 d1', secondary: TABLES, defined: LI},
  {what: 'LTR [RBX-8]', code: '0f 00 5b f8', secondary: TABLES, rbx: PAGE, defined: LI},
];

const PORTS: readonly VmxCase[] = [
  {what: 'IN AL, 71h', code: 'e4 71', primary: IO, defined: L},
  {what: 'IN EAX, DX', code: 'ed', primary: IO, rdx: 0x3f8, defined: L},
  {what: 'OUT 80h, AL', code: 'e6 80', primary: IO, defined: L},
  {what: 'OUT DX, AX', code: '66 ef', primary: IO, rdx: 0xffff, defined: L},
  {what: 'INSB', code: '6c', primary: IO, rdx: 0x60, defined: ['length', 'information', 'linear']},
  {what: 'REP INSW', code: 'f3 66 6d', primary: IO, rdx: 0x60, rcx: 2, defined: ['length', 'information', 'linear']},
  {
    what: 'OUTSD from FS with a 32-bit address',
    code: '64 67 6f',
    primary: IO,
    rdx: 0x60,
    defined: ['length', 'information', 'linear'],
  },
];

const VMX: readonly VmxCase[] = [
  {what: 'VMCALL', code: '0f 01 c1', defined: L},
  {what: 'VMLAUNCH', code: '0f 01 c2', defined: L},
  {what: 'VMRESUME', code: '0f 01 c3', defined: L},
  {what: 'VMXOFF', code: '0f 01 c4', defined: L},
  {what: 'VMCLEAR [RBX+RCX*4+10h]', code: '66 0f c7 74 8b 10', rbx: PAGE, defined: LI},
  {what: 'VMPTRLD [RBX]', code: '0f c7 33', rbx: PAGE, defined: LI},
  {what: 'VMPTRST [RIP+100h]', code: '0f c7 3d 00 01 00 00', defined: LI},
  {what: 'VMXON GS:[EBX]', code: '65 67 f3 0f c7 33', rbx: PAGE, defined: LI},
  {what: 'VMREAD RBX, RDX', code: '0f 78 d3', defined: LI},
  {what: 'VMREAD [RBX+RCX*4+10h], R9', code: '44 0f 78 4c 8b 10', rbx: PAGE, defined: LI},
  {what: 'VMWRITE RDX, RBX', code: '0f 79 d3', defined: LI},
  {what: 'VMWRITE RDX, [RBX]', code: '0f 79 13', rbx: PAGE, defined: LI},
  {what: 'INVEPT RDX, [RBX+RCX*4+10h]', code: '66 0f 38 80 54 8b 10', rbx: PAGE, defined: LI},
  {what: 'INVVPID RCX, [RBX-10h]', code: '66 0f 38 81 4b f0', rbx: PAGE, defined: LI},
];

const EVENTS: readonly VmxCase[] = [
  {what: '#UD', code: '0f 0b', exceptions: 1 << 6, defined: EVENT},
  {what: '#UD without a table is a triple fault', code: '0f 0b'},
  {
    what: '#UD without a table: its #GP is seen',
    code: '0f 0b',
    exceptions: 1 << 13,
    defined: ['interruption', 'error', 'vectoring'],
  },
  {
    what: '#UD without a table: its #DF is seen',
    code: '0f 0b',
    exceptions: 1 << 8,
    defined: ['interruption', 'error', 'vectoring'],
  },
  {what: '#DE', code: 'f7 f1', rcx: 0, exceptions: 1, defined: EVENT},
  {what: 'INT3', code: 'cc', exceptions: 1 << 3, defined: ['interruption', 'length']},
  {what: 'INT1', code: 'f1', exceptions: 1 << 1, defined: EVENT},
  {
    what: 'INT n is no exception: its #GP is',
    code: 'cd 21',
    exceptions: 1 << 13,
    defined: ['interruption', 'error', 'vectoring', 'length'],
  },
  {what: '#GP(selector)', code: '8e d9', rcx: 0x78, exceptions: 1 << 13, defined: ['interruption', 'error']},
  {what: '#PF of a read', code: '8a 01', rcx: 0x4000_0000, exceptions: 1 << 14, defined: ['interruption', 'error']},
  {what: '#PF of a write', code: '88 01', rcx: 0x4000_0123, exceptions: 1 << 14, defined: ['interruption', 'error']},
  {what: 'a single step', code: '90 90', exceptions: 2, rflags: 0x102, defined: EVENT},
  {what: 'interrupt window', code: '90', primary: WINDOW, rflags: 0x202},
  {what: 'interrupt window behind STI', code: 'fb 90 90', primary: WINDOW},
  {what: 'no interrupt window without IF', code: '90', primary: WINDOW, defined: L},
  {what: 'monitor trap flag', code: '90 90', primary: TRAP_FLAG},
  {
    what: 'an injected #GP without a table',
    code: '90',
    inject: 0x8000_0b0d,
    exceptions: 1 << 8,
    defined: ['interruption', 'error', 'vectoring'],
  },
  {
    what: 'an injected interrupt without a table',
    code: '90',
    inject: 0x8000_0031,
    rflags: 0x202,
    exceptions: 1 << 13,
    defined: ['interruption', 'error', 'vectoring'],
  },
  {
    what: 'an injected INT n without a table',
    code: '90',
    inject: 0x8000_0431,
    injectedLength: 2,
    exceptions: 1 << 13,
    defined: ['interruption', 'error', 'vectoring'],
  },
];

const MEMORY: readonly VmxCase[] = [
  {what: 'EPT: mapped', code: '8a 01', secondary: EPT, rcx: PAGE, eptEntry: MAPPED, defined: L},
  {
    what: 'EPT: a read that is not mapped',
    code: '8a 01',
    secondary: EPT,
    rcx: PAGE + 0x123,
    eptEntry: 0,
    defined: ['linear', 'physical'],
  },
  {
    what: 'EPT: a write to a page for reading',
    code: '88 01',
    secondary: EPT,
    rcx: PAGE + 8,
    eptEntry: PAGE | 0x35,
    defined: ['linear', 'physical'],
  },
  {
    what: 'EPT: a write without a mapping',
    code: '88 01',
    secondary: EPT,
    rcx: PAGE + 8,
    eptEntry: 0,
    defined: ['linear', 'physical'],
  },
  {
    what: 'EPT: a fetch from a page that is not code',
    code: 'ff e1',
    secondary: EPT,
    rcx: PAGE,
    eptEntry: PAGE | 0x33,
    defined: ['linear', 'physical'],
  },
  {
    what: 'EPT: a read-modify-write without a mapping',
    code: '80 01 01',
    secondary: EPT,
    rcx: PAGE,
    eptEntry: 0,
    defined: ['linear', 'physical'],
  },
  {
    what: 'EPT: a read of an execute-only page',
    code: '8a 01',
    secondary: EPT,
    rcx: PAGE,
    eptEntry: PAGE | 0x34,
    defined: ['linear', 'physical'],
  },
  {
    what: 'EPT: writable and not readable is a misconfiguration',
    code: '8a 01',
    secondary: EPT,
    rcx: PAGE,
    eptEntry: PAGE | 0x32,
    defined: ['physical'],
  },
  {
    what: 'EPT: a memory type that does not exist',
    code: '8a 01',
    secondary: EPT,
    rcx: PAGE,
    eptEntry: PAGE | 0x17,
    defined: ['physical'],
  },
];

const REFUSED: readonly VmxCase[] = [
  {what: 'refused: NMI-window exiting without virtual NMIs', code: '', primary: 1 << 22},
  {what: 'refused: virtual NMIs without NMI exiting', code: '', pin: 1 << 5},
  {what: 'refused: unrestricted guest without EPT', code: '', secondary: 1 << 7},
  {what: 'refused: an injected interrupt with IF of 0', code: '', inject: 0x8000_0031},
  {what: 'refused: an injected event of type 1', code: '', inject: 0x8000_0131},
  {what: 'refused: an injected exception of vector 32', code: '', inject: 0x8000_0320},
  {what: 'refused: an injected #GP without its error code', code: '', inject: 0x8000_030d},
  {what: 'refused: an injected INT n without a length', code: '', inject: 0x8000_0431},
  {what: 'refused: TPR threshold above VTPR', code: '', primary: TPR_SHADOW, tprThreshold: 8},
  {what: 'refused: RFLAGS without bit 1', code: '', rflags: 0x1_0000},
  {what: 'refused: RFLAGS.VM in IA-32e mode', code: '', rflags: 0x2_0002},
  {what: 'refused: activity state 4', code: '', activity: 4},
  {what: 'refused: blocking by STI and MOV SS', code: '', interruptibility: 3, rflags: 0x202},
  {what: 'refused: blocking by STI without IF', code: '', interruptibility: 1},
];

export const VMX_CASES: readonly VmxCase[] = [
  ...INSTRUCTIONS,
  ...REGISTERS,
  ...PORTS,
  ...VMX,
  ...EVENTS,
  ...MEMORY,
  ...REFUSED,
];

/** The columns of a case that must agree. */
export const comparedVmxColumns = (each: VmxCase): readonly VmxColumn[] => [
  'reason',
  'qualification',
  'rip',
  ...(each.defined ?? []),
];
