import {expect, test} from 'vitest';
import {TestLine} from './device-fixture.js';
import type {DeviceMemory} from './device-memory.js';
import {VirtioConsole} from './virtio-console.js';

const START = 0xfeb0_0000;
const DESCRIPTORS = 0x1000,
  AVAILABLE = 0x2000,
  USED = 0x3000,
  TEXT = 0x4000;
const NEXT = 1,
  WRITE = 2,
  INDIRECT = 4;
const SIZE = 8;
const RECEIVE = 0,
  TRANSMIT = 1;

class Bench {
  readonly ram = new DataView(new ArrayBuffer(0x8000));
  readonly line = new TestLine();
  readonly news: string[] = [];
  readonly device: VirtioConsole;
  readonly #region;

  constructor() {
    const bytes = new Uint8Array(this.ram.buffer);
    const memory: DeviceMemory = {
      read: (gpa, length) => (gpa + length <= bytes.length ? bytes.slice(gpa, gpa + length) : undefined),
      write: (gpa, data) => {
        if (gpa + data.length > bytes.length) return false;
        bytes.set(data, gpa);
        return true;
      },
    };
    this.device = new VirtioConsole(memory);
    this.device.onInterrupt = level => this.line.set(level);
    this.device.onNews = (_what, sentence) => this.news.push(sentence);
    this.#region = this.device.region(START);
  }

  get(offset: number, bytes = 4): number {
    return Number(this.#region.read(offset, bytes));
  }
  put(offset: number, value: number): this {
    this.#region.write(offset, 4, BigInt(value));
    return this;
  }
  /** The eight steps of "Device Initialization", with one queue of eight descriptors. */
  initialize(queue = TRANSMIT): this {
    this.put(0x70, 0).put(0x70, 1).put(0x70, 3);
    this.put(0x24, 1).put(0x20, 1).put(0x70, 0xb);
    this.put(0x30, queue).put(0x38, SIZE);
    this.put(0x80, DESCRIPTORS).put(0x90, AVAILABLE).put(0xa0, USED).put(0x44, 1);
    return this.put(0x70, 0xf);
  }
  descriptor(index: number, gpa: number, length: number, flags = 0, next = 0): this {
    const at = DESCRIPTORS + 16 * index;
    this.ram.setBigUint64(at, BigInt(gpa), true);
    this.ram.setUint32(at + 8, length, true);
    this.ram.setUint16(at + 12, flags, true);
    this.ram.setUint16(at + 14, next, true);
    return this;
  }
  offer(...heads: readonly number[]): this {
    for (const head of heads) {
      const index = this.ram.getUint16(AVAILABLE + 2, true);
      this.ram.setUint16(AVAILABLE + 4 + 2 * (index % SIZE), head, true);
      this.ram.setUint16(AVAILABLE + 2, index + 1, true);
    }
    return this;
  }
  text(at: number, text: string): this {
    new Uint8Array(this.ram.buffer).set(new TextEncoder().encode(text), at);
    return this;
  }
  get usedIndex(): number {
    return this.ram.getUint16(USED + 2, true);
  }
  used(index: number): readonly [id: number, length: number] {
    return [this.ram.getUint32(USED + 4 + 8 * index, true), this.ram.getUint32(USED + 8 + 8 * index, true)];
  }
  get output(): string {
    return new TextDecoder().decode(this.device.output);
  }
}

test('a driver finds "virt", version 2, a console, and what it offers', () => {
  const bench = new Bench();
  expect([bench.get(0), bench.get(4), bench.get(8)]).toEqual([0x7472_6976, 2, 3]);
  expect([bench.get(0x10), bench.put(0x14, 1).get(0x10), bench.put(0x14, 2).get(0x10)]).toEqual([5, 1, 0]);
  expect([bench.get(0x34), bench.put(0x30, 2).get(0x34)]).toEqual([64, 0]);
  expect([bench.get(0x100, 2), bench.get(0x102, 2), bench.get(0, 1)]).toEqual([80, 25, 0x76]);
});

test('FEATURES_OK stays clear for a driver without version 1, and for one that wants what is not offered', () => {
  const without = new Bench().put(0x70, 3).put(0x70, 0xb);
  expect(without.get(0x70)).toBe(3);
  const greedy = new Bench().put(0x70, 3).put(0x24, 1).put(0x20, 1).put(0x24, 0).put(0x20, 2).put(0x70, 0xb);
  expect(greedy.get(0x70)).toBe(3);
  expect(new Bench().initialize().get(0x70)).toBe(0xf);
});

test('one kick sends every chain that waits, and interrupts once', () => {
  const bench = new Bench().initialize().text(TEXT, 'Hello, ring!');
  bench
    .descriptor(0, TEXT, 5, NEXT, 3)
    .descriptor(3, TEXT + 5, 2)
    .descriptor(1, TEXT + 7, 5)
    .offer(0, 1);
  bench.put(0x50, TRANSMIT);
  expect(bench.output).toBe('Hello, ring!');
  expect([bench.usedIndex, bench.used(0), bench.used(1)]).toEqual([2, [0, 0], [1, 0]]);
  expect([bench.line.rises, bench.line.level, bench.get(0x60)]).toEqual([1, 1, 1]);
  expect([bench.put(0x64, 1).get(0x60), bench.line.level]).toEqual([0, 0]);
  expect(bench.news).toEqual([
    'virtio-console put out 12 bytes, “Hello, ring!”, from 2 chains of its transmit ring, at one kick',
  ]);
});

test('the rings go round: many more chains than the queue has descriptors', () => {
  const bench = new Bench().initialize();
  for (let index = 0; index < 70_000; index++) {
    bench
      .text(TEXT, String.fromCharCode(0x41 + (index % 26)))
      .descriptor(index % SIZE, TEXT, 1)
      .offer(index % SIZE);
    bench.put(0x50, TRANSMIT);
  }
  expect([bench.device.output.length, bench.output.slice(0, 3), bench.usedIndex]).toEqual([
    70_000,
    'ABC',
    70_000 % 65_536,
  ]);
});

test('a chain may be as long as the table', () => {
  const bench = new Bench().initialize().text(TEXT, '87654321');
  for (let index = 0; index < SIZE; index++)
    bench.descriptor(index, TEXT + 7 - index, 1, index + 1 < SIZE ? NEXT : 0, index + 1);
  expect([bench.offer(0).put(0x50, TRANSMIT).output, bench.device.trouble]).toEqual(['12345678', undefined]);
});

test('whatever lies in memory and in the registers, the device comes to an end and says what is wrong', () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const seen = new Set<string>();
  for (let round = 0; round < 2000; round++) {
    const bench = new Bench().initialize(random(2));
    // Mostly small numbers: descriptors and addresses that could be meant.
    for (let at = 0x1000; at < 0x3100; at += 2)
      bench.ram.setUint16(at, random(8) === 0 ? random(65_536) : random(10), true);
    for (let at = DESCRIPTORS; at < AVAILABLE; at += 16) bench.ram.setBigUint64(at, BigInt(random(0x9000)), true);
    bench.device.receive(Uint8Array.from({length: random(5)}));
    for (let kicks = 0; kicks < 4; kicks++) bench.put(0x50, random(3));
    if (bench.device.trouble !== undefined) seen.add(bench.device.trouble.replace(/[\dx][\da-fx]*/g, 'n'));
    expect(bench.device.trouble === undefined).toBe((bench.get(0x70) & 0x40) === 0);
    expect(bench.device.output.length).toBeLessThan(0x10_0000);
  }
  expect(seen.size).toBeGreaterThan(6);
});

test('a driver that asks for no interrupt gets none', () => {
  const bench = new Bench().initialize().text(TEXT, 'x').descriptor(0, TEXT, 1).offer(0);
  bench.ram.setUint16(AVAILABLE, 1, true);
  bench.put(0x50, TRANSMIT);
  expect([bench.output, bench.line.rises]).toEqual(['x', 0]);
});

test('what is typed waits for a buffer, and then goes into as many as it needs', () => {
  const bench = new Bench().initialize(RECEIVE);
  bench.device.receive(new TextEncoder().encode('typed'));
  expect(bench.usedIndex).toBe(0);
  bench
    .descriptor(0, TEXT, 3, WRITE)
    .descriptor(1, TEXT + 3, 100, WRITE)
    .offer(0, 1)
    .put(0x50, RECEIVE);
  expect([bench.used(0), bench.used(1), bench.line.rises]).toEqual([[0, 3], [1, 2], 1]);
  expect(new TextDecoder().decode(bench.ram.buffer.slice(TEXT, TEXT + 5))).toBe('typed');
});

test('the emergency register puts out a byte without any queue', () => {
  const bench = new Bench().put(0x108, 0x21);
  expect(bench.output).toBe('!');
});

test('a kick before DRIVER_OK, or of a queue that is not ready, does nothing', () => {
  const early = new Bench().initialize().text(TEXT, 'x').descriptor(0, TEXT, 1).offer(0).put(0x70, 0xb);
  expect(early.put(0x50, TRANSMIT).output).toBe('');
  expect(new Bench().initialize().offer(0).put(0x50, RECEIVE).news).toEqual([]);
});

test.each<readonly [string, (bench: Bench) => void, RegExp]>([
  ['a circle', b => b.descriptor(0, TEXT, 1, NEXT, 1).descriptor(1, TEXT, 1, NEXT, 0).offer(0), /runs in a circle/],
  ['a descriptor that is its own next', b => b.descriptor(2, TEXT, 1, NEXT, 2).offer(2), /at descriptor 2 after/],
  ['a head that there is not', b => b.offer(8), /names descriptor 8/],
  ['a next that there is not', b => b.descriptor(0, TEXT, 1, NEXT, 0xffff).offer(0), /goes on at descriptor 65535/],
  ['an empty buffer', b => b.descriptor(0, TEXT, 0).offer(0), /descriptor 0 has the length 0/],
  ['a buffer outside memory', b => b.descriptor(0, 0x7ffc, 8).offer(0), /buffer at GPA 0x7ffc/],
  ['a buffer far outside', b => b.descriptor(0, 2 ** 60, 8).offer(0), /buffer at GPA 0x1000000000000000/],
  ['a buffer to be written', b => b.descriptor(0, TEXT, 1, WRITE).offer(0), /wrong direction/],
  ['an indirect table', b => b.descriptor(0, TEXT, 16, INDIRECT).offer(0), /indirect/],
  ['a buffer of gigabytes', b => b.descriptor(0, TEXT, 0xffff_ffff).offer(0), /longer than this device/],
  ['an index that ran away', b => b.ram.setUint16(AVAILABLE + 2, 9, true), /says that 9 chains wait/],
])('%s ends in DEVICE_NEEDS_RESET, with a sentence and an interrupt', (_name, spoil, sentence) => {
  const bench = new Bench().initialize().text(TEXT, 'x');
  spoil(bench);
  bench.put(0x50, TRANSMIT);
  expect([bench.get(0x70), bench.get(0x60), bench.line.level]).toEqual([0x4f, 2, 1]);
  expect(bench.device.trouble).toMatch(sentence);
  expect(bench.news).toEqual([`virtio-console needs a reset: ${bench.device.trouble}`]);
  // Nothing more is done until the driver resets it; then everything works again.
  bench.put(0x50, TRANSMIT);
  expect([bench.news.length, bench.output]).toEqual([1, '']);
  bench.ram.setUint16(AVAILABLE + 2, 0, true);
  bench.initialize().descriptor(0, TEXT, 1).offer(0).put(0x50, TRANSMIT);
  expect([bench.output, bench.device.trouble, bench.get(0x70)]).toEqual(['x', undefined, 0xf]);
});

test.each<readonly [string, number, number, RegExp]>([
  ['a size that is no power of 2', 0x38, 6, /queue of 6 descriptors/],
  ['no descriptors', 0x38, 0, /queue of 0/],
  ['too many descriptors', 0x38, 128, /at most 64/],
  ['a descriptor table at an odd place', 0x80, 0x1008, /GPA 0x1008/],
  ['a used ring at an odd place', 0xa0, 0x3002, /GPA 0x3002/],
])('%s is refused when the queue is made ready', (_name, register, value, sentence) => {
  const bench = new Bench().initialize().put(0x44, 0).put(register, value).put(0x44, 1);
  expect([bench.get(0x44), bench.get(0x70)]).toEqual([0, 0x4f]);
  expect(bench.device.trouble).toMatch(sentence);
});

test('rings that lie outside memory need a reset, and those that lie over each other end', () => {
  const outside = new Bench().initialize().put(0x44, 0).put(0x94, 1).put(0x44, 1).put(0x50, TRANSMIT);
  expect(outside.device.trouble).toBe('the table at GPA 0x100002000 does not lie in the guest’s memory');
  const over = new Bench().initialize().put(0x44, 0).put(0xa0, AVAILABLE).put(0x44, 1);
  over.descriptor(0, TEXT, 1).offer(0, 0, 0).put(0x50, TRANSMIT);
  expect(over.device.output.length).toBeLessThanOrEqual(64);
});

test('every change is announced before it is made', () => {
  const bench = new Bench();
  const before = bench.device.bank.bytes.slice();
  const undo: (() => void)[] = [];
  bench.device.willWrite = (_bank, offset, length) => {
    const old = bench.device.bank.bytes.slice(offset, offset + length);
    undo.push(() => bench.device.bank.bytes.set(old, offset));
  };
  bench.initialize().text(TEXT, 'abc').descriptor(0, TEXT, 3).offer(0).put(0x50, TRANSMIT).put(0x64, 1);
  bench.device.receive(Uint8Array.of(1, 2, 3));
  bench.descriptor(1, 0, 0).offer(1).put(0x50, TRANSMIT);
  expect(bench.device.bank.bytes).not.toEqual(before);
  while (undo.length > 0) undo.pop()?.();
  expect(bench.device.bank.bytes).toEqual(before);
});
