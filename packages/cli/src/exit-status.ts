// Exit statuses that scripts can rely on. They say how the engine fared, not what the guest thought of it.

export const EXIT = {
  ok: 0,
  /** A mistake of ours. For `compare`: a difference that nothing explains. */
  internal: 1,
  unexplained: 1,
  /** Bad usage, or an image that cannot be read. */
  usage: 2,
  tripleFault: 3,
  limit: 4,
  unsupported: 5,
  kvm: 6,
} as const;

/** Codes of UserErrors that are KVM's trouble; every other UserError is bad usage. */
export function statusOfUserError(code: string): number {
  return code.startsWith('kvm-') || /^E[A-Z]+$/.test(code) ? EXIT.kvm : EXIT.usage;
}
