import {gpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import type {MachineEvent} from '@hyperscope/machine';
import type {GuestImage, RunOutcome, StepReport} from '../technique.js';
import type {HypervisorEvent} from '../virtual-machine.js';
import {VtxEptRun} from './vtx-ept-run.js';

type Event = MachineEvent | HypervisorEvent;

const PORTS = {exitPort: 0xf4, powerOffPort: undefined, capturePorts: []};

/** A real-mode guest of these bytes at 1000h, run to its end. */
function run(...bytes: number[]): {readonly run: VtxEptRun; readonly events: readonly Event[]; readonly reports: readonly StepReport[]; readonly outcome: RunOutcome | undefined} {
  const image: GuestImage = {
    memoryBytes: 0x10_0000, segments: [{gpa: gpa(0x1000), bytes: Uint8Array.from(bytes)}],
    registers: {'CS.selector': 0n, 'CS.base': 0n, RIP: 0x1000n, RSP: 0x8000n},
  };
  const vtx = new VtxEptRun({image, ports: PORTS, profile: undefined, costModel: undefined});
  const events: Event[] = [];
  vtx.observe({willWrite: () => undefined, event: event => events.push(event), hypervisorEvent: event => events.push(event)});
  const reports: StepReport[] = [];
  for (let step = 0; step < 2000; step++) {
    const report = vtx.step();
    reports.push(report);
    if (report.outcome !== undefined) break;
  }
  return {run: vtx, events, reports, outcome: reports.at(-1)?.outcome};
}

test('smoke', () => {
  // mov dx, 3f8h; mov al, 'H'; out dx, al; hlt
  const result = run(0xba, 0xf8, 0x03, 0xb0, 0x48, 0xee, 0xf4);
  for (const e of result.events) console.log(e.kind === 'host-step' ? `${e.actor} ${e.routine}: ${e.sentence}` : e.kind === 'vmx-instruction' ? `   ${e.name} ${e.outcome} ${e.operands.map(String).join(' ')} ${e.checks.filter(c => !c.holds).map(c => c.rule + JSON.stringify(c.values)).join('; ')}` : JSON.stringify(e, (_, v) => typeof v === 'bigint' ? '0x' + v.toString(16) : v));
  console.log(result.outcome);
  expect(result.run.serialOutput()).toEqual(Uint8Array.of(0x48));
});
