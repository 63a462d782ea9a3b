// Prefixes that stand alone on a line.

import {SEGMENT_REGISTERS, type CodeSize, type RequestedPrefixes} from '@hyperscope/isa';

const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65] as const;

/** The bytes of prefixes without an instruction, in nasm's order. */
export function prefixBytes(prefixes: RequestedPrefixes, bits: CodeSize): Uint8Array {
  const bytes: number[] = [];
  if (prefixes.repeat !== 'none') bytes.push(prefixes.repeat === 'rep' ? 0xf3 : 0xf2);
  if (prefixes.lock) bytes.push(0xf0);
  if (prefixes.segment !== undefined) bytes.push(SEGMENT_PREFIXES[SEGMENT_REGISTERS.indexOf(prefixes.segment)] ?? 0);
  if (prefixes.operandSize === (bits === 16 ? 32 : 16)) bytes.push(0x66);
  if (prefixes.addressSize !== undefined && prefixes.addressSize !== bits) bytes.push(0x67);
  return Uint8Array.from(bytes);
}
