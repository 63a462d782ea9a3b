// The text of the instruction at a moment, for sentences and tables.

import {decode, disassemble} from '@hyperscope/isa';
import type {CodeSize} from '@hyperscope/isa';
import {GuestMemory} from './guest-memory.js';
import {codeAddress, codeSizeOf} from './processor-view.js';
import type {CellSource} from './processor-view.js';
import type {Playhead} from '../record/playhead.js';

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

/** The text of a step's instruction; moves the playhead to the state before it. '' for steps that are none. */
export function textOfStep(playhead: Playhead, index: number): string {
  const step = playhead.record.step(index);
  const bank = playhead.bank('memory');
  if (step === undefined || bank === undefined || step.kind === 'host-action' || step.kind === 'delivery') return '';
  playhead.seek(index);
  return textAt(new GuestMemory(playhead.record.header, bank), name => playhead.cell(name), step.rip);
}
