import {describe, expect, test} from 'vitest';
import {UserError, gpa} from '@hyperscope/base';
import {assert} from '@hyperscope/base';
import type {LoadedImage} from './image-options.js';
import {loadBootSector} from './boot-sector.js';
import {loadElf64} from './elf64.js';
import {detectImage, loadImage} from './load-image.js';
import {loadMultiboot} from './multiboot.js';
import {loadRaw} from './raw.js';
import {loadRom} from './rom.js';

const MEMORY = 4 * 2 ** 20;
const options = {name: 'sample', memoryBytes: MEMORY, commandLine: 'a b', modules: []};

/** Guest-physical memory as the loader leaves it. */
function memoryOf({image}: LoadedImage): DataView {
  const bytes = new Uint8Array(image.memoryBytes);
  for (const segment of image.segments) bytes.set(segment.bytes, segment.gpa);
  return new DataView(bytes.buffer);
}
function textAt(memory: DataView, address: number): string {
  let text = '';
  for (let at = address; memory.getUint8(at) !== 0; at++) text += String.fromCharCode(memory.getUint8(at));
  return text;
}
function codeOf(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return 'loaded';
}

/** An ELF file with one segment; `bits` decides its class. */
function elf(bits: 32 | 64, code: Uint8Array, address: number): Uint8Array {
  const [header, entry] = bits === 64 ? [64, 56] : [52, 32];
  const file = new Uint8Array(0x1000 + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, bits === 64 ? 62 : 3, true);
  const put = (offset: number, value: number): void =>
    bits === 64 ? view.setBigUint64(offset, BigInt(value), true) : view.setUint32(offset, value, true);
  put(24, address);
  put(bits === 64 ? 32 : 28, header);
  view.setUint16(bits === 64 ? 54 : 42, entry, true);
  view.setUint16(bits === 64 ? 56 : 44, 1, true);
  view.setUint32(header, 1, true);
  const first = bits === 64 ? header + 8 : header + 4;
  [0x1000, address, address, code.length, code.length + 16].forEach((value, i) => put(first + i * (bits / 8), value));
  file.set(code, 0x1000);
  return file;
}

function multibootHeader(flags: number, addresses: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  [0x1badb002, flags, -(0x1badb002 + flags) >>> 0, ...addresses].forEach((value, i) =>
    view.setUint32(i * 4, value, true),
  );
  return bytes;
}

describe('a boot sector', () => {
  const sector = new Uint8Array(1024).fill(0x90);
  sector.set([0x55, 0xaa], 510);
  test('is loaded to 0x7c00 with what follows it, in real mode with the drive in DL', () => {
    const loaded = loadBootSector(sector, options);
    expect(loaded.image.segments).toEqual([{gpa: gpa(0x7c00), bytes: sector}]);
    expect(loaded.image.registers).toMatchObject({RIP: 0x7c00n, 'CS.base': 0n, RDX: 0x80n, CR0: 0x10n, RFLAGS: 2n});
    expect(detectImage(sector)).toBe('boot-sector');
  });
  test('boots its disk even where a kernel with a multiboot header lies behind it', () => {
    const disk = new Uint8Array(8192);
    disk.set(sector);
    disk.set(multibootHeader(0, []).subarray(0, 12), 0x1000);
    expect(detectImage(disk)).toBe('boot-sector');
  });
  test('of a large disk image is followed by as much as fits below the extended BIOS data area', () => {
    const disk = new Uint8Array(1_474_560);
    disk.set(sector);
    const [segment] = loadBootSector(disk, options).image.segments;
    expect(segment?.bytes.length).toBe(0x9_fc00 - 0x7c00);
  });
  test('without 55 AA is refused', () =>
    expect(codeOf(() => loadBootSector(new Uint8Array(512), options))).toBe('image-bad-magic'));
});

describe('a multiboot kernel', () => {
  test('as ELF32 gets the magic number, command line, modules and memory map', () => {
    const kernel = elf(32, multibootHeader(3), 0x10_0000);
    const loaded = loadMultiboot(kernel, {...options, modules: [{name: 'initrd x', bytes: Uint8Array.of(1, 2, 3)}]});
    const {registers} = loaded.image;
    expect(registers).toMatchObject({
      RAX: 0x2badb002n,
      RIP: 0x10_0000n,
      CR0: 0x31n,
      'CS.base': 0n,
      'CS.limit': 0xffff_ffffn,
    });
    const memory = memoryOf(loaded);
    const information = Number(registers.RBX);
    expect(memory.getUint32(information, true)).toBe(0x24d);
    expect(memory.getUint32(information + 4, true)).toBe(639);
    expect(memory.getUint32(information + 8, true)).toBe(3 * 1024);
    expect(textAt(memory, memory.getUint32(information + 16, true))).toBe('sample a b');
    expect(memory.getUint32(information + 20, true)).toBe(1);
    const module = memory.getUint32(information + 24, true);
    const start = memory.getUint32(module, true);
    expect(start % 4096).toBe(0);
    expect([0, 1, 2].map(i => memory.getUint8(start + i))).toEqual([1, 2, 3]);
    expect(memory.getUint32(module + 4, true) - start).toBe(3);
    expect(textAt(memory, memory.getUint32(module + 8, true))).toBe('initrd x');
    const map = memory.getUint32(information + 48, true);
    const entries = memory.getUint32(information + 44, true) / 24;
    const ram = Array.from({length: entries}, (_, i) => map + i * 24)
      .filter(at => memory.getUint32(at + 20, true) === 1)
      .map(at => [
        memory.getUint32(at, true),
        Number(memory.getBigUint64(at + 4, true)),
        Number(memory.getBigUint64(at + 12, true)),
      ]);
    expect(ram).toEqual([
      [20, 0, 0x9_fc00],
      [20, 0x10_0000, 3 * 2 ** 20],
    ]);
    expect(detectImage(kernel)).toBe('multiboot');
  });
  test('by address fields is loaded where they say, with zeros after it', () => {
    const file = new Uint8Array(256).fill(0xcc);
    file.set(multibootHeader(0x1_0003, [0x20_0010, 0x20_0000, 0x20_0080, 0x20_0200, 0x20_0040]).subarray(0, 32), 16);
    const loaded = loadMultiboot(file, options);
    expect(loaded.loadAddress).toBe(0x20_0000);
    expect(loaded.image.registers.RIP).toBe(0x20_0040n);
    const memory = memoryOf(loaded);
    expect([memory.getUint8(0x20_007f), memory.getUint8(0x20_0080)]).toEqual([0xcc, 0]);
  });
  test('that demands what nobody has, or is cut off, or does not fit, is refused', () => {
    expect(codeOf(() => loadMultiboot(elf(32, multibootHeader(0x8), 0x10_0000), options))).toBe('image-unusable');
    expect(codeOf(() => loadMultiboot(elf(32, multibootHeader(3), 0x10_0000).slice(0, 0x1010), options))).toBe(
      'image-truncated',
    );
    expect(codeOf(() => loadMultiboot(elf(32, multibootHeader(3), 0x80_0000), options))).toBe('image-too-large');
    expect(codeOf(() => loadMultiboot(elf(64, multibootHeader(3), 0x10_0000), options))).toBe('image-unusable');
  });
});

describe('a 64-bit ELF program', () => {
  const program = elf(64, Uint8Array.of(0xf4), 0x10_0000);
  test('starts in 64-bit mode with every address mapped to itself', () => {
    const loaded = loadElf64(program, options);
    const {registers} = loaded.image;
    expect(registers).toMatchObject({
      RIP: 0x10_0000n,
      CR0: 0x8000_0033n,
      CR4: 0x20n,
      EFER: 0x500n,
      'CS.attributes': 0xa09bn,
      'TR.attributes': 0x8bn,
    });
    expect(registers.RSP === undefined ? undefined : registers.RSP % 16n).toBe(8n);
    const memory = memoryOf(loaded);
    for (const address of [0n, 0x10_0000n, 0x3fff_ffffn, 0xfee0_0000n]) {
      const root = memory.getBigUint64(Number(registers.CR3), true);
      const table = memory.getBigUint64(Number(root & ~0xfffn) + Number(address >> 30n) * 8, true);
      const page = memory.getBigUint64(Number(table & ~0xfffn) + Number((address >> 21n) & 511n) * 8, true);
      expect(page & 0x81n).toBe(0x81n);
      expect((page & ~0x1f_ffffn & ~(1n << 63n)) | (address & 0x1f_ffffn)).toBe(address);
    }
    expect(detectImage(program)).toBe('elf64');
  });
  test('of another processor, or cut off, is refused', () => {
    const other = program.slice();
    other[18] = 183;
    expect(codeOf(() => loadElf64(other, options))).toBe('image-unusable');
    expect(codeOf(() => loadElf64(program.slice(0, 80), options))).toBe('image-truncated');
  });
});

test('a ROM ends at 4 GiB and at 1 MiB, and the processor starts at its last 16 bytes', () => {
  const rom = new Uint8Array(256 * 1024).map((_, i) => i & 0xff);
  const {image} = loadRom(rom, options);
  expect(image.segments.map(segment => segment.gpa + segment.bytes.length)).toEqual([2 ** 32, 2 ** 20]);
  expect(image.segments[1]?.bytes).toEqual(rom.slice(128 * 1024));
  expect(image.registers).toMatchObject({'CS.base': 0xffff_0000n, 'CS.selector': 0xf000n, RIP: 0xfff0n});
});

test('a ROM that does not fill its first page has all ones there, so that whole pages are mapped', () => {
  const rom = new Uint8Array(512).fill(0x90);
  const {image, loadAddress} = loadRom(rom, options);
  expect(loadAddress).toBe(2 ** 32 - 512);
  const [high, low] = image.segments;
  expect([high?.gpa, low?.gpa]).toEqual([2 ** 32 - 4096, 2 ** 20 - 4096]);
  expect([high?.bytes[0], high?.bytes[3583], high?.bytes[3584]]).toEqual([0xff, 0xff, 0x90]);
});

test.each([
  ['nothing', new Uint8Array(0), 'is empty'],
  ['a record', new TextEncoder().encode('HYPERSCOPE RECORD\r\n'), 'hyperscope compare'],
  ['a 32-bit ELF file without a header', elf(32, new Uint8Array(16), 0x10_0000), 'no multiboot header'],
  ['text', new TextEncoder().encode('hello'), '--as raw'],
])('%s is refused with what can be done about it', (_what, bytes, advice) => {
  expect(() => loadImage(bytes, undefined, options)).toThrow(advice);
});

describe('a flat binary', () => {
  const code = Uint8Array.of(0xf4);
  const at = (address: number, mode: 'real' | 'protected' | 'paged32' | 'long'): LoadedImage =>
    loadRaw(code, {...options, at: address, mode, set: {}});
  test('in real mode has plain addresses below 64 KiB, and a segment of its own above', () => {
    expect(at(0x1000, 'real').image.registers).toMatchObject({'CS.base': 0n, RIP: 0x1000n});
    expect(at(0x2_0000, 'real').image.registers).toMatchObject({'CS.base': 0x2_0000n, 'CS.selector': 0x2000n, RIP: 0n});
  });
  test('in protected and paged mode has flat segments; registers can be set', () => {
    expect(at(0x1000, 'protected').image.registers).toMatchObject({CR0: 0x31n, 'CS.attributes': 0xc09bn, RIP: 0x1000n});
    expect(at(0x1000, 'paged32').image.registers).toMatchObject({CR0: 0x8000_0031n, CR4: 0x10n});
    expect(loadRaw(code, {...options, at: 0, mode: 'real', set: {RIP: 5n, RAX: 7n}}).image.registers).toMatchObject({
      RIP: 5n,
      RAX: 7n,
    });
  });
  test('that does not fit is refused with the size that would do', () => {
    expect(codeOf(() => at(MEMORY, 'real'))).toBe('image-too-large');
    expect(codeOf(() => at(MEMORY - 1, 'long'))).toBe('image-too-large');
    expect(codeOf(() => loadRaw(new Uint8Array(0), {...options, at: 0, mode: 'real', set: {}}))).toBe('image-empty');
  });
  test('says nothing of itself, so the user must', () =>
    expect(codeOf(() => loadImage(code, undefined, options))).toBe('image-unknown'));
});

test('the descriptors that a loader leaves describe the registers that it sets', () => {
  for (const mode of ['protected', 'long'] as const) {
    const loaded = loadRaw(Uint8Array.of(0xf4), {...options, at: 0x1000, mode, set: {}});
    const {registers} = loaded.image;
    const memory = memoryOf(loaded);
    for (const name of ['CS', 'DS', 'TR'] as const) {
      const selector = registers[`${name}.selector`];
      const gdt = registers['GDTR.base'];
      assert(selector !== undefined && gdt !== undefined, 'a loader sets every segment');
      const descriptor = memory.getBigUint64(Number(gdt + selector), true);
      const rights = (descriptor >> 40n) & 0xf0ffn;
      expect(rights).toBe(registers[`${name}.attributes`]);
      expect(((descriptor >> 16n) & 0xff_ffffn) | ((descriptor >> 56n) << 24n)).toBe(registers[`${name}.base`]);
    }
  }
});
