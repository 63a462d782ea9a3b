// Finds, breakpoints and the micro-operations of one instruction: fetched when the first of them is asked for.
// It looks with a playhead of its own and records at the frontier.

import {decode} from '@hyperscope/isa';
import {Playhead, codeAddress, codeSizeOf} from '@hyperscope/trace';
import type {Breakpoint, MicroStep, RunSlice, SearchQuery, SearchSlice} from '@hyperscope/trace';
import {StateView} from '../state-view.js';
import {BreakpointRun} from './breakpoint-run.js';
import {microSteps} from './micro-steps.js';
import type {TimeSurroundings} from './session-time.js';
import {TraceSearch} from './trace-search.js';

const LONGEST = 15;

export class SessionFinds {
  readonly #around: TimeSurroundings;
  readonly #search: TraceSearch;
  #head: Playhead | undefined;

  constructor(around: TimeSurroundings) {
    this.#around = around;
    this.#search = new TraceSearch({record: around.record, textOf: around.textOf, head: () => this.#playhead()});
  }

  search(query: SearchQuery, from: number, steps: number, most: number): SearchSlice {
    return this.#search.slice(query, from, steps, most);
  }

  runTo(breakpoints: readonly Breakpoint[], from: number, direction: 'forward' | 'back', steps: number): RunSlice {
    const {record, source} = this.#around;
    const initial = this.#view(Math.min(from, record.length));
    const run = new BreakpointRun(
      {
        record,
        placesOfLine: line =>
          source?.instructions.filter(instruction => instruction.line === line).map(({address}) => address) ?? [],
        codePlace: state => this.#codePlace(state),
        memoryPlace: gpa => {
          const offset = initial.guestMemory.offsetOf(gpa);
          return offset === undefined ? undefined : record.space.place('memory', offset);
        },
        record1: () => this.#around.recordOne(),
      },
      breakpoints,
    );
    return direction === 'forward' ? run.forward(from, steps) : run.back(from, steps);
  }

  microSteps(index: number): readonly MicroStep[] {
    const {record} = this.#around;
    if (index >= record.length && !this.#around.recordOne()) return [];
    const step = record.step(index);
    // A processor that waits makes steps without an instruction.
    if (step === undefined || step.kind !== 'instruction' || step.length === 0) return [];
    // An instruction that faulted or left the guest did not do what it means.
    if (record.eventsOf(index).some(event => event.kind === 'vm-exit' || event.kind === 'exception')) return [];
    if (step.who === 'hypervisor' || record.header.technique === 'binary-translation') return [];
    const view = this.#view(index);
    const before = snapshot(view, record.header.cells);
    const bytes = view.guestMemory.readLinear(before, codeAddress(before, step.rip), LONGEST);
    const decoded = bytes === undefined ? undefined : decode(bytes, codeSizeOf(before));
    if (decoded?.kind !== 'instruction') return [];
    const memory = new Map<string, Uint8Array | undefined>();
    const read = (linear: bigint, length: number): Uint8Array | undefined => {
      const key = `${linear} ${length}`;
      if (!memory.has(key)) memory.set(key, this.#view(index).guestMemory.readLinear(before, linear, length));
      return memory.get(key);
    };
    const after = snapshot(this.#view(index + 1), record.header.cells);
    return microSteps(decoded.instruction, {before, after, read});
  }

  #playhead(): Playhead {
    return (this.#head ??= new Playhead(this.#around.record));
  }

  #view(index: number): StateView {
    const head = this.#playhead();
    head.seek(index);
    return new StateView(this.#around.record.header, head.banks);
  }

  #codePlace(state: number): bigint | undefined {
    const view = this.#view(state);
    const cells = view.guestCells();
    const gpa = view.guestMemory.translate(cells, codeAddress(cells, this.#around.record.columns.rip(state)));
    return gpa === undefined ? undefined : BigInt(gpa);
  }
}

/** The guest's cells as they are now: the banks behind a view move on. */
function snapshot(view: StateView, names: readonly string[]): (cell: string) => bigint | undefined {
  const cells = view.guestCells();
  const values = new Map(names.map(name => [name, cells(name)]));
  return cell => values.get(cell);
}
