// The same for SVM: guests of a few bytes under many intercepts. See vmx-cases.ts.

/** The parts of a #VMEXIT that are printed, in this order. RIP and NRIP count from the guest's first byte. */
export const SVM_COLUMNS = ['code', 'info1', 'info2', 'event', 'nrip', 'rip'] as const;
export type SvmColumn = (typeof SVM_COLUMNS)[number];

export interface SvmCase {
  readonly what: string;
  /** In hexadecimal; HLT follows. The guest is in 64-bit mode at CPL 0, with its hypervisor's page tables. */
  readonly code: string;
  /** Reads in bits 15:0, writes in 31:16. */
  readonly controlRegisters?: number;
  readonly debugRegisters?: number;
  readonly exceptions?: number;
  /** Added to HLT and shutdown. */
  readonly word3?: number;
  /** Added to VMRUN. */
  readonly word4?: number;
  readonly inject?: number;
  readonly virtualInterrupt?: number;
  readonly rflags?: number;
  /** NP_ENABLE, and the nested entry of the page at 30000h. */
  readonly nested?: number;
  readonly nestedEntry?: number;
  readonly asid?: number;
  readonly efer?: number;
  readonly cr0?: number;
  readonly rcx?: number;
  readonly rdx?: number;
  readonly rbx?: number;
  /** Beside code and rip. */
  readonly defined?: readonly SvmColumn[];
}

const N: readonly SvmColumn[] = ['nrip'];
const N1: readonly SvmColumn[] = ['nrip', 'info1'];
const IO: readonly SvmColumn[] = ['info1', 'info2', 'nrip'];
const FAULT: readonly SvmColumn[] = ['info1', 'event'];
const PAGE = 0x3_0000;

const INSTRUCTIONS: readonly SvmCase[] = [
  {what: 'HLT', code: '', defined: N},
  {what: 'CPUID', code: '0f a2', word3: 1 << 18, defined: N},
  {what: 'CPUID stays', code: '0f a2', defined: N},
  {what: 'PUSHF', code: '9c', word3: 1 << 16, defined: N},
  {what: 'POPF', code: '9d', word3: 1 << 17, defined: N},
  {what: 'IRETQ', code: '48 cf', word3: 1 << 20, defined: N},
  {what: 'INT 21h', code: 'cd 21', word3: 1 << 21, defined: N1},
  {what: 'INVD', code: '0f 08', word3: 1 << 22, defined: N},
  {what: 'PAUSE', code: 'f3 90', word3: 1 << 23, defined: N},
  {what: 'INVLPG [RBX+8]', code: '0f 01 7b 08', word3: 1 << 25, rbx: PAGE, defined: N1},
  {what: 'INVLPGA', code: '0f 01 df', word3: 1 << 26, defined: N},
  {what: 'RDTSC', code: '0f 31', word3: 1 << 14, defined: N},
  {what: 'RDPMC', code: '0f 33', word3: 1 << 15, defined: N},
  {what: 'SIDT [RBX]', code: '0f 01 0b', word3: 1 << 6, rbx: PAGE, defined: N},
  {what: 'SGDT [RBX]', code: '0f 01 03', word3: 1 << 7, rbx: PAGE, defined: N},
  {what: 'SLDT ECX', code: '0f 00 c1', word3: 1 << 8, defined: N},
  {what: 'STR ECX', code: '0f 00 c9', word3: 1 << 9, defined: N},
  {what: 'LIDT [RBX]', code: '0f 01 1b', word3: 1 << 10, rbx: PAGE, defined: N},
  {what: 'LGDT [RBX]', code: '0f 01 13', word3: 1 << 11, rbx: PAGE, defined: N},
  {what: 'LLDT CX', code: '0f 00 d1', word3: 1 << 12, defined: N},
  {what: 'LTR CX', code: '0f 00 d9', word3: 1 << 13, defined: N},
  {what: 'VMRUN', code: '0f 01 d8', defined: N},
  {what: 'VMMCALL', code: '0f 01 d9', word4: 2, defined: N},
  {what: 'VMMCALL that nobody asked for is #UD', code: '0f 01 d9', exceptions: 1 << 6, defined: FAULT},
  {what: 'VMLOAD', code: '0f 01 da', word4: 1 << 2, defined: N},
  {what: 'VMSAVE', code: '0f 01 db', word4: 1 << 3, defined: N},
  {what: 'STGI', code: '0f 01 dc', word4: 1 << 4, defined: N},
  {what: 'CLGI', code: '0f 01 dd', word4: 1 << 5, defined: N},
  {what: 'SKINIT', code: '0f 01 de', word4: 1 << 6, defined: N},
  {what: 'RDTSCP', code: '0f 01 f9', word4: 1 << 7, defined: N},
  {what: 'INT1', code: 'f1', word4: 1 << 8, defined: N},
  {what: 'WBINVD', code: '0f 09', word4: 1 << 9, defined: N},
  {what: 'MONITOR', code: '0f 01 c8', word4: 1 << 10, defined: N},
  {what: 'MWAIT', code: '0f 01 c9', word4: 1 << 11, defined: N},
];

const REGISTERS: readonly SvmCase[] = [
  {what: 'MOV RDX, CR0', code: '0f 20 c2', controlRegisters: 1, defined: N1},
  {what: 'MOV R9, CR2', code: '41 0f 20 d1', controlRegisters: 1 << 2, defined: N1},
  {what: 'MOV CR3, RCX', code: '0f 22 d9', controlRegisters: 1 << 19, rcx: 0x7_0000, defined: N1},
  {what: 'MOV CR4, RBX', code: '0f 22 e3', controlRegisters: 1 << 20, rbx: 0x20, defined: N1},
  {what: 'MOV CR8, RCX', code: '44 0f 22 c1', controlRegisters: 1 << 24, defined: N1},
  {what: 'MOV RAX, CR8', code: '44 0f 20 c0', controlRegisters: 1 << 8, defined: N1},
  {what: 'CLTS', code: '0f 06', controlRegisters: 1 << 16, defined: N1},
  {what: 'LMSW BX', code: '0f 01 f3', controlRegisters: 1 << 16, rbx: 1, defined: N1},
  {what: 'SMSW ECX', code: '0f 01 e1', controlRegisters: 1, defined: N1},
  {
    what: 'a selective write of CR0 that sets CD',
    code: '0f 20 c3 0f ba eb 1e 0f 22 c3',
    word3: 1 << 5,
    defined: ['nrip'],
  },
  {
    what: 'a selective write of CR0 that sets TS stays',
    code: '0f 20 c3 48 83 cb 08 0f 22 c3',
    word3: 1 << 5,
    defined: N,
  },
  {what: 'MOV DR3, RCX', code: '0f 23 d9', debugRegisters: 1 << 19, defined: N1},
  {what: 'MOV R11, DR7', code: '41 0f 21 fb', debugRegisters: 1 << 7, defined: N1},
  {what: 'IN AL, 71h', code: 'e4 71', word3: 1 << 27, defined: IO},
  {what: 'OUT DX, EAX', code: 'ef', word3: 1 << 27, rdx: 0x3f8, defined: IO},
  {what: 'OUT DX, AX', code: '66 ef', word3: 1 << 27, rdx: 0x80, defined: IO},
  {what: 'REP INSB', code: 'f3 6c', word3: 1 << 27, rdx: 0x60, rcx: 2, defined: IO},
  {what: 'OUTSW from FS', code: '64 66 6f', word3: 1 << 27, rdx: 0x60, defined: IO},
  {what: 'RDMSR', code: '0f 32', word3: 1 << 28, rcx: 0x174, defined: N1},
  {what: 'WRMSR', code: '0f 30', word3: 1 << 28, rcx: 0x174, defined: N1},
];

const EVENTS: readonly SvmCase[] = [
  {what: '#UD', code: '0f 0b', exceptions: 1 << 6, defined: FAULT},
  {what: '#UD without a table: its #GP is seen', code: '0f 0b', exceptions: 1 << 13, defined: FAULT},
  {what: '#UD without a table: its #DF is seen', code: '0f 0b', exceptions: 1 << 8, defined: FAULT},
  {what: '#DE', code: 'f7 f1', rcx: 0, exceptions: 1, defined: FAULT},
  {what: 'INT3', code: 'cc', exceptions: 1 << 3, defined: [...FAULT, 'nrip']},
  {what: 'INT n is no exception: its #GP is', code: 'cd 21', exceptions: 1 << 13, defined: FAULT},
  {what: '#GP(selector)', code: '8e d9', rcx: 0x78, exceptions: 1 << 13, defined: FAULT},
  {what: '#PF of a read', code: '8a 01', rcx: 0x4000_0000, exceptions: 1 << 14, defined: [...FAULT, 'info2']},
  {what: '#PF of a write', code: '88 01', rcx: 0x4000_0123, exceptions: 1 << 14, defined: [...FAULT, 'info2']},
  {what: 'a single step', code: '90 90', exceptions: 2, rflags: 0x102, defined: FAULT},
  {what: 'a virtual interrupt behind STI', code: 'fb 90 90', word3: 1 << 4, virtualInterrupt: 0x10_0100},
  {
    what: 'a virtual interrupt below V_TPR stays',
    code: 'fb 90 90',
    word3: 1 << 4,
    virtualInterrupt: 0x2_0103,
    defined: N,
  },
  {what: 'an injected #GP without a table', code: '90', inject: 0x8000_0b0d, exceptions: 1 << 8, defined: FAULT},
  {what: 'an injected interrupt without a table', code: '90', inject: 0x8000_0031, exceptions: 1 << 13, defined: FAULT},
  {what: 'an injected INT n without a table', code: '90', inject: 0x8000_0431, exceptions: 1 << 13, defined: FAULT},
  {what: 'an injected NMI without a table', code: '90', inject: 0x8000_0202, exceptions: 1 << 13, defined: FAULT},
];

const MEMORY: readonly SvmCase[] = [
  {what: 'nested: mapped', code: '8a 01', nested: 1, rcx: PAGE, nestedEntry: PAGE | 7, defined: N},
  {
    what: 'nested: a read that is not mapped',
    code: '8a 01',
    nested: 1,
    rcx: PAGE + 0x123,
    nestedEntry: 0,
    defined: ['info1', 'info2'],
  },
  {
    what: 'nested: a write to a page for reading',
    code: '88 01',
    nested: 1,
    rcx: PAGE + 8,
    nestedEntry: PAGE | 5,
    defined: ['info1', 'info2'],
  },
  {
    what: 'nested: a supervisor page',
    code: '8a 01',
    nested: 1,
    rcx: PAGE,
    nestedEntry: PAGE | 3,
    defined: ['info1', 'info2'],
  },
  {
    what: 'nested: a fetch that is not mapped',
    code: 'ff e1',
    nested: 1,
    rcx: PAGE,
    nestedEntry: 0,
    defined: ['info1', 'info2'],
  },
  {
    what: 'nested: a read-modify-write without a mapping',
    code: '80 01 01',
    nested: 1,
    rcx: PAGE,
    nestedEntry: 0,
    defined: ['info1', 'info2'],
  },
];

const REFUSED: readonly SvmCase[] = [
  {what: 'refused: ASID 0', code: '', asid: 0},
  {what: 'refused: EFER without SVME', code: '', efer: 0x500},
  {what: 'refused: reserved bits of EFER', code: '', efer: 0x1502},
  {what: 'refused: CR0 with NW and without CD', code: '', cr0: 0xa000_0031},
  {what: 'refused: an injected event of type 1', code: '', inject: 0x8000_0131},
  {what: 'refused: an injected exception of vector 32', code: '', inject: 0x8000_0320},
  {what: 'refused: an injected exception of vector 2', code: '', inject: 0x8000_0302},
];

export const SVM_CASES: readonly SvmCase[] = [...INSTRUCTIONS, ...REGISTERS, ...EVENTS, ...MEMORY, ...REFUSED];

/** The columns of a case that must agree. What RIP says of a VMCB that was refused no manual defines. */
export const comparedSvmColumns = ({what, defined}: SvmCase): readonly SvmColumn[] =>
  what.startsWith('refused') ? ['code'] : ['code', 'rip', ...(defined ?? [])];
