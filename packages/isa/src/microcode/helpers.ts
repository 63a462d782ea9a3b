// The complete list of machinery that semantics may invoke. One line each; `machine` implements every name.
// Arguments are described in the order in which semantics pass them.

import {helper} from './helper.js';

export const HELPERS = {
  // Segments and descriptor tables. `which` arguments are register numbers in encoding order (ES CS SS DS FS GS).
  loadSegment: helper('loadSegment', {
    reads: ['GDTR', 'LDTR', 'CPL'],
    writes: ['segments'],
    mayFault: true,
    summary: '{0:segment} ← selector {1}, with base, limit and rights from its descriptor',
  }),
  loadGdtr: helper('loadGdtr', {writes: ['GDTR'], mayFault: true, summary: 'GDTR ← limit {0}, base {1}'}),
  loadIdtr: helper('loadIdtr', {writes: ['IDTR'], mayFault: true, summary: 'IDTR ← limit {0}, base {1}'}),
  loadLdtr: helper('loadLdtr', {
    reads: ['GDTR'],
    writes: ['LDTR'],
    mayFault: true,
    summary: 'LDTR ← selector {0}, with its descriptor',
  }),
  loadTaskRegister: helper('loadTaskRegister', {
    reads: ['GDTR'],
    writes: ['TR', 'memory'],
    shows: [],
    mayFault: true,
    summary: 'TR ← selector {0}; its TSS is marked busy',
  }),

  // Far transfers. Arguments: selector, offset; the operand size comes from the instruction.
  farJump: helper('farJump', {
    reads: ['GDTR', 'LDTR', 'CPL'],
    writes: ['RIP', 'segments'],
    shows: ['GDTR', 'LDTR'],
    mayFault: true,
    summary: 'jump to {0}:{1}, through the checks of a far transfer',
  }),
  farCall: helper('farCall', {
    reads: ['GDTR', 'LDTR', 'CPL'],
    writes: ['RIP', 'RSP', 'segments', 'memory'],
    mayFault: true,
    summary: 'push CS:RIP and jump to {0}:{1}',
  }),
  /** Argument: bytes to release after the pop. */
  farReturn: helper('farReturn', {
    reads: ['GDTR', 'LDTR', 'CPL', 'memory'],
    writes: ['RIP', 'RSP', 'segments', 'CPL'],
    shows: ['CPL'],
    mayFault: true,
    summary: 'pop CS:RIP, then release {0} bytes',
  }),
  interruptReturn: helper('interruptReturn', {
    reads: ['GDTR', 'LDTR', 'CPL', 'memory'],
    writes: ['RIP', 'RSP', 'segments', 'RFLAGS', 'CPL', 'IF'],
    shows: ['CPL'],
    mayFault: true,
    summary: 'return from the interrupt: pop RIP, CS, RFLAGS (and RSP, SS)',
  }),
  /** Argument: vector. INT n checks the gate's DPL. */
  softwareInterrupt: helper('softwareInterrupt', {
    reads: ['IDTR', 'TR', 'CPL'],
    writes: ['RIP', 'RSP', 'segments', 'RFLAGS', 'CPL', 'memory', 'IF'],
    shows: [],
    mayFault: true,
    entersSystem: true,
    summary: 'deliver interrupt {0} through the IDT',
  }),
  /** SYSCALL and SYSRET outside 64-bit mode are AMD's alone; SYSENTER and SYSEXIT in long mode are Intel's alone. */
  requireSystemCallMode: helper('requireSystemCallMode', {
    mayFault: true,
    summary: 'where this maker’s processors lack it in this mode: #UD',
  }),
  syscall: helper('syscall', {
    reads: ['MSR', 'EFER'],
    writes: ['RIP', 'segments', 'CPL', 'RFLAGS', 'IF', 'general'],
    shows: [],
    mayFault: true,
    entersSystem: true,
    summary: 'RCX ← RIP, R11 ← RFLAGS; RIP ← LSTAR, CS and SS from STAR, RFLAGS without the bits of FMASK, CPL ← 0',
  }),
  sysret: helper('sysret', {
    reads: ['MSR', 'CPL'],
    writes: ['RIP', 'segments', 'CPL', 'RFLAGS', 'IF'],
    shows: [],
    mayFault: true,
    summary: 'RIP ← RCX, RFLAGS ← R11, CS and SS from STAR, CPL ← 3',
  }),
  sysenter: helper('sysenter', {
    reads: ['MSR'],
    writes: ['RIP', 'RSP', 'segments', 'CPL', 'RFLAGS', 'IF'],
    shows: [],
    mayFault: true,
    entersSystem: true,
    summary: 'CS, SS, RSP and RIP ← from IA32_SYSENTER_CS, _ESP and _EIP, IF ← 0, CPL ← 0',
  }),
  sysexit: helper('sysexit', {
    reads: ['MSR', 'CPL'],
    writes: ['RIP', 'RSP', 'segments', 'CPL'],
    shows: [],
    mayFault: true,
    summary: 'RIP ← RDX, RSP ← RCX, CS and SS from IA32_SYSENTER_CS, CPL ← 3',
  }),
  /** Argument: selector. Bits 31:0 are the answer, bit 32 says that the descriptor may be seen from here. */
  readAccessRights: helper('readAccessRights', {
    reads: ['GDTR', 'LDTR', 'CPL'],
    mayFault: true,
    result: 64,
    summary: 'the access rights of selector {0}, if CPL and RPL allow them to be seen',
  }),
  readSegmentLimit: helper('readSegmentLimit', {
    reads: ['GDTR', 'LDTR', 'CPL'],
    mayFault: true,
    result: 64,
    summary: 'the limit of selector {0} in bytes, if CPL and RPL allow it to be seen',
  }),
  verifyRead: helper('verifyRead', {
    reads: ['GDTR', 'LDTR', 'CPL'],
    mayFault: true,
    result: 1,
    summary: 'whether the segment of selector {0} can be read from here',
  }),
  verifyWrite: helper('verifyWrite', {
    reads: ['GDTR', 'LDTR', 'CPL'],
    mayFault: true,
    result: 1,
    summary: 'whether the segment of selector {0} can be written from here',
  }),
  /** Arguments: segment number, base. */
  loadSegmentBase: helper('loadSegmentBase', {
    writes: ['general'],
    mayFault: true,
    summary: 'the base of {0:segment} ← {1}, which must be canonical',
  }),
  swapgs: helper('swapgs', {reads: ['MSR'], writes: ['MSR', 'segments'], summary: 'GS.base ↔ KERNEL_GS_BASE'}),

  // Control registers, debug registers, MSRs. loadCr0 … take the whole new value and check it.
  readCr0: helper('readCr0', {
    reads: ['CR0'],
    result: 64,
    summary: 'CR0, as the guest/host mask and the read shadow show it',
  }),
  readCr4: helper('readCr4', {
    reads: ['CR4'],
    result: 64,
    summary: 'CR4, as the guest/host mask and the read shadow show it',
  }),
  readCr8: helper('readCr8', {
    reads: ['CR8'],
    result: 64,
    summary: 'CR8 (task priority), or the one of the guest’s virtual APIC',
  }),
  loadCr0: helper('loadCr0', {writes: ['CR0', 'EFER', 'TLB', 'segments'], mayFault: true, summary: 'CR0 ← {0}'}),
  loadCr2: helper('loadCr2', {writes: ['CR2'], summary: 'CR2 ← {0}'}),
  loadCr3: helper('loadCr3', {
    writes: ['CR3', 'TLB'],
    mayFault: true,
    summary: 'CR3 ← {0}; forget every non-global translation',
  }),
  loadCr4: helper('loadCr4', {writes: ['CR4', 'TLB'], mayFault: true, summary: 'CR4 ← {0}'}),
  loadCr8: helper('loadCr8', {writes: ['CR8'], mayFault: true, summary: 'CR8 (task priority) ← {0}'}),
  loadMachineStatusWord: helper('loadMachineStatusWord', {
    writes: ['CR0'],
    mayFault: true,
    summary: 'CR0[3:0] ← {0}, but PE cannot be cleared',
  }),
  clearTaskSwitched: helper('clearTaskSwitched', {writes: ['CR0'], summary: 'CR0.TS ← 0'}),
  readDebugRegister: helper('readDebugRegister', {
    reads: ['DR'],
    mayFault: true,
    result: 64,
    summary: 'debug register {0}',
  }),
  loadDebugRegister: helper('loadDebugRegister', {writes: ['DR'], mayFault: true, summary: 'debug register {0} ← {1}'}),
  /** Argument: MSR number. Unknown MSRs give #GP(0). */
  readMsr: helper('readMsr', {reads: ['MSR'], mayFault: true, result: 64, summary: 'MSR {0}'}),
  writeMsr: helper('writeMsr', {writes: ['MSR', 'EFER'], mayFault: true, summary: 'MSR {0} ← {1}'}),
  readTimeStampCounter: helper('readTimeStampCounter', {reads: ['MSR'], result: 64, summary: 'the time-stamp counter'}),
  readPerformanceCounter: helper('readPerformanceCounter', {
    reads: ['MSR'],
    mayFault: true,
    result: 64,
    summary: 'performance counter {0}',
  }),
  /** Arguments: number of the extended control register, value. */
  loadXcr: helper('loadXcr', {writes: ['XCR0'], mayFault: true, summary: 'extended control register {0} ← {1}'}),
  /** Arguments: type, PCID, linear address. */
  invalidatePcid: helper('invalidatePcid', {
    writes: ['TLB'],
    mayFault: true,
    summary: 'forget translations by PCID, type {0}',
  }),
  invalidatePage: helper('invalidatePage', {writes: ['TLB'], summary: 'forget the translation of linear address {0}'}),
  /** Arguments: segment number, offset. Gives the linear address. */
  linearAddress: helper('linearAddress', {
    reads: ['segments'],
    result: 64,
    summary: 'the linear address of {0:segment}:{1}',
  }),
  writeBackCaches: helper('writeBackCaches', {writes: ['cache'], summary: 'write back and forget the caches'}),

  /** The machine's own deterministic sources of numbers that no program can foresee. */
  readRandom: helper('readRandom', {result: 64, summary: 'a random number'}),
  readSeed: helper('readSeed', {result: 64, summary: 'a number from the source of entropy'}),

  /** Argument: leaf, subleaf. Writes EAX, EBX, ECX, EDX. Leaf 1 shows CR4.OSXSAVE and whether the local APIC is enabled. */
  cpuid: helper('cpuid', {
    reads: ['CR4', 'MSR'],
    writes: ['general'],
    summary: 'EAX, EBX, ECX, EDX ← what the processor says of itself, leaf {0}',
  }),

  // Ports. Arguments: port, bytes (a constant).
  checkPortPermission: helper('checkPortPermission', {
    reads: ['CPL', 'IF', 'TR'],
    mayFault: true,
    summary: 'where CPL > IOPL, the TSS must permit port {0}',
  }),
  portIn: helper('portIn', {writes: ['port'], result: 32, summary: 'read port {0}'}),
  portOut: helper('portOut', {writes: ['port'], summary: 'port {0} ← {2}'}),

  // The run itself.
  halt: helper('halt', {writes: ['activity'], summary: 'stop until an interrupt'}),
  /** Argument: a linear address that can be read. */
  armMonitor: helper('armMonitor', {
    reads: ['memory'],
    writes: ['activity'],
    mayFault: true,
    summary: 'watch the 64 bytes around linear address {0}',
  }),
  /** Argument: 1 where an interrupt that IF masks ends the wait as well. */
  monitorWait: helper('monitorWait', {
    reads: ['memory', 'IF'],
    writes: ['activity'],
    summary: 'wait for an interrupt, unless the watched bytes have changed or nothing is watched',
  }),
  /** STI: IF ← 1, and interrupts wait for one more instruction. */
  enableInterrupts: helper('enableInterrupts', {writes: ['IF'], summary: 'IF ← 1, after one more instruction'}),

  // x87, MMX and SSE state. Arguments: segment number, offset; then the alignment in bytes, or the components (RFBM).
  requireAlignment: helper('requireAlignment', {
    reads: ['segments'],
    mayFault: true,
    summary: 'unless {0:segment}:{1} is a multiple of {2}: #GP(0)',
  }),
  saveFxImage: helper('saveFxImage', {
    reads: ['vector'],
    writes: ['memory'],
    mayFault: true,
    summary: '512 bytes at {0:segment}:{1} ← x87, MMX and SSE state',
  }),
  restoreFxImage: helper('restoreFxImage', {
    reads: ['memory'],
    writes: ['vector'],
    mayFault: true,
    summary: 'x87, MMX and SSE state ← 512 bytes at {0:segment}:{1}; reserved bits of MXCSR: #GP(0)',
  }),
  saveExtendedState: helper('saveExtendedState', {
    reads: ['vector', 'XCR0'],
    writes: ['memory'],
    mayFault: true,
    summary: 'the XSAVE area at {0:segment}:{1} ← state components {2}',
  }),
  restoreExtendedState: helper('restoreExtendedState', {
    reads: ['memory', 'XCR0'],
    writes: ['vector'],
    mayFault: true,
    summary: 'state components {2} ← the XSAVE area at {0:segment}:{1}',
  }),
  storeFpuEnvironment: helper('storeFpuEnvironment', {
    reads: ['vector'],
    writes: ['memory', 'vector'],
    mayFault: true,
    summary: 'the x87 environment is stored at {0:segment}:{1}; then every x87 exception is masked',
  }),
  loadFpuEnvironment: helper('loadFpuEnvironment', {
    reads: ['memory'],
    writes: ['vector'],
    mayFault: true,
    summary: 'the x87 environment ← {0:segment}:{1}',
  }),
  saveFpuState: helper('saveFpuState', {
    reads: ['vector'],
    writes: ['memory', 'vector'],
    mayFault: true,
    summary: 'the x87 environment and registers are stored at {0:segment}:{1}; then the FPU is initialized',
  }),
  restoreFpuState: helper('restoreFpuState', {
    reads: ['memory'],
    writes: ['vector'],
    mayFault: true,
    summary: 'the x87 environment and registers ← {0:segment}:{1}',
  }),
  /** Argument: the new MXCSR. */
  loadMxcsr: helper('loadMxcsr', {writes: ['vector'], mayFault: true, summary: 'MXCSR ← {0}; reserved bits: #GP(0)'}),

  // VMX. Arguments: a physical address for those with an m64 operand; VMCS encoding and value for VMREAD and VMWRITE.
  // Each sets CF and ZF to say how it ended (SDM vol. 3C, "Conventions").
  vmxon: helper('vmxon', {
    reads: ['memory', 'VMX'],
    writes: ['VMX', 'RFLAGS'],
    mayFault: true,
    summary: 'enter VMX operation with the VMXON region at {0}',
  }),
  vmxoff: helper('vmxoff', {writes: ['VMX', 'RFLAGS'], summary: 'leave VMX operation'}),
  vmclear: helper('vmclear', {writes: ['VMCS', 'RFLAGS'], summary: 'the VMCS at {0} ← clear, not current'}),
  vmptrld: helper('vmptrld', {
    reads: ['memory'],
    writes: ['VMCS', 'RFLAGS'],
    summary: 'the VMCS at {0} becomes current',
  }),
  vmptrst: helper('vmptrst', {reads: ['VMCS'], writes: ['RFLAGS'], result: 64, summary: 'the current-VMCS pointer'}),
  /** A field that does not exist: the error goes into the VMCS. */
  vmread: helper('vmread', {reads: ['VMCS'], writes: ['VMCS', 'RFLAGS'], result: 64, summary: 'VMCS field {0}'}),
  vmwrite: helper('vmwrite', {writes: ['VMCS', 'RFLAGS'], summary: 'VMCS field {0} ← {1}'}),
  vmlaunch: helper('vmlaunch', {
    reads: ['VMCS'],
    writes: ['VMX', 'RIP', 'RSP', 'RFLAGS', 'segments', 'CR0', 'CR3', 'CR4', 'TLB'],
    summary: 'VM entry with a clear VMCS',
  }),
  vmresume: helper('vmresume', {
    reads: ['VMCS'],
    writes: ['VMX', 'RIP', 'RSP', 'RFLAGS', 'segments', 'CR0', 'CR3', 'CR4', 'TLB'],
    summary: 'VM entry with a launched VMCS',
  }),
  vmcall: helper('vmcall', {writes: ['VMX', 'RFLAGS'], summary: 'call to VM monitor'}),
  invept: helper('invept', {
    writes: ['TLB', 'RFLAGS'],
    mayFault: true,
    summary: 'forget translations derived from EPT, type {0}',
  }),
  invvpid: helper('invvpid', {
    writes: ['TLB', 'RFLAGS'],
    mayFault: true,
    summary: 'forget translations by VPID, type {0}',
  }),
  /** #UD unless in VMX operation, in 64-bit or 32-bit protected mode. */
  requireVmxOperation: helper('requireVmxOperation', {
    reads: ['VMX'],
    mayFault: true,
    summary: 'outside VMX operation: #UD',
  }),

  // SVM. Arguments: the physical address of a VMCB, which therefore is the system's whoever wrote it.
  vmrun: helper('vmrun', {
    reads: ['memory', 'SVM'],
    writes: ['SVM', 'RIP', 'RSP', 'RFLAGS', 'general', 'segments', 'CPL', 'CR0', 'CR3', 'CR4', 'EFER', 'TLB', 'memory'],
    mayFault: true,
    summary: 'save the host, enter the guest of the VMCB at {0}',
  }),
  vmload: helper('vmload', {
    reads: ['memory'],
    writes: ['segments', 'LDTR', 'TR', 'MSR'],
    mayFault: true,
    summary: 'FS, GS, LDTR, TR and the system-call MSRs ← from the VMCB at {0}',
  }),
  vmsave: helper('vmsave', {
    reads: ['LDTR', 'TR', 'MSR'],
    writes: ['memory', 'SVM'],
    mayFault: true,
    summary: 'FS, GS, LDTR, TR and the system-call MSRs → to the VMCB at {0}',
  }),
  /** Argument: the new value, a constant. */
  setGlobalInterruptFlag: helper('setGlobalInterruptFlag', {
    writes: ['SVM', 'IF'],
    summary: 'the global interrupt flag ← {0}',
  }),
  /** Arguments: linear address, ASID. */
  invalidatePageOfAsid: helper('invalidatePageOfAsid', {
    writes: ['TLB'],
    summary: 'forget the translation of linear address {0} in address space {1}',
  }),
} as const;

export type HelperName = keyof typeof HELPERS;
