// The instructions that a hypervisor can ask the processor to hand over, under VT-x or under SVM.
// Which of them really exit is decided by the VMCS (or VMCB) of the running guest: machine/src/vmx, machine/src/svm.

/** SDM vol. 3C, "Instructions That Cause VM Exits"; APM vol. 2, "Instruction Intercepts". */
export const INTERCEPTS = [
  'CPUID', 'HLT', 'INVD', 'WBINVD', 'INVLPG', 'INVPCID', 'RDTSC', 'RDTSCP', 'RDPMC', 'PAUSE', 'MONITOR', 'MWAIT', 'XSETBV', 'RDRAND', 'RDSEED', 'GETSEC', 'RSM',
  'IN', 'OUT', 'INS', 'OUTS', 'RDMSR', 'WRMSR',
  'MOV to CR0', 'MOV to CR3', 'MOV to CR4', 'MOV to CR8', 'MOV from CR3', 'MOV from CR8', 'MOV from CR0', 'MOV from CR4', 'CLTS', 'LMSW', 'SMSW', 'MOV DR',
  'LGDT', 'SGDT', 'LIDT', 'SIDT', 'LLDT', 'SLDT', 'LTR', 'STR',
  'PUSHF', 'POPF', 'IRET', 'INTn', 'INT1',
  'VMCALL', 'VMCLEAR', 'VMLAUNCH', 'VMPTRLD', 'VMPTRST', 'VMREAD', 'VMRESUME', 'VMWRITE', 'VMXOFF', 'VMXON', 'INVEPT', 'INVVPID', 'VMFUNC',
  'VMRUN', 'VMMCALL', 'VMLOAD', 'VMSAVE', 'STGI', 'CLGI', 'SKINIT', 'INVLPGA',
] as const;
export type Intercept = (typeof INTERCEPTS)[number];
