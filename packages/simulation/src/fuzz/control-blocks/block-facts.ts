// What the rule tables of the control-block fuzzers look at: fields by name, the processor's announcements, memory. The tables
// say the manuals' rules a second time, by themselves: they import nothing of what the machine checks with.

/** Where a rule belongs: which of the ways in which an entry can fail it leads to. */
export type RuleGroup = 'controls' | 'host' | 'guest';

export interface BlockFacts<Field extends string> {
  get(field: Field): bigint;
  /** Bits low…high of a field. */
  bits(field: Field, high: number, low: number): bigint;
  bit(field: Field, index: number): boolean;
  /** Physical memory, 1 to 8 bytes. */
  memory(address: bigint, bytes: number): bigint;
  readonly physicalAddressBits: number;
  /** EFER of the processor that enters. */
  readonly processorEfer: bigint;
}

export interface Rule<Facts> {
  readonly group: RuleGroup;
  /** In the manual's words, for a finding. */
  readonly rule: string;
  readonly holds: (facts: Facts) => boolean;
}

export const isCanonical = (address: bigint): boolean =>
  address < 0x8000_0000_0000n || address >= 0xffff_8000_0000_0000n;

/** PAT: each of eight bytes is 0, 1, 4, 5, 6 or 7. */
export function isPat(value: bigint): boolean {
  for (let index = 0n; index < 8n; index++)
    if (![0, 1, 4, 5, 6, 7].includes(Number((value >> (8n * index)) & 0xffn))) return false;
  return true;
}
