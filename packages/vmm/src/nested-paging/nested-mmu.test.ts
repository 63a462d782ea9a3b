// Nested tables as the hardware will read them: in either format, with small and large pages, made as they are touched.

import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {EPT_FORMAT, NPT_FORMAT} from './entry-format.js';
import type {EntryFormat} from './entry-format.js';
import {NestedMmu} from './nested-mmu.js';
import type {NestedSlot} from './nested-mmu.js';

const ROOT = 0x10_0000;
const PAGE = 0x1000;
const RAM: NestedSlot = {gpa: 0, bytes: 0x80_0000, host: 0x100_0000, access: 'read-write'};

/** A pool of `pages` pages behind the root, over a memory that is all zeros. */
function tables(format: EntryFormat, pages: number): {readonly mmu: NestedMmu; readonly entry: (at: number) => bigint} {
  const memory = new Map<number, bigint>();
  let next = ROOT + PAGE;
  const host = {
    read: (at: Hpa): bigint => memory.get(at) ?? 0n,
    write: (at: Hpa, _bytes: 8, value: bigint): void => void memory.set(at, value),
    allocatePage: (): Hpa | undefined => {
      if (next > ROOT + pages * PAGE) return undefined;
      next += PAGE;
      return hpa(next - PAGE);
    },
  };
  return {mmu: new NestedMmu(host, format, hpa(ROOT)), entry: at => memory.get(at) ?? 0n};
}

describe.each([
  [EPT_FORMAT, {table: 7n, writable: 0x37n, readOnly: 0x35n, large: 0xb7n}], // R W X, write-back
  [NPT_FORMAT, {table: 7n, writable: 7n, readOnly: 5n, large: 0x87n}], // P, R/W, U/S
])('$name', (format, bits) => {
  test('a 4 KiB page has three tables above it, each made once', () => {
    const {mmu, entry} = tables(format, 3);
    expect(mmu.map(RAM, 0x5678, '4K')).toMatchObject({gpa: 0x5000, host: 0x100_5000, size: '4 KiB'});
    expect(entry(ROOT)).toBe(BigInt(ROOT + PAGE) | bits.table);
    expect(entry(ROOT + PAGE)).toBe(BigInt(ROOT + 2 * PAGE) | bits.table);
    expect(entry(ROOT + 2 * PAGE)).toBe(BigInt(ROOT + 3 * PAGE) | bits.table);
    expect(entry(ROOT + 3 * PAGE + 8 * 5)).toBe(0x100_5000n | bits.writable);
    expect(mmu.map(RAM, 0x6000, '4K')).toBeDefined();
  });

  test('a 2 MiB page takes the place of the last table, where the slot covers it', () => {
    const {mmu, entry} = tables(format, 3);
    const mapping = mmu.map(RAM, 0x20_1234, '2M');
    expect(mapping).toMatchObject({gpa: 0x20_0000, host: 0x120_0000, size: '2 MiB'});
    expect(entry(mapping?.at ?? 0)).toBe(0x120_0000n | bits.large);
    expect(mmu.map({...RAM, bytes: 0x70_0000}, 0x6f_0000, '2M')?.size).toBe('4 KiB');
    expect(mmu.map({...RAM, host: 0x100_1000}, 0x40_0000, '2M')).toBeUndefined(); // not aligned alike, and no page is left
  });

  test('a read-only slot gives entries that refuse writes', () => {
    const {mmu, entry} = tables(format, 3);
    const at = mmu.map({...RAM, access: 'read-only'}, 0x7000, '4K')?.at ?? 0;
    expect(entry(at)).toBe(0x100_7000n | bits.readOnly);
  });

  test('an empty pool is told, not written around', () => {
    expect(tables(format, 2).mmu.map(RAM, 0x5678, '4K')).toBeUndefined();
  });
});
