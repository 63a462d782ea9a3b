// The page walk that the sample shows: four levels under a four-level EPT, the 24 references of the books.

import type {TraceEvent} from '@hyperscope/trace';

export const SAMPLE_WALK: Extract<TraceEvent, {kind: 'page-walk'}> = {
  kind: 'page-walk',
  linear: 0x8000n,
  access: 'execute',
  outcome: 'mapped',
  references: [4, 3, 2, 1, 0].flatMap(guestLevel => [
    ...[4, 3, 2, 1].map(level => ({
      table: 'ept' as const,
      level,
      address: 0x7f_0000 + level * 0x1000 + guestLevel * 8,
      entry: 0x7f_0007n + BigInt(level) * 0x1000n,
    })),
    ...(guestLevel === 0
      ? []
      : [
          {
            table: 'guest' as const,
            level: guestLevel,
            address: 0x1000 + (4 - guestLevel) * 0x1000,
            entry: 0x2003n + BigInt(4 - guestLevel) * 0x1000n,
          },
        ]),
  ]),
};
