// For tests: runs microcode on four general registers and the status flags, in the plainest way. It knows no memory, no
// helpers and no faults, and it is written apart from the machine's executor: two readers of one definition.

import type {BinaryOperation, Flag, FlagRule, Microcode, Operation} from '../microcode/microcode.js';
import {FLAG_BITS} from '../microcode/microcode.js';

export interface Registers {
  readonly general: Map<string, bigint>;
  flags: bigint;
}

export function evaluate(microcode: Microcode, registers: Registers): void {
  const values: bigint[] = [];
  microcode.operations.forEach((operation, id) => {
    values[id] = step(operation, values, registers, microcode);
  });
}

const unsigned = (value: bigint, width: number): bigint => BigInt.asUintN(width, value);

function step(operation: Operation, values: readonly bigint[], registers: Registers, microcode: Microcode): bigint {
  const at = (id: number): bigint => values[id] ?? 0n;
  switch (operation.op) {
    case 'constant':
      return operation.value;
    case 'register':
      return unsigned((registers.general.get(operation.register) ?? 0n) >> (operation.high ? 8n : 0n), operation.width);
    case 'flag':
      return unsigned(registers.flags >> BigInt(FLAG_BITS[operation.flag]), 1);
    case 'state':
      return operation.state === 'RFLAGS' ? registers.flags | 2n : 0n;
    case 'binary':
      return unsigned(
        binary(
          operation.operation,
          at(operation.a),
          at(operation.b),
          widthOf(operation.a, microcode),
          widthOf(operation.b, microcode),
        ),
        operation.width,
      );
    case 'unary':
      return unsigned(unary(operation.operation, at(operation.a), widthOf(operation.a, microcode)), operation.width);
    case 'concat':
      return (at(operation.high) << BigInt(operation.width / 2)) | at(operation.low);
    case 'choose':
      return at(operation.condition) === 1n ? at(operation.a) : at(operation.b);
    case 'setRegister':
      setRegister(operation, at(operation.value), registers);
      return 0n;
    case 'setFlags':
      setFlags(operation.rule, at(operation.a), at(operation.b), at(operation.result), operation.width, registers);
      return 0n;
    case 'setFlag':
      if (operation.when === undefined || at(operation.when) === 1n)
        setFlag(operation.flag, at(operation.value), registers);
      return 0n;
    case 'writeFlags':
      registers.flags = (registers.flags & ~at(operation.mask)) | (at(operation.image) & at(operation.mask));
      return 0n;
    case 'faultIf':
      if (at(operation.when) === 1n) throw new Error(operation.exception);
      return 0n;
    default:
      throw new Error(`${operation.op} is not for this evaluator`);
  }
}

function widthOf(id: number, microcode: Microcode): number {
  const operation = microcode.operations[id];
  return operation !== undefined && 'width' in operation ? operation.width : 0;
}

function binary(operation: BinaryOperation, a: bigint, b: bigint, width: number, rightWidth: number): bigint {
  const signed = (value: bigint): bigint => BigInt.asIntN(width, value);
  const shift = b > 200n ? 200n : b;
  const truth = (condition: boolean): bigint => (condition ? 1n : 0n);
  switch (operation) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'mul':
      return a * b;
    case 'divu':
      return a / b;
    case 'remu':
      return a % b;
    case 'divs':
      return signed(a) / signed(b);
    case 'rems':
      return signed(a) % signed(b);
    case 'shl':
      return a << shift;
    case 'shr':
      return a >> shift;
    case 'sar':
      return signed(a) >> shift;
    case 'eq':
      return truth(a === b);
    case 'ne':
      return truth(a !== b);
    case 'gtu':
      return truth(a > b);
    case 'ltu':
      return truth(a < b);
    case 'lts':
      return truth(signed(a) < signed(b));
    case 'pdep':
      return moveBits(a, b, 'scatter');
    case 'pext':
      return moveBits(a, b, 'gather');
    case 'crc32':
      return remainder(a, b, rightWidth);
  }
}

function moveBits(value: bigint, mask: bigint, direction: 'scatter' | 'gather'): bigint {
  const places = [...Array(64).keys()].map(BigInt).filter(place => ((mask >> place) & 1n) === 1n);
  return places.reduce((sum, place, n) => {
    const [from, to] = direction === 'scatter' ? [BigInt(n), place] : [place, BigInt(n)];
    return sum | (((value >> from) & 1n) << to);
  }, 0n);
}

const mirrored = (value: bigint, bits: number): bigint =>
  BigInt(`0b${value.toString(2).padStart(bits, '0').split('').reverse().join('')}`);

/** CRC32 by its definition: a polynomial division (SDM vol. 2, "CRC32—Accumulate CRC32 Value"). */
function remainder(crc: bigint, data: bigint, bits: number): bigint {
  let dividend = (mirrored(data, bits) << 32n) ^ (mirrored(crc & 0xffff_ffffn, 32) << BigInt(bits));
  for (let degree = bits + 31; degree >= 32; degree--) {
    if ((dividend >> BigInt(degree)) & 1n) dividend ^= 0x1_1edc_6f41n << BigInt(degree - 32);
  }
  return mirrored(dividend, 32);
}

function unary(operation: (Operation & {op: 'unary'})['operation'], a: bigint, width: number): bigint {
  const digits = a.toString(2).padStart(width, '0');
  switch (operation) {
    case 'not':
      return ~a;
    case 'neg':
      return -a;
    case 'zext':
    case 'trunc':
      return a;
    case 'sext':
      return BigInt.asIntN(width, a);
    case 'parity':
      return evenParity(a);
    case 'ctz':
      return a === 0n ? 0n : BigInt(width - 1 - digits.lastIndexOf('1'));
    case 'msb':
      return a === 0n ? 0n : BigInt(width - 1 - digits.indexOf('1'));
    case 'popcnt':
      return BigInt(digits.replaceAll('0', '').length);
    case 'bswap':
      return BigInt(
        `0x${(
          a
            .toString(16)
            .padStart(width / 4, '0')
            .match(/../g) ?? []
        )
          .reverse()
          .join('')}`,
      );
  }
}

const evenParity = (value: bigint): bigint =>
  (value & 0xffn).toString(2).replaceAll('0', '').length % 2 === 0 ? 1n : 0n;

function setRegister(operation: Operation & {op: 'setRegister'}, value: bigint, {general}: Registers): void {
  const old = general.get(operation.register) ?? 0n;
  const shift = operation.high ? 8n : 0n;
  const mask = ((1n << BigInt(operation.width)) - 1n) << shift;
  general.set(operation.register, operation.width >= 32 ? value : (old & ~mask) | (value << shift));
}

function setFlag(flag: Flag, value: bigint, registers: Registers): void {
  const bit = 1n << BigInt(FLAG_BITS[flag]);
  registers.flags = value === 1n ? registers.flags | bit : registers.flags & ~bit;
}

const asUnsigned = (bits: number, value: bigint): bigint => BigInt.asUintN(bits, value);
const asSigned = (bits: number, value: bigint): bigint => BigInt.asIntN(bits, value);

/** SDM vol. 1, "Status Flags", by the definitions: carries and overflows from the exact sum or difference. */
function setFlags(rule: FlagRule, a: bigint, b: bigint, result: bigint, width: number, registers: Registers): void {
  const carryIn = rule === 'adc' || rule === 'sbb' ? registers.flags & 1n : 0n;
  const sign = rule === 'sub' || rule === 'sbb' || rule === 'dec' ? -1n : 1n;
  const exact = (bits: number, as: (bits: number, value: bigint) => bigint): bigint =>
    as(bits, a) + sign * (as(bits, b) + carryIn);
  const [carry, nibble] = [exact(width, asUnsigned), exact(4, asUnsigned)];
  const overflow = exact(width, asSigned) !== BigInt.asIntN(width, result);
  const outside = (value: bigint, bits: number): bigint => (value < 0n || value >= 1n << BigInt(bits) ? 1n : 0n);
  const logic = rule === 'logic';
  setFlag('SF', unsigned(result >> BigInt(width - 1), 1), registers);
  setFlag('ZF', result === 0n ? 1n : 0n, registers);
  setFlag('PF', evenParity(result), registers);
  setFlag('OF', !logic && overflow ? 1n : 0n, registers);
  if (!logic) setFlag('AF', outside(nibble, 4), registers);
  if (rule !== 'inc' && rule !== 'dec') setFlag('CF', logic ? 0n : outside(carry, width), registers);
}
