// The guest's registers when an instruction that left it is complete: comparable between any two ways of running it.
//
//   bare, real KVM   the state after the step (a recording of real KVM holds the registers after completion)
//   a hypervisor     the state before the next guest instruction: only then is the instruction that left it complete. After
//                    the last exit there is none; then the end, where KVM has moved RIP past a HLT, or the state at the exit
//                    with RIP moved on. A `GuestView` tells the guest's own registers where the processor holds others.

import {CELLS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {isDeprivileged} from '../record/deprivileged.js';
import type {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';
import type {CellSource} from '../state/processor-view.js';
import {deliversInterrupt} from './interrupt-delivery.js';
import type {VisibleEvent} from './visible-events.js';

/** Registers that must agree, whatever runs the guest. Clocks and the processor's own bookkeeping are none of them. */
export const COMPARED_CELLS: readonly Cell[] = CELLS.filter(cell =>
  /^(R[A-D]X|R[SD]I|R[SB]P|R\d+|RIP|RFLAGS|CR[0234]|EFER|[GI]DTR\.(base|limit)|(ES|CS|SS|DS|FS|GS)\.(selector|base))$/.test(
    cell,
  ),
);

/**
 * Bits that VMX makes the processor keep at 1 while a guest runs; the guest sees its own values through the read
 * shadows (SDM vol. 3C, "Guest/Host Masks and Read Shadows for CR0 and CR4"): CR0.NE, CR4.VMXE.
 */
const OWNED_BY_HYPERVISOR: ReadonlyMap<Cell, bigint> = new Map<Cell, bigint>([
  ['CR0', 1n << 5n],
  ['CR4', 1n << 13n],
]);

/** Reads the guest's registers at the playhead: under shadow paging CR3 is the hypervisor's, for one. */
export type GuestView = (playhead: Playhead) => CellSource;

/** The processor's registers are the guest's: where nothing better is known. */
export const PROCESSOR_VIEW: GuestView = playhead => cell => playhead.cell(cell);

export interface GuestState {
  readonly index: number;
  readonly cells: ReadonlyMap<Cell, bigint>;
}

/** Moves the playhead; undefined where no state of just then exists: after a shutdown, or when an interrupt came first. */
export function guestStateAfter(playhead: Playhead, event: VisibleEvent, view: GuestView): GuestState | undefined {
  if (event.kind === 'shutdown' || event.kind === 'other') return undefined;
  const {record} = playhead;
  if (record.header.engine === 'kvm' || record.header.technique === 'bare')
    return stateAt(playhead, event.step + 1, 0n, PROCESSOR_VIEW);
  // A VMM that emulates has the whole virtual CPU in memory as soon as the instruction is done.
  if (isDeprivileged(record.header.technique)) return stateAt(playhead, event.step + 1, 0n, view);
  for (let step = event.step + 1; step < record.length; step++) {
    if (record.columns.who(step).startsWith('guest')) return stateAt(playhead, step, 0n, view);
    // An interrupt overtakes the next instruction. What HLT leaves is known all the same: nothing but RIP moves.
    if (deliversInterrupt(record, step)) {
      if (event.kind === 'hlt') break;
      return undefined;
    }
  }
  if (event.kind === 'hlt' && view !== PROCESSOR_VIEW) return stateAt(playhead, record.length, 0n, view);
  return stateAt(playhead, event.guestStep, BigInt(lengthOf(record, event.guestStep)), view);
}

/** The guest's registers at a state in which one of its instructions is next, and its CPL; moves the playhead. */
export function guestStateBefore(playhead: Playhead, index: number, view: GuestView): GuestState {
  const {cells} = stateAt(playhead, index, 0n, view);
  const ring = view(playhead)('CPL');
  return {index, cells: ring === undefined ? cells : new Map(cells).set('CPL', ring)};
}

/** Bytes of the instruction that a step ran, or with which it left the guest. */
function lengthOf(record: RunRecord, step: number): number {
  for (const event of record.eventsOf(step)) if (event.kind === 'vm-exit') return event.exit.instructionLength;
  return record.columns.instructionLength(step);
}

function stateAt(playhead: Playhead, index: number, ripMoves: bigint, view: GuestView): GuestState {
  playhead.seek(index);
  const read = view(playhead);
  const cells = new Map<Cell, bigint>();
  const present = new Set(playhead.record.header.cells);
  for (const cell of COMPARED_CELLS) {
    if (!present.has(cell)) continue;
    const value = (read(cell) ?? 0n) & ~(OWNED_BY_HYPERVISOR.get(cell) ?? 0n);
    cells.set(cell, cell === 'RIP' ? BigInt.asUintN(64, value + ripMoves) : value);
  }
  return {index, cells};
}
