import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {withFeature} from '../cpu/features.js';
import {MODERN_INTEL} from '../cpu/profiles.js';
import {CODE, longMode} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';

const MEMORY = 0x3_0000;

interface Result {
  readonly bytes: string;
  readonly before: readonly bigint[];
  readonly after: readonly bigint[];
}

function results(): readonly Result[] {
  return readFileSync(new URL('zen4-vectors.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter(line => /^[0-9a-f]/.test(line))
    .map(line => {
      const [bytes = '', ...fields] = line.split(' ');
      const before = fields.slice(0, 6).map(text => BigInt(`0x${text}`));
      const after = fields.slice(6).map((text, n) => (text === '.' ? (before[n] ?? 0n) : BigInt(`0x${text}`)));
      return {bytes: (bytes.match(/../g) ?? []).join(' '), before, after};
    });
}

const NAMES = ['XMM0', 'XMM1', 'MM0', 'MM1'] as const;

function put(
  t: TestMachine,
  [xmm0 = 0n, xmm1 = 0n, mm0 = 0n, mm1 = 0n, rax = 0n, memory = 0n]: readonly bigint[],
): void {
  [xmm0, xmm1, mm0, mm1].forEach((value, n) => t.machine.processor.vectors.set(NAMES[n] ?? 'XMM0', value));
  t.set({RAX: rax, RDI: BigInt(MEMORY), RIP: BigInt(CODE)});
  t.quad(MEMORY, memory).quad(MEMORY + 8, memory >> 64n);
}

function taken(t: TestMachine): readonly bigint[] {
  const memory = t.read(MEMORY, 8) | (t.read(MEMORY + 8, 8) << 64n);
  return [...NAMES.map(name => t.machine.processor.vectors.get(name)), t.get('RAX'), memory];
}

test('MMX and SSE moves, logic and packed integers do what a real processor did', () => {
  const all = results();
  expect(all.length).toBeGreaterThan(800);
  const profile = withFeature(MODERN_INTEL, 'sse3', 'on');
  const t = longMode({profile}, '90').set({CR4: 0x220n});
  const wrong = all.flatMap(({bytes, before, after}) => {
    t.bytes(CODE, bytes);
    put(t, before);
    const step = t.machine.step();
    const ours = taken(t);
    const same = step.kind === 'instruction' && ours.every((value, n) => value === after[n]);
    return same ? [] : [`${bytes}: ${step.kind} ${ours.map(String).join(' ')}, not ${after.map(String).join(' ')}`];
  });
  expect(wrong.slice(0, 20)).toEqual([]);
});
