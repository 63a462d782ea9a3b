// Delivering an exception or interrupt: from a vector to the first instruction of its handler.
// Nothing is changed until the gate, the code segment, the new stack and the room on it have all been checked.
// SDM vol. 3A, "Exception and Interrupt Handling", "Exception and Interrupt Handling in 64-Bit Mode"; "Real-Address
// Mode Operation".

import {CR0, RFLAGS, RIP, RSP} from './cell-indexes.js';
import {claim, enter, entering, isLongTarget, readCodeDescriptor} from './code-segment.js';
import type {CodeTarget} from './code-segment.js';
import type {DeliverableEvent} from './core.js';
import {
  dplOf,
  gateOffset,
  gateSelector,
  isCodeSegment,
  isConforming,
  isDefaultBig,
  isLongCode,
  isPresent,
  selectorError,
  typeOf,
} from './descriptor.js';
import type {Descriptor} from './descriptor.js';
import {Checklist, counted, isTrouble, shown} from './faults.js';
import {
  CR0_PE,
  RFLAGS_AC,
  RFLAGS_IF,
  RFLAGS_NT,
  RFLAGS_RF,
  RFLAGS_TF,
  RFLAGS_VM,
  isLongMode,
  isVirtual8086,
  low,
} from './modes.js';
import type {Processor} from './processor.js';
import type {SegmentValues} from './register-file.js';
import {nullSegment, realModeSegment, stackSegment} from './segment-load.js';
import {currentStack, innerStack, pushFrame, setStackPointer} from './stack-frame.js';
import type {Stack} from './stack-frame.js';
import {interruptStack, taskStack} from './task-stack.js';
import {switchTask} from './task-switch.js';
import type {Trouble} from './trouble.js';

const SOURCE = 'SDM vol. 3A, "Exception- or Interrupt-Handler Procedures"';
const PF = 14;

/** Runs the delivery; trouble means that nothing has happened and says why the handler cannot run. */
export function deliverEvent(cpu: Processor, event: DeliverableEvent): Trouble | undefined {
  const from = cpu.cpl;
  const trouble = (low(cpu.registers, CR0) & CR0_PE) === 0 ? throughVectorTable(cpu, event) : throughGate(cpu, event);
  if (trouble !== undefined) return withExternalBit(trouble, event);
  const handler = cpu.registers.cells[RIP] ?? 0n;
  cpu.charge(cpu.costModel.exception.cycles);
  if (event.type === 'hardware-exception' && event.vector === PF) cpu.charge(cpu.costModel.pageFault.cycles);
  cpu.emit({kind: 'delivery', vector: event.vector, from, to: cpu.cpl, handler, stackSwitched: from !== cpu.cpl});
  return undefined;
}

const isSoftware = (event: DeliverableEvent): boolean =>
  event.type === 'software-interrupt' ||
  event.type === 'software-exception' ||
  event.type === 'privileged-software-exception';

/**
 * EXT, bit 0 of a selector error code: the trouble came up while delivering something that no instruction asked for.
 */
function withExternalBit(trouble: Trouble, event: DeliverableEvent): Trouble {
  const hasSelector = trouble.kind === 'fault' && trouble.vector >= 10 && trouble.vector <= 13;
  if (!hasSelector || isSoftware(event) || trouble.errorCode === undefined) return trouble;
  return {...trouble, errorCode: trouble.errorCode | 1};
}

// ── real mode ───────────────────────────────────────────────────────────────────────────────────────────────────────

function throughVectorTable(cpu: Processor, event: DeliverableEvent): Trouble | undefined {
  const {registers} = cpu;
  const checks = new Checklist('SDM vol. 3B, "Interrupt and Exception Handling" (8086 emulation)');
  const limit = registers.number('IDTR.limit');
  const inside = checks.require(
    'the vector lies within the interrupt vector table',
    event.vector * 4 + 3 <= limit,
    counted('vector', event.vector),
    shown('IDTR limit', limit),
  );
  if (!inside) return checks.fault('#GP', 0);
  const entry = cpu.mmu.read(registers.get('IDTR.base') + BigInt(event.vector * 4), 4, 'implicit');
  if (typeof entry !== 'bigint') return entry;
  const flags = registers.cells[RFLAGS] ?? 0n;
  const frame = [flags, BigInt(registers.number('CS.selector')), event.returnRip];
  const pointer = pushFrame(
    cpu,
    currentStack(cpu),
    frame.map(value => value & 0xffffn),
    2,
  );
  if (typeof pointer !== 'bigint') return pointer;
  setStackPointer(cpu, pointer);
  registers.setSegment('CS', realModeSegment(cpu, 'CS', Number(entry >> 16n)));
  registers.cells[RIP] = entry & 0xffffn;
  registers.cells[RFLAGS] = flags & ~BigInt(RFLAGS_TF | RFLAGS_IF | RFLAGS_RF | RFLAGS_AC);
  return undefined;
}

// ── protected mode and IA-32e mode ──────────────────────────────────────────────────────────────────────────────────

function throughGate(cpu: Processor, event: DeliverableEvent): Trouble | undefined {
  const checks = new Checklist(SOURCE);
  const gate = readGate(cpu, event, checks);
  if (isTrouble(gate)) return gate;
  if (typeOf(gate) === TASK_GATE) {
    const {returnRip, errorCode} = event;
    return switchTask(cpu, {source: 'gate', selector: gateSelector(gate), returnRip, errorCode});
  }
  const target = handlerOf(cpu, gate, checks);
  if (isTrouble(target)) return target;
  const stack = stackFor(cpu, gate, target);
  if (isTrouble(stack)) return stack;
  const claimed = claim(cpu, target);
  if (claimed !== undefined) return claimed;
  const bytes = isLongMode(cpu.registers) ? 8 : (typeOf(gate) & 8) === 0 ? 2 : 4;
  const frame = [...oldStack(cpu, stack), ...returnFrame(cpu, event)];
  const pointer = pushFrame(cpu, stack.stack, frame, bytes);
  if (typeof pointer !== 'bigint') return pointer;
  commit(cpu, gate, target, stack, pointer);
  return undefined;
}

const TASK_GATE = 5;

function readGate(cpu: Processor, event: DeliverableEvent, checks: Checklist): Descriptor | Trouble {
  const {registers} = cpu;
  const long = isLongMode(registers);
  const bytes = long ? 16 : 8;
  const error = event.vector * 8 + 2;
  const limit = registers.number('IDTR.limit');
  const inside = checks.require(
    'the gate lies within the IDT',
    event.vector * bytes + bytes - 1 <= limit,
    counted('vector', event.vector),
    shown('IDTR limit', limit),
  );
  if (!inside) return checks.fault('#GP', error);
  const address = BigInt.asUintN(64, registers.get('IDTR.base') + BigInt(event.vector * bytes));
  const raw = cpu.mmu.read(address, 8, 'implicit');
  if (typeof raw !== 'bigint') return raw;
  const upper = long ? cpu.mmu.read(BigInt.asUintN(64, address + 8n), 8, 'implicit') : 0n;
  if (typeof upper !== 'bigint') return upper;
  const gate: Descriptor = {selector: 0, address, raw, upper};
  const type = Number((raw >> 40n) & 0x1fn);
  const types = long ? [0xe, 0xf] : [TASK_GATE, 6, 7, 0xe, 0xf];
  const isGate = checks.require(
    long ? 'the IDT entry is an interrupt or trap gate' : 'the IDT entry is an interrupt, trap or task gate',
    types.includes(type),
    shown('type', type),
    counted('vector', event.vector),
  );
  if (!isGate) return checks.fault('#GP', error);
  if (isSoftware(event) && event.type !== 'privileged-software-exception') {
    const mayUse = checks.require(
      'CPL ≤ DPL of the gate (software interrupt)',
      cpu.cpl <= dplOf(gate),
      counted('CPL', cpu.cpl),
      counted('DPL of the gate', dplOf(gate)),
      counted('vector', event.vector),
    );
    if (!mayUse) return checks.fault('#GP', error);
  }
  if (!checks.require('the gate is present', isPresent(gate), counted('vector', event.vector), shown('gate', raw)))
    return checks.fault('#NP', error);
  return gate;
}

function handlerOf(cpu: Processor, gate: Descriptor, checks: Checklist): CodeTarget | Trouble {
  const selector = gateSelector(gate);
  const d = readCodeDescriptor(cpu, selector, checks);
  if (isTrouble(d)) return d;
  const error = selectorError(selector);
  if (!checks.require('the gate names a code segment', isCodeSegment(d), shown('descriptor', d.raw)))
    return checks.fault('#GP', error);
  const rings = [counted('DPL', dplOf(d)), counted('CPL', cpu.cpl)] as const;
  if (!checks.require('DPL of the handler ≤ CPL', dplOf(d) <= cpu.cpl, ...rings)) return checks.fault('#GP', error);
  if (isLongMode(cpu.registers)) {
    const is64 = checks.require(
      'the handler is 64-bit code (L = 1, D = 0)',
      isLongCode(d) && !isDefaultBig(d),
      shown('descriptor', d.raw),
    );
    if (!is64) return checks.fault('#GP', error);
  }
  const ring = isConforming(d) ? cpu.cpl : dplOf(d);
  if (isVirtual8086(cpu.registers)) {
    if (!checks.require('the handler runs at CPL 0 (from virtual-8086 mode)', ring === 0, ...rings))
      return checks.fault('#GP', error);
  }
  const is16 = !isLongMode(cpu.registers) && (typeOf(gate) & 8) === 0;
  return entering(cpu, d, is16 ? gateOffset(gate) & 0xffffn : gateOffset(gate), ring, checks);
}

interface HandlerStack {
  readonly kind: 'handler-stack';
  readonly stack: Stack;
  /** What SS will hold; undefined when it stays. */
  readonly values: SegmentValues | undefined;
}

function stackFor(cpu: Processor, gate: Descriptor, target: CodeTarget): HandlerStack | Trouble {
  const long = isLongMode(cpu.registers);
  const inward = target.ring < cpu.cpl;
  const ist = long ? Number((gate.raw >> 32n) & 7n) : 0;
  if (!inward && ist === 0) return {kind: 'handler-stack', stack: sameStack(cpu, target), values: undefined};
  const found = ist > 0 ? interruptStack(cpu, ist) : taskStack(cpu, target.ring);
  if (isTrouble(found)) return found;
  if (found.selector === undefined) {
    const values = nullSegment(target.ring, target.ring);
    return {
      kind: 'handler-stack',
      stack: innerStack(values, found.pointer & ~0xfn, 'long', target.ring),
      values: inward ? values : undefined,
    };
  }
  const values = stackSegment(cpu, found.selector, target.ring, '#TS', false);
  if (isTrouble(values)) return values;
  return {kind: 'handler-stack', stack: innerStack(values, found.pointer, 'legacy', target.ring), values};
}

/** The stack stays. In IA-32e mode the handler is 64-bit code, whatever ran before, and RSP is aligned to 16 bytes. */
function sameStack(cpu: Processor, target: CodeTarget): Stack {
  const stack = currentStack(cpu);
  return isLongTarget(cpu, target) ? {...stack, size: 64, pointer: stack.pointer & ~0xfn} : stack;
}

/** SS:RSP of the interrupted program, always pushed in IA-32e mode; from virtual-8086 mode the data segments too. */
function oldStack(cpu: Processor, stack: HandlerStack): readonly bigint[] {
  const {registers} = cpu;
  const selector = (register: 'SS' | 'DS' | 'ES' | 'FS' | 'GS'): bigint =>
    BigInt(registers.number(`${register}.selector`));
  const pair = [selector('SS'), registers.cells[RSP] ?? 0n];
  if (isVirtual8086(registers)) return [selector('GS'), selector('FS'), selector('DS'), selector('ES'), ...pair];
  return isLongMode(registers) || stack.values !== undefined ? pair : [];
}

function returnFrame(cpu: Processor, event: DeliverableEvent): readonly bigint[] {
  const flags = cpu.registers.cells[RFLAGS] ?? 0n;
  const frame = [
    flags | (setsResumeFlag(event) ? BigInt(RFLAGS_RF) : 0n),
    BigInt(cpu.registers.number('CS.selector')),
    event.returnRip,
  ];
  return event.errorCode === undefined ? frame : [...frame, BigInt(event.errorCode)];
}

/**
 * A fault is pushed with RF = 1, so that a breakpoint on its instruction does not strike again on return (SDM vol.
 * 3A, "Masking Instruction Breakpoints").
 */
function setsResumeFlag(event: DeliverableEvent): boolean {
  return event.type === 'hardware-exception' && event.vector !== 1 && event.vector !== 8 && event.vector !== 18;
}

function commit(cpu: Processor, gate: Descriptor, target: CodeTarget, stack: HandlerStack, pointer: bigint): void {
  const {registers} = cpu;
  if (isVirtual8086(registers)) {
    for (const register of ['GS', 'FS', 'DS', 'ES'] as const) registers.setSegment(register, nullSegment(0));
  }
  const isInterruptGate = (typeOf(gate) & 1) === 0;
  const cleared = RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM | (isInterruptGate ? RFLAGS_IF : 0);
  registers.cells[RFLAGS] = (registers.cells[RFLAGS] ?? 0n) & ~BigInt(cleared);
  if (stack.values !== undefined) registers.setSegment('SS', stack.values);
  enter(cpu, target, 'event delivery');
  if (stack.stack.size === 64) registers.cells[RSP] = pointer;
  else setStackPointer(cpu, pointer);
}
