// Runs a small real-mode guest on a technique to its end and keeps everything that was told on the way.

import {gpa} from '@hyperscope/base';
import type {MachineEvent} from '@hyperscope/machine';
import type {GuestImage, PortOptions, RunOutcome, StepReport, TechniqueRun} from '../technique.js';
import type {HypervisorEvent, RegisterValues} from '../virtual-machine.js';

export type AnyEvent = MachineEvent | HypervisorEvent;

export const TEST_PORTS: PortOptions = {exitPort: 0xf4, powerOffPort: 0x604, capturePorts: [0x80]};

/** These bytes at 1000h, in real mode, with 1 MiB of memory. */
export function realModeImage(bytes: readonly number[], registers: RegisterValues = {}): GuestImage {
  return {
    memoryBytes: 0x10_0000,
    segments: [{gpa: gpa(0x1000), bytes: Uint8Array.from(bytes)}],
    registers: {'CS.selector': 0n, 'CS.base': 0n, RIP: 0x1000n, RSP: 0x8000n, ...registers},
  };
}

export interface FinishedRun {
  readonly events: readonly AnyEvent[];
  readonly reports: readonly StepReport[];
  readonly outcome: RunOutcome | undefined;
}

export function runToEnd(run: TechniqueRun, steps = 5000): FinishedRun {
  const events: AnyEvent[] = [];
  const reports: StepReport[] = [];
  const push = (event: AnyEvent): void => void events.push(event);
  run.observe({willWrite: () => undefined, event: push, hypervisorEvent: push});
  for (let step = 0; step < steps; step++) {
    const report = run.step();
    reports.push(report);
    if (report.outcome !== undefined) break;
  }
  return {events, reports, outcome: reports.at(-1)?.outcome};
}
