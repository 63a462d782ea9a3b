// Which cells the register file shows, in which order, and how a value reads.

import {GENERAL_REGISTERS, SEGMENT_REGISTERS} from '@hyperscope/isa';
import {bits, hex, type Field} from '@hyperscope/base';

export interface RegisterGroup {
  readonly name: string;
  readonly cells: readonly string[];
  /** Hexadecimal digits of a value; 0 for as many as it takes. */
  readonly digits: number;
}

export const REGISTER_GROUPS: readonly RegisterGroup[] = [
  {name: 'Next instruction and flags', cells: ['RIP', 'RFLAGS'], digits: 0},
  {name: 'General purpose', cells: GENERAL_REGISTERS, digits: 16},
  {name: 'Privilege', cells: ['CPL', 'VMX_OPERATION', 'INTERRUPT_SHADOW', 'ACTIVITY'], digits: 0},
  {name: 'Control', cells: ['CR0', 'CR2', 'CR3', 'CR4', 'EFER'], digits: 0},
  {name: 'Segments', cells: SEGMENT_REGISTERS.map(name => `${name}.selector`), digits: 4},
  {name: 'Tables', cells: ['GDTR.base', 'IDTR.base', 'TR.selector', 'LDTR.selector'], digits: 0},
  {name: 'System calls', cells: ['STAR', 'LSTAR', 'FMASK'], digits: 0},
];

/** Digits of a general register, with the leading zeros apart: ['00000000', '000003f8']. */
export function splitZeros(value: bigint, digits: number): readonly [zeros: string, rest: string] {
  const text = value.toString(16);
  return ['0'.repeat(Math.max(0, digits - text.length)), text];
}

/** The fields of a value that are not zero, in words: ['IF', 'IOPL=3']. */
export function decoded(
  fields: readonly Field[],
  value: bigint,
): readonly {readonly text: string; readonly field: Field}[] {
  return fields.toReversed().flatMap(field => {
    const part = bits(value, field.high, field.low);
    if (part === 0n) return [];
    return [{text: field.high === field.low ? field.name : `${field.name}=${part > 9n ? hex(part) : part}`, field}];
  });
}
