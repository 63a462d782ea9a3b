// A task-state segment by its fields. SDM vol. 3A, "Task-State Segment (TSS)", "Task Management in 64-bit Mode".

import type {DescriptorTable} from '@hyperscope/trace';

interface TssField {
  readonly name: string;
  readonly offset: number;
  readonly size: 2 | 4 | 8;
  readonly isAddress: boolean;
}

const field = (name: string, offset: number, size: 2 | 4 | 8, kind: 'address' | 'value' = 'value'): TssField => ({
  name,
  offset,
  size,
  isAddress: kind === 'address',
});

const IN_64: readonly TssField[] = [
  ...[0, 1, 2].map(ring => field(`RSP${ring}`, 4 + 8 * ring, 8, 'address')),
  ...[1, 2, 3, 4, 5, 6, 7].map(ist => field(`IST${ist}`, 0x24 + 8 * (ist - 1), 8, 'address')),
  field('I/O map base', 0x66, 2),
];
const REGISTERS_32 = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'] as const;
const IN_32: readonly TssField[] = [
  field('previous task', 0, 2),
  ...[0, 1, 2].flatMap(ring => [field(`ESP${ring}`, 4 + 8 * ring, 4, 'address'), field(`SS${ring}`, 8 + 8 * ring, 2)]),
  field('CR3', 0x1c, 4),
  field('EIP', 0x20, 4, 'address'),
  field('EFLAGS', 0x24, 4),
  ...REGISTERS_32.map((name, index) => field(name, 0x28 + 4 * index, 4)),
  ...['ES', 'CS', 'SS', 'DS', 'FS', 'GS'].map((name, index) => field(name, 0x48 + 4 * index, 2)),
  field('LDT selector', 0x60, 2),
  field('I/O map base', 0x66, 2),
];
const REGISTERS_16 = ['AX', 'CX', 'DX', 'BX', 'SP', 'BP', 'SI', 'DI'] as const;
const IN_16: readonly TssField[] = [
  field('previous task', 0, 2),
  ...[0, 1, 2].flatMap(ring => [field(`SP${ring}`, 2 + 4 * ring, 2, 'address'), field(`SS${ring}`, 4 + 4 * ring, 2)]),
  field('IP', 0xe, 2, 'address'),
  field('FLAGS', 0x10, 2),
  ...REGISTERS_16.map((name, index) => field(name, 0x12 + 2 * index, 2)),
];

/** Bytes that hold all fields of the longest. */
export const TSS_BYTES = 0x68;

/** The fields of a TSS that lie within its limit. `before`: the same bytes one step earlier. */
export function taskStateFields(
  bytes: Uint8Array,
  before: Uint8Array | undefined,
  bits: 16 | 32 | 64,
  limit: number,
): DescriptorTable['fields'] {
  const fields = bits === 64 ? IN_64 : bits === 32 ? IN_32 : IN_16;
  return fields
    .filter(({offset, size}) => offset + size - 1 <= limit && offset + size <= bytes.length)
    .map(({name, offset, size, isAddress}) => {
      const value = littleEndian(bytes, offset, size);
      const was = before === undefined ? value : littleEndian(before, offset, size);
      return {name, value, address: isAddress && value !== 0n, changed: was !== value};
    });
}

function littleEndian(bytes: Uint8Array, offset: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i] ?? 0);
  return value;
}
