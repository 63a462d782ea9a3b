// The text of the instruction at a moment, for sentences and tables.

import {decode, disassemble} from '@hyperscope/isa';
import type {CodeSize} from '@hyperscope/isa';
import type {VmExitInformation} from '@hyperscope/machine';
import {GuestMemory} from './guest-memory.js';
import {codeAddress, codeSizeOf} from './processor-view.js';
import {placeOfMachine} from './recorded-machine.js';
import type {CellSource} from './processor-view.js';
import type {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';

/** Disassembles the first instruction of some bytes; '' where they hold none. */
export function instructionText(bytes: Uint8Array, codeSize: CodeSize, rip: bigint): string {
  const decoded = decode(bytes, codeSize);
  return decoded.kind === 'instruction' ? disassemble(decoded.instruction, rip) : '';
}

/** The instruction at CS:RIP as `cells` have them; '' where there is none to be read. */
export function textAt(memory: GuestMemory, cells: CellSource, rip: bigint): string {
  const bytes = memory.readLinear(cells, codeAddress(cells, rip), 15);
  return bytes === undefined ? '' : instructionText(bytes, codeSizeOf(cells), rip);
}

/**
 * The text of a step's instruction; moves the playhead to the state before it. '' for steps that are none. `cellsAt` gives the
 * registers there as the guest believes them to be, where the processor's own are a hypervisor's work: its CR3 is the root of
 * shadow page tables then.
 */
export function textOfStep(
  playhead: Playhead,
  index: number,
  cellsAt: (playhead: Playhead) => CellSource = head => name => head.cell(name),
): string {
  const step = playhead.record.step(index);
  const bank = playhead.bank('memory');
  if (step === undefined || bank === undefined || step.kind === 'host-action') return '';
  if (step.kind === 'delivery' && !attemptsInstruction(playhead.record, index)) return '';
  playhead.seek(index);
  // A VMM's own x86, by which it returns to its guest, lies in the host's memory; so does a translation of the guest's kernel.
  const isTranslated = playhead.record.header.technique === 'binary-translation' && step.who === 'guest-kernel';
  if (step.who === 'hypervisor' || isTranslated)
    return textAt(new GuestMemory({}, bank), name => playhead.cell(name), step.rip);
  return textAt(
    new GuestMemory(placeOfMachine(playhead.record.header, step.machine), bank),
    cellsAt(playhead),
    step.rip,
  );
}

/** Exits that interrupt the guest between two instructions: external interrupt, NMI and interrupt windows, preemption timer. */
const BETWEEN_INSTRUCTIONS: ReadonlySet<number> = new Set([1, 3, 4, 7, 8, 37, 52]);

/** Under SVM: INTR, NMI, SMI, INIT and the virtual interrupt. */
const isBetween = (exit: VmExitInformation): boolean =>
  exit.svm === undefined
    ? BETWEEN_INSTRUCTIONS.has(exit.reason & 0xffff)
    : exit.svm.code >= 0x60 && exit.svm.code <= 0x64;

/** Whether a step that completed no instruction began one: it faulted, or it left the guest. */
function attemptsInstruction(record: RunRecord, step: number): boolean {
  return record
    .eventsOf(step)
    .some(event => event.kind === 'exception' || (event.kind === 'vm-exit' && !isBetween(event.exit)));
}
