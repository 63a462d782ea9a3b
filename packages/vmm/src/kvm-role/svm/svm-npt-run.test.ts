import {svmExitCode} from '@hyperscope/isa';
import {expect, test} from 'vitest';
import {TEST_PORTS, realModeImage, runToEnd} from '../../testing/run-guest.js';
import type {AnyEvent, FinishedRun} from '../../testing/run-guest.js';
import {HypervisorRun} from '../hypervisor-run.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {svmNpt} from './svm-techniques.js';

const HELLO = [0xba, 0xf8, 0x03, 0xb0, 0x48, 0xee, 0xf4]; // mov dx, 3f8h; mov al, 'H'; out dx, al; hlt

function start(
  bytes: readonly number[],
  definition: HypervisorDefinition = svmNpt(),
  profile?: string,
): {readonly run: HypervisorRun; readonly finished: FinishedRun} {
  const run = new HypervisorRun(
    {image: realModeImage(bytes), ports: TEST_PORTS, profile, costModel: undefined},
    definition,
  );
  return {run, finished: runToEnd(run)};
}
const exits = (events: readonly AnyEvent[]): readonly string[] =>
  events.flatMap(event => (event.kind === 'vm-exit' ? [svmExitCode(event.exit.reason).name] : []));

test('a guest that prints and halts: the byte arrives and the outcome is halted', () => {
  const {run, finished} = start(HELLO);
  for (const e of finished.events) if (e.kind === 'host-step') console.log(e.routine, '·', e.sentence);
  expect(finished.outcome).toEqual({kind: 'halted'});
  expect(run.serialOutput()).toEqual(Uint8Array.of(0x48));
  expect(exits(finished.events)).toEqual(['VMEXIT_NPF', 'VMEXIT_IOIO', 'VMEXIT_HLT']);
});
