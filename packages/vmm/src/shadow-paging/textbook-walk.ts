// For tests: a page walk written from the manual alone, to hold the shadow MMU and the machine's walk against. It shares no
// code with either. SDM vol. 3A, "Paging": the formats, "Determination of Access Rights", "Page-Fault Error Code".

export interface WalkRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly pdptes: readonly bigint[];
}

export interface WalkAccess {
  readonly linear: bigint;
  readonly kind: 'read' | 'write' | 'fetch';
  readonly privilege: 'user' | 'supervisor';
  readonly ac: boolean;
}

export interface WalkProcessor {
  readonly physicalAddressBits: number;
  readonly gigabytePages: boolean;
  readonly pse36: boolean;
}

/** Entries that the walk used, outermost first: where, how long, and whether A and D are to be set in them. */
export interface UsedEntry {
  readonly address: number;
  readonly bytes: 4 | 8;
  readonly value: bigint;
  readonly isLeaf: boolean;
}

export type WalkResult =
  | {
      readonly kind: 'mapped';
      readonly address: number;
      readonly user: boolean;
      readonly writable: boolean;
      readonly executable: boolean;
      readonly used: readonly UsedEntry[];
    }
  | {readonly kind: 'fault'; readonly errorCode: number};

type Read = (address: number, bytes: 4 | 8) => bigint;
const ones = (high: number, low: number): bigint => ((1n << BigInt(high + 1)) - 1n) ^ ((1n << BigInt(low)) - 1n);
const has = (value: bigint, at: number): boolean => ((value >> BigInt(at)) & 1n) === 1n;

/** What a processor without a TLB does for an access. Changes nothing. */
export function textbookWalk(
  registers: WalkRegisters,
  access: WalkAccess,
  processor: WalkProcessor,
  read: Read,
): WalkResult {
  const {cr0, cr3, cr4, efer} = registers;
  const linear = access.linear;
  if (!has(cr0, 31))
    return {
      kind: 'mapped',
      address: Number(linear & 0xffff_ffffn),
      user: true,
      writable: true,
      executable: true,
      used: [],
    };
  const pae = has(cr4, 5);
  const long = has(efer, 10);
  const nxe = has(efer, 11) && pae;
  const fail = (low: number): WalkResult => ({kind: 'fault', errorCode: low | errorBits(access, nxe || has(cr4, 20))});
  const rights = {user: true, writable: true, executable: true};
  const used: UsedEntry[] = [];
  const levels = long ? [39, 30, 21, 12] : pae ? [21, 12] : [22, 12];
  let table = Number(cr3 & (long ? ones(51, 12) : ones(31, 12)));
  if (pae && !long) {
    const pointer = registers.pdptes[Number((linear >> 30n) & 3n)] ?? 0n;
    if (!has(pointer, 0)) return fail(0);
    table = Number(pointer & ones(51, 12));
  }
  for (const shift of levels) {
    const bytes = pae ? 8 : 4;
    const index = Number((linear >> BigInt(shift)) & (pae ? 511n : 1023n));
    const address = table + index * bytes;
    const value = read(address, bytes);
    if (!has(value, 0)) return fail(0);
    const large =
      shift === 22
        ? has(cr4, 4) && has(value, 7)
        : shift === 21 || (shift === 30 && processor.gigabytePages)
          ? has(value, 7)
          : false;
    if ((value & reserved(shift, large, long, nxe, pae, processor)) !== 0n) return fail(9);
    rights.user &&= has(value, 2);
    rights.writable &&= has(value, 1);
    rights.executable &&= !(nxe && has(value, 63));
    const isLeaf = large || shift === 12;
    used.push({address, bytes, value, isLeaf});
    if (isLeaf) {
      if (refused(access, rights, cr0, cr4)) return fail(1);
      return {
        kind: 'mapped',
        address: frame(value, shift, large) + Number(linear & ones(shift - 1, 0)),
        ...rights,
        used,
      };
    }
    table = Number(value & (pae ? ones(51, 12) : ones(31, 12)));
  }
  return fail(0);
}

function errorBits({kind, privilege}: WalkAccess, tellsFetch: boolean): number {
  return (kind === 'write' ? 2 : 0) | (privilege === 'user' ? 4 : 0) | (kind === 'fetch' && tellsFetch ? 16 : 0);
}

function frame(value: bigint, shift: number, large: boolean): number {
  if (shift === 22 && large) return Number(value & ones(31, 22)) + Number((value >> 13n) & 0xffn) * 2 ** 32;
  return Number(value & ones(51, shift));
}

function reserved(
  shift: number,
  large: boolean,
  long: boolean,
  nxe: boolean,
  pae: boolean,
  {physicalAddressBits: width, pse36, gigabytePages}: WalkProcessor,
): bigint {
  if (!pae) {
    if (!large) return 0n;
    return pse36 ? ones(21, Math.min(width, 40) - 32 + 13) : ones(21, 13);
  }
  let bits = ones(51, width);
  if (!nxe) bits |= ones(63, 63);
  if (!long) bits |= ones(62, 52);
  if (shift === 39 || (shift === 30 && !gigabytePages)) bits |= ones(7, 7);
  if (large) bits |= ones(shift - 1, 13);
  return bits;
}

/** Whether rights do not allow an access. */
export function refused(
  {kind, privilege, ac}: WalkAccess,
  rights: {readonly user: boolean; readonly writable: boolean; readonly executable: boolean},
  cr0: bigint,
  cr4: bigint,
): boolean {
  if (privilege === 'user') {
    if (!rights.user) return true;
    return (kind === 'write' && !rights.writable) || (kind === 'fetch' && !rights.executable);
  }
  if (kind === 'fetch') return !rights.executable || (rights.user && has(cr4, 20));
  if (kind === 'write' && !rights.writable && has(cr0, 16)) return true;
  return rights.user && has(cr4, 21) && !ac;
}
