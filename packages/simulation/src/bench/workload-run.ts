// A workload on one machine: the guest `workloads` with one of its programs, timed by itself, and counted between its two OUTs
// to port 80h: how often it was left, how many instructions it has on bare metal.

import {assertExists} from '@hyperscope/base';
import type {StepReport, TechniqueRun} from '@hyperscope/vmm';
import {QUIET, startBench, toItsEnd} from './bench.js';
import type {Bench} from './bench.js';
import {requireGuest} from '../shipped.js';

/** Of a thousand system calls of the mixed workload, so many change a page-table entry. */
export const MIXED_EDITS = 100;

/** `program`: its number in the guest. */
export const WORKLOADS = [
  {id: 'compute', program: 0, title: 'computing', what: 'a sieve, in ring 3: no system calls, no page tables'},
  {id: 'calls', program: 1, title: 'system calls', what: 'some work, then SYSCALL and SYSRET, over and over'},
  {
    id: 'mixed',
    program: 1,
    title: 'system calls and page tables',
    what: `the same, and ${MIXED_EDITS} of 1,000 calls change a page-table entry that is in use`,
  },
  {
    id: 'fork',
    program: 2,
    title: 'fork and wait',
    what: 'page tables are made and write-protected, CR3 is loaded, pages are touched and copied on write',
  },
  {
    id: 'walks',
    program: 3,
    title: 'page walks',
    what: 'one of 1,024 pages after the other, in page tables that never change',
  },
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
  readonly edits?: number | undefined;
}

const MARK_PORT = 0x80;

/** Runs a workload to its end; what the measuring itself does is taken off. @throws UserError as `runBench` does. */
export function runWorkload(id: WorkloadId, {edits, ...bench}: WorkloadBench): WorkloadRun {
  const guest = requireGuest('workloads');
  const {program} = assertExists(
    WORKLOADS.find(each => each.id === id),
    `${id} is a workload`,
  );
  const RSI = BigInt(edits ?? (id === 'mixed' ? MIXED_EDITS : 0));
  const run = startBench(guest, {...bench, registers: {RDI: BigInt(program), RSI}});
  const counter = new Counter(run);
  toItsEnd(guest, bench.technique, run, report => counter.step(report));
  const {RAX = 0n, RBX = 0n} = run.guestRegisters();
  const [, nothing, work] = counter.between();
  return {
    cycles: Number(RAX - RBX),
    exits: (work?.exits ?? 0) - (nothing?.exits ?? 0),
    instructions: (work?.instructions ?? 0) - (nothing?.instructions ?? 0),
  };
}

/** What had been counted at each OUT to the port of marks. */
class Counter {
  readonly marks: Pick<WorkloadRun, 'exits' | 'instructions'>[] = [];
  #exits = 0;
  #isGuest = false;

  constructor(run: TechniqueRun) {
    const mark = (): void => {
      this.marks.push({exits: this.#exits, instructions: Number(run.machine.registers.get('INSTRUCTIONS'))});
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
  }

  /** From the first mark to the second, from the third to the fourth, and so on. */
  between(): readonly Pick<WorkloadRun, 'exits' | 'instructions'>[] {
    return this.marks.flatMap((mark, index) => {
      const before = index % 2 === 1 ? this.marks[index - 1] : undefined;
      return before === undefined
        ? []
        : [{exits: mark.exits - before.exits, instructions: mark.instructions - before.instructions}];
    });
  }
  step({actor}: StepReport): void {
    if (this.#isGuest && actor === 'hypervisor') this.#exits++;
    this.#isGuest = actor.startsWith('guest');
  }
}
