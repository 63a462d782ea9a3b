// From segment and offset to a linear address: limit, rights and, in 64-bit mode, canonical form.
// SDM vol. 3A, "Limit Checking", "Type Checking", "Segment Loading Instructions in IA-32e Mode".

import type {SegmentRegister} from '@hyperscope/isa';
import {SEGMENT} from '../cpu/cell-indexes.js';
import {RIGHTS_DB, RIGHTS_UNUSABLE, hasRealModeSegments, is64Bit, isCanonical, low} from '../cpu/modes.js';
import {check, fault, shown} from '../cpu/faults.js';
import type {NamedValue} from '../cpu/faults.js';
import type {RegisterFile} from '../cpu/register-file.js';
import type {Fault} from '../cpu/trouble.js';
import type {AccessKind} from './page-walk.js';

/** A segment as an access sees it. */
export interface SegmentView {
  readonly base: bigint;
  readonly limit: number;
  /** VMCS access-rights format. */
  readonly attributes: number;
}

export function segmentView(registers: RegisterFile, segment: SegmentRegister): SegmentView {
  const cells = SEGMENT[segment];
  return {
    base: registers.cells[cells.base] ?? 0n,
    limit: low(registers, cells.limit),
    attributes: low(registers, cells.attributes),
  };
}

/** The linear address of `bytes` bytes at an offset, or #GP(0) (#SS(0) for SS). */
export function linearAddress(
  registers: RegisterFile,
  segment: SegmentRegister,
  offset: bigint,
  bytes: number,
  access: AccessKind,
): bigint | Fault {
  const cells = SEGMENT[segment];
  const base = registers.cells[cells.base] ?? 0n;
  if (is64Bit(registers)) {
    const linear =
      segment === 'FS' || segment === 'GS' ? BigInt.asUintN(64, base + offset) : BigInt.asUintN(64, offset);
    if (isCanonical(linear) && (bytes <= 1 || isCanonical(BigInt.asUintN(64, linear + BigInt(bytes - 1)))))
      return linear;
    return notCanonical(segment, linear);
  }
  const start = Number(BigInt.asUintN(32, offset));
  const rights = low(registers, cells.attributes);
  const isTyped = !hasRealModeSegments(registers);
  if ((isTyped && !rightsAllow(rights, access)) || !isWithin(start, bytes, low(registers, cells.limit), rights)) {
    return segmentFault(
      segment,
      start,
      bytes,
      access,
      rights,
      low(registers, cells.limit),
      isTyped ? 'protected' : 'real',
    );
  }
  return BigInt.asUintN(32, base + BigInt(start));
}

/** Whether all bytes lie within the limit. An expand-down segment has its valid offsets above the limit. */
export function isWithin(start: number, bytes: number, limit: number, rights: number): boolean {
  const last = start + Math.max(bytes, 1) - 1;
  if (isExpandDown(rights)) return start > limit && last <= ((rights & RIGHTS_DB) === 0 ? 0xffff : 0xffff_ffff);
  return last <= limit;
}

/** A data segment (S = 1, type bit 3 clear) with type bit 2 set. */
const isExpandDown = (rights: number): boolean => (rights & 0x1c) === 0x14;
const isCode = (rights: number): boolean => (rights & 0x18) === 0x18;

function rightsAllow(rights: number, access: AccessKind): boolean {
  if ((rights & RIGHTS_UNUSABLE) !== 0) return false;
  switch (access) {
    case 'read':
      return !isCode(rights) || (rights & 2) !== 0;
    case 'write':
      return !isCode(rights) && (rights & 2) !== 0;
    default:
      return true;
  }
}

function notCanonical(segment: SegmentRegister, linear: bigint): Fault {
  const rule = check(
    'the address is canonical (bits 63:47 equal)',
    false,
    [shown('linear address', linear), ['segment', segment]],
    'SDM vol. 1, "Canonical Addressing"',
  );
  return fault(segment === 'SS' ? '#SS' : '#GP', 0, [rule]);
}

function segmentFault(
  segment: SegmentRegister,
  start: number,
  bytes: number,
  access: AccessKind,
  rights: number,
  limit: number,
  mode: 'protected' | 'real',
): Fault {
  const values: NamedValue[] = [['segment', segment], shown('offset', start), ['bytes', String(bytes)]];
  const name = segment === 'SS' ? '#SS' : '#GP';
  if (mode === 'protected' && (rights & RIGHTS_UNUSABLE) !== 0) {
    return fault(name, 0, [
      check(`${segment} holds a segment (not the null selector)`, false, values, 'SDM vol. 3A, "Segment Selectors"'),
    ]);
  }
  if (mode === 'protected' && !rightsAllow(rights, access)) {
    const wanted = access === 'write' ? 'writable' : 'readable';
    return fault(name, 0, [
      check(
        `the segment in ${segment} is ${wanted}`,
        false,
        [...values, shown('access rights', rights)],
        'SDM vol. 3A, "Type Checking"',
      ),
    ]);
  }
  const rule = isExpandDown(rights) ? `offset > ${segment} limit (expand-down)` : `last byte ≤ ${segment} limit`;
  const last = shown('last byte', start + Math.max(bytes, 1) - 1);
  return fault(name, 0, [
    check(rule, false, [...values, last, shown('limit', limit)], 'SDM vol. 3A, "Limit Checking"'),
  ]);
}
