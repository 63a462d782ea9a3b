// What an operator watches: runs by their end, how long they took, who waits, who was refused. In Prometheus' text format.

import {Counter, Gauge, Histogram, Registry, collectDefaultMetrics} from 'prom-client';

export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #runs: Counter<'outcome'>;
  readonly #refusals: Counter<'code'>;
  readonly #seconds: Histogram;
  readonly #connections: Gauge;

  /** `queue` is asked when the figures are. */
  constructor(queue: {readonly waiting: number; readonly running: number}) {
    const registers = [this.#registry];
    collectDefaultMetrics({register: this.#registry});
    this.#runs = new Counter({
      name: 'hyperscope_runs_total',
      help: 'Runs on KVM that began, by how they ended',
      labelNames: ['outcome'],
      registers,
    });
    this.#refusals = new Counter({
      name: 'hyperscope_refusals_total',
      help: 'Requests that were refused, by the code of the refusal',
      labelNames: ['code'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'hyperscope_run_seconds',
      help: 'Wall time of runs on KVM, waiting excluded',
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
      registers,
    });
    this.#connections = new Gauge({name: 'hyperscope_connections', help: 'Open connections of pages', registers});
    const gauge = (name: string, help: string, value: () => number): Gauge =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge('hyperscope_queue_length', 'Runs that wait for their turn', () => queue.waiting);
    gauge('hyperscope_runs_active', 'Runs that are going on', () => queue.running);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
  text(): Promise<string> {
    return this.#registry.metrics();
  }
  /** A run that began has ended: 'done', or the code of its trouble. */
  ended(outcome: string, seconds: number): void {
    this.#runs.inc({outcome});
    this.#seconds.observe(seconds);
  }
  refused(code: string): void {
    this.#refusals.inc({code});
  }
  connections(count: number): void {
    this.#connections.set(count);
  }
}
