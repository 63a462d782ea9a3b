// Four address spaces that must not mix (KVM's words), as types that cost nothing at run time.
// Physical addresses fit a double exactly, since MAXPHYADDR is at most 52; virtual ones need 64 bits.
// This is the only file of the project in which a type assertion is allowed.

declare const space: unique symbol;
type Branded<T, Name extends string> = T & {readonly [space]: Name};

/** Guest-virtual address (the SDM's linear address inside a guest), unsigned, 64 bits. */
export type Gva = Branded<bigint, 'gva'>;
/** Guest-physical address, below 2^52. */
export type Gpa = Branded<number, 'gpa'>;
/** Host-virtual address, unsigned, 64 bits. */
export type Hva = Branded<bigint, 'hva'>;
/** Host-physical address, below 2^52. */
export type Hpa = Branded<number, 'hpa'>;

export const gva = (address: bigint): Gva => BigInt.asUintN(64, address) as Gva;
export const gpa = (address: number): Gpa => address as Gpa;
export const hva = (address: bigint): Hva => BigInt.asUintN(64, address) as Hva;
export const hpa = (address: number): Hpa => address as Hpa;

/** The keys of a constant object, with their types. */
export function keysOf<K extends string>(record: Readonly<Record<K, unknown>>): readonly K[] {
  return Object.keys(record) as K[];
}

/** An object made from entries that together cover every key. */
export function recordOf<K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map(key => [key, value(key)])) as Record<K, V>;
}
