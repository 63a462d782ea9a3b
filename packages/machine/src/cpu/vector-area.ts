// Areas of memory longer than an operand: every page of one is proved accessible before a byte of it moves, so that the
// instruction happens whole or not at all.

import type {SegmentRegister} from '@hyperscope/isa';
import {linearAddress} from '../mmu/segmentation.js';
import {faultBecause, isTrouble, shown} from './faults.js';
import type {Processor} from './processor.js';
import {segmentNumbered} from './segment-load.js';
import type {Trouble} from './trouble.js';

/** Where an area is, as a helper is told: segment number and offset. */
export interface AreaPlace {
  readonly segment: SegmentRegister;
  readonly offset: bigint;
}

export function placeOf(args: readonly bigint[]): AreaPlace {
  return {segment: segmentNumbered(Number(args[0] ?? 0n)), offset: args[1] ?? 0n};
}

/** #GP(0) unless the linear address is a multiple of `bytes`; segment rules come first. */
export function requireAlignment(cpu: Processor, {segment, offset}: AreaPlace, bytes: bigint): Trouble | undefined {
  const linear = linearAddress(cpu.registers, segment, offset, 1, 'read');
  if (typeof linear !== 'bigint') return linear;
  if (linear % bytes === 0n) return undefined;
  return faultBecause(
    '#GP',
    0,
    `the address is a multiple of ${bytes}`,
    [shown('linear address', linear)],
    'SDM vol. 1, "Memory Data Formats and Alignment of 128-bit Operands"',
  );
}

export function readArea(cpu: Processor, place: AreaPlace, length: number): Uint8Array | Trouble {
  const linear = provenArea(cpu, place, length, 'read');
  if (typeof linear !== 'bigint') return linear;
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 2) {
    const value = cpu.mmu.read(BigInt.asUintN(cpu.linearAddressBits, linear + BigInt(at)), 2, cpu.privilege);
    if (isTrouble(value)) return value;
    bytes[at] = Number(value & 0xffn);
    bytes[at + 1] = Number(value >> 8n);
  }
  return bytes;
}

/** A stretch of an area: a save may leave parts of the memory as they are. */
export interface Stretch {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Writes stretches of an area of `length` bytes, which is proved writable as a whole. All lengths are even. */
export function writeArea(
  cpu: Processor,
  place: AreaPlace,
  length: number,
  stretches: readonly Stretch[],
): Trouble | undefined {
  const linear = provenArea(cpu, place, length, 'write');
  if (typeof linear !== 'bigint') return linear;
  for (const {at, bytes} of stretches) {
    for (let index = 0; index < bytes.length; index += 2) {
      const value = BigInt((bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8));
      const target = BigInt.asUintN(cpu.linearAddressBits, linear + BigInt(at + index));
      const trouble = cpu.mmu.write(target, 2, value, cpu.privilege);
      if (trouble !== undefined) return trouble;
    }
  }
  return undefined;
}

const PAGE = 4096;

function provenArea(
  cpu: Processor,
  {segment, offset}: AreaPlace,
  length: number,
  access: 'read' | 'write',
): bigint | Trouble {
  const linear = linearAddress(cpu.registers, segment, offset, length, access);
  if (typeof linear !== 'bigint') return linear;
  for (let at = 0; at < length; at += PAGE - (Number(linear + BigInt(at)) % PAGE)) {
    const page = BigInt.asUintN(cpu.linearAddressBits, linear + BigInt(at));
    const trouble = cpu.mmu.probe(page, 1, access, cpu.privilege);
    if (trouble !== undefined) return trouble;
  }
  return linear;
}
