// The techniques without hardware for virtualization: a hypervisor in ring 0 with the guest's registers in its memory, no VMCS, no
// user space.

const DEPRIVILEGED: ReadonlySet<string> = new Set([
  'trap-and-emulate',
  'control-program',
  'binary-translation',
  'paravirtual',
]);

/** Whether the guest of a technique runs outside ring 0, and leaves to a hypervisor in ring 0 of the same processor. */
export const isDeprivileged = (technique: string): boolean => DEPRIVILEGED.has(technique);
