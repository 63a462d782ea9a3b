// What a hypervisor that is itself a guest program keeps its own guest in: EPT or nested page tables in the same memory. To
// read that guest's code, its guest-physical addresses are walked through them. Looking changes nothing.

import {vmcbField, vmcsSlot} from '@hyperscope/isa';
import {cellOr0} from './processor-view.js';
import type {CellSource} from './processor-view.js';

const NON_ROOT = 2n;
const NO_POINTER = 0xffff_ffff_ffff_ffffn;
const ADDRESS = 0x000f_ffff_ffff_f000n;
const LARGE = 1n << 7n;
/** Secondary controls exist; enable EPT. */
const ACTIVATE_SECONDARY = 1n << 31n;
const ENABLE_EPT = 1n << 1n;

/** Reads a 64-bit word of memory; undefined where there is none. */
export type WordSource = (address: number) => bigint | undefined;

/** The bits of an entry of which one makes it present: P, or any of R, W and X. */
interface Tables {
  readonly root: bigint;
  readonly present: bigint;
}

/** A guest-physical address of the nested guest that runs; the address itself where none runs, or nothing is nested. */
export function throughNestedTables(cells: CellSource, word: WordSource, address: number): number | undefined {
  const tables = cellOr0(cells, 'VMX_OPERATION') === NON_ROOT ? tablesOf(cells, word) : undefined;
  return tables === undefined ? address : walk(tables, word, BigInt(address));
}

function tablesOf(cells: CellSource, word: WordSource): Tables | undefined {
  const vmcb = cells('CURRENT_VMCB') ?? NO_POINTER;
  if (vmcb !== NO_POINTER) {
    const field = (name: 'NESTED_CONTROL' | 'N_CR3'): bigint => word(Number(vmcb) + vmcbField(name).offset) ?? 0n;
    return (field('NESTED_CONTROL') & 1n) === 0n ? undefined : {root: field('N_CR3') & ADDRESS, present: 1n};
  }
  const vmcs = cells('CURRENT_VMCS') ?? NO_POINTER;
  if (vmcs === NO_POINTER) return undefined;
  const field = (name: Parameters<typeof vmcsSlot>[0]): bigint => word(Number(vmcs) + vmcsSlot(name)) ?? 0n;
  const uses =
    (field('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS') & ACTIVATE_SECONDARY) !== 0n &&
    (field('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS') & ENABLE_EPT) !== 0n;
  return uses ? {root: field('EPT_POINTER') & ADDRESS, present: 7n} : undefined;
}

function walk({root, present}: Tables, word: WordSource, address: bigint): number | undefined {
  let table = root;
  for (const shift of [39n, 30n, 21n, 12n]) {
    const entry = word(Number(table + ((address >> shift) & 0x1ffn) * 8n));
    if (entry === undefined || (entry & present) === 0n) return undefined;
    if (shift === 12n || (shift < 39n && (entry & LARGE) !== 0n)) {
      const inside = (1n << shift) - 1n;
      return Number((entry & ADDRESS & ~inside) | (address & inside));
    }
    table = entry & ADDRESS;
  }
  return undefined;
}
