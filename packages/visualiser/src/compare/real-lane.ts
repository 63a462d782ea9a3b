// The lane of real KVM: a run on the server, or the recording that ships, and in words where it is from or why there is none.

import type {RealProgram, RunOnServer} from '../kvm-socket.js';
import type {LabState} from '../lab-state.js';
import {askKvm, realRun} from '../real-kvm.js';
import type {LineupSurroundings} from './lineup-run.js';

/** `program`: what the server is given to run the same. */
export function realLane(
  {availability}: LabState,
  program: () => Promise<RealProgram>,
  runOnServer: RunOnServer,
): LineupSurroundings['realRecord'] {
  const get = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => fetch(input, init);
  return async (signal, tell) => {
    try {
      const standing = availability ?? (await askKvm(get));
      const record = await realRun({fetch: get, runOnServer, tell: told(tell), signal}, standing, await program());
      if (record.kind === 'nothing') return {why: record.why};
      if (record.from === 'live') return {bytes: record.bytes, note: 'The server’s own KVM ran it just now.'};
      return {bytes: record.bytes, note: `A recording. ${record.why ?? ''}`.trim()};
    } catch (error) {
      return {why: error instanceof Error ? error.message : String(error)};
    }
  };
}

/** Standings end in a full stop or in dots, which a row adds itself. */
const told =
  (tell: (standing: string) => void) =>
  (standing: string): void =>
    tell(standing.replace(/[.…]+$/, ''));
