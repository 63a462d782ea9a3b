// The simulated processors that a run may have, for lists and help texts.

import {PROFILES} from '@hyperscope/machine';

interface ProcessorChoice {
  /** What `--cpu` and a session's `profile` take. */
  readonly id: string;
  /** `Nehalem-like (VT-x with EPT)` */
  readonly title: string;
  readonly year: number;
  /** What came with it, in one line. */
  readonly summary: string;
}

/** By year. */
export const PROCESSORS: readonly ProcessorChoice[] = PROFILES.map(({id, title, year, summary}) => ({
  id,
  title,
  year,
  summary,
}));
