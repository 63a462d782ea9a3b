import {assertExists} from '@hyperscope/base';
import {WESTMERE} from '@hyperscope/machine';
import {describe, expect, test} from 'vitest';
import {firmwareMemory} from './firmware.js';

const MEGABYTE = 0x10_0000;

/** Low memory as a kernel finds it, and what kernels do there: look for signatures, add up bytes, follow pointers. */
function low(): {bytes: Uint8Array; view: DataView; text: (at: number, length: number) => string} {
  const bytes = new Uint8Array(MEGABYTE);
  for (const {at, bytes: part} of firmwareMemory(16 * MEGABYTE, WESTMERE, 1)) bytes.set(part, at);
  const text = (at: number, length: number): string => String.fromCharCode(...bytes.subarray(at, at + length));
  return {bytes, view: new DataView(bytes.buffer), text};
}
const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

/** Every table that the RSDT and the XSDT name, by signature. */
function acpi(): {memory: ReturnType<typeof low>; tables: Map<string, number>; rsdp: number} {
  const memory = low();
  const {bytes, view, text} = memory;
  const rsdp = assertExists(
    Array.from({length: 0x2000}, (_, n) => 0xe_0000 + 16 * n).find(at => text(at, 8) === 'RSD PTR '),
    'an RSDP',
  );
  expect([sum(bytes.subarray(rsdp, rsdp + 20)), sum(bytes.subarray(rsdp, rsdp + 36))]).toEqual([0, 0]);
  const listed = (at: number, width: number): number[] =>
    Array.from({length: (view.getUint32(at + 4, true) - 36) / width}, (_, n) =>
      view.getUint32(at + 36 + width * n, true),
    );
  const [rsdt, xsdt] = [view.getUint32(rsdp + 16, true), view.getUint32(rsdp + 24, true)];
  expect(listed(rsdt, 4)).toEqual(listed(xsdt, 8));
  const tables = new Map([rsdt, xsdt, ...listed(rsdt, 4)].map(at => [text(at, 4), at]));
  tables.set('DSDT', view.getUint32((tables.get('FACP') ?? 0) + 40, true));
  return {memory, tables, rsdp};
}

describe('ACPI', () => {
  test('RSDP, RSDT and XSDT lead to tables that add up to 0', () => {
    const {memory, tables} = acpi();
    expect([...tables.keys()]).toEqual(['RSDT', 'XSDT', 'FACP', 'APIC', 'DSDT']);
    for (const at of tables.values())
      expect(sum(memory.bytes.subarray(at, at + memory.view.getUint32(at + 4, true)))).toBe(0);
  });

  test('the FADT names the timer, the control register and a FACS', () => {
    const {memory, tables} = acpi();
    const fadt = assertExists(tables.get('FACP'), 'a FADT');
    const word = (offset: number): number => memory.view.getUint32(fadt + offset, true);
    expect([word(56), word(64), word(76)]).toEqual([0x600, 0x604, 0x608]);
    expect([word(36) % 64, memory.text(word(36), 4)]).toEqual([0, 'FACS']);
    expect(memory.text(word(40) + 38, 4)).toBe('_S5_');
  });

  test('the MADT has one processor, one IOAPIC, and the timer at pin 2', () => {
    const {memory, tables} = acpi();
    const madt = assertExists(tables.get('APIC'), 'a MADT');
    const end = madt + memory.view.getUint32(madt + 4, true);
    const entries: number[][] = [];
    for (let at = madt + 44; at < end; at += memory.bytes[at + 1] ?? 1)
      entries.push([...memory.bytes.subarray(at, at + (memory.bytes[at + 1] ?? 0))]);
    expect(entries.map(([type]) => type)).toEqual([0, 1, 2, 2, 4]);
    expect(entries[2]).toEqual([2, 10, 0, 0, 2, 0, 0, 0, 0, 0]);
  });
});

describe('the MP tables', () => {
  test('lie at the start of the extended BIOS data area, which the BIOS data area names', () => {
    const {bytes, view, text} = low();
    const extended = view.getUint16(0x40e, true) << 4;
    const pointer = assertExists(
      Array.from({length: 64}, (_, n) => extended + 16 * n).find(at => text(at, 4) === '_MP_'),
      'an MP floating pointer',
    );
    expect(sum(bytes.subarray(pointer, pointer + 16))).toBe(0);
    const table = view.getUint32(pointer + 4, true);
    expect([text(table, 4), sum(bytes.subarray(table, table + view.getUint16(table + 4, true)))]).toEqual(['PCMP', 0]);
  });

  test('count as many entries as there are', () => {
    const {bytes, view} = low();
    const table = 0x9_fc20;
    const end = table + view.getUint16(table + 4, true);
    const types: number[] = [];
    for (let at = table + 44; at < end; at += bytes[at] === 0 ? 20 : 8) types.push(bytes[at] ?? -1);
    expect(types.length).toBe(view.getUint16(table + 34, true));
    expect([types.filter(type => type === 0).length, types.filter(type => type === 2).length]).toEqual([1, 1]);
  });
});

test('the BIOS data area tells of one serial port, one disk and 639 KiB', () => {
  const {view} = low();
  expect([view.getUint16(0x400, true), view.getUint8(0x475), view.getUint16(0x413, true)]).toEqual([0x3f8, 1, 639]);
});

test('every interrupt has a handler that ends in IRET', () => {
  const {bytes, view} = low();
  const handlers = new Set(
    Array.from({length: 256}, (_, n) => (view.getUint16(4 * n + 2, true) << 4) + view.getUint16(4 * n, true)),
  );
  expect(handlers.size).toBe(5);
  for (const at of handlers) expect(bytes.subarray(at, at + 40)).toContain(0xcf);
});

test('a machine of less than 1 MiB has no room for any of it', () =>
  expect(firmwareMemory(0xa_0000, WESTMERE, 0)).toEqual([]));
