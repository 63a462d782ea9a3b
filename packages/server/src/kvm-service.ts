// A run on real KVM for a client, whichever way it asked: its budget, its place in the line, its limits, its end.

import type {FastifyBaseLogger} from 'fastify';
import {UserError} from '@hyperscope/base';
import type {Clock} from '@hyperscope/base';
import {ClientBudget} from './client-budget.js';
import type {KvmHost, KvmProgress} from './kvm-host.js';
import type {KvmProgram} from './kvm-program.js';
import type {ServerLimits} from './limits.js';
import type {ServerMetrics} from './metrics.js';
import type {RunQueue} from './run-queue.js';

/** Where a run stands. Places count from 1, which is next. */
export type RunProgress =
  | {readonly kind: 'waiting'; readonly place: number}
  | ({readonly kind: 'running'} & KvmProgress);

export interface RunForClient {
  readonly program: KvmProgram;
  /** Who asks: an address. */
  readonly client: string;
  readonly signal: AbortSignal;
  readonly log: FastifyBaseLogger;
  readonly onProgress?: (progress: RunProgress) => void;
}

export interface KvmServiceParts {
  readonly kvm: KvmHost;
  readonly queue: RunQueue;
  readonly metrics: ServerMetrics;
  readonly limits: ServerLimits;
  readonly clock: Clock;
}

const codeOf = (error: unknown): string => (error instanceof UserError ? error.code : 'internal-error');

export class KvmService {
  readonly #parts: KvmServiceParts;
  readonly #budget: ClientBudget;

  constructor(parts: KvmServiceParts) {
    this.#parts = parts;
    this.#budget = new ClientBudget(parts.limits, parts.clock);
  }

  get kvm(): KvmHost {
    return this.#parts.kvm;
  }
  get queue(): RunQueue {
    return this.#parts.queue;
  }
  get metrics(): ServerMetrics {
    return this.#parts.metrics;
  }
  get limits(): ServerLimits {
    return this.#parts.limits;
  }

  /** The record of the run, as a file's bytes. @throws UserError why it was refused, or how it failed. */
  async run({program, client, signal, log, onProgress = () => undefined}: RunForClient): Promise<Uint8Array> {
    const {queue, metrics} = this.#parts;
    let began = false;
    try {
      const over = this.#budget.begin(client);
      try {
        return await queue.add(
          () => {
            began = true;
            return this.#measured(program, signal, log, onProgress);
          },
          signal,
          place => {
            if (place > 0) onProgress({kind: 'waiting', place});
          },
        );
      } finally {
        over();
      }
    } catch (error) {
      if (!began) metrics.refused(codeOf(error));
      throw error;
    }
  }

  async #measured(
    program: KvmProgram,
    signal: AbortSignal,
    log: FastifyBaseLogger,
    onProgress: (progress: RunProgress) => void,
  ): Promise<Uint8Array> {
    const {kvm, clock, metrics} = this.#parts;
    const start = clock.now();
    const end = (outcome: string): void => {
      const seconds = (clock.now() - start) / 1000;
      metrics.ended(outcome, seconds);
      log.info({guest: program.id, outcome, seconds}, 'run on KVM');
    };
    onProgress({kind: 'running', exits: 0});
    try {
      const file = await kvm.run(program, signal, progress => {
        onProgress({kind: 'running', ...progress});
      });
      end('done');
      return file;
    } catch (error) {
      end(codeOf(error));
      throw error;
    }
  }
}
