// Random requests of a guest that means no good, and after each of them a second count: what every frame is used as, found anew from
// the tables themselves, must be what the frame table says; and no page table may be mapped writable.

import {hpa} from '@hyperscope/base';
import {PhysicalMemory} from '@hyperscope/machine';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {DirectPaging, mfnOf} from './direct-paging.js';
import {FRAME_TYPE, FrameTable} from './frame-table.js';

const FIRST = 0x1000;
const FRAMES = 10;
/** Behind the domain's frames: another domain's, and one that is not there. */
const FOREIGN = FIRST + FRAMES;
const INDEXES = [0, 1, 256, 511] as const;
const [PRESENT, WRITABLE] = [1n, 2n];

const mfn = fc.integer({min: FIRST, max: FOREIGN + 1});
const entry = fc
  .tuple(mfn, fc.constantFrom(0n, 1n, 1n, 3n, 3n, 5n, 7n, 0x83n, 1n | (1n << 60n)))
  .map(([frame, bits]) => (BigInt(frame) << 12n) | bits);
const request = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({kind: fc.constant('update' as const), mfn, index: fc.constantFrom(...INDEXES), entry}),
  },
  {weight: 3, arbitrary: fc.record({kind: fc.constant('pin' as const), mfn, level: fc.constantFrom(1, 1, 2, 3, 4)})},
  {weight: 1, arbitrary: fc.record({kind: fc.constant('unpin' as const), mfn})},
);

interface Counts {
  references: number;
  uses: number;
  /** As what it is used. */
  readonly types: Set<number>;
}

/** Uses and references of each frame, found in the tables. */
function counted(memory: PhysicalMemory, frames: FrameTable): ReadonlyMap<number, Counts> {
  const counts = new Map<number, Counts>();
  const of = (frame: number): Counts => {
    const known = counts.get(frame) ?? {references: 1, uses: 0, types: new Set<number>()};
    counts.set(frame, known);
    return known;
  };
  for (let frame = FIRST; frame < FOREIGN; frame++) {
    of(frame);
    if (frames.info(frame).isPinned) {
      of(frame).references++;
      of(frame).uses++;
    }
    const level = frames.levelOf(frame);
    if (level === undefined) continue;
    for (let index = 0; index < 512; index++) {
      const found = memory.read(hpa(frame * 4096 + index * 8), 8);
      const isXens = level === 4 && index >= 256 && index <= 271;
      if (isXens || (found & PRESENT) === 0n) continue;
      const target = of(mfnOf(found));
      target.references++;
      if (level === 1 && (found & WRITABLE) === 0n) continue;
      target.uses++;
      target.types.add(level === 1 ? FRAME_TYPE.writable : level - 1);
    }
  }
  return counts;
}

test('whatever a guest asks for, the frame table is right, and no page table is writable', () => {
  fc.assert(
    fc.property(fc.array(request, {minLength: 20, maxLength: 60}), requests => {
      const memory = new PhysicalMemory((FOREIGN + 1) * 4096);
      const frames = new FrameTable(memory);
      for (let frame = FIRST; frame < FOREIGN; frame++) frames.assign(frame, 1);
      frames.assign(FOREIGN, 2);
      const paging = new DirectPaging({memory, frames, domain: 1, flushTlb: () => undefined, looked: () => undefined});
      for (const each of requests) {
        if (each.kind === 'update') paging.update(each.mfn * 4096 + 8 * each.index, each.entry, 'as it is', []);
        else if (each.kind === 'pin')
          paging.pin(each.mfn, each.level === 1 ? 1 : each.level === 2 ? 2 : each.level === 3 ? 3 : 4, []);
        else paging.unpin(each.mfn, []);
      }
      for (const [frame, {references, uses, types}] of counted(memory, frames)) {
        expect(frame).toBeLessThan(FOREIGN);
        expect(frames.info(frame)).toMatchObject({references, uses});
        expect([...types].filter(type => type !== frames.info(frame).type)).toEqual([]);
      }
      expect(frames.info(FOREIGN)).toMatchObject({references: 1, uses: 0, type: FRAME_TYPE.none});
    }),
    {numRuns: 300, seed: 2003},
  );
});
