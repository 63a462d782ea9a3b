// Exits by reason, each reason with its steps in order: what the table of exits, a selection's totals and a breakpoint ask.
// Learned as the record grows: an exit is looked at once, however often the table is asked for.

import {exitTitle} from '@hyperscope/isa';
import type {VmExit} from '@hyperscope/vmm';
import type {TraceEvent} from '../record-format.js';
import {kvmExitName} from '../explain/kvm-exit-words.js';
import type {EventColumn} from './event-column.js';
import {NumberColumn} from './growable-columns.js';

export type ExitEvent = Extract<TraceEvent, {kind: 'vm-exit' | 'kvm-exit'}>;

export interface ExitReason {
  readonly reason: string;
  readonly steps: NumberColumn;
  readonly first: ExitEvent;
}

type Source = 'vm-exit' | 'kvm-exit';

export class ExitIndex {
  readonly #events: EventColumn;
  readonly #bySource: Readonly<Record<Source, Map<string, ExitReason>>> = {
    'vm-exit': new Map(),
    'kvm-exit': new Map(),
  };
  readonly #seen: Record<Source, number> = {'vm-exit': 0, 'kvm-exit': 0};

  constructor(events: EventColumn) {
    this.#events = events;
  }

  /** The reasons in the order in which they first occurred. Hardware exits where the record has them; else (a real run) what KVM_RUN returned. */
  reasons(): readonly ExitReason[] {
    const source = this.#events.countOf('vm-exit') > 0 ? 'vm-exit' : 'kvm-exit';
    this.#learn(source);
    return [...this.#bySource[source].values()];
  }

  #learn(source: Source): void {
    const reasons = this.#bySource[source];
    for (; this.#seen[source] < this.#events.countOf(source); this.#seen[source]++) {
      const {step, event} = this.#events.nth(source, this.#seen[source]);
      const reason = event === undefined ? undefined : exitName(event);
      if (event === undefined || reason === undefined) continue;
      const known = reasons.get(reason);
      if (known === undefined) reasons.set(reason, {reason, steps: columnOf(step), first: event});
      else known.steps.push(step);
    }
  }
}

/** What an exit is called; undefined for a single step or a watchdog: the guest did nothing to leave. */
export function exitName(event: ExitEvent): string | undefined {
  if (event.kind === 'vm-exit') return exitTitle(event.exit);
  return isDebuggers(event.exit) ? undefined : kvmExitName(event.exit);
}

const isDebuggers = (exit: VmExit): boolean => exit.reason === 'debug' || exit.reason === 'interrupted';

function columnOf(first: number): NumberColumn {
  const column = new NumberColumn(16);
  column.push(first);
  return column;
}
