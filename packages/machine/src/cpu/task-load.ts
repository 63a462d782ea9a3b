// The second half of a task switch: the processor as the new task's TSS describes it. Selectors first, descriptors after, so
// that a fault finds the new task's registers in place. SDM vol. 3A, "Task Switching", the table of exception conditions.

import {CR3, CR4, RFLAGS, RIP, SEGMENT} from './cell-indexes.js';
import {checkOffset} from './code-segment.js';
import {
  dplOf,
  isCodeSegment,
  isConforming,
  isNull,
  isPresent,
  isSystem,
  loadedFrom,
  markAccessed,
  readDescriptor,
  selectorError,
  typeOf,
} from './descriptor.js';
import {Checklist, counted, isTrouble, shown} from './faults.js';
import {loadPdptes} from './page-directory-pointers.js';
import {RFLAGS_NT, RFLAGS_VM, isPaging, low} from './modes.js';
import type {Processor} from './processor.js';
import {dataSegment, nullSegment, realModeSegment, stackSegment} from './segment-load.js';
import {currentStack, pushFrame, setStackPointer} from './stack-frame.js';
import {GENERAL_IN_TSS, SELECTORS_IN_TSS} from './task-state-segment.js';
import type {TssLayout} from './task-state-segment.js';
import type {Trouble} from './trouble.js';

const SOURCE = 'SDM vol. 3A, "Task Switching"';
/** EFLAGS bits that exist, without bit 1. */
const FLAGS = 0x3f_7fd5n;
const DR6_BT = 1n << 15n;

export interface Entrance {
  /** By CALL or a gate: NT leads back. */
  readonly isNested: boolean;
  readonly errorCode: number | undefined;
}

/** Loads everything; trouble is the new task's. */
export function loadTask(cpu: Processor, layout: TssLayout, base: bigint, entrance: Entrance): Trouble | undefined {
  const image = readImage(cpu, layout, base);
  if (isTrouble(image)) return image;
  const {registers} = cpu;
  const nested = entrance.isNested ? BigInt(RFLAGS_NT) : 0n;
  registers.cells[RFLAGS] = (image.flags & FLAGS & ~cpu.absentFlags) | nested | 2n;
  registers.cells[RIP] = image.ip;
  GENERAL_IN_TSS.forEach((register, index) => registers.set(register, image.general[index] ?? 0n));
  if (image.cr3 !== undefined && isPaging(registers)) {
    const refused = loadPdptes(cpu, image.cr3, low(registers, CR4), new Checklist(SOURCE));
    if (refused !== undefined) return refused;
    registers.cells[CR3] = image.cr3;
    cpu.tlb.flushNonGlobal();
  }
  const isVirtual = (low(registers, RFLAGS) & RFLAGS_VM) !== 0;
  SELECTORS_IN_TSS.forEach((register, index) =>
    registers.setSegment(register, nullSegment(image.selectors[index] ?? 0)),
  );
  registers.setSegment('LDTR', nullSegment(image.ldt));
  cpu.enterRing(isVirtual ? 3 : (image.selectors[1] ?? 0) & 3, 'task switch');
  return (
    loadLdt(cpu, image.ldt) ??
    (isVirtual ? loadVirtual(cpu, image.selectors) : loadSegments(cpu, image.selectors)) ??
    checkOffset(image.ip, low(registers, SEGMENT.CS.limit), false) ??
    pushErrorCode(cpu, layout, entrance.errorCode) ??
    debugTrap(cpu, image.trap)
  );
}

interface Image {
  readonly ip: bigint;
  readonly flags: bigint;
  readonly general: readonly bigint[];
  readonly selectors: readonly number[];
  readonly ldt: number;
  readonly cr3: bigint | undefined;
  readonly trap: boolean;
}

function readImage(cpu: Processor, layout: TssLayout, base: bigint): Image | Trouble {
  let trouble: Trouble | undefined;
  const read = (offset: number, bytes: number): bigint => {
    const value = cpu.mmu.read(BigInt.asUintN(32, base + BigInt(offset)), bytes, 'implicit');
    if (typeof value === 'bigint') return value;
    trouble ??= value;
    return 0n;
  };
  const {bytes} = layout;
  const upperHalf = bytes === 2 ? 0xffff_0000n : 0n;
  const selectors = SELECTORS_IN_TSS.map((_, index) =>
    index < layout.selectorCount ? Number(read(layout.selectors + bytes * index, 2)) : 0,
  );
  const image: Image = {
    ip: read(layout.ip, bytes),
    flags: read(layout.flags, bytes),
    // A 16-bit TSS has no upper halves. The manual says nothing of them; processors since the 386 load ones.
    general: GENERAL_IN_TSS.map((_, index) => read(layout.general + bytes * index, bytes) | upperHalf),
    selectors,
    ldt: Number(read(layout.ldt, 2)),
    cr3: layout.cr3 === undefined ? undefined : read(layout.cr3, 4),
    trap: layout.trap !== undefined && (read(layout.trap, 2) & 1n) === 1n,
  };
  return trouble ?? image;
}

function loadLdt(cpu: Processor, selector: number): Trouble | undefined {
  if (isNull(selector)) return undefined;
  const checks = new Checklist(SOURCE);
  const error = selectorError(selector);
  if (!checks.require("the new task's LDT is in the GDT", (selector & 4) === 0, shown('selector', selector)))
    return checks.fault('#TS', error);
  const d = readDescriptor(cpu, selector, checks, '#TS');
  if (isTrouble(d)) return d;
  const isLdt = isSystem(d) && typeOf(d) === 2 && isPresent(d);
  if (!checks.require('the descriptor is an LDT and present', isLdt, shown('descriptor', d.raw)))
    return checks.fault('#TS', error);
  cpu.registers.setSegment('LDTR', loadedFrom(d, selector));
  return undefined;
}

function loadVirtual(cpu: Processor, selectors: readonly number[]): undefined {
  SELECTORS_IN_TSS.forEach((register, index) =>
    cpu.registers.setSegment(register, realModeSegment(cpu, register, selectors[index] ?? 0)),
  );
}

function loadSegments(cpu: Processor, selectors: readonly number[]): Trouble | undefined {
  const [es = 0, cs = 0, ss = 0, ds = 0, fs = 0, gs = 0] = selectors;
  const trouble = loadCode(cpu, cs) ?? loadStack(cpu, ss);
  if (trouble !== undefined) return trouble;
  for (const [register, selector] of [
    ['ES', es],
    ['DS', ds],
    ['FS', fs],
    ['GS', gs],
  ] as const) {
    const values = dataSegment(cpu, register, selector, '#TS');
    if (isTrouble(values)) return values;
    cpu.registers.setSegment(register, values);
  }
  return undefined;
}

function loadCode(cpu: Processor, selector: number): Trouble | undefined {
  const checks = new Checklist(SOURCE);
  const error = selectorError(selector);
  if (!checks.require('CS of the new task is not null', !isNull(selector), shown('selector', selector)))
    return checks.fault('#TS', error);
  const d = readDescriptor(cpu, selector, checks, '#TS');
  if (isTrouble(d)) return d;
  if (!checks.require('CS of the new task is a code segment', isCodeSegment(d), shown('descriptor', d.raw)))
    return checks.fault('#TS', error);
  const rpl = selector & 3;
  const fits = checks.require(
    'DPL of CS = RPL (≤ RPL for conforming code)',
    isConforming(d) ? dplOf(d) <= rpl : dplOf(d) === rpl,
    counted('DPL', dplOf(d)),
    counted('RPL', rpl),
  );
  if (!fits) return checks.fault('#TS', error);
  if (!checks.require('CS of the new task is present', isPresent(d), shown('descriptor', d.raw)))
    return checks.fault('#NP', error);
  const trouble = markAccessed(cpu, d);
  if (trouble === undefined) cpu.registers.setSegment('CS', loadedFrom(d, selector));
  return trouble;
}

function loadStack(cpu: Processor, selector: number): Trouble | undefined {
  const values = stackSegment(cpu, selector, cpu.cpl, '#TS', false);
  if (isTrouble(values)) return values;
  cpu.registers.setSegment('SS', values);
  return undefined;
}

function pushErrorCode(cpu: Processor, {bytes}: TssLayout, errorCode: number | undefined): Trouble | undefined {
  if (errorCode === undefined) return undefined;
  const pointer = pushFrame(cpu, currentStack(cpu), [BigInt(errorCode)], bytes);
  if (typeof pointer !== 'bigint') return pointer;
  setStackPointer(cpu, pointer);
  return undefined;
}

/** The T bit of the TSS: #DB before the first instruction. SDM vol. 3B, "Task-Switch Exception Condition". */
function debugTrap(cpu: Processor, isWanted: boolean): Trouble | undefined {
  if (!isWanted) return undefined;
  const checks = new Checklist('SDM vol. 3B, "Task-Switch Exception Condition"');
  checks.require('T = 0 in the TSS of the new task', false);
  return {...checks.fault('#DB'), debugStatus: DR6_BT};
}
