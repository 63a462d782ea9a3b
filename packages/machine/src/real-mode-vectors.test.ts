// Vectors captured from a real 286 in real mode, where they are at hand. Those that a modern processor must agree with
// (class `modern`) are all compared: registers, defined flags, memory, and the exception that was taken.

import {existsSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {gunzipSync} from 'node:zlib';
import {expect, test} from 'vitest';
import {hpa} from '@hyperscope/base';
import type {Cell} from '@hyperscope/isa';
import {Machine} from './machine.js';
import {NEHALEM_COSTS} from './cpu/cost-model.js';
import {NEHALEM} from './cpu/profiles.js';

const folder =
  process.env['HYPERSCOPE_VECTORS'] ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url));
const file = `${folder}/real286.ndjson.gz`;

const REGISTERS = ['ax', 'bx', 'cx', 'dx', 'sp', 'bp', 'si', 'di'] as const;
const SEGMENTS = ['cs', 'ss', 'ds', 'es'] as const;
type Name = (typeof REGISTERS)[number] | (typeof SEGMENTS)[number] | 'ip' | 'flags';

interface State {
  readonly regs: Readonly<Partial<Record<Name, number>>>;
  readonly ram: readonly (readonly [number, number])[];
}
interface Vector {
  readonly f: string;
  readonly i: number;
  readonly name: string;
  readonly bytes: string;
  readonly init: State;
  readonly final: State;
  /** The vector of the exception, and where its flags were pushed (at odd addresses sometimes one too low). */
  readonly exc?: readonly [vector: number, flagsAt: number];
  readonly fmask: number;
  readonly class: string;
}
const MEMORY = 16 << 20;

function isVector(value: unknown): value is Vector {
  return typeof value === 'object' && value !== null && 'init' in value && 'final' in value && 'class' in value;
}

function prepare(machine: Machine, {regs, ram}: State): void {
  machine.reset();
  const {registers} = machine;
  for (const name of REGISTERS) registers.set(wide(name), BigInt(regs[name] ?? 0));
  for (const name of SEGMENTS) {
    const selector = regs[name] ?? 0;
    registers.setSegment(segmentName(name), {
      selector,
      base: BigInt(selector) << 4n,
      limit: 0xffff,
      attributes: name === 'cs' ? 0x9b : 0x93,
    });
  }
  registers.set('RIP', BigInt(regs.ip ?? 0));
  // IOPL and NT read as 0 in a 286's real mode, whatever the capture was given.
  registers.set('RFLAGS', BigInt(((regs.flags ?? 0) & 0x0fd7) | 2));
  registers.set('IDTR.limit', 0x3ffn);
  for (const [address, byte] of ram) machine.memory.write(hpa(address), 1, BigInt(byte));
}

const wide = (name: (typeof REGISTERS)[number]): Cell => {
  const names = {ax: 'RAX', bx: 'RBX', cx: 'RCX', dx: 'RDX', sp: 'RSP', bp: 'RBP', si: 'RSI', di: 'RDI'} as const;
  return names[name];
};
const segmentName = (name: (typeof SEGMENTS)[number]): 'CS' | 'SS' | 'DS' | 'ES' => {
  const names = {cs: 'CS', ss: 'SS', ds: 'DS', es: 'ES'} as const;
  return names[name];
};

function valueOf(machine: Machine, name: Name): number {
  const {registers} = machine;
  if (name === 'ip') return registers.number('RIP') & 0xffff;
  if (name === 'flags') return registers.number('RFLAGS') & 0xffff;
  const segment = SEGMENTS.find(each => each === name);
  if (segment !== undefined) return registers.number(`${segmentName(segment)}.selector`);
  const general = REGISTERS.find(each => each === name);
  return general === undefined ? 0 : Number(registers.get(wide(general)) & 0xffffn);
}

/** What differs; empty when nothing does; undefined when the instruction is outside what is simulated. */
function run(machine: Machine, vector: Vector): readonly string[] | undefined {
  prepare(machine, vector.init);
  for (let steps = 0; ; steps++) {
    const step = machine.step();
    if (step.kind === 'unsupported') return undefined;
    if (step.kind === 'halted') break;
    if (step.kind === 'shutdown' || steps > 200_000) return [`ended with ${step.kind}`];
  }
  const differences: string[] = [];
  const expected = {...vector.init.regs, ...vector.final.regs};
  for (const name of [...REGISTERS, ...SEGMENTS, 'ip', 'flags'] as const) {
    const mask = name === 'flags' ? vector.fmask & 0x0fd5 : 0xffff;
    const want = (expected[name] ?? 0) & mask;
    const got = valueOf(machine, name) & mask;
    if (want !== got) differences.push(`${name} ${want.toString(16)} ≠ ${got.toString(16)}`);
  }
  // The image of the flags that the exception pushed: two bytes above CS and IP.
  const flags = vector.exc === undefined ? undefined : (expected.ss ?? 0) * 16 + (((expected.sp ?? 0) + 4) & 0xffff);
  for (const [address, byte] of vector.final.ram) {
    const mask =
      flags === undefined || (address !== flags && address !== flags + 1)
        ? 0xff
        : (vector.fmask & 0x0fd5) >> (address === flags ? 0 : 8);
    const got = machine.memory.bytes[address] ?? 0;
    if ((got & mask) !== (byte & mask))
      differences.push(`[${address.toString(16)}] ${byte.toString(16)} ≠ ${got.toString(16)}`);
  }
  for (const [address] of [...vector.init.ram, ...vector.final.ram]) machine.memory.write(hpa(address), 1, 0n);
  return differences;
}

test.skipIf(!existsSync(file))(
  'what a real 286 did in real mode, the machine does (skipped where the vectors are not at hand)',
  {timeout: 300_000},
  () => {
    const machine = new Machine({memoryBytes: MEMORY, profile: NEHALEM, costModel: NEHALEM_COSTS});
    const failures: string[] = [];
    let compared = 0,
      unsupported = 0;
    for (const line of gunzipSync(readFileSync(file)).toString().split('\n')) {
      if (line === '') continue;
      const vector: unknown = JSON.parse(line);
      if (!isVector(vector) || vector.class !== 'modern') continue;
      const differences = run(machine, vector);
      if (differences === undefined) {
        unsupported++;
        continue;
      }
      compared++;
      if (differences.length > 0)
        failures.push(`${vector.f} ${vector.i} ${vector.name} (${vector.bytes}): ${differences.join(', ')}`);
    }
    expect(failures.slice(0, 40)).toEqual([]);
    expect(compared).toBeGreaterThan(30_000);
    expect(unsupported).toBe(0);
  },
);
