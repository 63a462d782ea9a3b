// A descriptor of eight or sixteen bytes in words: what kind it is, whom it lets in, where it leads.
// SDM vol. 3A, "Segment Descriptors", "System Descriptor Types", "IDT Descriptors".

import type {DescriptorEntry} from '@hyperscope/trace';

export type DescribedEntry = Omit<DescriptorEntry, 'index' | 'marks' | 'changed'>;

const GRANULARITY = 1n << 55n;
const LONG = 1n << 53n;
const BIG = 1n << 54n;

/** System types outside IA-32e mode and in it; those of sixteen bytes are marked in WIDE. */
const LEGACY: Readonly<Record<number, string>> = {
  1: 'available 16-bit TSS',
  2: 'LDT',
  3: 'busy 16-bit TSS',
  4: '16-bit call gate',
  5: 'task gate',
  6: '16-bit interrupt gate',
  7: '16-bit trap gate',
  9: 'available 32-bit TSS',
  11: 'busy 32-bit TSS',
  12: '32-bit call gate',
  14: '32-bit interrupt gate',
  15: '32-bit trap gate',
};
const IA32E: Readonly<Record<number, string>> = {
  2: 'LDT',
  9: 'available 64-bit TSS',
  11: 'busy 64-bit TSS',
  12: '64-bit call gate',
  14: '64-bit interrupt gate',
  15: '64-bit trap gate',
};
const GATES: ReadonlySet<number> = new Set([4, 5, 6, 7, 12, 14, 15]);

const wordOf = (bytes: Uint8Array, at: number): bigint => {
  let value = 0n;
  for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
};
const typeOf = (raw: bigint): number => Number((raw >> 40n) & 0xfn);
const isSystem = (raw: bigint): boolean => ((raw >> 44n) & 1n) === 0n;

/** How many bytes the descriptor that begins here has. */
export function descriptorSize(bytes: Uint8Array, mode: 'ia-32e' | 'legacy'): 8 | 16 {
  const raw = wordOf(bytes, 0);
  return mode === 'ia-32e' && isSystem(raw) && IA32E[typeOf(raw)] !== undefined ? 16 : 8;
}

/** Eight or sixteen bytes of a GDT, an LDT or an IDT. */
export function describeDescriptor(bytes: Uint8Array, mode: 'ia-32e' | 'legacy'): DescribedEntry {
  const raw = wordOf(bytes, 0);
  const upper = bytes.length >= 16 ? wordOf(bytes, 8) : 0n;
  const present = ((raw >> 47n) & 1n) === 1n;
  const dpl = Number((raw >> 45n) & 3n);
  const common = {bytes, present, dpl};
  if (isSystem(raw) && GATES.has(typeOf(raw))) {
    return {
      ...common,
      type: systemName(raw, mode),
      base: undefined,
      limit: undefined,
      target: {selector: Number((raw >> 16n) & 0xffffn), offset: gateOffset(raw, upper)},
      ist: bytes.length >= 16 ? Number((raw >> 32n) & 7n) : undefined,
    };
  }
  return {
    ...common,
    type: isSystem(raw) ? systemName(raw, mode) : segmentName(raw),
    base: ((raw >> 16n) & 0xff_ffffn) | ((raw >> 32n) & 0xff00_0000n) | BigInt.asUintN(64, upper << 32n),
    limit: limitOf(raw),
    target: undefined,
    ist: undefined,
  };
}

/** Four bytes of an interrupt vector table: the real mode's. */
export function describeVector(bytes: Uint8Array): DescribedEntry {
  const offset = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  const selector = (bytes[2] ?? 0) | ((bytes[3] ?? 0) << 8);
  const target = {selector, offset: BigInt(offset)};
  return {bytes, type: 'far pointer', present: true, dpl: 0, base: undefined, limit: undefined, target, ist: undefined};
}

const systemName = (raw: bigint, mode: 'ia-32e' | 'legacy'): string =>
  (mode === 'ia-32e' ? IA32E : LEGACY)[typeOf(raw)] ?? `reserved type ${typeOf(raw)}`;

function segmentName(raw: bigint): string {
  const type = typeOf(raw);
  const isCode = (type & 8) !== 0;
  const size = (raw & LONG) !== 0n && isCode ? '64-bit' : (raw & BIG) !== 0n ? '32-bit' : '16-bit';
  const words = isCode
    ? ['code', (type & 2) === 0 ? 'execute only' : 'readable', ...((type & 4) === 0 ? [] : ['conforming']), size]
    : ['data', (type & 2) === 0 ? 'read only' : 'writable', ...((type & 4) === 0 ? [] : ['expands down']), size];
  return words.join(', ');
}

function limitOf(raw: bigint): bigint {
  const limit = (raw & 0xffffn) | ((raw >> 32n) & 0xf_0000n);
  return (raw & GRANULARITY) === 0n ? limit : limit * 4096n + 4095n;
}

const gateOffset = (raw: bigint, upper: bigint): bigint =>
  (raw & 0xffffn) | ((raw >> 32n) & 0xffff_0000n) | BigInt.asUintN(64, (upper & 0xffff_ffffn) << 32n);
