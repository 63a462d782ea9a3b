// What a hypervisor may be asked to do wrong, so that everybody sees why it must not. Each fault is one thing left out of the
// hypervisor's own code; what comes of it is whatever the guest then does.

export const DELIBERATE_FAULTS = [
  /** Shadow paging: the guest's page tables stay writable, so that their changes pass unseen. */
  'no-write-protection',
  /** Shadow paging: every page is mapped for ring 3 as well. */
  'no-user-bit',
  /** Shadow paging: INVLPG and MOV to CR3 bring nothing up to date. */
  'no-invalidation',
  /** Shadow paging: a page is mapped writable at its first read, so that nobody sees the first write. */
  'no-dirty-tracking',
  /** Kernel and user in ring 3: both run on the kernel's shadow page tables. */
  'one-shadow',
  /** The user-space VMM forgets KVM_SET_USER_MEMORY_REGION: the guest has no memory. */
  'no-memory-region',
  /** The user-space VMM forgets KVM_SET_SREGS and KVM_SET_REGS: the vCPU is as after RESET. */
  'no-registers',
  /** Binary translation: a write into code that was translated invalidates nothing. */
  'no-retranslation',
  /** Binary translation: CALL pushes the return address of the translation, not the guest's own. */
  'cache-return-address',
] as const;
export type DeliberateFault = (typeof DELIBERATE_FAULTS)[number];

/** What ends the sentence on an instruction that a hypervisor was made to forget. */
export const ON_PURPOSE = 'its support was taken out on purpose';

/** What ends the sentence on an instruction that lies outside every memory slot: there KVM itself knows no more. */
export const NO_FETCH = 'no instruction can be fetched there';

/** The faults of one run. */
export type DeliberateFaults = ReadonlySet<DeliberateFault>;

export const NO_FAULTS: DeliberateFaults = new Set();
