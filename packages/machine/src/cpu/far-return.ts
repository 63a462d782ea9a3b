// Far RET and IRET, in every mode, to the same ring or an outer one.
// SDM vol. 2, "RET—Return From Procedure", "IRET/IRETD/IRETQ—Interrupt Return".

import {RFLAGS, RIP, SEGMENT} from './cell-indexes.js';
import {checkOffset, claim, enter, isLongTarget, returnTarget} from './code-segment.js';
import type {CodeTarget} from './code-segment.js';
import {Checklist, isTrouble, shown} from './faults.js';
import {slotBytes} from './far-transfer.js';
import {
  RFLAGS_IF,
  RFLAGS_NT,
  RFLAGS_TF,
  RFLAGS_VIF,
  RFLAGS_VIP,
  RFLAGS_VM,
  RIGHTS_UNUSABLE,
  hasRealModeSegments,
  is64Bit,
  isLongMode,
  isVirtual8086,
  low,
} from './modes.js';
import type {Processor} from './processor.js';
import type {SegmentValues} from './register-file.js';
import {nullSegment, realModeSegment, stackSegment} from './segment-load.js';
import {currentStack, moved, peekFrame, setStackPointer} from './stack-frame.js';
import {switchTask} from './task-switch.js';
import type {Trouble} from './trouble.js';

const FAR_RETURN = 'SDM vol. 2, "RET—Return From Procedure"';
const INTERRUPT_RETURN = 'SDM vol. 2, "IRET/IRETD/IRETQ—Interrupt Return"';

/** What IRET may take from the image: status and control flags, RF, NT, AC, ID; never VM, VIF, VIP. */
const IMAGE_ALWAYS = 0x25_4dd5n;
const IMAGE_IF = 0x200n;
const IMAGE_IOPL = 0x3000n;
const IMAGE_VIRTUAL = 0x18_0000n;
/** Real mode: all but VM, VIF and VIP. */
const IMAGE_REAL = 0x25_7fd5n;

/** `release`: bytes to take off the stack after the return address. */
export function farReturn(cpu: Processor, width: number, release: number): Trouble | undefined {
  const bytes = slotBytes(width);
  const frame = peekFrame(cpu, 2, bytes);
  if (isTrouble(frame)) return frame;
  const [rip = 0n, cs = 0n] = frame;
  const selector = Number(cs & 0xffffn);
  if (hasRealModeSegments(cpu.registers)) return realModeReturn(cpu, selector, rip, 2 * bytes + release, undefined);
  const target = returnTarget(cpu, selector, rip, new Checklist(FAR_RETURN));
  if (isTrouble(target)) return target;
  if (target.ring === cpu.cpl) {
    const claimed = claim(cpu, target);
    if (claimed !== undefined) return claimed;
    setStackPointer(cpu, moved(currentStack(cpu), BigInt(2 * bytes + release)));
    enter(cpu, target, 'far RET');
    return undefined;
  }
  const outer = peekFrame(cpu, 2, bytes, 2 * bytes + release);
  if (isTrouble(outer)) return outer;
  const [rsp = 0n, ss = 0n] = outer;
  return returnOutward(cpu, target, Number(ss & 0xffffn), rsp + BigInt(release), 'far RET');
}

function realModeReturn(
  cpu: Processor,
  selector: number,
  rip: bigint,
  release: number,
  flags: bigint | undefined,
): Trouble | undefined {
  const outside = checkOffset(rip, low(cpu.registers, SEGMENT.CS.limit), false);
  if (outside !== undefined) return outside;
  setStackPointer(cpu, moved(currentStack(cpu), BigInt(release)));
  cpu.registers.setSegment('CS', realModeSegment(cpu, 'CS', selector));
  cpu.registers.cells[RIP] = rip;
  if (flags !== undefined) cpu.registers.cells[RFLAGS] = flags & ~cpu.absentFlags;
  return undefined;
}

function returnOutward(cpu: Processor, target: CodeTarget, ss: number, rsp: bigint, how: string): Trouble | undefined {
  const values = stackSegment(cpu, ss, target.ring, '#GP', isLongTarget(cpu, target));
  if (isTrouble(values)) return values;
  const claimed = claim(cpu, target);
  if (claimed !== undefined) return claimed;
  commitOutward(cpu, target, values, rsp, how);
  return undefined;
}

function commitOutward(cpu: Processor, target: CodeTarget, ss: SegmentValues, rsp: bigint, how: string): void {
  cpu.registers.setSegment('SS', ss);
  enter(cpu, target, how);
  setStackPointer(cpu, rsp);
  forgetInnerSegments(cpu, target.ring);
}

/**
 * Data segments that the outer ring could not have loaded itself become null, so that it cannot use what is left in
 * them. The manual names the selector and the valid bit; the base stays, and 64-bit mode uses that of FS and GS.
 */
function forgetInnerSegments(cpu: Processor, ring: number): void {
  for (const register of ['ES', 'DS', 'FS', 'GS'] as const) {
    const rights = low(cpu.registers, SEGMENT[register].attributes);
    if ((rights & RIGHTS_UNUSABLE) !== 0) continue;
    const isConformingCode = (rights & 0x1c) === 0x1c;
    if (isConformingCode || ((rights >> 5) & 3) >= ring) continue;
    const base = cpu.registers.cells[SEGMENT[register].base] ?? 0n;
    cpu.registers.setSegment(register, {...nullSegment(0), base});
  }
}

/** NT: the task was called, and the first word of its TSS says by whom. */
function returnToTask(cpu: Processor): Trouble | undefined {
  const link = cpu.mmu.read(cpu.registers.get('TR.base'), 2, 'implicit');
  if (typeof link !== 'bigint') return link;
  const returnRip = cpu.registers.cells[RIP] ?? 0n;
  const trouble = switchTask(cpu, {source: 'IRET', selector: Number(link), returnRip, errorCode: undefined});
  if (trouble === undefined) unblockNmis(cpu);
  return trouble;
}

export function interruptReturn(cpu: Processor, width: number): Trouble | undefined {
  const {registers} = cpu;
  const bytes = slotBytes(width);
  if (hasRealModeSegments(registers)) return realModeInterruptReturn(cpu, bytes);
  if ((low(registers, RFLAGS) & RFLAGS_NT) !== 0) {
    if (!isLongMode(registers)) return returnToTask(cpu);
    const checks = new Checklist(INTERRUPT_RETURN);
    checks.require('RFLAGS.NT = 0 (IA-32e mode has no task switch)', false, shown('RFLAGS', registers.get('RFLAGS')));
    return checks.fault('#GP', 0);
  }
  const frame = peekFrame(cpu, 3, bytes);
  if (isTrouble(frame)) return frame;
  const [rip = 0n, cs = 0n, image = 0n] = frame;
  if (!isLongMode(registers) && bytes === 4 && cpu.cpl === 0 && (image & BigInt(RFLAGS_VM)) !== 0n)
    return returnToVirtual8086(cpu, rip, cs, image);
  return protectedInterruptReturn(cpu, bytes, rip, Number(cs & 0xffffn), image);
}

function protectedInterruptReturn(
  cpu: Processor,
  bytes: 2 | 4 | 8,
  rip: bigint,
  selector: number,
  image: bigint,
): Trouble | undefined {
  const target = returnTarget(cpu, selector, rip, new Checklist(INTERRUPT_RETURN));
  if (isTrouble(target)) return target;
  const flags = flagsAfter(cpu, image, bytes);
  const isOutward = target.ring > cpu.cpl;
  // From 64-bit mode SS:RSP is always popped: SDM vol. 3A, "IRET in IA-32e Mode".
  if (isOutward || is64Bit(cpu.registers)) {
    const outer = peekFrame(cpu, 2, bytes, 3 * bytes);
    if (isTrouble(outer)) return outer;
    const [rsp = 0n, ss = 0n] = outer;
    const trouble = isOutward
      ? returnOutward(cpu, target, Number(ss & 0xffffn), rsp, 'IRET')
      : returnWithStack(cpu, target, Number(ss & 0xffffn), rsp);
    if (trouble !== undefined) return trouble;
  } else {
    const claimed = claim(cpu, target);
    if (claimed !== undefined) return claimed;
    setStackPointer(cpu, moved(currentStack(cpu), BigInt(3 * bytes)));
    enter(cpu, target, 'IRET');
  }
  finishInterruptReturn(cpu, flags);
  return undefined;
}

function returnWithStack(cpu: Processor, target: CodeTarget, ss: number, rsp: bigint): Trouble | undefined {
  const values = stackSegment(cpu, ss, target.ring, '#GP', isLongTarget(cpu, target));
  if (isTrouble(values)) return values;
  const claimed = claim(cpu, target);
  if (claimed !== undefined) return claimed;
  cpu.registers.setSegment('SS', values);
  enter(cpu, target, 'IRET');
  setStackPointer(cpu, rsp);
  return undefined;
}

/** IRET lets NMIs through again: a guest's own ones, if it has such; not those of a host that keeps all of them. */
function unblockNmis(cpu: Processor): void {
  if (!cpu.isGuest || cpu.unit?.keepsNmisBlocked?.(cpu) !== true) cpu.registers.set('NMI_BLOCKING', 0n);
}

function finishInterruptReturn(cpu: Processor, flags: bigint): void {
  cpu.registers.cells[RFLAGS] = flags & ~cpu.absentFlags;
  unblockNmis(cpu);
}

/** RFLAGS after IRET: IOPL changes only at CPL 0, IF only where CPL ≤ IOPL, both judged before the return. */
function flagsAfter(cpu: Processor, image: bigint, bytes: 2 | 4 | 8): bigint {
  const old = cpu.registers.cells[RFLAGS] ?? 0n;
  const iopl = Number((old >> 12n) & 3n);
  let mask = IMAGE_ALWAYS;
  if (cpu.cpl <= iopl) mask |= IMAGE_IF;
  if (cpu.cpl === 0) mask |= IMAGE_IOPL | IMAGE_VIRTUAL;
  if (bytes === 2) mask &= 0xffffn;
  return (old & ~mask) | (image & mask) | 2n;
}

function realModeInterruptReturn(cpu: Processor, bytes: 2 | 4 | 8): Trouble | undefined {
  const old = cpu.registers.cells[RFLAGS] ?? 0n;
  const iopl = Number((old >> 12n) & 3n);
  const isVirtual = isVirtual8086(cpu.registers);
  const frame = peekFrame(cpu, 3, bytes);
  if (isTrouble(frame)) return frame;
  const [rip = 0n, cs = 0n, image = 0n] = frame;
  if (isVirtual && iopl < 3) return extendedInterruptReturn(cpu, rip, Number(cs & 0xffffn), image);
  const mask = (isVirtual ? IMAGE_ALWAYS | IMAGE_IF : IMAGE_REAL) & (bytes === 2 ? 0xffffn : 0xffff_ffffn);
  const trouble = realModeReturn(cpu, Number(cs & 0xffffn), rip, 3 * bytes, (old & ~mask) | (image & mask) | 2n);
  if (trouble === undefined) unblockNmis(cpu);
  return trouble;
}

/**
 * IRET of an 8086 program under CR4.VME (with 32-bit operands, or without VME, the instruction has refused already): the image's
 * IF goes to VIF. SDM vol. 2, "IRET/IRETD/IRETQ—Interrupt Return".
 */
function extendedInterruptReturn(cpu: Processor, rip: bigint, cs: number, image: bigint): Trouble | undefined {
  const old = cpu.registers.cells[RFLAGS] ?? 0n;
  const checks = new Checklist(INTERRUPT_RETURN);
  const isPending = (old & BigInt(RFLAGS_VIP)) !== 0n && (image & BigInt(RFLAGS_IF)) !== 0n;
  const flags = shown('RFLAGS', old);
  if (!checks.require('IF = 0 in the image while RFLAGS.VIP = 1', !isPending, flags, shown('image', image)))
    return checks.fault('#GP', 0);
  if (!checks.require('TF = 0 in the image', (image & BigInt(RFLAGS_TF)) === 0n, shown('image', image)))
    return checks.fault('#GP', 0);
  const mask = IMAGE_ALWAYS & 0xffffn;
  const virtualIf = (image & BigInt(RFLAGS_IF)) === 0n ? 0n : BigInt(RFLAGS_VIF);
  const next = (old & ~(mask | BigInt(RFLAGS_VIF))) | (image & mask) | virtualIf | 2n;
  const trouble = realModeReturn(cpu, cs, rip, 6, next);
  if (trouble === undefined) unblockNmis(cpu);
  return trouble;
}

/** IRETD at CPL 0 with VM set in the image: SDM vol. 3B, "Entering Virtual-8086 Mode". */
function returnToVirtual8086(cpu: Processor, rip: bigint, cs: bigint, image: bigint): Trouble | undefined {
  const frame = peekFrame(cpu, 6, 4, 12);
  if (isTrouble(frame)) return frame;
  const {registers} = cpu;
  const [rsp = 0n, ...selectors] = frame;
  registers.cells[RFLAGS] = (image & 0x3f_7fd5n & ~cpu.absentFlags) | 2n;
  registers.cells[RIP] = rip & 0xffffn;
  for (const [index, register] of (['SS', 'ES', 'DS', 'FS', 'GS'] as const).entries()) {
    registers.setSegment(register, realModeSegment(cpu, register, Number((selectors[index] ?? 0n) & 0xffffn)));
  }
  registers.setSegment('CS', realModeSegment(cpu, 'CS', Number(cs & 0xffffn)));
  registers.set('RSP', rsp);
  cpu.enterRing(3, 'IRET to virtual-8086 mode');
  unblockNmis(cpu);
  return undefined;
}
