// From a fault to a running handler, or to the next worse thing: a second fault, #DF, shutdown; or out of the guest.
// SDM vol. 3A, "Interrupt 8—Double Fault Exception (#DF)"; SDM vol. 3C, "Exception and VM Exits".

import {hex} from '@hyperscope/base';
import {EXCEPTIONS, hasErrorCode} from '@hyperscope/isa';
import {reportInDr6} from './breakpoints.js';
import {ACTIVITY, CR0, INSTRUCTIONS, INTERRUPT_SHADOW} from './cell-indexes.js';
import {EVENT_TYPES} from './core.js';
import type {DeliverableEvent} from './core.js';
import {check, fault} from './faults.js';
import {deliverEvent} from './event-delivery.js';
import {CR0_PE, low} from './modes.js';
import type {Processor} from './processor.js';
import type {Fault, Trouble} from './trouble.js';
import type {FaultLink, VmExitInformation} from '../observer.js';

const SHUTDOWN = 2n;
const SOURCE = 'SDM vol. 3A, "Interrupt 8—Double Fault Exception (#DF)"';

/** How it ended. `unsupported` stops the run; everything else has been carried out. */
export type Outcome =
  | {readonly kind: 'delivered'}
  | {readonly kind: 'left-guest'}
  | {readonly kind: 'shutdown'}
  | Extract<Trouble, {kind: 'unsupported'}>;

/** Deals with whatever kept an instruction from completing. RIP is that instruction's address again. */
export function resolveTrouble(cpu: Processor, trouble: Trouble): Outcome {
  switch (trouble.kind) {
    case 'fault':
      return raise(cpu, trouble, undefined);
    case 'vm-exit':
      return leave(cpu, trouble.exit, undefined);
    default:
      return trouble;
  }
}

/** Delivers an event that is not a fault of the running instruction: an interrupt, or one that a VM entry injects. */
export function deliverOrRaise(cpu: Processor, event: DeliverableEvent): Outcome {
  const trouble = deliverEvent(cpu, event);
  if (trouble === undefined) return {kind: 'delivered'};
  if (trouble.kind === 'vm-exit') return leave(cpu, trouble.exit, event);
  if (trouble.kind !== 'fault') return trouble;
  const second = interceptSecond(cpu, trouble);
  return second === undefined ? raise(cpu, trouble, event) : leave(cpu, second, event);
}

/** The same for callers inside an instruction (VM entry): unsupported trouble waits for the loop to report it. */
export function deliverAtOnce(cpu: Processor, event: DeliverableEvent): void {
  // An exit on the way is the guest's, not the VM-entry instruction's.
  cpu.instructionRip = cpu.registers.get('RIP');
  // INT n, INT3 and INTO that a hypervisor had to interrupt are completed by their injection.
  if (isSoftware(event)) cpu.registers.cells[INSTRUCTIONS] = (cpu.registers.cells[INSTRUCTIONS] ?? 0n) + 1n;
  const outcome = deliverOrRaise(cpu, event);
  if (outcome.kind === 'unsupported') cpu.stopped = outcome;
}

export function raiseAtOnce(cpu: Processor, fault: Fault): void {
  cpu.instructionRip = cpu.registers.get('RIP');
  const outcome = raise(cpu, fault, undefined);
  if (outcome.kind === 'unsupported') cpu.stopped = outcome;
}

const isSoftware = (event: DeliverableEvent): boolean => EVENT_TYPES[event.type] >= EVENT_TYPES['software-interrupt'];

function raise(cpu: Processor, first: Fault, during: DeliverableEvent | undefined): Outcome {
  const chain: FaultLink[] = [];
  let current = during === undefined ? first : combine(eventAsFault(during), first, chain);
  let before = during;
  for (;;) {
    if (current === 'shutdown') return shutDown(cpu, chain);
    emitException(cpu, current);
    const exit = cpu.isGuest ? cpu.unit?.interceptException(cpu, current) : undefined;
    // What became a double fault counts as no delivery that was cut short. SDM vol. 3C, "Information for VM Exits During Event Delivery".
    if (exit !== undefined) return leave(cpu, exit, current.vector === DOUBLE_FAULT ? undefined : before);
    if (current.address !== undefined) cpu.registers.set('CR2', current.address);
    if (current.debugStatus !== undefined) reportInDr6(cpu, current.debugStatus);
    cpu.registers.cells[INTERRUPT_SHADOW] = 0n;
    const event = exceptionEvent(cpu, current);
    const trouble = deliverEvent(cpu, event);
    if (trouble === undefined) {
      if (current.vector === DEBUG) forgetGeneralDetect(cpu);
      return {kind: 'delivered'};
    }
    if (trouble.kind === 'vm-exit') return leave(cpu, trouble.exit, event);
    if (trouble.kind === 'unsupported') return trouble;
    const second = interceptSecond(cpu, trouble);
    if (second !== undefined) return leave(cpu, second, event);
    // A page fault that becomes #DF has loaded CR2 all the same.
    if (trouble.address !== undefined) cpu.registers.set('CR2', trouble.address);
    current = combine(current, trouble, chain);
    before = event;
  }
}

const DEBUG = 1;
const DOUBLE_FAULT = 8;
const DR7_GENERAL_DETECT = 1n << 13n;

/** The debug handler must be able to use the debug registers (SDM vol. 3B, "Debug Control Register (DR7)"). */
function forgetGeneralDetect(cpu: Processor): void {
  cpu.registers.set('DR7', cpu.registers.get('DR7') & ~DR7_GENERAL_DETECT);
}

/**
 * The exception bitmap is asked about the second fault itself before it may become #DF (SDM vol. 3C, "Exceptions and
 * VM Exits").
 */
function interceptSecond(cpu: Processor, second: Fault): VmExitInformation | undefined {
  const exit = cpu.isGuest ? cpu.unit?.interceptException(cpu, second) : undefined;
  if (exit !== undefined) emitException(cpu, second);
  return exit;
}

const CONTRIBUTORY: ReadonlySet<number> = new Set([0, 10, 11, 12, 13]);

/** What a fault during the delivery of another one becomes; notes in the chain why the first handler could not run. */
function combine(first: Fault, second: Fault, chain: FaultLink[]): Fault | 'shutdown' {
  chain.push({vector: first.vector, errorCode: first.errorCode, address: first.address, why: describe(second)});
  if (first.vector === 8) {
    chain.push({
      vector: second.vector,
      errorCode: second.errorCode,
      address: second.address,
      why: 'a fault while #DF was being delivered is a triple fault',
    });
    return 'shutdown';
  }
  const isDouble = CONTRIBUTORY.has(first.vector)
    ? CONTRIBUTORY.has(second.vector)
    : first.vector === 14 && (second.vector === 14 || CONTRIBUTORY.has(second.vector));
  if (!isDouble) return second;
  const values = [
    ['first', nameOf(first)],
    ['second', nameOf(second)],
  ] as const;
  return fault('#DF', 0, [
    ...second.checks,
    check('the second fault can be handled after the first', false, values, SOURCE),
  ]);
}

/** '#SS(0x0): wanted “last byte ≤ SS limit” (offset 0x10, limit 0xf)', as the last check has it. */
function describe(second: Fault): string {
  const last = second.checks[second.checks.length - 1];
  const values = last?.values.map(([name, value]) => `${name} ${value}`).join(', ') ?? '';
  const reason = last === undefined ? 'it faulted' : `wanted “${last.rule}”`;
  return `${nameOf(second)}: ${reason}${values === '' ? '' : ` (${values})`}`;
}

function nameOf(which: Fault): string {
  const name = EXCEPTIONS[which.vector]?.name ?? `interrupt ${which.vector}`;
  return which.errorCode === undefined ? name : `${name}(${hex(which.errorCode)})`;
}

export function emitException(cpu: Processor, which: Fault): void {
  cpu.emit({
    kind: 'exception',
    vector: which.vector,
    errorCode: which.errorCode,
    address: which.address,
    checks: which.checks,
  });
}

function exceptionEvent(cpu: Processor, which: Fault): DeliverableEvent {
  const inRealMode = (low(cpu.registers, CR0) & CR0_PE) === 0;
  const errorCode = inRealMode || !hasErrorCode(which.vector) ? undefined : (which.errorCode ?? 0);
  return {type: 'hardware-exception', vector: which.vector, errorCode, returnRip: cpu.registers.get('RIP')};
}

/** An event in the place of the first fault: interrupts are benign, an injected exception counts as itself. */
function eventAsFault(event: DeliverableEvent): Fault {
  const counts = event.type === 'hardware-exception';
  return {
    kind: 'fault',
    vector: counts ? event.vector : Math.max(event.vector, 32),
    errorCode: event.errorCode,
    address: undefined,
    checks: [],
  };
}

function shutDown(cpu: Processor, chain: readonly FaultLink[]): Outcome {
  cpu.emit({kind: 'triple-fault', chain});
  const exit = cpu.isGuest ? cpu.unit?.tripleFault(cpu) : undefined;
  if (exit !== undefined) return leave(cpu, exit, undefined);
  cpu.registers.cells[ACTIVITY] = SHUTDOWN;
  return {kind: 'shutdown'};
}

/**
 * Out of the guest. What was being delivered is told in the IDT-vectoring fields (SDM vol. 3C, "Information for VM
 * Exits That Occur During Event Delivery").
 */
function leave(cpu: Processor, exit: VmExitInformation, during: DeliverableEvent | undefined): Outcome {
  const complete =
    during === undefined
      ? exit
      : {
          ...exit,
          idtVectoringInformation: vectoringInformation(during),
          idtVectoringErrorCode: during.errorCode ?? 0,
          // Who delivers a software event again must know how far behind its instruction the handler returns to.
          instructionLength: isSoftware(during)
            ? Number(during.returnRip - cpu.instructionRip)
            : exit.instructionLength,
        };
  cpu.charge(cpu.costModel[isBecauseOfException(exit) ? 'exceptionExit' : 'vmExit'].cycles);
  cpu.unit?.exit(cpu, complete);
  return {kind: 'left-guest'};
}

/** VMX: "exception or NMI"; SVM: EXITCODE 40h and the vector. */
const isBecauseOfException = ({reason, svm}: VmExitInformation): boolean =>
  svm === undefined ? reason === 0 : svm.code >= 0x40 && svm.code < 0x60;

/** 7:0 vector, 10:8 type, 11 error code valid, 31 valid. */
function vectoringInformation(event: DeliverableEvent): number {
  return (
    (event.vector | (EVENT_TYPES[event.type] << 8) | (event.errorCode === undefined ? 0 : 1 << 11) | (1 << 31)) >>> 0
  );
}
