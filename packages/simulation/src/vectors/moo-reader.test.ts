import {expect, test} from 'vitest';
import {readMoo} from './moo-reader.js';
import {flagsMaskOf, revokedHashes} from './suite-notes.js';
import {VECTOR_REGISTERS, slotOf} from './vector.js';
import type {VectorRegister} from './vector.js';
import {VectorReport} from './vector-report.js';

const little = (value: number, bytes: number): number[] =>
  Array.from({length: bytes}, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff);
const letters = (text: string): number[] => Array.from(text, letter => letter.charCodeAt(0));
const chunk = (name: string, ...payload: readonly (readonly number[])[]): number[] => {
  const bytes = payload.flat();
  return [...letters(name), ...little(bytes.length, 4), ...bytes];
};
const counted = (bytes: readonly number[]): number[] => [...little(bytes.length, 4), ...bytes];

type Values = Readonly<Partial<Record<VectorRegister, number>>>;
const WORD_ORDER = 'eax ebx ecx edx cs ss ds es esp ebp esi edi eip eflags'.split(' ');

/** A bit for each register that is given, then the values. */
function registers(name: 'REGS' | 'RMSK' | 'RG32' | 'RM32', values: Values): number[] {
  const width = name.endsWith('32') ? 4 : 2;
  const order: readonly string[] = width === 4 ? VECTOR_REGISTERS : WORD_ORDER;
  const given = new Map<string, number>(Object.entries(values));
  const present = order.reduce((bits, register, bit) => bits + (given.has(register) ? 2 ** bit : 0), 0);
  return chunk(
    name,
    little(present, width),
    order.flatMap(register => (given.has(register) ? little(given.get(register) ?? 0, width) : [])),
  );
}
const ram = (...pairs: readonly (readonly [number, number])[]): number[] =>
  chunk('RAM ', little(pairs.length, 4), pairs.flatMap(([address, byte]) => [...little(address, 4), byte]));

interface Sample {
  readonly code: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly memory?: readonly (readonly [number, number])[];
  readonly changed?: readonly (readonly [number, number])[];
  readonly more?: readonly number[];
}
/** One test at 2000h, with a chunk in it that nobody knows. */
const testChunk = (sample: Sample): number[] =>
  chunk(
    'TEST',
    little(7, 4),
    chunk('ODD ', [1, 2, 3]),
    chunk('NAME', counted(letters('a test'))),
    chunk('BYTS', counted(sample.code)),
    chunk(
      'INIT',
      sample.before,
      ram(...sample.code.map((byte, i) => [0x2000 + i, byte] as const), ...(sample.memory ?? [])),
    ),
    chunk('FINA', sample.after, ram(...(sample.changed ?? []))),
    sample.more ?? [],
    chunk('HASH', Array.from({length: 20}, () => 0xab)),
  );
const file = (chip: string, ...parts: readonly (readonly number[])[]): Uint8Array =>
  Uint8Array.from([...chunk('MOO ', [1, 1, 0, 0], little(1, 4), letters(chip)), ...parts.flat()]);

const START = {cs: 0x200, eip: 0, ss: 0x300, esp: 0x100, ds: 0x400, eflags: 2} as const;

function judge(bytes: Uint8Array, options: {readonly flagsMask?: number} = {}, revoked: ReadonlySet<string> = new Set()) {
  const report = new VectorReport({revoked});
  for (const vector of readMoo(bytes, {form: '00', ...options})) report.add(vector);
  return report.forms[0];
}

test('a 16-bit test is read whole: registers, memory, name, bytes, hash', () => {
  const bytes = file(
    'C286',
    testChunk({code: [0x40, 0xf4], before: registers('REGS', {...START, eax: 5}), after: registers('REGS', {eax: 6})}),
  );
  const [vector] = readMoo(bytes, {form: '40'});
  expect(vector).toMatchObject({form: '40', index: 7, name: 'a test', hash: 'ab'.repeat(20), chip: 'C286', width: 16});
  expect([vector?.before[slotOf('eax')], vector?.after[slotOf('eax')], vector?.after[slotOf('ss')]]).toEqual([
    5, 6, 0x300,
  ]);
  expect(vector?.memoryBefore).toEqual([0x2000, 0x40, 0x2001, 0xf4]);
});

test('INC AX of a 16-bit file is right, and wrong where the file says otherwise', () => {
  const inc = (eax: number): Uint8Array =>
    file(
      'C286',
      testChunk({
        code: [0x40, 0xf4],
        before: registers('REGS', {...START, eax: 5}),
        after: registers('REGS', {eax, eip: 2, eflags: 6}),
      }),
    );
  expect(judge(inc(6))).toMatchObject({right: 1, wrong: 0});
  expect(judge(inc(7))).toMatchObject({wrong: 1, firstWrong: {bytes: '40 f4', differences: ['ax 7, here 6']}});
});

test('a 32-bit file compares the upper halves too', () => {
  const inc = (eax: number): Uint8Array =>
    file(
      '386E',
      testChunk({
        code: [0x66, 0x40, 0xf4],
        before: registers('RG32', {...START, eax: 0xffff}),
        after: registers('RG32', {eax, eip: 3, eflags: 0x16}),
      }),
    );
  expect(judge(inc(0x1_0000))).toMatchObject({right: 1, wrong: 0});
  expect(judge(inc(0x2_0000))).toMatchObject({wrong: 1, firstWrong: {differences: ['eax 20000, here 10000']}});
});

test.each([
  ['a mask of the file', registers('RM32', {eflags: 0xffff_ffef}), []],
  ['a mask of the test', [], registers('RM32', {eflags: 0xffff_ffef})],
])('%s says which bits are defined', (_, ofFile, ofTest) => {
  const and = (masks: readonly number[]): Uint8Array =>
    file(
      '386E',
      masks.length === 0 ? [] : ofFile,
      testChunk({
        code: [0x21, 0xc0, 0xf4],
        before: registers('RG32', {...START, eax: 1}),
        // AF, which AND leaves undefined, and the HLT's address.
        after: [...registers('RG32', {eip: 3, eflags: 0x12}), ...(masks.length === 0 ? [] : ofTest)],
      }),
    );
  expect(judge(and([]))).toMatchObject({wrong: 1});
  expect(judge(and([1]))).toMatchObject({right: 1});
});

test('the metadata of a collection masks flags as well', () => {
  const metadata = {opcodes: {'21': {'flags-mask': 0xffef}, F7: {reg: {'6': {'flags-mask': 0xf72a}}}}};
  expect([flagsMaskOf(metadata, '21'), flagsMaskOf(metadata, 'F7.6'), flagsMaskOf(metadata, '22')]).toEqual([
    0xffef,
    0xf72a,
    undefined,
  ]);
  const and = file(
    'C286',
    testChunk({
      code: [0x21, 0xc0, 0xf4],
      before: registers('REGS', {...START, eax: 1}),
      after: registers('REGS', {eip: 3, eflags: 0x12}),
    }),
  );
  expect(judge(and)).toMatchObject({wrong: 1});
  expect(judge(and, {flagsMask: 0xffef})).toMatchObject({right: 1});
});

test('a byte that only the machine writes is a difference', () => {
  const store = file(
    'C286',
    testChunk({
      code: [0xa2, 0x10, 0x00, 0xf4],
      before: registers('REGS', {...START, eax: 0x55}),
      after: registers('REGS', {eip: 4}),
    }),
  );
  expect(judge(store)?.firstWrong?.differences).toEqual(['[4010] (which the chip left) 0, here 55']);
});

test('an exception is followed to the HLT of its handler, and undefined flags on the stack are left out', () => {
  const divide = file(
    'C286',
    registers('RMSK', {eflags: 0xf72a}),
    testChunk({
      code: [0xf6, 0xf1, 0xf4],
      before: registers('REGS', {...START, ecx: 0}),
      after: registers('REGS', {esp: 0xfa, cs: 0x500, eip: 1, eflags: 0xd7}),
      // The vector of #DE, and the HLT that it leads to.
      memory: [
        [0, 0],
        [1, 0],
        [2, 0],
        [3, 5],
        [0x5000, 0xf4],
      ],
      changed: [
        [0x30fe, 0xd7],
        [0x30fd, 2],
      ],
      more: chunk('EXCP', [0], little(0x30fe, 4)),
    }),
  );
  expect(judge(divide)).toMatchObject({right: 1, wrong: 0});
});

test('a LOCK that only a 286 takes is excluded by rule; a revoked test is not run', () => {
  const locked = file(
    'C286',
    testChunk({
      code: [0xf0, 0x40, 0xf4],
      before: registers('REGS', START),
      after: registers('REGS', {eax: 1, eip: 3}),
    }),
  );
  expect(judge(locked)).toMatchObject({wrong: 0, excluded: {lock: 1}});
  const list = revokedHashes(`# bad\n${'AB'.repeat(20)}\n`);
  expect(judge(locked, {}, list)).toMatchObject({excluded: {revoked: 1}});
});

test('a file that is cut off anywhere is refused in words, or gives what is whole', () => {
  const whole = file(
    'C286',
    testChunk({code: [0x40, 0xf4], before: registers('REGS', START), after: registers('REGS', {eax: 1})}),
  );
  for (let length = 0; length < whole.length; length++) {
    // At 20 the header is whole and no test follows.
    if (length === 20) continue;
    expect(() => [...readMoo(whole.subarray(0, length), {form: '40'})], `${length} bytes`).toThrowError(
      expect.objectContaining({code: 'bad-vectors'}),
    );
  }
});
