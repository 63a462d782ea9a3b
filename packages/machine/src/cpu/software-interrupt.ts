// INT n, INT3, INTO and INT1: events that the program asks for, delivered inside the instruction.

import type {Instruction} from '@hyperscope/isa';
import {EVENT_TYPES} from './core.js';
import type {DeliverableEvent, EventType} from './core.js';
import {RIP} from './cell-indexes.js';
import {deliverEvent} from './event-delivery.js';
import {emitException} from './exceptions.js';
import {check, counted} from './faults.js';
import {redirectInterrupt} from './interrupt-redirection.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';
import type {VmExitInformation} from '../observer.js';

/** SDM vol. 3C, "Event Injection": INT3 and INTO are software exceptions, INT1 a privileged one, INT n an interrupt. */
function typeOf(mnemonic: string): EventType {
  switch (mnemonic) {
    case 'INT3':
    case 'INTO':
      return 'software-exception';
    case 'INT1':
      return 'privileged-software-exception';
    default:
      return 'software-interrupt';
  }
}

/** RIP already is the return address. */
export function softwareInterrupt(cpu: Processor, instruction: Instruction, vector: number): Trouble | undefined {
  const type = typeOf(instruction.mnemonic);
  const event: DeliverableEvent = {type, vector, errorCode: undefined, returnRip: cpu.registers.cells[RIP] ?? 0n};
  // INT3, INTO and INT1 are exceptions, so a hypervisor's exception bitmap sees them; INT n it does not.
  if (cpu.isGuest && type !== 'software-interrupt') {
    const checks = [
      check(
        `${instruction.mnemonic} raises exception ${vector}`,
        true,
        [counted('vector', vector)],
        instruction.form.source,
      ),
    ];
    const raised = {kind: 'fault', vector, errorCode: undefined, address: undefined, checks} as const;
    const exit = cpu.unit?.interceptException(cpu, raised, type);
    if (exit !== undefined)
      // The guest goes on with the instruction itself, whatever its hypervisor makes of it.
      return {
        kind: 'vm-exit',
        exit: {...exit, guestRip: cpu.instructionRip, instructionLength: instruction.bytes.length},
      };
  }
  const redirected = type === 'software-interrupt' ? redirectInterrupt(cpu, event) : 'not redirected';
  if (redirected === 'done') return undefined;
  const trouble = redirected === 'not redirected' ? deliverEvent(cpu, event) : redirected;
  const exit = trouble === undefined ? undefined : exitOf(cpu, trouble);
  if (exit === undefined) return trouble;
  const vectoring = (vector | (EVENT_TYPES[type] << 8) | (1 << 31)) >>> 0;
  const instructionLength = instruction.bytes.length;
  return {
    kind: 'vm-exit',
    exit: {...exit, instructionLength, idtVectoringInformation: vectoring, idtVectoringErrorCode: 0},
  };
}

/** The exit that keeps the event from being delivered: of the delivery itself, or of a fault on the way that the hypervisor wants. */
function exitOf(cpu: Processor, trouble: Trouble): VmExitInformation | undefined {
  if (trouble.kind === 'vm-exit') return trouble.exit;
  if (trouble.kind !== 'fault' || !cpu.isGuest) return undefined;
  const exit = cpu.unit?.interceptException(cpu, trouble);
  if (exit === undefined) return undefined;
  emitException(cpu, trouble);
  return {...exit, guestRip: cpu.instructionRip};
}
