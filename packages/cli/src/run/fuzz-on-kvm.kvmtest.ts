// The simulator against this host's KVM: a hundred thousand instructions, and the proof that a difference would be seen.

import {fingerprint, quirksOf, skipKvmTests} from '@hyperscope/kvm';
import {FUZZ_MODES, FuzzCampaign, SimulatedProcessor} from '@hyperscope/simulation';
import type {FuzzTarget} from '@hyperscope/simulation';
import {assertExists, keysOf} from '@hyperscope/base';
import {cellIndex, decode} from '@hyperscope/isa';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {FUZZ} from '../commands/fuzz.js';
import {runInProcess} from '../testing/run-in-process.js';
import {KvmFuzzTarget} from './fuzz-on-kvm.js';

const PER_MODE = 25_500;
const RBX = cellIndex('RBX');

describe.skipIf(skipKvmTests())('the simulator and KVM', () => {
  let target: KvmFuzzTarget | undefined;
  let quirks: ReadonlySet<string> = new Set();
  let simulator: SimulatedProcessor | undefined;
  beforeAll(() => {
    quirks = new Set(quirksOf(fingerprint()).map(({id}) => id));
    target = new KvmFuzzTarget();
    simulator = new SimulatedProcessor(target.profile());
  });
  afterAll(() => target?.close());

  const campaign = (mode: keyof typeof FUZZ_MODES, other: FuzzTarget): FuzzCampaign =>
    new FuzzCampaign({
      mode,
      seed: 20,
      simulator: assertExists(simulator, 'made before'),
      target: other,
      quirks,
      shrinks: 'shrink',
    });

  test.each(keysOf(FUZZ_MODES))('do the same with random programs (%s)', {timeout: 300_000}, mode => {
    const fuzz = campaign(mode, assertExists(target, 'made before'));
    for (let number = 0; fuzz.instructions < PER_MODE; number++) {
      const finding = fuzz.run(number);
      expect(finding?.differences, [`program ${number}`, ...(finding?.listing ?? [])].join('\n')).toBeUndefined();
    }
    // Every line that is compared was compared; a few end a program and are drawn seldom.
    expect(fuzz.executed.size).toBeGreaterThan(fuzz.choice.eligible.length * 0.97);
  });

  test('the command says so, as a table and as JSON', async () => {
    const {status, out} = await runInProcess([FUZZ], ['fuzz', '--mode', 'ring3', '-n', '300', '--json', '-']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      seed: 1,
      modes: [{mode: 'ring3', differing: 0, findings: [], lines: {excluded: {identity: 1}}}],
    });
    const table = await runInProcess([FUZZ], ['fuzz', '--mode', 'real', '--program', '3']);
    expect(table.status).toBe(0);
    expect(table.out).toMatch(/^real +1 /m);
  });

  test('would be told apart by one wrong result, which is shrunk to its instruction', () => {
    const isBswap = (piece: Uint8Array): boolean => {
      const decoded = decode(piece, 64);
      return decoded.kind === 'instruction' && decoded.instruction.form.mnemonic === 'BSWAP';
    };
    const spoiled: FuzzTarget = {
      run: program => {
        const outcome = assertExists(target, 'made before').run(program);
        if (program.pieces.some(isBswap)) outcome.cells[RBX] = (outcome.cells[RBX] ?? 0n) ^ 1n;
        return outcome;
      },
    };
    const fuzz = campaign('ring3', spoiled);
    let finding = fuzz.run(0);
    for (let number = 1; finding === undefined && number < 300; number++) finding = fuzz.run(number);
    expect(finding?.listing).toEqual([expect.stringContaining('bswap')]);
    expect(finding?.differences.map(({what}) => what)).toEqual(['RBX']);
  });
});
