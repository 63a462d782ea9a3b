// Far JMP and far CALL: directly to a code segment, or through a call gate to a more privileged ring.
// SDM vol. 2, "JMP—Jump", "CALL—Call Procedure"; SDM vol. 3A, "Call Gates".

import {RIP, SEGMENT} from './cell-indexes.js';
import {claim, checkOffset, directTarget, enter, entering, isLongTarget, readCodeDescriptor} from './code-segment.js';
import type {CodeTarget} from './code-segment.js';
import {
  dplOf,
  gateOffset,
  gateSelector,
  isCodeSegment,
  isConforming,
  isPresent,
  isSystem,
  selectorError,
  typeOf,
} from './descriptor.js';
import type {Descriptor} from './descriptor.js';
import {Checklist, counted, isTrouble, shown} from './faults.js';
import {hasRealModeSegments, isLongMode, low} from './modes.js';
import type {Processor} from './processor.js';
import {nullSegment, realModeSegment, stackSegment} from './segment-load.js';
import {currentStack, innerStack, peekFrame, pushFrame, setStackPointer} from './stack-frame.js';
import {taskStack} from './task-stack.js';
import {switchTask} from './task-switch.js';
import type {Trouble} from './trouble.js';

/** Bytes of one push at an operand size. */
export const slotBytes = (width: number): 2 | 4 | 8 => (width === 64 ? 8 : width === 32 ? 4 : 2);

export function farJump(cpu: Processor, selector: number, offset: bigint): Trouble | undefined {
  if (hasRealModeSegments(cpu.registers)) return realModeJump(cpu, selector, offset);
  const target = resolve(cpu, selector, offset, 'JMP');
  if (isTrouble(target)) return target;
  if (target.kind === 'task') return enterTask(cpu, target.selector, 'JMP');
  const trouble = claim(cpu, target.code);
  if (trouble !== undefined) return trouble;
  enter(cpu, target.code, 'far JMP');
  return undefined;
}

function realModeJump(cpu: Processor, selector: number, offset: bigint): Trouble | undefined {
  const outside = checkOffset(offset, low(cpu.registers, SEGMENT.CS.limit), false);
  if (outside !== undefined) return outside;
  cpu.registers.setSegment('CS', realModeSegment(cpu, 'CS', selector));
  cpu.registers.cells[RIP] = offset;
  return undefined;
}

/** `width` is the operand size of the CALL in bits. RIP already is the return address. */
export function farCall(cpu: Processor, selector: number, offset: bigint, width: number): Trouble | undefined {
  const returnTo = [BigInt(cpu.registers.number('CS.selector')), cpu.registers.cells[RIP] ?? 0n];
  if (hasRealModeSegments(cpu.registers)) {
    const outside = checkOffset(offset, low(cpu.registers, SEGMENT.CS.limit), false);
    if (outside !== undefined) return outside;
    const pointer = pushFrame(cpu, currentStack(cpu), returnTo, slotBytes(width));
    if (typeof pointer !== 'bigint') return pointer;
    setStackPointer(cpu, pointer);
    return realModeJump(cpu, selector, offset);
  }
  const target = resolve(cpu, selector, offset, 'CALL');
  if (isTrouble(target)) return target;
  if (target.kind === 'task') return enterTask(cpu, target.selector, 'CALL');
  if (target.code.ring < cpu.cpl) return callInward(cpu, target, returnTo);
  const claimed = claim(cpu, target.code);
  if (claimed !== undefined) return claimed;
  const pointer = pushFrame(cpu, currentStack(cpu), returnTo, target.gateBytes ?? slotBytes(width));
  if (typeof pointer !== 'bigint') return pointer;
  setStackPointer(cpu, pointer);
  enter(cpu, target.code, 'far CALL');
  return undefined;
}

interface Resolved {
  readonly kind: 'resolved';
  readonly code: CodeTarget;
  /** The size of a push, where a gate decides it. */
  readonly gateBytes: 2 | 4 | 8 | undefined;
  readonly parameters: number;
}

/** A TSS, or a task gate that names one. */
interface Task {
  readonly kind: 'task';
  readonly selector: number;
}

function enterTask(cpu: Processor, selector: number, source: 'JMP' | 'CALL'): Trouble | undefined {
  return switchTask(cpu, {source, selector, returnRip: cpu.registers.cells[RIP] ?? 0n, errorCode: undefined});
}

function resolve(cpu: Processor, selector: number, offset: bigint, how: 'JMP' | 'CALL'): Resolved | Task | Trouble {
  const checks = new Checklist(how === 'JMP' ? 'SDM vol. 2, "JMP—Jump"' : 'SDM vol. 2, "CALL—Call Procedure"');
  const d = readCodeDescriptor(cpu, selector, checks);
  if (isTrouble(d)) return d;
  if (isSystem(d)) return throughSystemDescriptor(cpu, d, how, checks);
  if (!checks.require('the segment is code, or a gate', isCodeSegment(d), shown('descriptor', d.raw)))
    return checks.fault('#GP', selectorError(selector));
  const code = directTarget(cpu, d, offset, checks);
  return isTrouble(code) ? code : {kind: 'resolved', code, gateBytes: undefined, parameters: 0};
}

function throughSystemDescriptor(
  cpu: Processor,
  gate: Descriptor,
  how: 'JMP' | 'CALL',
  checks: Checklist,
): Resolved | Task | Trouble {
  const type = typeOf(gate);
  const long = isLongMode(cpu.registers);
  const isCallGate = type === 0xc || (type === 4 && !long);
  const isTask = !long && [1, 5, 9].includes(type);
  const rule = `the system descriptor is a call gate${long ? '' : ', a task gate or an available TSS'}`;
  if (!checks.require(rule, isCallGate || isTask, shown('type', type)))
    return checks.fault('#GP', selectorError(gate.selector));
  const rpl = gate.selector & 3;
  const mayUse = checks.require(
    'max(CPL, RPL) ≤ DPL of the gate',
    Math.max(cpu.cpl, rpl) <= dplOf(gate),
    counted('CPL', cpu.cpl),
    counted('RPL', rpl),
    counted('DPL of the gate', dplOf(gate)),
  );
  if (!mayUse) return checks.fault('#GP', selectorError(gate.selector));
  if (!checks.require('the gate is present', isPresent(gate), shown('gate', gate.raw)))
    return checks.fault('#NP', selectorError(gate.selector));
  if (isTask) return {kind: 'task', selector: type === 5 ? gateSelector(gate) : gate.selector};
  const code = gateTarget(cpu, gate, how, checks);
  if (isTrouble(code)) return code;
  return {
    kind: 'resolved',
    code,
    gateBytes: long ? 8 : type === 0xc ? 4 : 2,
    parameters: long ? 0 : Number((gate.raw >> 32n) & 0x1fn),
  };
}

function gateTarget(cpu: Processor, gate: Descriptor, how: 'JMP' | 'CALL', checks: Checklist): CodeTarget | Trouble {
  const d = readCodeDescriptor(cpu, gateSelector(gate), checks);
  if (isTrouble(d)) return d;
  const rings = [counted('DPL', dplOf(d)), counted('CPL', cpu.cpl)] as const;
  const error = selectorError(gateSelector(gate));
  if (!checks.require('the gate names a code segment', isCodeSegment(d), shown('descriptor', d.raw)))
    return checks.fault('#GP', error);
  const allowed =
    how === 'CALL' || isConforming(d)
      ? checks.require('DPL ≤ CPL', dplOf(d) <= cpu.cpl, ...rings)
      : checks.require('DPL = CPL (JMP, non-conforming code)', dplOf(d) === cpu.cpl, ...rings);
  if (!allowed) return checks.fault('#GP', error);
  const ring = isConforming(d) ? cpu.cpl : dplOf(d);
  const offset = isLongMode(cpu.registers)
    ? gateOffset(gate)
    : gateOffset(gate) & (typeOf(gate) === 4 ? 0xffffn : 0xffff_ffffn);
  return entering(cpu, d, offset, ring, checks);
}

/** A CALL through a gate to an inner ring: the stack that the TSS names, with a copy of the parameters. */
function callInward(cpu: Processor, target: Resolved, returnTo: readonly bigint[]): Trouble | undefined {
  const {ring} = target.code;
  const bytes = target.gateBytes ?? 8;
  const found = taskStack(cpu, ring);
  if (isTrouble(found)) return found;
  const values =
    found.selector === undefined
      ? nullSegment(ring, ring)
      : stackSegment(cpu, found.selector, ring, '#TS', isLongTarget(cpu, target.code));
  if (isTrouble(values)) return values;
  const parameters = peekFrame(cpu, target.parameters, bytes === 8 ? 4 : bytes);
  if (isTrouble(parameters)) return parameters;
  const claimed = claim(cpu, target.code);
  if (claimed !== undefined) return claimed;
  const old = [BigInt(cpu.registers.number('SS.selector')), cpu.registers.get('RSP')];
  const frame = [...old, ...parameters.toReversed(), ...returnTo];
  const stack = innerStack(values, found.pointer, found.selector === undefined ? 'long' : 'legacy', ring);
  const pointer = pushFrame(cpu, stack, frame, bytes);
  if (typeof pointer !== 'bigint') return pointer;
  cpu.registers.setSegment('SS', values);
  enter(cpu, target.code, 'far CALL through a call gate');
  setStackPointer(cpu, pointer);
  cpu.charge(cpu.costModel.callGate.cycles);
  return undefined;
}
