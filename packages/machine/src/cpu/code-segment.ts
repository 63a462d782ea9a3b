// The checks on a code segment that control is about to enter, and the entering.
// SDM vol. 3A, "Privilege Level Checking When Transferring Program Control Between Code Segments".

import {RIP} from './cell-indexes.js';
import {
  dplOf,
  isCodeSegment,
  isConforming,
  isDefaultBig,
  isLongCode,
  isNull,
  isPresent,
  limitOf,
  loadedFrom,
  markAccessed,
  readDescriptor,
  selectorError,
} from './descriptor.js';
import type {Descriptor} from './descriptor.js';
import {check, counted, fault, isTrouble, shown} from './faults.js';
import type {Checklist} from './faults.js';
import {isCanonical, isLongMode} from './modes.js';
import type {Processor} from './processor.js';
import type {SegmentValues} from './register-file.js';
import type {Fault, Trouble} from './trouble.js';

/** A code segment that passed its checks. */
export interface CodeTarget {
  readonly descriptor: Descriptor;
  /** What CS will hold; the selector's RPL is the ring that is entered. */
  readonly values: SegmentValues;
  readonly offset: bigint;
  readonly ring: number;
}

/** Where an instruction pointer may point: inside the limit, or canonical in a 64-bit code segment. */
export function checkOffset(offset: bigint, limit: number, isLong: boolean): Fault | undefined {
  if (isLong) {
    if (isCanonical(offset)) return undefined;
    return fault('#GP', 0, [
      check('the target is canonical', false, [shown('RIP', offset)], 'SDM vol. 1, "Canonical Addressing"'),
    ]);
  }
  if (offset <= BigInt(limit)) return undefined;
  return fault('#GP', 0, [
    check(
      'the target lies within the limit of CS',
      false,
      [shown('offset', offset), shown('CS limit', limit)],
      'SDM vol. 3A, "Limit Checking"',
    ),
  ]);
}

/** The descriptor of a code segment, by a selector that must not be null. */
export function readCodeDescriptor(cpu: Processor, selector: number, checks: Checklist): Descriptor | Trouble {
  if (!checks.require('the selector for CS is not null', !isNull(selector), shown('selector', selector)))
    return checks.fault('#GP', 0);
  return readDescriptor(cpu, selector, checks);
}

/** Far JMP and CALL without a gate: the ring stays. */
export function directTarget(cpu: Processor, d: Descriptor, offset: bigint, checks: Checklist): CodeTarget | Trouble {
  const {cpl} = cpu;
  const rpl = d.selector & 3;
  const rings = [counted('DPL', dplOf(d)), counted('CPL', cpl), counted('RPL', rpl)] as const;
  const allowed = isConforming(d)
    ? checks.require('DPL ≤ CPL (conforming code)', dplOf(d) <= cpl, ...rings)
    : checks.require('DPL = CPL and RPL ≤ CPL (non-conforming code)', dplOf(d) === cpl && rpl <= cpl, ...rings);
  if (!allowed) return checks.fault('#GP', selectorError(d.selector));
  return entering(cpu, d, offset, cpl, checks);
}

/** RETF and IRET: the ring becomes the RPL of the CS that was popped. */
export function returnTarget(
  cpu: Processor,
  selector: number,
  offset: bigint,
  checks: Checklist,
): CodeTarget | Trouble {
  const d = readCodeDescriptor(cpu, selector, checks);
  if (isTrouble(d)) return d;
  const rpl = selector & 3;
  const error = selectorError(selector);
  if (!checks.require('the segment is code', isCodeSegment(d), shown('descriptor', d.raw)))
    return checks.fault('#GP', error);
  if (
    !checks.require(
      'RPL ≥ CPL (a return never goes inward)',
      rpl >= cpu.cpl,
      counted('RPL', rpl),
      counted('CPL', cpu.cpl),
    )
  )
    return checks.fault('#GP', error);
  const rings = [counted('DPL', dplOf(d)), counted('RPL', rpl)] as const;
  const fits = isConforming(d)
    ? checks.require('DPL ≤ RPL (conforming code)', dplOf(d) <= rpl, ...rings)
    : checks.require('DPL = RPL (non-conforming code)', dplOf(d) === rpl, ...rings);
  if (!fits) return checks.fault('#GP', error);
  return entering(cpu, d, offset, rpl, checks);
}

/** What every way into a code segment checks last: L and D, presence, and the target itself. */
export function entering(
  cpu: Processor,
  d: Descriptor,
  offset: bigint,
  ring: number,
  checks: Checklist,
): CodeTarget | Trouble {
  const isLong = isLongMode(cpu.registers) && isLongCode(d);
  const sizeIsClear = checks.require(
    'L and D are not both 1',
    !(isLong && isDefaultBig(d)),
    shown('descriptor', d.raw),
  );
  if (!sizeIsClear) return checks.fault('#GP', selectorError(d.selector));
  if (!checks.require('the code segment is present', isPresent(d), shown('descriptor', d.raw)))
    return checks.fault('#NP', selectorError(d.selector));
  const values = loadedFrom(d, (d.selector & 0xfffc) | ring);
  const outside = checkOffset(offset, limitOf(d), isLong);
  if (outside !== undefined) return {...outside, checks: [...checks.checks, ...outside.checks]};
  return {descriptor: d, values, offset, ring};
}

/** Whether control will be in 64-bit code there. */
export const isLongTarget = (cpu: Processor, target: CodeTarget): boolean =>
  isLongMode(cpu.registers) && isLongCode(target.descriptor);

/** Sets the accessed bit of the target: the last thing that can fault. */
export function claim(cpu: Processor, target: CodeTarget): Trouble | undefined {
  return markAccessed(cpu, target.descriptor);
}

/** Goes there. Everything was checked before. */
export function enter(cpu: Processor, target: CodeTarget, how: string): void {
  cpu.registers.setSegment('CS', target.values);
  cpu.registers.cells[RIP] = target.offset;
  cpu.enterRing(target.ring, how);
}
