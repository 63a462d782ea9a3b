// The program: this process's arguments, terminal and signals.

import {ASM} from './commands/asm.js';
import {CARD} from './commands/card.js';
import {CLASSIFY} from './commands/classify.js';
import type {Command} from './commands/command.js';
import {COMPARE} from './commands/compare.js';
import {COST} from './commands/cost.js';
import {DISASM} from './commands/disasm.js';
import {DOCTOR} from './commands/doctor.js';
import {EXITS} from './commands/exits.js';
import {FUZZ} from './commands/fuzz.js';
import {GUESTS_COMMAND} from './commands/guests.js';
import {OUTPUT} from './commands/output.js';
import {RECORD} from './commands/record.js';
import {RUN} from './commands/run.js';
import {MEASURE} from './commands/measure.js';
import {SCENARIO} from './commands/scenario.js';
import {SERVE} from './commands/serve.js';
import {SHOW} from './commands/show.js';
import {VECTORS} from './commands/vectors.js';
import {runProgram} from './program.js';
import {processTerminal} from './terminal/terminal.js';
import {readVersion} from './version.js';

const COMMANDS: readonly Command[] = [
  RUN,
  COMPARE,
  RECORD,
  SHOW,
  DOCTOR,
  EXITS,
  COST,
  OUTPUT,
  CLASSIFY,
  CARD,
  SCENARIO,
  GUESTS_COMMAND,
  ASM,
  DISASM,
  VECTORS,
  FUZZ,
  MEASURE,
  SERVE,
];

/** Only a command that waits asks for it: while a guest runs in this thread no handler would be called, and Ctrl-C must work. */
function interrupted(): AbortSignal {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The first asks to stop; the second does not ask.
      if (interrupt.signal.aborted) process.exit(130);
      interrupt.abort();
    });
  }
  return interrupt.signal;
}

// `hyperscope guests | head`: whoever read us has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exitCode = await runProgram(COMMANDS, readVersion(), process.argv.slice(2), {
  terminal: processTerminal(process.stdout, process.stderr, process.env),
  clock: {now: () => performance.now()},
  interrupted,
});
