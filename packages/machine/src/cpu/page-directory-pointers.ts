// PAE paging: the four page-directory-pointer-table entries. Intel's processors read them when CR3 is loaded (or paging
// begins), refuse reserved bits there and then, and walk from their registers until the next load: a change in memory goes
// unnoticed. AMD's read them in every walk. SDM vol. 3A, "PDPTE Registers"; APM vol. 2, "PAE Paging Legacy Mode".

import {gpa, hpa} from '@hyperscope/base';
import {shown} from './faults.js';
import type {Checklist} from './faults.js';
import {CR4_PAE} from './modes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';
import {PTE_PRESENT, levelsOf, reservedBits} from '../mmu/paging-structures.js';

const REGISTERS = ['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'] as const;

const holdsPdptes = (cpu: Processor): boolean => cpu.profile.vendor !== 'AuthenticAMD';

/** The entries that a walk uses; undefined where it reads them from memory. */
export function heldPdptes(cpu: Processor): readonly bigint[] | undefined {
  return holdsPdptes(cpu) ? REGISTERS.map(register => cpu.registers.get(register)) : undefined;
}

/** Loads them for a new CR3 or CR4. Trouble leaves them as they were. Nothing happens without PAE. */
export function loadPdptes(cpu: Processor, cr3: bigint, cr4: number, checks: Checklist): Trouble | undefined {
  if ((cr4 & CR4_PAE) === 0) return undefined;
  const [pdpte] = levelsOf('PAE');
  if (pdpte === undefined) return undefined;
  const reserved = reservedBits(pdpte, false, {
    physicalAddressBits: cpu.profile.physicalAddressBits,
    noExecute: true,
    gigabytePages: false,
    pse36: false,
  });
  const entries: bigint[] = [];
  for (const index of REGISTERS.keys()) {
    const entry = readEntry(cpu, Number(cr3 & 0xffff_ffe0n) + 8 * index);
    if (typeof entry !== 'bigint') return entry;
    const isFine = (entry & PTE_PRESENT) === 0n || (entry & reserved) === 0n;
    if (!checks.require(`reserved bits of PDPTE ${index} = 0`, isFine, shown('PDPTE', entry)))
      return checks.fault('#GP', 0);
    entries.push(entry);
  }
  for (const [index, register] of REGISTERS.entries()) cpu.registers.set(register, entries[index] ?? 0n);
  return undefined;
}

function readEntry(cpu: Processor, address: number): bigint | Trouble {
  const at = cpu.usesEpt
    ? cpu.translateGuestPhysical(
        gpa(address),
        {kind: 'read', linear: BigInt(address), purpose: 'paging-structure'},
        undefined,
      )
    : address;
  return typeof at === 'number' ? cpu.memory.read(hpa(cpu.memory.throughA20(at)), 8) : at;
}
