// Where a run meets a breakpoint, forwards and backwards. What is recorded is searched in its columns; beyond that the machine
// runs on. An address is met before its instruction, everything else right after the step in which it happened.

import {exitName} from '@hyperscope/trace';
import type {VmExitInformation} from '@hyperscope/machine';
import type {Breakpoint, RunRecord, RunSlice, TraceEvent} from '@hyperscope/trace';

const PAGE = 4096n;
const VMX_IO = 30;
const SVM_IOIO = 0x7b;

export interface BreakpointSurroundings {
  readonly record: RunRecord;
  /** Guest-physical addresses of the instructions of a line of the source; empty where it has none. */
  readonly placesOfLine: (line: number) => readonly bigint[];
  /** The guest-physical address of the instruction at a state; undefined where nothing is mapped. */
  readonly codePlace: (state: number) => bigint | undefined;
  /** The place of a guest-physical byte in the state; undefined where there is no memory. */
  readonly memoryPlace: (gpa: number) => number | undefined;
  /** Records one more step; false where there is none: the run has ended, or the record is full. */
  readonly record1: () => boolean;
}

export class BreakpointRun {
  readonly #around: BreakpointSurroundings;
  readonly #tests: readonly {
    /** Whether the step about to run is stopped at. */
    readonly before: (step: number) => boolean;
    /** Whether it is stopped at after this step. */
    readonly after: (step: number) => boolean;
  }[];

  constructor(around: BreakpointSurroundings, breakpoints: readonly Breakpoint[]) {
    this.#around = around;
    this.#tests = breakpoints.map(breakpoint => testsOf(breakpoint, around));
  }

  /** Over at most `steps` steps from state `from`; a breakpoint at `from` itself does not count. */
  forward(from: number, steps: number): RunSlice {
    const {record, record1} = this.#around;
    for (let state = from; state < from + steps; state++) {
      if (state >= record.length && !record1()) return {index: record.length, hit: undefined, ended: true};
      // The instruction at the next state is known only when its step is recorded.
      const hit = this.#tests.findIndex(({before, after}) => (state > from && before(state)) || after(state));
      if (hit < 0) continue;
      const isBefore = state > from && this.#tests[hit]?.before(state) === true;
      return {index: isBefore ? state : state + 1, hit, ended: false};
    }
    return this.#boundary(from + steps, from);
  }

  back(from: number, steps: number): RunSlice {
    for (let state = from - 1; state >= Math.max(0, from - steps); state--) {
      const hit = this.#tests.findIndex(({before, after}) => before(state) || (state > 0 && after(state - 1)));
      if (hit >= 0) return {index: state, hit, ended: false};
    }
    const index = Math.max(0, from - steps);
    return {index, hit: undefined, ended: index === 0};
  }

  /** The end of a slice: its last state may itself be before a stop, if it is recorded; the next slice would not count it. */
  #boundary(state: number, from: number): RunSlice {
    const {record} = this.#around;
    const hit = state > from && state < record.length ? this.#tests.findIndex(({before}) => before(state)) : -1;
    return hit < 0 ? {index: state, hit: undefined, ended: false} : {index: state, hit, ended: false};
  }
}

function testsOf(
  breakpoint: Breakpoint,
  around: BreakpointSurroundings,
): {readonly before: (step: number) => boolean; readonly after: (step: number) => boolean} {
  const {record} = around;
  const never = (): boolean => false;
  const onEvent = (matches: (event: TraceEvent, step: number) => boolean): ((step: number) => boolean) => {
    return step => record.events.has(step) && record.eventsOf(step).some(event => matches(event, step));
  };
  switch (breakpoint.kind) {
    case 'address':
      return {before: step => record.columns.rip(step) === breakpoint.address && isGuests(record, step), after: never};
    case 'line': {
      const places = around.placesOfLine(breakpoint.line);
      const insidePage = new Set(places.map(place => place % PAGE));
      // Only where the place in the page fits are the page tables asked: they decide.
      return {
        before: step =>
          isGuests(record, step) &&
          fits(record.columns.rip(step), insidePage) &&
          places.includes(around.codePlace(step) ?? -1n),
        after: never,
      };
    }
    case 'exit':
      return {
        before: never,
        after: onEvent(
          event =>
            (event.kind === 'vm-exit' || event.kind === 'kvm-exit') &&
            (breakpoint.reason === '' || exitName(event) === breakpoint.reason),
        ),
      };
    case 'port':
      return {
        before: never,
        after: onEvent((event, step) => isAtPort(event, breakpoint.port, accessOf(record, step))),
      };
    case 'write': {
      const place = around.memoryPlace(breakpoint.gpa);
      return {before: never, after: step => place !== undefined && record.changes.touches(step, place)};
    }
  }
}

/** Real mode has a segment's base in between, in units of 16 bytes: only the lowest four bits are sure to be the same. */
function fits(rip: bigint, insidePage: ReadonlySet<bigint>): boolean {
  for (const place of insidePage) if ((place & 0xfn) === (rip & 0xfn)) return true;
  return false;
}

function isGuests(record: RunRecord, step: number): boolean {
  const who = record.columns.who(step);
  return (who === 'guest-kernel' || who === 'guest-user') && record.columns.kind(step) !== 'host-action';
}

/** Of the events of a step, those that are the guest's own access: a VMM asks the device once more. */
function accessOf(record: RunRecord, step: number): 'guest' | 'host' | 'real KVM' {
  if (record.header.engine === 'kvm') return 'real KVM';
  return isGuests(record, step) ? 'guest' : 'host';
}

function isAtPort(event: TraceEvent, port: number, access: 'guest' | 'host' | 'real KVM'): boolean {
  if (event.kind === 'port') return access === 'guest' && event.port === port;
  if (event.kind === 'kvm-exit') return access === 'real KVM' && event.exit.reason === 'io' && event.exit.port === port;
  return event.kind === 'vm-exit' && portOfExit(event.exit) === port;
}

/** SDM vol. 3C, "Exit Qualification for I/O Instructions"; APM vol. 2, "IOIO Intercept Information": bits 31:16 of both. */
function portOfExit(exit: VmExitInformation): number | undefined {
  const {reason, qualification, svm} = exit;
  if (svm !== undefined) return svm.code === SVM_IOIO ? Number((svm.info1 >> 16n) & 0xffffn) : undefined;
  return (reason & 0xffff) === VMX_IO ? Number((qualification >> 16n) & 0xffffn) : undefined;
}
