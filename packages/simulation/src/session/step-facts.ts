// Gathers what an explanation may know of a step: its instruction decoded from the bytes that were there, the registers on
// both sides of it, what it changed, and why it stayed in the guest.

import {hex} from '@hyperscope/base';
import {decode} from '@hyperscope/isa';
import type {Instruction} from '@hyperscope/isa';
import {codeAddress, codeSizeOf, memoryChanges, registerChanges} from '@hyperscope/trace';
import type {CellSource, RunRecord, StateChange, StayedInGuest, Step, StepContext} from '@hyperscope/trace';
import {stayedInGuest} from './non-exits.js';
import type {StateView} from './state-view.js';
import {stayedInSvmGuest} from './svm-non-exits.js';

const LONGEST = 15;

export interface StepFacts {
  readonly record: RunRecord;
  readonly step: Step;
  /** '' for a step that is no instruction. */
  readonly text: string;
  readonly before: StateView;
  readonly after: StateView;
}

export function stepContext(facts: StepFacts): StepContext {
  const {record, step, text, before, after} = facts;
  const instruction = text === '' ? undefined : instructionOf(facts);
  const exited = record.eventsOf(step.index).some(event => event.kind === 'vm-exit');
  const inGuest = before.operation === 'non-root' && after.operation === 'non-root';
  return {
    text,
    instruction,
    before: before.cells,
    after: after.cells,
    changes: step.kind === 'host-action' || exited ? [] : changesOf(facts),
    stayed:
      instruction === undefined || !inGuest || step.kind !== 'instruction'
        ? undefined
        : stayed(instruction, before, before.cells),
    standsFor: standsFor(facts),
    hypervisor: record.header.technique === 'bare' ? 'guest' : 'kvm',
    handled: exited ? record.events.firstOfKind('exit-handled', step.index) : undefined,
  };
}

/** The cache is aligned to its size. */
const CACHE_OFFSET = 0xffffn;
const offsetOf = (address: bigint): number => Number(address & CACHE_OFFSET);

/** Under binary translation: what the last block that was put where the processor was had been made from. */
function standsFor({record, step}: StepFacts): string | undefined {
  if (record.header.technique !== 'binary-translation' || step.who !== 'guest-kernel') return undefined;
  const place = offsetOf(step.rip);
  let found: string | undefined;
  for (const {step: made, event} of record.events.allOf('translation')) {
    if (made >= step.index) break;
    const start = offsetOf(event.at);
    if (place < start || place >= start + event.translated.length) continue;
    const instruction = event.instructions.findLast(({at}) => offsetOf(at) <= place);
    if (instruction !== undefined) found = `${instruction.text} at ${hex(instruction.rip)}`;
  }
  return found;
}

function stayed(instruction: Instruction, state: StateView, cells: CellSource): StayedInGuest | undefined {
  const vmcb = state.vmcb();
  if (vmcb !== undefined) return stayedInSvmGuest(instruction, vmcb);
  const vmcs = state.vmcs();
  return vmcs === undefined ? undefined : stayedInGuest(instruction, vmcs, cells);
}

function instructionOf({step, before}: StepFacts): Instruction | undefined {
  const cells = before.guestCells();
  const bytes = before.guestMemory.readLinear(cells, codeAddress(cells, step.rip), LONGEST);
  const decoded = bytes === undefined ? undefined : decode(bytes, codeSizeOf(cells));
  return decoded?.kind === 'instruction' ? decoded.instruction : undefined;
}

function changesOf({record, step, before, after}: StepFacts): readonly StateChange[] {
  return [
    ...registerChanges(record.header.cells, before.cells, after.cells),
    ...memoryChanges(record, step.index, after.guestMemory, before.memory, after.memory),
  ];
}
