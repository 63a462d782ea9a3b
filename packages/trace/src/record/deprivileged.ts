// The techniques without hardware for virtualization: a VMM in ring 0 with a virtual CPU in its memory, no VMCS, no user space.

const DEPRIVILEGED: ReadonlySet<string> = new Set(['trap-and-emulate', 'control-program', 'binary-translation']);

/** Whether the guest of a technique runs outside ring 0 and its registers are, while it does not run, those of a virtual CPU. */
export const isDeprivileged = (technique: string): boolean => DEPRIVILEGED.has(technique);
