// A run that is recorded, without the options of `hyperscope run`: what `record` and `compare` work from.

import type {CommandContext} from '../commands/command.js';
import {progress} from '../terminal/progress.js';
import {execute} from './execute.js';
import type {Executed, Execution} from './execute.js';
import type {Program} from './program.js';

export type RecordLimits = Pick<Execution, 'depth' | 'maxInstructions' | 'timeoutMilliseconds'> &
  Partial<Pick<Execution, 'coalescedMmio' | 'costModel' | 'profile'>>;

/** Runs to the end or to a limit, with a progress line. @throws UserError for a technique that does not exist. */
export function recordRun(
  program: Program,
  technique: string,
  {terminal, clock}: CommandContext,
  limits: RecordLimits,
): Executed {
  const unit = technique === 'kvm' ? 'exits' : 'instructions';
  const line = progress(terminal, clock, `${unit} on ${technique}`, undefined);
  try {
    return execute({
      profile: undefined,
      ...limits,
      program,
      technique,
      ports: {exitPort: undefined, powerOffPort: undefined, capturePorts: []},
      serialScript: [],
      stopSerial: undefined,
      dumps: [],
      recording: 'on',
      clock,
      onProgress: done => line.update(done),
      onNote: note => terminal.note(note),
    });
  } finally {
    line.end();
  }
}
