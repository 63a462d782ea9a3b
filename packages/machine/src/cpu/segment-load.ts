// Loading a segment register: the selector, and behind it the hidden base, limit and rights.
// SDM vol. 2, "MOV—Move"; SDM vol. 3A, "Privilege Level Checking When Accessing Data Segments".

import {SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {SegmentRegister} from '@hyperscope/isa';
import {assertExists} from '@hyperscope/base';
import {INTERRUPT_SHADOW} from './cell-indexes.js';
import {
  dplOf,
  isCodeSegment,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isSystem,
  isWritableData,
  loadedFrom,
  markAccessed,
  readDescriptor,
  selectorError,
  typeOf,
} from './descriptor.js';
import type {Descriptor} from './descriptor.js';
import {Checklist, counted, isTrouble, shown} from './faults.js';
import {RIGHTS_UNUSABLE, hasRealModeSegments, is64Bit, isCanonical, isLongMode, isVirtual8086} from './modes.js';
import type {Processor} from './processor.js';
import type {SegmentValues} from './register-file.js';
import type {Trouble} from './trouble.js';

const SOURCE = 'SDM vol. 3A, "Privilege Level Checking When Accessing Data Segments"';
/**
 * Blocking by MOV SS in the interruptibility state: SDM vol. 3A, "Masking Exceptions and Interrupts When Switching
 * Stacks".
 */
const SHADOW_MOV_SS = 2n;

/**
 * MOV to SS and POP SS hold interrupts back for one instruction, so that ESP can follow; LSS loads both and needs no
 * such grace.
 */
export function castStackShadow(cpu: Processor): void {
  cpu.registers.cells[INTERRUPT_SHADOW] = SHADOW_MOV_SS;
}

/** MOV Sreg, POP Sreg, LDS and their kin. Never CS. */
export function loadSegment(cpu: Processor, register: SegmentRegister, selector: number): Trouble | undefined {
  const values = hasRealModeSegments(cpu.registers)
    ? realModeSegment(cpu, register, selector)
    : register === 'SS'
      ? stackSegment(cpu, selector, cpu.cpl)
      : dataSegment(cpu, register, selector);
  if (isTrouble(values)) return values;
  cpu.registers.setSegment(register, values);
  return undefined;
}

/** A segment register by its number in encodings. */
export function segmentNumbered(which: number): SegmentRegister {
  return assertExists(SEGMENT_REGISTERS[which], `no segment register ${which}`);
}

/** Selector × 16. In real mode limit and rights stay what they were: that is how "unreal mode" comes about. */
export function realModeSegment(cpu: Processor, register: SegmentRegister, selector: number): SegmentValues {
  const base = BigInt(selector) << 4n;
  if (isVirtual8086(cpu.registers)) return {selector, base, limit: 0xffff, attributes: 0xf3};
  const {registers} = cpu;
  const rights = registers.number(`${register}.attributes`);
  const attributes =
    register === 'CS' && (rights & RIGHTS_UNUSABLE) === 0
      ? rights
      : (rights & 0xc000) | (register === 'CS' ? 0x9b : 0x93);
  return {selector, base, limit: registers.number(`${register}.limit`), attributes};
}

/**
 * What a register holds after a null selector was loaded. SS keeps its privilege level in the DPL (SDM vol. 3C,
 * "Guest Register State").
 */
export function nullSegment(selector: number, dpl = 0): SegmentValues {
  return {selector, base: 0n, limit: 0, attributes: RIGHTS_UNUSABLE | (dpl << 5)};
}

/** ES, DS, FS or GS. `invalid` is #TS where a TSS named it. */
export function dataSegment(
  cpu: Processor,
  register: SegmentRegister,
  selector: number,
  invalid: '#GP' | '#TS' = '#GP',
): SegmentValues | Trouble {
  if (isNull(selector)) return nullSegment(selector);
  const checks = new Checklist(SOURCE);
  const d = readDescriptor(cpu, selector, checks, invalid);
  if (isTrouble(d)) return d;
  const rpl = selector & 3;
  const readable = checks.require(
    'the segment is data or readable code',
    !isSystem(d) && isReadable(d),
    shown('type', typeOf(d)),
    shown('descriptor', d.raw),
  );
  if (!readable) return checks.fault(invalid, selectorError(selector));
  const isFree = isCodeSegment(d) && isConforming(d);
  const allowed = checks.require(
    'max(CPL, RPL) ≤ DPL, or the segment is conforming code',
    isFree || Math.max(cpu.cpl, rpl) <= dplOf(d),
    counted('CPL', cpu.cpl),
    counted('RPL', rpl),
    counted('DPL', dplOf(d)),
    ['register', register],
  );
  if (!allowed) return checks.fault(invalid, selectorError(selector));
  if (!checks.require('the segment is present', isPresent(d), shown('descriptor', d.raw)))
    return checks.fault('#NP', selectorError(selector));
  return markAccessed(cpu, d) ?? loadedFrom(d, selector);
}

/**
 * SS for code that runs, or will run, at `cpl`. Also for a return to an outer ring. `invalid` is #TS where a TSS
 * named it.
 */
export function stackSegment(
  cpu: Processor,
  selector: number,
  cpl: number,
  invalid: '#GP' | '#TS' = '#GP',
  codeIsLong = is64Bit(cpu.registers),
): SegmentValues | Trouble {
  const checks = new Checklist(SOURCE);
  const rpl = selector & 3;
  if (isNull(selector)) {
    const mayBeNull = isLongMode(cpu.registers) && codeIsLong && cpl < 3 && rpl === cpl;
    const rule = 'SS is not null, or (64-bit mode, CPL < 3, RPL = CPL)';
    if (!checks.require(rule, mayBeNull, shown('selector', selector), counted('CPL', cpl)))
      return checks.fault(invalid, selectorError(selector));
    return nullSegment(selector, cpl);
  }
  const d = readDescriptor(cpu, selector, checks, invalid);
  if (isTrouble(d)) return d;
  if (!checks.require('RPL of SS = CPL', rpl === cpl, counted('RPL', rpl), counted('CPL', cpl)))
    return checks.fault(invalid, selectorError(selector));
  const writable = checks.require(
    'SS is a writable data segment',
    isWritableData(d),
    shown('type', typeOf(d)),
    shown('descriptor', d.raw),
  );
  if (!writable) return checks.fault(invalid, selectorError(selector));
  if (!checks.require('DPL of SS = CPL', dplOf(d) === cpl, counted('DPL', dplOf(d)), counted('CPL', cpl)))
    return checks.fault(invalid, selectorError(selector));
  if (!checks.require('the stack segment is present', isPresent(d), shown('descriptor', d.raw)))
    return checks.fault('#SS', selectorError(selector));
  return markAccessed(cpu, d) ?? loadedFrom(d, selector);
}

/** LLDT. A null selector makes the LDT unusable. */
export function loadLdtr(cpu: Processor, selector: number): Trouble | undefined {
  if (isNull(selector)) {
    cpu.registers.setSegment('LDTR', nullSegment(selector));
    return undefined;
  }
  const checks = new Checklist('SDM vol. 2, "LLDT—Load Local Descriptor Table Register"');
  const d = systemDescriptor(cpu, selector, checks, [2], 'the descriptor is an LDT');
  if (isTrouble(d)) return d;
  cpu.registers.setSegment('LDTR', loadedFrom(d, selector));
  return undefined;
}

/** LTR. The TSS becomes busy, in the register and in the GDT. */
export function loadTaskRegister(cpu: Processor, selector: number): Trouble | undefined {
  const checks = new Checklist('SDM vol. 2, "LTR—Load Task Register"');
  if (!checks.require('the selector is not null', !isNull(selector), shown('selector', selector)))
    return checks.fault('#GP', 0);
  const types = isLongMode(cpu.registers) ? [9] : [1, 9];
  const d = systemDescriptor(cpu, selector, checks, types, 'the descriptor is an available TSS');
  if (isTrouble(d)) return d;
  const busy = ((d.raw >> 40n) & 0xffn) | 2n;
  const trouble = cpu.mmu.write(BigInt.asUintN(64, d.address + 5n), 1, busy, 'implicit');
  if (trouble !== undefined) return trouble;
  const loaded = loadedFrom(d, selector);
  cpu.registers.setSegment('TR', {...loaded, attributes: loaded.attributes | 2});
  return undefined;
}

function systemDescriptor(
  cpu: Processor,
  selector: number,
  checks: Checklist,
  types: readonly number[],
  rule: string,
): Descriptor | Trouble {
  if (!checks.require('the selector names the GDT', (selector & 4) === 0, shown('selector', selector)))
    return checks.fault('#GP', selectorError(selector));
  const d = readDescriptor(cpu, selector, checks);
  if (isTrouble(d)) return d;
  const fits = checks.require(
    rule,
    isSystem(d) && types.includes(typeOf(d)),
    shown('type', typeOf(d)),
    shown('descriptor', d.raw),
  );
  if (!fits) return checks.fault('#GP', selectorError(selector));
  if (!checks.require('the segment is present', isPresent(d), shown('descriptor', d.raw)))
    return checks.fault('#NP', selectorError(selector));
  const isWhole = checks.require(
    'the upper half of the descriptor has no type, and the base is canonical',
    ((d.upper >> 40n) & 0x1fn) === 0n && isCanonical(loadedFrom(d, selector).base),
    shown('upper half', d.upper),
  );
  return isWhole ? d : checks.fault('#GP', selectorError(selector));
}
