// Random guests that change their own page tables and use what they map: on every technique with shadow page tables they must
// find the same values, the same page faults and the same Accessed and Dirty bits as on a bare machine.

import {expect, test} from 'vitest';
import type {ConformanceCase} from '../conformance/conformance-case.js';
import {listing} from '../conformance/listing.js';
import {runCaseOnTechnique} from '../conformance/run-case.js';
import {START} from '../conformance/start-state.js';
import {techniqueById} from '../techniques.js';
import {Dice} from './shadow-scenario.js';

const LOG = 0x10_0000;
const LOG_BYTES = 0x2000;
const TABLES = [0x2_0000, 0x2_1000] as const;
const PAGES = [0x3_0000, 0x3_1000, 0x3_2000, ...TABLES, START.directory] as const;
/** Page-directory entries 2 to 5 lead to the two tables, each by two ways. */
const DIRECTORY = [2, 3, 4, 5] as const;
const INDEXES = [0, 1, 2, 511] as const;
const HANDLER = 0xa000;

/** Puts error code and CR2 into the log, and goes on behind the access, which is 8 bytes long. */
const PAGE_FAULT = listing(`
  5b              ; pop rbx
  49 89 1f        ; mov [r15], rbx
  0f 20 d3        ; mov rbx, cr2
  49 89 5f 08     ; mov [r15 + 8], rbx
  49 83 c7 10     ; add r15, 16
  48 83 04 24 08  ; add qword [rsp], 8
  48 cf           ; iretq
`);
const LOG_RAX = [0x49, 0x89, 0x07, 0x49, 0x83, 0xc7, 0x08]; // mov [r15], rax; add r15, 8
const FLUSH = [0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8]; // mov rax, cr3; mov cr3, rax
const FLIP_WP = [0x0f, 0x20, 0xc0, 0x48, 0x0f, 0xba, 0xf8, 0x10, 0x0f, 0x22, 0xc0]; // mov rax, cr0; btc rax, 16; mov cr0, rax

const bytesOf = (value: bigint, count: number): readonly number[] =>
  Array.from({length: count}, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn));
const load = (linear: number): readonly number[] => [0x48, 0x8b, 0x04, 0x25, ...bytesOf(BigInt(linear), 4)];
const store = (linear: number): readonly number[] => [0x48, 0x89, 0x04, 0x25, ...bytesOf(BigInt(linear), 4)];
const loadRax = (value: bigint): readonly number[] => [0x48, 0xb8, ...bytesOf(value, 8)];
const invlpg = (linear: number): readonly number[] => [0x0f, 0x01, 0x3c, 0x25, ...bytesOf(BigInt(linear), 4)];
const linearOf = (directory: number, index: number): number => directory * 0x20_0000 + index * 0x1000 + 0x40;

function entryFor(dice: Dice, target: number): bigint {
  let entry = BigInt(target);
  for (const [flag, percent] of [
    [1n, 90],
    [2n, 70],
    [4n, 70],
    [0x20n, 50],
    [0x40n, 50],
  ] as const)
    if (dice.chance(percent)) entry |= flag;
  return entry;
}

/** A change of an entry, and the flush that makes it count. */
function edit(dice: Dice): readonly number[] {
  if (dice.chance(20)) {
    const at = START.directory + 8 * dice.pick(DIRECTORY);
    return [...loadRax(entryFor(dice, dice.pick(TABLES))), ...store(at), ...FLUSH];
  }
  const index = dice.pick(INDEXES);
  const at = dice.pick(TABLES) + 8 * index;
  const flush = dice.chance(60) ? DIRECTORY.flatMap(directory => invlpg(linearOf(directory, index))) : FLUSH;
  return [...loadRax(entryFor(dice, dice.pick(PAGES))), ...store(at), ...flush];
}

function operation(dice: Dice): readonly number[] {
  const linear = linearOf(dice.pick(DIRECTORY), dice.pick(INDEXES));
  const what = dice.below(100);
  if (what < 35) return [...load(linear), ...LOG_RAX];
  if (what < 60) return [...loadRax(BigInt(dice.below(1000))), ...store(linear)];
  if (what < 92) return edit(dice);
  return what < 96 ? FLUSH : FLIP_WP;
}

function randomGuest(seed: number): ConformanceCase {
  const dice = new Dice(seed);
  const start = listing('49 c7 c7 00 00 10 00'); // mov r15, LOG
  const code = [...start, ...Array.from({length: 90}, () => operation(dice)).flat(), 0xf4];
  const table = (): readonly number[] =>
    Array.from({length: 512}, (_, index) =>
      bytesOf(INDEXES.some(used => used === index) ? entryFor(dice, dice.pick(PAGES)) : 0n, 8),
    ).flat();
  const directory = DIRECTORY.flatMap(() => bytesOf(entryFor(dice, dice.pick(TABLES)) | 3n, 8));
  const jump = HANDLER - (START.handlers + 14 * 16) - 5;
  return {
    title: `page tables by chance, seed ${seed}`,
    mode: 'long',
    code: Uint8Array.from(code),
    handlers: {14: Uint8Array.from([0xe9, ...bytesOf(BigInt(jump), 4)])},
    memory: [
      {gpa: HANDLER, bytes: [...PAGE_FAULT]},
      {gpa: TABLES[0], bytes: table()},
      {gpa: TABLES[1], bytes: table()},
      {gpa: START.directory + 8 * DIRECTORY[0], bytes: directory},
    ],
    expect: {},
  };
}

interface Seen {
  readonly ending: string;
  readonly log: readonly bigint[];
  readonly memory: string;
}
/** Little-endian. */
const quad = (text: string): bigint => BigInt(`0x${(text.match(/../g) ?? []).toReversed().join('')}`);

function runOn(technique: string, guest: ConformanceCase): Seen {
  const found = techniqueById(technique);
  if (found === undefined) throw new Error(`there is no technique ${technique}`);
  const {ending, byteAt} = runCaseOnTechnique(found, guest);
  const bytes = (from: number, length: number): string =>
    Array.from({length}, (_, at) => (byteAt(from + at) ?? 0).toString(16).padStart(2, '0')).join('');
  const memory = [...PAGES].map(page => bytes(page, 0x1000)).join('\n');
  const log = Array.from({length: LOG_BYTES / 8}, (_, at) => quad(bytes(LOG + 8 * at, 8)));
  return {ending, log, memory};
}

const SEEDS = Array.from({length: 6}, (_, at) => at + 1);

test.each(['vtx-shadow', 'svm-shadow', 'trap-and-emulate'])('%s', {timeout: 120_000}, technique => {
  let faults = 0;
  for (const seed of SEEDS) {
    const guest = randomGuest(seed);
    const bare = runOn('bare', guest);
    expect(bare.ending).toBe('hlt');
    faults += bare.log.filter(value => value >= linearOf(DIRECTORY[0], 0)).length;
    expect(runOn(technique, guest), `seed ${seed}`).toEqual(bare);
  }
  // Each CR2 in the log is a page fault.
  expect(faults).toBeGreaterThan(5 * SEEDS.length);
});
