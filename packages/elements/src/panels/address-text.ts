// An address as somebody types it: hexadecimal with or without 0x, with h, or the name of a register and an offset.

export type AddressAnswer =
  | {readonly kind: 'address'; readonly address: bigint}
  /** What is wrong, and what to write. */
  | {readonly kind: 'trouble'; readonly why: string};

const TOP = (1n << 64n) - 1n;
const FORM = /^(0x)?([0-9a-f][0-9a-f_]*)h?$/i;
const WITH_OFFSET = /^([a-z][a-z0-9_.]*)\s*(?:([+-])\s*(.+))?$/i;

/** `registers`: names that stand for a value, in capitals. */
export function readAddress(text: string, registers: ReadonlyMap<string, bigint>): AddressAnswer {
  const wanted = text.trim();
  if (wanted === '') return {kind: 'trouble', why: 'Write an address, such as 0x8000, or a register, such as RSP.'};
  // A register goes before a number: in hexadecimal some names are both.
  const named = WITH_OFFSET.exec(wanted);
  const register = registers.get((named?.[1] ?? '').toUpperCase());
  if (register !== undefined) return withOffset(register, named?.[2], named?.[3]);
  const number = numberOf(wanted);
  if (number === undefined)
    return {
      kind: 'trouble',
      why: `“${wanted}” is no address. Write it in hexadecimal (0x8000 or 8000h), or name a register (RSP, RIP + 10).`,
    };
  return inRange(number);
}

function withOffset(register: bigint, sign: string | undefined, text: string | undefined): AddressAnswer {
  if (sign === undefined || text === undefined) return inRange(register);
  const offset = numberOf(text.trim());
  if (offset === undefined)
    return {kind: 'trouble', why: `“${text}” is no offset. Write it in hexadecimal, such as RSP + 10.`};
  return inRange(BigInt.asUintN(64, sign === '+' ? register + offset : register - offset));
}

function numberOf(text: string): bigint | undefined {
  const digits = FORM.exec(text)?.[2]?.replaceAll('_', '');
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

const inRange = (address: bigint): AddressAnswer =>
  address <= TOP
    ? {kind: 'address', address}
    : {kind: 'trouble', why: 'An address has at most 64 bits: sixteen hexadecimal digits.'};
