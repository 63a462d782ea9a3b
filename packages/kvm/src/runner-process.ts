// The program of a child process that runs guests, one after the other. If KVM, the addon or the guest takes the process down,
// it takes down nothing else. Started by run-in-child.ts.

import {performance} from 'node:perf_hooks';
import {UserError} from '@hyperscope/base';
import {KvmSession} from './kvm-session.js';
import {StepCollector} from './observed-steps.js';
import {quirksFor, runResult} from './run-on-kvm.js';
import {isRunRequest} from './runner-messages.js';
import type {ObservedStep, RunRequest, RunnerMessage} from './runner-messages.js';

/** Steps are sent when there are so many, or after so many milliseconds: a watcher sees a slow guest move. */
const BATCH = 256;
const INTERVAL = 50;

/** Sends and waits until the channel took it, so that a fast guest cannot fill the memory with messages. */
function send(message: RunnerMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    const taken = (error: Error | null): void => {
      if (error === null) resolve();
      else reject(error);
    };
    process.send?.(message, undefined, {}, taken);
  });
}

async function run(request: RunRequest): Promise<void> {
  const singleStep = request.singleStep ?? 'off';
  const session = new KvmSession({
    ...request,
    singleStep,
    quirks: request.quirks ?? quirksFor(singleStep),
    clock: performance,
  });
  try {
    if (request.serialInput !== undefined) session.board.uart.receive(request.serialInput);
    const started = performance.now();
    await send({type: 'begin', registers: session.registers});
    const exits = await stream(session);
    await send({
      type: 'end',
      result: runResult(session, request.ports.capturePorts, exits, (performance.now() - started) / 1000),
    });
  } finally {
    session.close();
  }
}

async function stream(session: KvmSession): Promise<Readonly<Record<string, number>>> {
  const collector = new StepCollector(session);
  const exits: Record<string, number> = {};
  let steps: ObservedStep[] = [];
  let sent = performance.now();
  while (session.outcome === undefined) {
    const observed = collector.next();
    steps.push(observed);
    const {kind, exit} = observed.step;
    if (kind === 'kvm-exit') exits[exit.reason] = (exits[exit.reason] ?? 0) + 1;
    if (steps.length < BATCH && performance.now() - sent < INTERVAL) continue;
    await send({type: 'steps', steps});
    [steps, sent] = [[], performance.now()];
  }
  if (steps.length > 0) await send({type: 'steps', steps});
  return exits;
}

// A client asks for the next run when it has the answer to the last. When it goes away the channel closes, and with it ends
// the last thing that keeps this process alive.
process.on('message', message => {
  if (!isRunRequest(message)) return;
  void run(message).catch(async (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    await send({type: 'failed', code: error.code, message: error.message});
  });
});
// A client that is gone needs no answer.
process.once('disconnect', () => {
  process.exit();
});
