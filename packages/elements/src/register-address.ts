// Which registers hold an address that can be followed, in which space; where the guest's tables do not lead there, none.

import type {AddressSpace} from './follow.js';
import type {StageHost} from './actors.js';

export interface RegisterAddress {
  readonly space: AddressSpace;
  readonly address: bigint;
}

/** Smaller values of a general register are taken for numbers. */
const LEAST = 0x1000n;
const GENERAL = /^R(?:[A-D]X|[SD]I|BP|[89]|1[0-5])$/u;
const LINEAR: ReadonlySet<string> = new Set(['CR2', 'LSTAR']);
const TABLES: ReadonlySet<string> = new Set(['GDTR.base', 'IDTR.base']);
/** Registers of a host under VT-x or SVM whose values are addresses of its own; what a guest leaves in the others stays there. */
const HOST_LINEAR: ReadonlySet<string> = new Set(['RIP', 'RSP', 'LSTAR', 'GDTR.base', 'IDTR.base']);

/** The address in a register while the host runs: QEMU's or the kernel's own; undefined where it holds none. */
export function hostRegisterAddress(cell: string, value: bigint): RegisterAddress | undefined {
  if (value < LEAST) return undefined;
  if (HOST_LINEAR.has(cell)) return {space: 'HVA', address: value};
  return cell === 'CR3' ? {space: 'HPA', address: value & 0x000f_ffff_ffff_f000n} : undefined;
}

/**
 * The address in a register of a guest that runs; undefined where it holds none. `read` gives other registers: the bases of the
 * code and stack segments count. Under a VMM without hardware the processor's tables are the VMM's, not the guest's.
 */
export function registerAddress(
  cell: string,
  value: bigint,
  under: StageHost,
  read: (cell: string) => bigint,
): RegisterAddress | undefined {
  const linear = (address: bigint): RegisterAddress => ({space: 'GVA', address: BigInt.asUintN(64, address)});
  if (cell === 'RIP') return linear(read('CS.base') + value);
  if (cell === 'RSP') return value === 0n ? undefined : linear(read('SS.base') + value);
  if (value < LEAST) return undefined;
  if (GENERAL.test(cell) || LINEAR.has(cell)) return linear(value);
  if (TABLES.has(cell)) return under === 'software' ? undefined : linear(value);
  if (cell === 'CR3' && under === 'none') return {space: 'GPA', address: value & 0x000f_ffff_ffff_f000n};
  return undefined;
}
