import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {evaluate} from '../testing/evaluator.js';
import type {Registers} from '../testing/evaluator.js';
import {instructionOf} from '../testing/instructions.js';
import {recordMicrocode} from '../microcode/microcode.js';

const NAMES = ['RAX', 'RBX', 'RCX', 'RDX'] as const;

interface Result {
  readonly bytes: string;
  readonly before: readonly bigint[];
  readonly after: readonly bigint[];
}

function results(): readonly Result[] {
  const text = readFileSync(new URL('../testing/zen4-results.txt', import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter(line => /^[0-9a-f]/.test(line))
    .map(line => {
      const [bytes = '', ...numbers] = line.split(' ');
      const values = numbers.map(number => BigInt(`0x${number}`));
      return {bytes: (bytes.match(/../g) ?? []).join(' '), before: values.slice(0, 5), after: values.slice(5)};
    });
}

const shown = (values: readonly bigint[]): string => values.map(value => value.toString(16)).join(' ');

test('arithmetic does what a real processor did, undefined flags included', () => {
  const all = results();
  expect(all.length).toBeGreaterThan(500);
  const wrong = all.flatMap(({bytes, before, after}) => {
    const registers: Registers = {
      general: new Map(NAMES.map((name, n) => [name, before[n] ?? 0n])),
      flags: before[4] ?? 0n,
    };
    const instruction = instructionOf(bytes);
    evaluate(recordMicrocode(instruction), registers);
    const ours = [...NAMES.map(name => registers.general.get(name) ?? 0n), registers.flags & 0x8d5n];
    return shown(ours) === shown(after)
      ? []
      : `${instruction.form.syntax} (${bytes}): ${shown(before)} gave ${shown(ours)}, not ${shown(after)}`;
  });
  expect(wrong).toEqual([]);
});
