// A workload on one machine: the guest `workloads` with one of its programs, timed by itself, and counted between its two OUTs
// to port 80h: how often it was left, how many instructions it has on bare metal.

import {requireGuest} from '../simulation-host.js';
import {QUIET, startBench, toItsEnd} from './bench.js';
import type {Bench} from './bench.js';

/** In the order of their numbers in the guest. */
export const WORKLOADS = [
  {id: 'compute', title: 'computing', what: 'a sieve, in ring 3: no system calls, no page tables'},
  {id: 'calls', title: 'system calls', what: 'some work, then SYSCALL and SYSRET, over and over'},
  {
    id: 'fork',
    title: 'fork and wait',
    what: 'page tables are made and write-protected, CR3 is loaded, pages are touched and copied on write',
  },
  {id: 'walks', title: 'page walks', what: 'one of 1,024 pages after the other in page tables that never change'},
] as const;
export type WorkloadId = (typeof WORKLOADS)[number]['id'];

export interface WorkloadRun {
  /** Of the measured round, by the guest's own time-stamp counter. */
  readonly cycles: number;
  /** How often the hypervisor had the processor in it: VM exits; without hardware, traps and calls into the VMM. */
  readonly exits: number;
  /** That the processor completed for the guest, translated ones too. On bare metal they are the guest's own. */
  readonly instructions: number;
}

/** What the bench adds to a workload; `edits`: of a thousand system calls, how many change a page-table entry. */
export interface WorkloadBench extends Omit<Bench, 'registers'> {
  readonly edits?: number;
}

const MARK_PORT = 0x80;

/** Runs a workload to its end. @throws UserError as `runBench` does. */
export function runWorkload(id: WorkloadId, {edits = 0, ...bench}: WorkloadBench): WorkloadRun {
  const guest = requireGuest('workloads');
  const number = WORKLOADS.findIndex(each => each.id === id);
  const run = startBench(guest, {...bench, registers: {RDI: BigInt(number), RSI: BigInt(edits)}});
  const {machine} = run;
  const marks: {readonly exits: number; readonly instructions: number}[] = [];
  let exits = 0;
  let isGuest = false;
  const mark = (): void => {
    marks.push({exits, instructions: Number(machine.registers.get('INSTRUCTIONS'))});
  };
  run.observe({
    ...QUIET,
    ignoresEvents: false,
    event: event => {
      if (event.kind === 'port' && event.port === MARK_PORT) mark();
    },
    hypervisorEvent: event => {
      if (event.kind === 'kvm-exit' && event.exit.reason === 'io' && event.exit.port === MARK_PORT) mark();
    },
  });
  toItsEnd(guest, bench.technique, run, ({actor}) => {
    if (isGuest && actor === 'hypervisor') exits++;
    isGuest = actor.startsWith('guest');
  });
  const [before, behind] = marks;
  const {RAX = 0n} = run.guestRegisters();
  return {
    cycles: Number(RAX),
    // The way to the second OUT leaves the guest once more, where there is a hypervisor.
    exits: (behind?.exits ?? 0) - (before?.exits ?? 0),
    instructions: (behind?.instructions ?? 0) - (before?.instructions ?? 0),
  };
}
