// The client's side of runner-process.ts: the same result and the same observer as runOnKvm, but the guest runs in a
// process of its own, this thread stays free, and the run can be cancelled at any moment.

import {fork} from 'node:child_process';
import type {ChildProcess} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {CELLS} from '@hyperscope/isa';
import {UserError, assertUnreachable} from '@hyperscope/base';
import type {KvmObserver, KvmRunResult, KvmView, RunOnKvmOptions} from './run-on-kvm.js';
import {isRunnerMessage} from './runner-messages.js';
import type {ObservedStep, RunRequest, RunnerMessage} from './runner-messages.js';

export interface RunInChildOptions extends Omit<RunOnKvmOptions, 'clock'> {
  /** Kills the child; the promise is then rejected with the code 'cancelled'. */
  readonly signal?: AbortSignal;
}

/** Milliseconds beyond the run's own limit that the child may take to start, fingerprint and answer. */
const GRACE = 5000;

/**
 * Runs a guest in a child process.
 * @throws UserError (rejects with): what runOnKvm throws; 'cancelled'; 'timeout' and 'kvm-child-died' when the child itself failed.
 */
export async function runInChild(options: RunInChildOptions): Promise<KvmRunResult> {
  if (options.signal?.aborted === true) throw cancelled();
  const child = startRunner();
  try {
    return await askRunner(child, options);
  } finally {
    child.kill('SIGKILL');
  }
}

/** A process that waits to be asked for runs, one after the other. It ends when its channel closes. */
export function startRunner(): ChildProcess {
  return fork(runnerFile(), {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** Runs a guest in a process that `startRunner` gave and that is doing nothing else. Rejects with what runInChild does. */
export async function askRunner(child: ChildProcess, options: RunInChildOptions): Promise<KvmRunResult> {
  const {signal, observer, ...rest} = options;
  if (signal?.aborted === true) throw cancelled();
  try {
    return await answer(child, {type: 'run', ...rest}, observer, signal);
  } finally {
    child.removeAllListeners();
  }
}

function answer(
  child: ChildProcess,
  request: RunRequest,
  observer: KvmObserver | undefined,
  signal: AbortSignal | undefined,
): Promise<KvmRunResult> {
  return new Promise((resolve, reject) => {
    const late = (): void => {
      reject(
        new UserError(
          'timeout',
          `The process that runs the guest did not answer within ${request.limits.milliseconds + GRACE} ms and was ended.`,
        ),
      );
    };
    const timer = setTimeout(late, request.limits.milliseconds + GRACE);
    const abort = (): void => {
      reject(cancelled());
    };
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      done();
    };
    signal?.addEventListener('abort', abort, {once: true});
    const follower = new Follower(request, observer);
    child.on('message', message => {
      if (!isRunnerMessage(message)) return;
      try {
        const result = follower.take(message);
        if (result !== undefined)
          settle(() => {
            resolve(result);
          });
      } catch (error) {
        settle(() => {
          reject(error);
        });
      }
    });
    child.once('error', error => {
      settle(() => {
        reject(error);
      });
    });
    whenGone(child, how => {
      settle(() => {
        reject(
          new UserError(
            'kvm-child-died',
            `The process that ran the guest ended without an answer (${how}). Nothing else was affected; run it again.`,
          ),
        );
      });
    });
    child.send(request);
  });
}

/** Calls back when the child has ended and everything that it sent was taken: 'exit' alone may overtake its last messages. */
function whenGone(child: ChildProcess, gone: (how: string) => void): void {
  let how: string | undefined;
  let drained = false;
  const check = (): void => {
    if (how !== undefined && drained) gone(how);
  };
  child.once('exit', (code, killer) => {
    how = killer ?? `status ${code}`;
    check();
  });
  child.once('disconnect', () => {
    drained = true;
    check();
  });
}

/** Rebuilds the guest's state from what the child reports, so that an observer sees the banks of a local run. */
class Follower {
  readonly #observer: KvmObserver | undefined;
  readonly #view: KvmView;
  readonly #memory: Uint8Array;

  constructor(request: RunRequest, observer: KvmObserver | undefined) {
    this.#observer = observer;
    this.#memory = new Uint8Array(request.image.memoryBytes);
    for (const {gpa, bytes} of request.image.segments)
      if (gpa + bytes.length <= this.#memory.length) this.#memory.set(bytes, gpa);
    const registers = new BigUint64Array(CELLS.length);
    this.#view = {
      registers,
      banks: [
        {name: 'registers', bytes: new Uint8Array(registers.buffer)},
        {name: 'memory', bytes: this.#memory},
      ],
    };
  }

  /** The result, when it is there. @throws UserError when the child reports one. */
  take(message: RunnerMessage): KvmRunResult | undefined {
    switch (message.type) {
      case 'begin':
        this.#view.registers.set(message.registers);
        this.#observer?.begin?.(this.#view);
        return undefined;
      case 'steps':
        for (const step of message.steps) this.#apply(step);
        return undefined;
      case 'end':
        return message.result;
      case 'failed':
        throw new UserError(message.code, message.message);
      default:
        return assertUnreachable(message);
    }
  }

  #apply({step, cells, writes}: ObservedStep): void {
    this.#observer?.beforeStep?.();
    for (const {offset, bytes} of writes) {
      this.#observer?.willWrite?.('memory', offset, bytes.length);
      this.#memory.set(bytes, offset);
    }
    for (let pair = 0; pair < cells.length; pair += 2)
      this.#view.registers[Number(cells[pair])] = cells[pair + 1] ?? 0n;
    if (step.kind === 'kvm-step') this.#observer?.step?.(step, this.#view);
    else this.#observer?.exit?.(step, this.#view);
  }
}

const cancelled = (): UserError => new UserError('cancelled', 'The run was cancelled.');

/** Node runs JavaScript: when this module is a source under test, the runner is the one that was built. */
function runnerFile(): string {
  const candidates = ['./runner-process.js', '../dist/runner-process.js'].map(path =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const file = candidates.find(candidate => existsSync(candidate));
  if (file === undefined) throw new UserError('not-built', 'packages/kvm is not built. Run: npm run build');
  return file;
}
