// Files that are damaged, cut off or nothing at all: whoever reads them gives a value or a UserError with a sentence, never
// a crash, and never takes more memory than the machine was given. Seeded, so that a failure can be had again.

import {UserError, assertExists} from '@hyperscope/base';
import {decode, disassemble} from '@hyperscope/isa';
import {readRecord, writeRecord} from '@hyperscope/trace';
import {TECHNIQUES} from '@hyperscope/vmm';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {parseSerialScript} from '../run/serial-script.js';
import {runToResult} from '../run/run-to-result.js';
import {readMoo} from '../vectors/moo-reader.js';
import {readPacked} from '../vectors/packed-reader.js';
import type {ImageOptions, LoadedImage} from './image-options.js';
import {loadImage} from './load-image.js';
import {RAW_MODES, loadRaw} from './raw.js';

const MEMORY = 4 * 2 ** 20;
const OPTIONS: ImageOptions = {name: 'file', memoryBytes: MEMORY, commandLine: '', modules: []};
const SEED = {seed: 20_051_114} as const;

/** What came of it; anything thrown but a UserError goes on to the test runner. */
function attempt<T>(read: () => T): T | UserError {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** A little program under headers that are right: what is damaged from here on. `cli; hlt` and zeros. */
function wellFormed(kind: 'elf32' | 'elf64' | 'multiboot' | 'boot-sector'): Uint8Array {
  const bytes = new Uint8Array(kind === 'boot-sector' ? 1024 : 512);
  const view = new DataView(bytes.buffer);
  if (kind === 'boot-sector') {
    bytes.set([0xfa, 0xf4]);
    bytes.set([0x55, 0xaa], 510);
    return bytes;
  }
  const words = (at: number, values: readonly number[]): void =>
    values.forEach((value, index) => view.setUint32(at + 4 * index, value, true));
  if (kind === 'multiboot') {
    words(0, [0x1badb002, 1 << 16, -(0x1badb002 + (1 << 16)) >>> 0, 0x20_0000, 0x20_0000, 0, 0, 0x20_0020]);
    bytes.set([0xfa, 0xf4], 0x20);
    return bytes;
  }
  const wide = kind === 'elf64';
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, wide ? 62 : 3, true);
  const table = 0x40;
  const address = 0x20_0000;
  if (wide) {
    words(24, [address, 0, table, 0]);
    view.setUint16(54, 56, true);
    view.setUint16(56, 1, true);
    words(table, [1, 5, 0x100, 0, address, 0, address, 0, 0x100, 0, 0x200, 0]);
  } else {
    words(24, [address, table]);
    view.setUint16(42, 32, true);
    view.setUint16(44, 1, true);
    words(table, [1, 0x100, address, address, 0x100, 0x200, 5]);
    words(0x80, [0x1badb002, 0, -0x1badb002 >>> 0]);
  }
  bytes.set([0xfa, 0xf4], 0x100);
  return bytes;
}

/** Some bytes changed, mostly among the headers, and perhaps the end cut off. */
function damagedFile(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.oneof({weight: 4, arbitrary: fc.nat(0x9f)}, {weight: 1, arbitrary: fc.nat(original.length - 1)});
  const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(0xff));
  return fc
    .record({changes: fc.array(fc.tuple(place, value), {maxLength: 6}), length: fc.option(fc.nat(original.length))})
    .map(({changes, length}) => {
      const bytes = original.slice();
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes.slice(0, length ?? bytes.length);
    });
}

const IMAGES = fc.oneof(
  fc.uint8Array({maxLength: 600}),
  ...(['elf32', 'elf64', 'multiboot', 'boot-sector'] as const).map(kind => damagedFile(wellFormed(kind))),
);

/** All of it lies in memory, but for ROMs, and nothing is larger than memory. */
function isPlaced({kind, image}: LoadedImage): boolean {
  return image.segments.every(
    ({gpa, bytes}) => bytes.length <= MEMORY && (kind === 'rom' || gpa + bytes.length <= image.memoryBytes),
  );
}

describe('a damaged image', () => {
  const KINDS = [undefined, 'boot-sector', 'multiboot', 'elf64', 'rom'] as const;

  test('the undamaged ones load', () => {
    for (const kind of ['elf32', 'elf64', 'multiboot', 'boot-sector'] as const)
      expect(attempt(() => loadImage(wellFormed(kind), undefined, OPTIONS))).not.toBeInstanceOf(UserError);
  });

  test('loads into memory, or is refused with a sentence', () =>
    fc.assert(
      fc.property(IMAGES, fc.constantFrom(...KINDS), (bytes, kind) => {
        const loaded = attempt(() => loadImage(bytes, kind, OPTIONS));
        if (loaded instanceof UserError) expect(loaded.message).toMatch(/[.)]$/);
        else expect(isPlaced(loaded)).toBe(true);
      }),
      {...SEED, numRuns: 2000},
    ));

  test('as raw bytes at any address, in any mode, too', () =>
    fc.assert(
      fc.property(IMAGES, fc.nat(0xffff_ffff), fc.constantFrom(...RAW_MODES), (bytes, at, mode) => {
        const loaded = attempt(() => loadRaw(bytes, {...OPTIONS, at, mode, set: {}}));
        if (!(loaded instanceof UserError)) expect(isPlaced(loaded)).toBe(true);
      }),
      {...SEED, numRuns: 500},
    ));

  test('runs to an end that has a name', {timeout: 60_000}, () =>
    fc.assert(
      fc.property(IMAGES, bytes => {
        const image = attempt(() => loadImage(bytes, undefined, OPTIONS));
        if (image instanceof UserError) return;
        const guest = {id: 'file', title: 'file', bytes};
        const technique = assertExists(TECHNIQUES[0], 'a technique');
        const ended = attempt(() =>
          runToResult({technique, image, guest, clock: {now: () => 0}, maxInstructions: 300}),
        );
        if (!(ended instanceof UserError)) expect(ended.result.message).not.toBe('');
      }),
      {...SEED, numRuns: 120},
    ),
  );
});

describe('a damaged record', () => {
  async function smallRecord(): Promise<Uint8Array> {
    const bytes = wellFormed('boot-sector');
    const image = loadImage(bytes, undefined, {...OPTIONS, memoryBytes: 2 ** 20});
    const technique = assertExists(TECHNIQUES[0], 'a technique');
    const guest = {id: 'file', title: 'file', bytes};
    const {record} = runToResult({technique, image, guest, clock: {now: () => 0}, recording: 'on'});
    return writeRecord(assertExists(record, 'a record was asked for'));
  }

  test('is read, or refused with a sentence', {timeout: 60_000}, async () => {
    const original = await smallRecord();
    const isRead = await readRecord(original).then(
      () => true,
      () => false,
    );
    expect(isRead).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.oneof(damagedFile(original), fc.uint8Array({maxLength: 300})), async bytes => {
        const outcome = await readRecord(bytes).then(
          () => 'read',
          (error: unknown) => (error instanceof UserError ? 'refused' : error),
        );
        expect(['read', 'refused']).toContain(outcome);
      }),
      {...SEED, numRuns: 60},
    );
  });
});

describe('other files', () => {
  test('vectors of the MOO form are read, or refused', () => {
    const text = (word: string): number[] => [...new TextEncoder().encode(word)];
    const chunk = (name: string, body: readonly number[]): number[] => [
      ...text(name),
      ...[0, 8, 16, 24].map(shift => (body.length >>> shift) & 0xff),
      ...body,
    ];
    const state = [...chunk('REGS', [1, 0, 7, 0]), ...chunk('RAM ', [1, 0, 0, 0, 0, 1, 0, 0, 0x90])];
    const one = [0, 0, 0, 0, ...chunk('BYTS', [1, 0, 0, 0, 0x90]), ...chunk('INIT', state), ...chunk('FINA', state)];
    const file = Uint8Array.from([...chunk('MOO ', [1, 0, 0, 0, 1, 0, 0, 0, ...text('286 ')]), ...chunk('TEST', one)]);
    fc.assert(
      fc.property(fc.oneof(damagedFile(file), fc.uint8Array({maxLength: 200})), bytes => {
        attempt(() => [...readMoo(bytes, {form: '90'})]);
      }),
      {...SEED, numRuns: 2000},
    );
  });

  test('packed vectors and serial scripts are read, or refused', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.constantFrom('wait "a', 'send "\\q"', 'wait 5')), source => {
        attempt(() => [...readPacked(source)]);
        attempt(() => parseSerialScript(source));
      }),
      {...SEED, numRuns: 1000},
    ));
});

test('any bytes decode to an instruction, or to what is wrong with them; and every instruction has a text', () =>
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 20}), fc.constantFrom(16, 32, 64), (bytes, codeSize) => {
      const decoded = decode(bytes, codeSize);
      if (decoded.kind !== 'instruction') return;
      expect(decoded.instruction.bytes.length).toBeLessThanOrEqual(Math.min(15, bytes.length));
      expect(disassemble(decoded.instruction, 0x1000n)).not.toBe('');
    }),
    {...SEED, numRuns: 5000},
  ));
