// The four breakpoints of DR0 to DR3: on instructions (a fault, before), on data and ports (a trap, after).
// SDM vol. 3B, "Debug Control Register (DR7)", "Breakpoint Exception Conditions".

import {DR7} from './cell-indexes.js';
import {check, fault, shown} from './faults.js';
import {low} from './modes.js';
import type {Processor} from './processor.js';
import type {Fault} from './trouble.js';

const ADDRESSES = ['DR0', 'DR1', 'DR2', 'DR3'] as const;
const CR4_DE = 1n << 3n;

/** R/Wn: what strikes. 2 means ports where CR4.DE = 1, and nothing where not. */
const ON_EXECUTION = 0,
  ON_WRITE = 1,
  ON_PORT = 2,
  ON_ACCESS = 3;
/** LENn, in bytes. */
const LENGTHS = [1n, 2n, 8n, 4n] as const;

/** The enabled breakpoints whose condition is one of `conditions` and that overlap the access, as bits B0 to B3 of DR6. */
function matching(cpu: Processor, conditions: readonly number[], start: bigint, bytes: number): number {
  const dr7 = low(cpu.registers, DR7);
  let hits = 0;
  for (const [index, register] of ADDRESSES.entries()) {
    const isEnabled = ((dr7 >>> (2 * index)) & 3) !== 0;
    if (!isEnabled || !conditions.includes((dr7 >>> (16 + 4 * index)) & 3)) continue;
    const length = LENGTHS[(dr7 >>> (18 + 4 * index)) & 3] ?? 1n;
    const address = cpu.registers.get(register) & ~(length - 1n);
    if (start < address + length && address < start + BigInt(bytes)) hits |= 1 << index;
  }
  return hits;
}

/** Any breakpoint enabled, locally or globally. */
export const breakpointsEnabled = (cpu: Processor): boolean => (low(cpu.registers, DR7) & 0xff) !== 0;

/** The fault of a breakpoint on the instruction at a linear address; none where RF or a MOV SS before holds it back. */
export function instructionBreakpoint(cpu: Processor, linear: bigint): Fault | undefined {
  const hits = matching(cpu, [ON_EXECUTION], linear, 1);
  return hits === 0 ? undefined : debugException(cpu, hits, shown('linear address', linear));
}

/** Notes the data breakpoints that an access strikes; they are reported when the instruction is done. */
export function noteAccess(cpu: Processor, linear: bigint, bytes: number, kind: 'read' | 'write'): void {
  cpu.struck |= matching(cpu, kind === 'write' ? [ON_WRITE, ON_ACCESS] : [ON_ACCESS], linear, bytes);
}

/** The same for ports: SDM vol. 3B, "Data Memory and I/O Breakpoint Exception Conditions". */
export function notePort(cpu: Processor, port: number, bytes: number): void {
  if (!breakpointsEnabled(cpu) || (cpu.registers.get('CR4') & CR4_DE) === 0n) return;
  cpu.struck |= matching(cpu, [ON_PORT], BigInt(port), bytes);
}

/** #DB with B0 to B3 for DR6. Its handler finds there why it runs. */
export function debugException(cpu: Processor, hits: number, value: readonly [string, string]): Fault {
  const rule = check(
    'no breakpoint of DR0 to DR3 is enabled there',
    false,
    [value, shown('DR7', low(cpu.registers, DR7)), shown('breakpoints struck', hits)],
    'SDM vol. 3B, "Breakpoint Exception Conditions"',
  );
  return {...fault('#DB', undefined, [rule]), debugStatus: BigInt(hits)};
}

/** B0 to B3 tell of this #DB alone; the other bits stay until software clears them. SDM vol. 3B, "Debug Status Register (DR6)". */
export function reportInDr6(cpu: Processor, status: bigint): void {
  cpu.registers.set('DR6', (cpu.registers.get('DR6') & ~0xfn) | status);
}
