// The compiled tier against the reference tier: random instructions of the whole opcode table, in every mode, with operands
// that fault, cross pages and change the code that runs.

import {OPCODES, decode} from '@hyperscope/isa';
import type {CodeSize, OpcodeForm} from '@hyperscope/isa';
import {expect, test} from 'vitest';
import {CODE, STACK, USER_CODE, USER_STACK, longMode, protectedMode, pteAt, realMode} from '../../machine-fixture.js';
import type {TestMachine} from '../../machine-fixture.js';
import {LockStep} from './lock-step.js';

/** Numbers that repeat: xorshift (Marsaglia). */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 1;
  }
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }
  one<T>(of: readonly T[], otherwise: T): T {
    return of[this.below(of.length)] ?? otherwise;
  }
}

const PREFIXES = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65] as const;

/** An encoding of a form with random operands; whatever it is in the end, both tiers must agree on it. */
function encode(dice: Dice, form: OpcodeForm, codeSize: CodeSize): number[] {
  const {pattern} = form;
  const bytes: number[] = [];
  while (dice.below(4) === 0) bytes.push(dice.one(PREFIXES, 0x66));
  if (typeof pattern.mandatory === 'number') bytes.push(pattern.mandatory);
  if (codeSize === 64 && dice.below(2) === 0) bytes.push(0x40 + dice.below(16));
  bytes.push(
    ...pattern.opcode.slice(0, -1),
    (pattern.opcode.at(-1) ?? 0) + (pattern.low === undefined ? 0 : dice.below(8)),
  );
  if (pattern.modrm !== undefined) {
    const reg = pattern.modrm === 'r' ? dice.below(8) : pattern.modrm;
    bytes.push((dice.below(4) << 6) | (reg << 3) | dice.below(8));
  }
  // Displacements and immediates are more often small than not.
  const rest = Array.from({length: 9}, () => (dice.below(3) === 0 ? dice.below(256) : dice.below(2) * 255));
  return [...bytes, ...rest].slice(0, 15);
}

const DATA = 0x5_0000;

/** Pages on which something is refused: absent, read-only, for the supervisor. */
function restrict(t: TestMachine): TestMachine {
  return t
    .quad(pteAt(DATA + 0x2000), 0n)
    .quad(pteAt(DATA + 0x4000), BigInt(DATA + 0x4000) | 5n)
    .quad(pteAt(DATA + 0x6000), BigInt(DATA + 0x6000) | 3n);
}

const MODES: readonly {
  readonly title: string;
  readonly codeSize: CodeSize;
  readonly make: () => TestMachine;
  readonly code: number;
  readonly base: number;
  readonly stack: number;
}[] = [
  {title: 'real mode', codeSize: 16, make: () => realMode('f4'), code: CODE, base: CODE, stack: 0x7000},
  {title: 'protected mode', codeSize: 32, make: () => protectedMode({}, 'f4'), code: CODE, base: 0, stack: STACK},
  {
    title: 'protected mode, ring 3',
    codeSize: 32,
    make: () => protectedMode({cpl: 3}, 'f4'),
    code: USER_CODE,
    base: 0,
    stack: USER_STACK,
  },
  {title: '64-bit mode', codeSize: 64, make: () => restrict(longMode({}, 'f4')), code: CODE, base: 0, stack: STACK},
  {
    title: '64-bit mode, ring 3',
    codeSize: 64,
    make: () => restrict(longMode({cpl: 3}, 'f4')),
    code: USER_CODE,
    base: 0,
    stack: USER_STACK,
  },
];

const GENERAL = 16;

function randomRegister(dice: Dice, codeSize: CodeSize): bigint {
  const data = BigInt(
    DATA + dice.below(8) * 0x1000 + dice.one([0, 4, 0x7fe, 0xff9, 0xffc, 0xfff, dice.below(4096)], 0),
  );
  switch (dice.below(6)) {
    case 0:
      return dice.one([0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffff_ffffn, 0x7fff_ffffn, 0x8000_0000n], 0n);
    case 1:
      return codeSize === 64 ? (BigInt(dice.below(0x1_0000_0000)) << 32n) | BigInt(dice.below(0x1_0000_0000)) : data;
    case 2:
      return BigInt(dice.below(0x1_0000_0000));
    case 3:
      return BigInt(dice.below(16));
    default:
      return codeSize === 16 ? data & 0xffffn : data;
  }
}

/** How often each form is tried in each mode; many more have been run by hand. */
const TRIES = Number(process.env['LOCK_STEP_TRIES'] ?? 2);
const SEED = Number(process.env['LOCK_STEP_SEED'] ?? 1);

for (const mode of MODES) {
  test(`every form does the same on both tiers in ${mode.title}`, {timeout: 600_000}, () => {
    const dice = new Dice(SEED * 2654435761);
    const pair = new LockStep(mode.make());
    for (let round = 0; round < TRIES; round++)
      for (const form of OPCODES) {
        if (!tryForm(pair, mode, dice, form)) pair.restore();
      }
  });
}

/** One to three instructions, the first of the form. False when the machine must be put back before it is used again. */
function tryForm(pair: LockStep, mode: (typeof MODES)[number], dice: Dice, form: OpcodeForm): boolean {
  const followers = Array.from({length: dice.below(3)}, () => encode(dice, dice.one(OPCODES, form), mode.codeSize));
  const program = [encode(dice, form, mode.codeSize), ...followers];
  const bytes = program.flatMap(each => cut(each, mode.codeSize));
  // Sometimes at the end of a page, so that the program runs into the next.
  const start = mode.code + dice.one([0, 0, 0x10, 0x100, 0xff0, 0xff9, 0xffd], 0);
  pair.load(start, Uint8Array.from([...bytes, 0xf4]));
  const registers = Array.from({length: GENERAL}, () => randomRegister(dice, mode.codeSize));
  const flags = BigInt(dice.below(0x1000) & 0xcd5) | 2n;
  const stack = BigInt(mode.stack - dice.below(2) * dice.below(16));
  const what = `${form.syntax}, at ${start.toString(16)}: ${Buffer.from(bytes).toString('hex')}`;
  let isWell = true;
  // The first pass is the reference tier's, because nothing has run before; then it is compiled; then it is run ahead.
  for (let pass = 0; pass < 4 && isWell; pass++) {
    pair.both(machine => {
      machine.registers.cells.set(pair.startCells);
      registers.forEach((value, index) => {
        machine.registers.cells[index] = index === RSP ? stack : value;
      });
      machine.registers.set('RIP', BigInt(start - mode.base));
      machine.registers.set('RFLAGS', flags);
    });
    isWell = followPass(pair, pass, `${what}, pass ${pass}`);
  }
  return isWell && dice.below(20) !== 0;
}

const RSP = 4;

/** An instruction without the bytes that are too many. */
function cut(bytes: readonly number[], codeSize: CodeSize): readonly number[] {
  const result = decode(Uint8Array.from(bytes), codeSize);
  return result.kind === 'instruction' ? bytes.slice(0, result.instruction.bytes.length) : bytes;
}

/** False when the machine has stopped for good. */
function followPass(pair: LockStep, pass: number, what: string): boolean {
  for (let step = 0; step < 12; step++) {
    if (pass === 3) {
      const ahead = pair.runAhead(5);
      if (typeof ahead === 'string') expect.fail(`${what}\nstep ${step}: ${ahead}`);
    }
    const done = pair.step();
    if (typeof done === 'string') expect.fail(`${what}\nstep ${step}: ${done}`);
    if (done.kind === 'shutdown') return false;
    if (done.kind === 'halted' || done.kind === 'unsupported') break;
  }
  return true;
}

test('code in a ROM is compiled too, and does the same', () => {
  const start = realMode('f4');
  // mov ax, 1; l: inc ax; add bx, ax; cmp ax, 50; jb l; mov [1000h], bx; hlt
  const contents = new Uint8Array(4096);
  contents.set([0xb8, 1, 0, 0x40, 1, 0xc3, 0x83, 0xf8, 50, 0x72, 0xf8, 0x89, 0x1e, 0, 0x10, 0xf4]);
  const pair = new LockStep(start);
  pair.both(machine => {
    machine.memory.addRegion({
      start: 0xf_0000,
      length: contents.length,
      name: 'ROM',
      contents,
      read: (offset, count) => {
        let value = 0n;
        for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(contents[offset + i] ?? 0);
        return value;
      },
      write: () => undefined,
    });
    machine.registers.setSegment('CS', {selector: 0xf000, base: 0xf_0000n, limit: 0xffff, attributes: 0x9b});
    machine.registers.set('RIP', 0n);
  });
  let ahead = 0;
  for (let step = 0; step < 400; step++) {
    const ran = pair.runAhead(100);
    if (typeof ran === 'string') expect.fail(ran);
    ahead += ran;
    const done = pair.step();
    if (typeof done === 'string') expect.fail(done);
    if (done.kind === 'halted') break;
  }
  expect(ahead).toBeGreaterThan(150);
});
