// Shadow tables of one address for looking at and testing elements: a clean page, mapped read-only in the shadow.

import type {Moment} from '@hyperscope/trace';

const entry = (level: number, address: number, value: bigint): {level: number; address: number; entry: bigint} => ({
  level,
  address,
  entry: value,
});

export const SAMPLE_SHADOW: NonNullable<Moment['shadow']> = {
  linear: 0x40_0123n,
  guest: [entry(4, 0x1000, 0x2027n), entry(3, 0x2000, 0x3027n), entry(2, 0x3010, 0x4027n), entry(1, 0x4000, 0x9_0027n)],
  shadow: [
    entry(4, 0x48_c000, 0x48_d027n),
    entry(3, 0x48_d000, 0x48_e027n),
    entry(2, 0x48_e010, 0x48_f027n),
    entry(1, 0x48_f000, 0x109_0025n),
  ],
  guestPhysical: 0x9_0123,
  hostPhysical: 0x109_0123,
  relation: 'clean',
  why: ['the shadow is read-only, because the page is clean: the first write has to set Dirty in the guest’s entry'],
  statistics: {
    hiddenFaults: 12,
    trueFaults: 2,
    pageTableWrites: 3,
    cr3Loads: 5,
    invalidations: 1,
    unsyncs: 2,
    syncs: 0,
    deviceFaults: 0,
    zaps: 0,
    floods: 0,
    poolExhaustions: 0,
  },
  pages: {used: 17, capacity: 889},
};
