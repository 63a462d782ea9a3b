// Processes for guests, used again while all goes well. A run that was stopped, failed or crashed takes its process with it;
// so does one in a few dozen that was in order, so that nothing can build up.

import type {ChildProcess} from 'node:child_process';
import {askRunner, startRunner} from './run-in-child.js';
import type {RunInChildOptions} from './run-in-child.js';
import type {KvmRunResult} from './run-on-kvm.js';

export interface RunnerPoolOptions {
  /** Processes that may wait for a run. */
  readonly idle: number;
  /** Runs in order after which a process has served. */
  readonly uses: number;
  /** How long a process waits for its next run. */
  readonly idleMilliseconds: number;
}

interface Runner {
  readonly child: ChildProcess;
  uses: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Ends that leave nothing behind that the next guest could meet. */
const IN_ORDER: ReadonlySet<KvmRunResult['outcome']['kind']> = new Set([
  'halted',
  'debug-exit',
  'power-off',
  'triple-fault',
]);

export class RunnerPool {
  readonly #options: RunnerPoolOptions;
  readonly #idle: Runner[] = [];
  #closed = false;

  constructor(options: RunnerPoolOptions) {
    this.#options = options;
  }

  /** Processes that wait. */
  get waiting(): number {
    return this.#idle.length;
  }

  /** As runInChild, in a process that waited if there is one. */
  async run(options: RunInChildOptions): Promise<KvmRunResult> {
    const runner = this.#take();
    let result: KvmRunResult | undefined;
    try {
      result = await askRunner(runner.child, options);
      return result;
    } finally {
      runner.uses++;
      const inOrder = result !== undefined && IN_ORDER.has(result.outcome.kind);
      if (inOrder && runner.uses < this.#options.uses) this.#keep(runner);
      else end(runner);
    }
  }

  /** Ends those that wait; the others end with their runs. */
  close(): void {
    this.#closed = true;
    for (const runner of this.#idle.splice(0)) end(runner);
  }

  #take(): Runner {
    for (;;) {
      const runner = this.#idle.pop();
      if (runner === undefined) return {child: startRunner(), uses: 0, timer: undefined};
      clearTimeout(runner.timer);
      runner.child.removeAllListeners();
      if (runner.child.connected && runner.child.exitCode === null) {
        runner.child.ref();
        runner.child.channel?.ref();
        return runner;
      }
      end(runner);
    }
  }

  #keep(runner: Runner): void {
    if (this.#closed || this.#idle.length >= this.#options.idle) {
      end(runner);
      return;
    }
    const forget = (): void => {
      const at = this.#idle.indexOf(runner);
      if (at >= 0) this.#idle.splice(at, 1);
      end(runner);
    };
    runner.timer = setTimeout(forget, this.#options.idleMilliseconds);
    runner.child.once('exit', forget);
    // What waits must not keep a command line from ending.
    runner.timer.unref();
    runner.child.unref();
    runner.child.channel?.unref();
    this.#idle.push(runner);
  }
}

function end({child, timer}: Runner): void {
  clearTimeout(timer);
  child.removeAllListeners();
  child.kill('SIGKILL');
}
