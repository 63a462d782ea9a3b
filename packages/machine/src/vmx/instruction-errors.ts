// The numbers that VMfailValid leaves in the VM-instruction error field. SDM vol. 3C, "VM Instruction Error Numbers".

export const VM_INSTRUCTION_ERRORS = {
  1: 'VMCALL executed in VMX root operation',
  2: 'VMCLEAR with invalid physical address',
  3: 'VMCLEAR with VMXON pointer',
  4: 'VMLAUNCH with non-clear VMCS',
  5: 'VMRESUME with non-launched VMCS',
  7: 'VM entry with invalid control field(s)',
  8: 'VM entry with invalid host-state field(s)',
  9: 'VMPTRLD with invalid physical address',
  10: 'VMPTRLD with VMXON pointer',
  11: 'VMPTRLD with incorrect VMCS revision identifier',
  12: 'VMREAD/VMWRITE from/to unsupported VMCS component',
  13: 'VMWRITE to read-only VMCS component',
  15: 'VMXON executed in VMX root operation',
  26: 'VM entry with events blocked by MOV SS',
  28: 'invalid operand to INVEPT/INVVPID',
} as const;

export type VmInstructionError = keyof typeof VM_INSTRUCTION_ERRORS;

/** The manual's words for an error number that software read back. */
export function vmInstructionErrorTitle(error: number): string {
  const entry = Object.entries(VM_INSTRUCTION_ERRORS).find(([number]) => Number(number) === error);
  return entry?.[1] ?? `error ${error}`;
}
