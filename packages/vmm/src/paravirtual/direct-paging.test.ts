// Validation, attacked: what a guest could ask for to get at memory that is not its own, or at its page tables. Each is refused with
// Xen's errno and the check that failed, and nothing has changed afterwards.

import {hpa} from '@hyperscope/base';
import {PhysicalMemory} from '@hyperscope/machine';
import type {Check} from '@hyperscope/machine';
import {beforeEach, describe, expect, test} from 'vitest';
import {DirectPaging} from './direct-paging.js';
import {FRAME_TYPE, FrameTable} from './frame-table.js';
import type {FrameType} from './frame-table.js';
import {XEN_L3, XEN_LINEAR} from './xen-layout.js';

const DOMAIN = 1;
const OTHER = 2;
/** The domain's frames; the last belongs to another one. */
const FIRST = 0x1000;
const [L4, L3, L2, L1, PAGE, SECOND, SPARE] = [0x1000, 0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006];
const FOREIGN = 0x1010;
const XENS = 0x100;

const [PRESENT, WRITABLE, USER] = [1n, 2n, 4n];
const GLOBAL = 0x100n;
const GUEST_KERNEL = 1n << 52n;

let memory: PhysicalMemory;
let frames: FrameTable;
let paging: DirectPaging;
let flushes: number;
let looked: number;
let checks: Check[];

beforeEach(() => {
  memory = new PhysicalMemory(0x1011 * 4096);
  frames = new FrameTable(memory);
  for (let mfn = FIRST; mfn < FOREIGN; mfn++) frames.assign(mfn, DOMAIN);
  frames.assign(FOREIGN, OTHER);
  [flushes, looked, checks] = [0, 0, []];
  paging = new DirectPaging({
    memory,
    frames,
    domain: DOMAIN,
    flushTlb: () => void flushes++,
    looked: entries => void (looked += entries),
  });
});

const entry = (mfn: number, bits: bigint): bigint => (BigInt(mfn) << 12n) | bits;
const place = (mfn: number, index: number): number => mfn * 4096 + index * 8;
const write = (mfn: number, index: number, value: bigint): void => memory.write(hpa(place(mfn, index)), 8, value);
const read = (mfn: number, index: number): bigint => memory.read(hpa(place(mfn, index)), 8);
const update = (mfn: number, index: number, value: bigint): string | undefined =>
  paging.update(place(mfn, index), value, 'as it is', checks).errno;
/** The check that decided, with its values. */
const decided = (): string => {
  const last = checks.at(-1);
  return `${last?.rule}: ${last?.values.map(([name, value]) => `${name} ${value}`).join(', ')}`;
};
/** An address space of one table a level, with one page. */
function build(bits = PRESENT | WRITABLE): void {
  write(L4, 0, entry(L3, PRESENT | WRITABLE));
  write(L3, 0, entry(L2, PRESENT | WRITABLE));
  write(L2, 0, entry(L1, PRESENT | WRITABLE));
  write(L1, 0, entry(PAGE, bits));
}
/** References and uses of every frame of the domain: what must be as before after a refusal. An unused frame has no type. */
const everything = (): readonly unknown[] =>
  Array.from({length: FOREIGN - FIRST}, (_, index) => {
    const info = frames.info(FIRST + index);
    return {...info, type: info.uses === 0 ? FRAME_TYPE.none : info.type};
  });
const typeOf = (mfn: number): FrameType => frames.info(mfn).type;

describe('a root that is pinned', () => {
  test('makes each table below it what it is used as, and counts what they refer to', () => {
    build();
    expect(paging.pin(L4, 4, checks)).toBeUndefined();
    expect([L4, L3, L2, L1, PAGE].map(mfn => frames.info(mfn))).toMatchObject([
      {type: FRAME_TYPE.l4, uses: 1, references: 2, isPinned: true, isValidated: true},
      {type: FRAME_TYPE.l3, uses: 1, references: 2},
      {type: FRAME_TYPE.l2, uses: 1, references: 2},
      {type: FRAME_TYPE.l1, uses: 1, references: 2},
      {type: FRAME_TYPE.writable, uses: 1, references: 2},
    ]);
    expect(looked).toBe(4);
  });

  test('has Xen in it, whatever the guest had there', () => {
    build();
    write(L4, 261, entry(FOREIGN, PRESENT | WRITABLE | USER));
    write(L4, 256, entry(PAGE, PRESENT));
    expect(paging.pin(L4, 4, checks)).toBeUndefined();
    expect(read(L4, Number((XEN_LINEAR >> 39n) & 511n)) & 0xfff_f007n).toBe(BigInt(XEN_L3) | PRESENT | WRITABLE);
    expect(read(L4, 256)).toBe(0n);
  });

  test('is open to ring 3, in which the kernel is too: its own entries are marked, the programs’ are global', () => {
    build(PRESENT);
    write(L1, 1, entry(SECOND, PRESENT | USER));
    write(L1, 2, entry(SPARE, PRESENT | USER | GUEST_KERNEL | GLOBAL));
    expect(paging.pin(L4, 4, checks)).toBeUndefined();
    expect(read(L1, 0)).toBe(entry(PAGE, PRESENT | USER | GUEST_KERNEL));
    expect(read(L1, 1)).toBe(entry(SECOND, PRESENT | USER | GLOBAL));
    expect(read(L1, 2)).toBe(entry(SPARE, PRESENT | USER | GUEST_KERNEL));
    expect(read(L2, 0) & USER).toBe(USER);
  });

  test('unpinned, gives back everything', () => {
    build();
    const before = everything();
    paging.pin(L4, 4, checks);
    expect(paging.unpin(L4, checks)).toBeUndefined();
    expect(everything()).toEqual(before);
  });
});

describe('refused', () => {
  /** Makes the attempt on a valid address space, and looks that nothing has changed but what `allowed` says. */
  function refused(attempt: () => string | undefined): string | undefined {
    build();
    expect(paging.pin(L4, 4, [])).toBeUndefined();
    const before = everything();
    const tables = [L4, L3, L2, L1].map(mfn => memory.bytes.slice(mfn * 4096, mfn * 4096 + 4096));
    const errno = attempt();
    expect(everything()).toEqual(before);
    expect([L4, L3, L2, L1].map(mfn => memory.bytes.slice(mfn * 4096, mfn * 4096 + 4096))).toEqual(tables);
    return errno;
  }

  test('a page table mapped writable: the guest could write what Xen has looked at', () => {
    expect(refused(() => update(L1, 1, entry(L1, PRESENT | WRITABLE)))).toBe('EBUSY');
    expect(decided()).toBe(
      'the frame is free to be a writable page, or is one already: frame 0x1003, used as an L1 page table, once',
    );
  });

  test('the same read-only is no attack', () => {
    build();
    paging.pin(L4, 4, []);
    expect(update(L1, 1, entry(L1, PRESENT))).toBeUndefined();
    expect(frames.info(L1)).toMatchObject({type: FRAME_TYPE.l1, uses: 1, references: 3});
  });

  test.each([
    ['another domain’s frame', FOREIGN, 'EBUSY', 'frame 0x1010, owner domain 2'],
    ['a frame of Xen’s', XENS, 'EBUSY', 'frame 0x100, owner Xen'],
    ['a frame that is not there', 0x9999, 'EPERM', 'frame 0x9999, owner nobody: there is no such frame'],
  ])('%s', (_, mfn, errno, values) => {
    expect(refused(() => update(L1, 1, entry(mfn, PRESENT)))).toBe(errno);
    expect(decided()).toBe(`the machine frame belongs to the domain: ${values}`);
  });

  test('another domain’s page table changed', () => {
    expect(refused(() => update(FOREIGN, 0, 0n))).toBe('EINVAL');
    expect(decided()).toContain('owner domain 2');
  });

  test('a writable page as a page table', () => {
    expect(refused(() => update(L2, 1, entry(PAGE, PRESENT)))).toBe('EINVAL');
    expect(decided()).toBe(
      'the frame is free to be an L1 page table, or is one already: frame 0x1004, used as a writable page, once',
    );
    expect(paging.pin(PAGE, 1, checks)).toBe('EINVAL');
    expect(typeOf(PAGE)).toBe(FRAME_TYPE.writable);
  });

  test('a table at another level than its own', () => {
    expect(refused(() => update(L3, 1, entry(L1, PRESENT)) ?? paging.pin(L3, 4, checks))).toBe('EINVAL');
    expect(paging.pin(L3, 4, checks)).toBe('EINVAL');
  });

  test('a table that would lead to itself', () => {
    write(SPARE, 5, entry(SPARE, PRESENT | WRITABLE));
    expect(paging.pin(SPARE, 1, checks)).toBe('EINVAL');
    expect(frames.info(SPARE)).toMatchObject({uses: 0, references: 1, isPinned: false});
  });

  test('a table with one bad entry among good ones, which are given back', () => {
    write(SPARE, 0, entry(SECOND, PRESENT | WRITABLE));
    write(SPARE, 1, entry(PAGE, PRESENT));
    write(SPARE, 2, entry(FOREIGN, PRESENT));
    expect(refused(() => paging.pin(SPARE, 1, checks))).toBe('EINVAL');
    expect(decided()).toBe('every entry may stand in an L1 page table: entry 2, is 0x1010001');
    expect(frames.info(SECOND)).toMatchObject({references: 1, uses: 0});
  });

  test('a large page', () => {
    expect(refused(() => update(L2, 1, entry(PAGE, PRESENT | 0x80n)))).toBe('EINVAL');
    expect(decided()).toContain('no large pages');
  });

  test('a bit that is Xen’s', () => {
    expect(refused(() => update(L1, 1, entry(SECOND, PRESENT | (1n << 60n))))).toBe('EINVAL');
  });

  test('a slot that is Xen’s', () => {
    expect(refused(() => update(L4, 261, 0n))).toBe('EINVAL');
    expect(decided()).toBe('the slot is none of Xen’s (256 to 271): slot 261');
  });

  test('a reference given back twice', () => {
    build();
    paging.pin(L4, 4, []);
    expect(paging.unpin(L4, checks)).toBeUndefined();
    expect(paging.unpin(L4, checks)).toBe('EINVAL');
    expect(decided()).toBe('the frame is pinned: frame 0x1000');
    expect(frames.info(L4).references).toBe(1);
  });

  test('a second pin', () => {
    expect(refused(() => paging.pin(L4, 4, checks))).toBe('EINVAL');
    expect(decided()).toBe('the frame is not pinned already: frame 0x1000');
  });

  test('unpinned while in use, a table stays one', () => {
    build();
    paging.pin(L4, 4, []);
    expect(paging.getTable(L4, 4, [])).toBe(true); // as CR3 does
    expect(paging.unpin(L4, [])).toBeUndefined();
    expect(frames.info(L4)).toMatchObject({type: FRAME_TYPE.l4, uses: 1});
    expect(update(L1, 1, entry(L4, PRESENT | WRITABLE))).toBe('EBUSY');
  });
});

describe('a change that is allowed', () => {
  beforeEach(() => {
    build();
    paging.pin(L4, 4, []);
  });

  test('moves the references from the old frame to the new', () => {
    expect(update(L1, 0, entry(SECOND, PRESENT | WRITABLE))).toBeUndefined();
    expect(frames.info(PAGE)).toMatchObject({uses: 0, references: 1});
    expect(frames.info(SECOND)).toMatchObject({uses: 1, references: 2, type: FRAME_TYPE.writable});
  });

  test('to the same frame leaves the counts as they are', () => {
    const before = everything();
    expect(update(L1, 0, entry(PAGE, PRESENT | WRITABLE))).toBeUndefined();
    expect(everything()).toEqual(before);
  });

  test('of rights: a page that is no longer mapped writable may become a page table, and the TLB forgets', () => {
    expect(paging.pin(PAGE, 1, checks)).toBe('EINVAL');
    expect(update(L1, 0, entry(PAGE, PRESENT))).toBeUndefined();
    expect(flushes).toBe(0);
    expect(paging.pin(PAGE, 1, checks)).toBeUndefined();
    expect(flushes).toBe(1);
  });

  test('of a table that leads to a new one validates that, and the old one is a page again', () => {
    write(SPARE, 0, entry(SECOND, PRESENT | WRITABLE));
    expect(update(L2, 0, entry(SPARE, PRESENT))).toBeUndefined();
    expect(frames.info(SPARE)).toMatchObject({type: FRAME_TYPE.l1, uses: 1});
    expect(frames.info(L1)).toMatchObject({uses: 0});
    expect(frames.info(PAGE)).toMatchObject({uses: 0, references: 1});
  });

  test('of accessed and dirty: the processor’s bits can be kept', () => {
    write(L1, 0, read(L1, 0) | 0x60n);
    const kept = paging.update(place(L1, 0), entry(PAGE, PRESENT | WRITABLE), 'keep accessed and dirty', checks);
    expect(kept.to & 0x60n).toBe(0x60n);
    expect(paging.update(place(L1, 0), entry(PAGE, PRESENT | WRITABLE), 'as it is', checks).to & 0x60n).toBe(0n);
  });

  test('of a page that is no table is a plain write', () => {
    expect(paging.update(place(SPARE, 3), 0x1234n, 'as it is', checks)).toMatchObject({level: undefined});
    expect(read(SPARE, 3)).toBe(0x1234n);
    expect(frames.info(SPARE)).toMatchObject({uses: 0, references: 1});
  });
});
