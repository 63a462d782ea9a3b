import {expect, test} from 'vitest';
import {EXCLUSION_RULES, anatomyOf, exclusionOf} from './exclusions.js';
import {VECTOR_REGISTERS} from './vector.js';
import type {Vector} from './vector.js';

const none = new Uint32Array(VECTOR_REGISTERS.length);
const vector = (bytes: readonly number[], exception: number | undefined, more: Partial<Vector> = {}): Vector => ({
  form: '',
  index: 0,
  name: '',
  bytes: Uint8Array.from(bytes),
  hash: '',
  chip: 'C286',
  width: 16,
  before: none,
  after: none,
  mask: none,
  memoryBefore: [],
  memoryAfter: [],
  exception,
  kind: undefined,
  ...more,
});

test.each([
  ['x87', [0xd8, 0xc9, 0xf4], undefined],
  ['lock', [0xf0, 0x3b, 0x02, 0xf4], undefined],
  ['length', [0x2e, 0x36, 0x2e, 0x3e, 0x3e, 0x81, 0x8c, 0xdf, 0x1d, 0x93, 0x76, 0xf4], 13],
  ['fs-gs', [0x8e, 0xe0, 0xf4], 6],
  ['aam-zero', [0xd4, 0x00, 0xf4], 0],
  ['stack-wrap', [0x1b, 0x02, 0xf4], 13],
  ['stack-wrap', [0xc9, 0xf4], 13],
  ['string-fault', [0xf3, 0x6d, 0xf4], 13],
  // A lockable instruction, an operand in DS, or no exception: nothing excuses these.
  [undefined, [0xf0, 0x01, 0x07, 0xf4], undefined],
  [undefined, [0x1b, 0x07, 0xf4], 13],
  [undefined, [0x3e, 0x1b, 0x02, 0xf4], 13],
  [undefined, [0x6d, 0xf4], undefined],
  [undefined, [0x40, 0xf4], undefined],
])('the rule %s for %j with exception %j', (rule, bytes, exception) => {
  expect(exclusionOf(vector(bytes, exception))?.id).toBe(rule);
});

/** AX before and after: EAX is the third register. */
const ax = (before: number, after: number): Partial<Vector> => ({
  before: none.with(2, before),
  after: none.with(2, after),
});

test.each([
  ['idiv-lost-bit', 0x81c1, 0xc180],
  ['idiv-lost-bit', 0x63b9, 0x3980],
  [undefined, 0x81c1, 0xc181],
  [undefined, 0x81c1, 0xc080],
])('the rule %s for IDIV of %j that gave %j', (rule, before, after) => {
  expect(exclusionOf(vector([0xf6, 0x3c, 0xf4], undefined, ax(before, after)))?.id).toBe(rule);
  expect(exclusionOf(vector([0xf6, 0x34, 0xf4], undefined, ax(before, after)))).toBeUndefined();
});

test('what holds on modern processors too is excused by nothing, and a 386 is not excused as a 286', () => {
  expect(exclusionOf(vector([0xf0, 0x40, 0xf4], undefined, {kind: 'modern'}))).toBeUndefined();
  expect(exclusionOf(vector([0xf0, 0x40, 0xf4], undefined, {chip: '386E'}))).toBeUndefined();
});

test('prefixes, opcode, ModR/M and length are found, and HLT alone is an instruction', () => {
  expect(anatomyOf(Uint8Array.of(0x2e, 0xf0, 0x01, 0x07, 0xf4))).toEqual({
    prefixes: new Set([0x2e, 0xf0]),
    opcode: 0x01,
    modrm: 0x07,
    length: 4,
  });
  expect(anatomyOf(Uint8Array.of(0xf4)).length).toBe(1);
});

test('every rule has a name of its own and a reason', () => {
  expect(new Set(EXCLUSION_RULES.map(({id}) => id)).size).toBe(EXCLUSION_RULES.length);
  for (const {reason} of EXCLUSION_RULES) expect(reason).toMatch(/^[A-Z].*\.$/);
});
