// Several values pushed or popped as one: every byte is checked before any is written, so a frame is whole or absent.

import {SEGMENT, RSP} from './cell-indexes.js';
import {RIGHTS_DB, is64Bit, isCanonical, low, stackSizeOf} from './modes.js';
import {check, fault, shown} from './faults.js';
import type {Processor} from './processor.js';
import type {SegmentValues} from './register-file.js';
import type {Fault, Trouble} from './trouble.js';
import type {Privilege} from '../mmu/page-walk.js';
import {isWithin} from '../mmu/segmentation.js';
import type {SegmentView} from '../mmu/segmentation.js';

export interface Stack {
  /** Base is ignored where `size` is 64. */
  readonly segment: SegmentView;
  readonly pointer: bigint;
  readonly size: 16 | 32 | 64;
  readonly privilege: Privilege;
  /** The error code of an #SS: 0 for the current stack, the new selector for a stack that is being entered. */
  readonly errorCode: number;
}

/** The stack that SS:RSP names now. */
export function currentStack(cpu: Processor): Stack {
  const {registers} = cpu;
  return {
    segment: {
      base: registers.get('SS.base'),
      limit: low(registers, SEGMENT.SS.limit),
      attributes: low(registers, SEGMENT.SS.attributes),
    },
    pointer: registers.cells[RSP] ?? 0n,
    size: stackSizeOf(registers),
    privilege: cpu.privilege,
    errorCode: 0,
  };
}

/** The stack of an inner ring, which is about to become current. */
export function innerStack(values: SegmentValues, pointer: bigint, size: 'long' | 'legacy', ring: number): Stack {
  return {
    segment: values,
    pointer,
    size: size === 'long' ? 64 : (values.attributes & RIGHTS_DB) === 0 ? 16 : 32,
    privilege: ring === 3 ? 'user' : 'supervisor',
    errorCode: values.selector & 0xfffc,
  };
}

/** Moves a pointer within the width of the stack. */
export function moved(stack: Stack, delta: bigint): bigint {
  const inner = BigInt.asUintN(stack.size, stack.pointer + delta);
  return stack.size === 16 ? (stack.pointer & ~0xffffn) | inner : inner;
}

/** The linear address of a slot at a signed distance from the stack pointer. */
function slot(stack: Stack, delta: bigint, bytes: number): bigint | Fault {
  const offset = BigInt.asUintN(stack.size, stack.pointer + delta);
  if (stack.size === 64) {
    if (isCanonical(offset)) return offset;
    return fault('#SS', stack.errorCode, [
      check('the stack pointer is canonical', false, [shown('RSP', offset)], 'SDM vol. 1, "Canonical Addressing"'),
    ]);
  }
  const {base, limit, attributes} = stack.segment;
  if (isWithin(Number(offset), bytes, limit, attributes)) return BigInt.asUintN(32, base + offset);
  const values = [shown('offset', offset), shown('SS limit', limit)];
  return fault('#SS', stack.errorCode, [
    check('the stack slot lies within the limit of SS', false, values, 'SDM vol. 3A, "Limit Checking"'),
  ]);
}

/** Pushes values, first one first. Gives the new stack pointer; with trouble nothing was written. */
export function pushFrame(cpu: Processor, stack: Stack, values: readonly bigint[], bytes: 2 | 4 | 8): bigint | Trouble {
  const addresses: bigint[] = [];
  for (const index of values.keys()) {
    const address = slot(stack, -BigInt(bytes * (index + 1)), bytes);
    if (typeof address !== 'bigint') return address;
    const trouble = cpu.mmu.probe(address, bytes, 'write', stack.privilege);
    if (trouble !== undefined) return trouble;
    addresses.push(address);
  }
  for (const [index, value] of values.entries()) {
    const trouble = cpu.mmu.write(addresses[index] ?? 0n, bytes, value, stack.privilege);
    if (trouble !== undefined) return trouble;
  }
  return moved(stack, -BigInt(bytes * values.length));
}

/** Reads `count` values from the top of the current stack without moving it. */
export function peekFrame(cpu: Processor, count: number, bytes: 2 | 4 | 8, skipBytes = 0): readonly bigint[] | Trouble {
  const stack = currentStack(cpu);
  const values: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const address = slot(stack, BigInt(skipBytes + i * bytes), bytes);
    if (typeof address !== 'bigint') return address;
    const value = cpu.mmu.read(address, bytes, stack.privilege);
    if (typeof value !== 'bigint') return value;
    values.push(value);
  }
  return values;
}

/** Writes RSP at the width of the stack: 16-bit stacks keep the upper bits. */
export function setStackPointer(cpu: Processor, pointer: bigint): void {
  const {cells} = cpu.registers;
  const size = is64Bit(cpu.registers) ? 64 : stackSizeOf(cpu.registers);
  cells[RSP] = size === 16 ? ((cells[RSP] ?? 0n) & ~0xffffn) | (pointer & 0xffffn) : BigInt.asUintN(size, pointer);
}
