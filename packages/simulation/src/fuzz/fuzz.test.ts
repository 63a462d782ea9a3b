// The fuzzer itself: it repeats, it finds what is planted, it shrinks, and it knows what must not be compared.

import {MODERN_INTEL} from '@hyperscope/machine';
import {decode, recordMicrocode} from '@hyperscope/isa';
import {expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {DIFFERENCE_RULES} from './difference-rules.js';
import {FuzzCampaign} from './fuzz-campaign.js';
import type {FuzzFinding} from './fuzz-campaign.js';
import type {FuzzOutcome, FuzzProgram, FuzzTarget} from './fuzz-program.js';
import {codeOf} from './fuzz-program.js';
import {ProgramGenerator, choiceOf} from './program-generator.js';
import {SimulatedProcessor} from './simulated-processor.js';
import {flagEffects} from './undefined-flags.js';

const NONE: ReadonlySet<string> = new Set();

/** A second simulator that does what `spoil` says to its outcomes. */
class SpoiledTarget implements FuzzTarget {
  readonly #processor = new SimulatedProcessor(MODERN_INTEL);
  readonly #spoil: (program: FuzzProgram, outcome: FuzzOutcome) => void;

  constructor(spoil: (program: FuzzProgram, outcome: FuzzOutcome) => void) {
    this.#spoil = spoil;
  }
  run(program: FuzzProgram): FuzzOutcome {
    const outcome = this.#processor.run(program);
    this.#spoil(program, outcome);
    return outcome;
  }
}

function campaign(target: FuzzTarget): FuzzCampaign {
  const simulator = new SimulatedProcessor(MODERN_INTEL);
  return new FuzzCampaign({mode: 'long', seed: 4, simulator, target, quirks: NONE, shrinks: 'shrink'});
}

function firstFinding(broken: FuzzCampaign): FuzzFinding {
  for (let number = 0; number < 200; number++) {
    const finding = broken.run(number);
    if (finding !== undefined) return finding;
  }
  throw new Error('nothing found in 200 programs');
}

test('the same seed and number give the same program, another seed another', () => {
  const code = (seed: number, number: number): string => {
    const processor = new SimulatedProcessor(MODERN_INTEL);
    const generator = new ProgramGenerator('long', seed, processor, choiceOf('long', processor, NONE));
    const {program} = assertExists(generator.generate(number), 'the program says something');
    return codeOf(program).toString();
  };
  expect(code(1, 5)).toBe(code(1, 5));
  expect(code(1, 5)).not.toBe(code(2, 5));
});

test('two simulators agree', () => {
  const same = campaign(new SpoiledTarget(() => undefined));
  for (let number = 0; number < 40; number++) expect(same.run(number)).toBeUndefined();
  expect(same.instructions).toBeGreaterThan(500);
  expect(same.undefinedFlags.programs).toBeGreaterThan(0);
  expect(same.undefinedFlags.same).toBe(same.undefinedFlags.programs);
});

test('a wrong result of one instruction is found, and shrunk to that instruction', () => {
  const isSetcc = (piece: Uint8Array): boolean => {
    const decoded = decode(piece, 64);
    return decoded.kind === 'instruction' && decoded.instruction.form.mnemonic === 'SETcc';
  };
  const broken = campaign(
    new SpoiledTarget(({pieces}, {cells}) => {
      if (pieces.some(isSetcc)) cells[3] = (cells[3] ?? 0n) ^ 4n;
    }),
  );
  const finding = firstFinding(broken);
  expect(finding.program.pieces).toHaveLength(1);
  expect(finding.listing[0]).toMatch(/ set[a-z]+ /);
  expect(finding.differences.map(({what}) => what)).toEqual(['RBX']);
  expect(finding.drawn).toBeGreaterThan(1);
});

test('a byte of memory, a flag and an ending that differ are found', () => {
  const spoils: readonly ((outcome: FuzzOutcome) => void)[] = [
    ({memory}) => (memory[0x3_0123] = (memory[0x3_0123] ?? 0) ^ 1),
    ({cells}) => (cells[17] = (cells[17] ?? 0n) ^ 0x400n),
    ({cells}) => (cells[16] = (cells[16] ?? 0n) + 1n),
  ];
  for (const [n, spoil] of spoils.entries()) {
    const found = assertExists(campaign(new SpoiledTarget((_, outcome) => spoil(outcome))).run(1), 'a finding');
    expect(found.differences.map(({what}) => what)).toEqual([['[30123]', 'RFLAGS', 'RIP'][n]]);
  }
});

test.each([
  ['01 c8', 0, 0x8d5, 0], // add eax, ecx
  ['11 c8', 1, 0x8d5, 0], // adc: CF
  ['21 c8', 0, 0x8c5, 0x10], // and: AF undefined
  ['0f ba e0 03', 0, 1, 0x894], // bt eax, 3: keeping what is undefined is not using it
  ['74 00', 0x40, 0, 0], // jz
  ['9f', 0xd5, 0, 0], // lahf
  ['c1 e0 00', 0, 0, 0], // shl eax, 0
])('flags of %s: what it reads, defines and leaves undefined', (text, reads, defines, leavesUndefined) => {
  const decoded = decode(Uint8Array.from(text.split(' ').map(byte => parseInt(byte, 16))), 64);
  if (decoded.kind !== 'instruction') throw new Error(text);
  const effects = flagEffects(recordMicrocode(decoded.instruction));
  expect({...effects, reads: effects.reads & (text === '9f' ? 0xd5 : 0x8d5)}).toEqual({
    reads,
    defines,
    leavesUndefined,
  });
});

test('difference rules excuse what they name and nothing else', () => {
  const rule = (id: string) =>
    assertExists(
      DIFFERENCE_RULES.find(each => each.id === id),
      id,
    );
  const simulated: FuzzOutcome = {
    ending: {kind: 'handler', vector: 14},
    cells: new BigUint64Array(0),
    memory: new Uint8Array(0),
  };
  const divergence = (what: string, ours: string, theirs: string) => ({
    difference: {what, simulated: ours, other: theirs},
    simulated,
    other: simulated.ending,
    cr2: 0x2_4000n,
    faulting: undefined,
    flagsAt: -2,
  });
  expect(rule('torn-store').excuses(divergence('[23fff]', '0', '1'))).toBe(true);
  expect(rule('torn-store').excuses(divergence('[24000]', '0', '1'))).toBe(false);
  expect(rule('torn-store').excuses(divergence('[23fe0]', '0', '1'))).toBe(false);
  expect(rule('ac-in-handler').excuses(divergence('RFLAGS', '40002', '2'))).toBe(true);
  expect(rule('ac-in-handler').excuses(divergence('RFLAGS', '40003', '2'))).toBe(false);
  expect(rule('esp-in-handler').excuses(divergence('RSP', '12341000', '1000'))).toBe(true);
  expect(rule('esp-in-handler').excuses(divergence('RSP', '12341000', '1002'))).toBe(false);
});
