// The program: this process's arguments, terminal and signals.

import {COMMANDS} from './commands/commands.js';
import {runProgram} from './program.js';
import {processTerminal} from './terminal/terminal.js';
import {readVersion} from './version.js';

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
