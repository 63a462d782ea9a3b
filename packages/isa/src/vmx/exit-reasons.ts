// The basic exit reasons: bits 15:0 of the exit-reason field. SDM vol. 3D, "VMX Basic Exit Reasons".

export interface ExitReason {
  readonly number: number;
  /** `IO_INSTRUCTION` */
  readonly name: string;
  /** `I/O instruction` */
  readonly title: string;
}

const ROWS = [
  [0, 'EXCEPTION_NMI', 'exception or NMI'],
  [1, 'EXTERNAL_INTERRUPT', 'external interrupt'],
  [2, 'TRIPLE_FAULT', 'triple fault'],
  [3, 'INIT', 'INIT signal'],
  [4, 'SIPI', 'start-up IPI'],
  [5, 'IO_SMI', 'I/O SMI'],
  [6, 'SMI', 'other SMI'],
  [7, 'INTERRUPT_WINDOW', 'interrupt window'],
  [8, 'NMI_WINDOW', 'NMI window'],
  [9, 'TASK_SWITCH', 'task switch'],
  [10, 'CPUID', 'CPUID'],
  [11, 'GETSEC', 'GETSEC'],
  [12, 'HLT', 'HLT'],
  [13, 'INVD', 'INVD'],
  [14, 'INVLPG', 'INVLPG'],
  [15, 'RDPMC', 'RDPMC'],
  [16, 'RDTSC', 'RDTSC'],
  [17, 'RSM', 'RSM'],
  [18, 'VMCALL', 'VMCALL'],
  [19, 'VMCLEAR', 'VMCLEAR'],
  [20, 'VMLAUNCH', 'VMLAUNCH'],
  [21, 'VMPTRLD', 'VMPTRLD'],
  [22, 'VMPTRST', 'VMPTRST'],
  [23, 'VMREAD', 'VMREAD'],
  [24, 'VMRESUME', 'VMRESUME'],
  [25, 'VMWRITE', 'VMWRITE'],
  [26, 'VMXOFF', 'VMXOFF'],
  [27, 'VMXON', 'VMXON'],
  [28, 'CR_ACCESS', 'control-register access'],
  [29, 'DR_ACCESS', 'debug-register access (MOV DR)'],
  [30, 'IO_INSTRUCTION', 'I/O instruction'],
  [31, 'RDMSR', 'RDMSR'],
  [32, 'WRMSR', 'WRMSR'],
  [33, 'VMENTRY_FAILURE_GUEST_STATE', 'VM-entry failure: invalid guest state'],
  [34, 'VMENTRY_FAILURE_MSR', 'VM-entry failure: MSR loading'],
  [36, 'MWAIT', 'MWAIT'],
  [37, 'MONITOR_TRAP_FLAG', 'monitor trap flag'],
  [39, 'MONITOR', 'MONITOR'],
  [40, 'PAUSE', 'PAUSE'],
  [41, 'VMENTRY_FAILURE_MCA', 'VM-entry failure: machine check'],
  [43, 'TPR_THRESHOLD', 'TPR below threshold'],
  [44, 'APIC_ACCESS', 'APIC access'],
  [45, 'VIRTUALIZED_EOI', 'virtualized EOI'],
  [46, 'GDTR_IDTR_ACCESS', 'access to GDTR or IDTR'],
  [47, 'LDTR_TR_ACCESS', 'access to LDTR or TR'],
  [48, 'EPT_VIOLATION', 'EPT violation'],
  [49, 'EPT_MISCONFIGURATION', 'EPT misconfiguration'],
  [50, 'INVEPT', 'INVEPT'],
  [51, 'RDTSCP', 'RDTSCP'],
  [52, 'VMX_PREEMPTION_TIMER_EXPIRED', 'VMX-preemption timer expired'],
  [53, 'INVVPID', 'INVVPID'],
  [54, 'WBINVD', 'WBINVD'],
  [55, 'XSETBV', 'XSETBV'],
  [56, 'APIC_WRITE', 'APIC write'],
  [57, 'RDRAND', 'RDRAND'],
  [58, 'INVPCID', 'INVPCID'],
  [59, 'VMFUNC', 'VMFUNC'],
  [60, 'ENCLS', 'ENCLS'],
  [61, 'RDSEED', 'RDSEED'],
  [62, 'PML_LOGFULL', 'page-modification log full'],
  [63, 'XSAVES', 'XSAVES'],
  [64, 'XRSTORS', 'XRSTORS'],
  [65, 'PCONFIG', 'PCONFIG'],
  [66, 'SPP', 'sub-page permission event'],
  [67, 'UMWAIT', 'UMWAIT'],
  [68, 'TPAUSE', 'TPAUSE'],
  [69, 'LOADIWKEY', 'LOADIWKEY'],
  [70, 'ENCLV', 'ENCLV'],
  [72, 'ENQCMD_PASID', 'ENQCMD PASID translation'],
  [73, 'ENQCMDS_PASID', 'ENQCMDS PASID translation'],
  [74, 'BUS_LOCK', 'bus lock'],
  [75, 'INSTRUCTION_TIMEOUT', 'instruction timeout'],
  [76, 'SEAMCALL', 'SEAMCALL'],
  [77, 'TDCALL', 'TDCALL'],
  [78, 'RDMSRLIST', 'RDMSRLIST'],
  [79, 'WRMSRLIST', 'WRMSRLIST'],
] as const;

export type ExitReasonName = (typeof ROWS)[number][1];

/** All basic exit reasons, by number; the numbers have gaps. */
export const EXIT_REASONS: readonly (ExitReason & {readonly name: ExitReasonName})[] = ROWS.map(
  ([number, name, title]) => ({number, name, title}),
);

/** The number of a basic exit reason. */
export function exitReasonNumber(name: ExitReasonName): number {
  return EXIT_REASONS.find(reason => reason.name === name)?.number ?? -1;
}

/** The name of a basic exit reason (bits 15:0 of the field); `RESERVED_35` for a number that the manual leaves out. */
export function exitReasonName(number: number): string {
  return EXIT_REASONS.find(reason => reason.number === number)?.name ?? `RESERVED_${number}`;
}

/** The same in words, for sentences: `I/O instruction`. */
export function exitReasonTitle(number: number): string {
  return EXIT_REASONS.find(reason => reason.number === number)?.title ?? `reserved exit reason ${number}`;
}
