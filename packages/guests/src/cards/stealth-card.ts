// A stealth card: one instruction that a kernel may use and that does not trap outside ring 0, as a small kernel to be run.
// Robin and Irvine (USENIX Security 2000) counted seventeen; the list that is usually reproduced names these eighteen mnemonics.
// What each gives in other rings is not written here: it is found by running the kernel.

export interface StealthCard {
  /** `card-popf`: also the id of its guest. */
  readonly id: string;
  /** `POPF`, `INT n`. */
  readonly mnemonic: string;
  readonly group: 'sensitive register instructions' | 'protection system references';
  /** `9D`. SDM vol. 2. */
  readonly encoding: string;
  /** What the kernel does with it, and what the number is that it prints. */
  readonly story: string;
  /** What a deprivileged kernel wrongly believes. */
  readonly belief: string;
  /** What the kernel did before: instructions that trap where they must. */
  readonly preparation: readonly string[];
  /** The lines around the instruction itself, which stands between the labels `stealth` and `after`. */
  readonly sequence: readonly string[];
  /** What it prints in ring 0. */
  readonly native: string;
  /** How binary translation deals with it in kernel code; user code is not translated. */
  readonly binaryTranslation: string;
  readonly vtx: string;
  readonly svm: string;
  /** Whether CR4.UMIP makes it trap outside ring 0. */
  readonly umip: 'traps' | 'no difference';
}
