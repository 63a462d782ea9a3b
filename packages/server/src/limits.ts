// What anybody who reaches the server may ask of it. Every limit has a name, by which `hyperscope serve --limit` changes it
// and docs/security.md explains it.

import {UserError} from '@hyperscope/base';

export interface ServerLimits {
  /** Seconds that one run may take. */
  readonly seconds: number;
  /** Exits to user space of one run, and steps of its record. */
  readonly exits: number;
  readonly steps: number;
  /** MiB of memory of a posted guest. */
  readonly memory: number;
  /** Bytes of a posted image. */
  readonly image: number;
  /** Runs at the same time on this machine, and runs that may wait. */
  readonly runs: number;
  readonly queue: number;
  /** Runs that one client may start in a minute, and have going on or waiting at once. */
  readonly rate: number;
  readonly perClient: number;
  /** Open connections, in all and of one client. */
  readonly connections: number;
  readonly connectionsPerClient: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  seconds: 10,
  exits: 20_000,
  steps: 100_000,
  memory: 16,
  image: 1024 * 1024,
  runs: 1,
  queue: 4,
  rate: 60,
  perClient: 5,
  connections: 500,
  connectionsPerClient: 20,
};

/** The highest values that make sense: beyond them a limit would be none. */
const MOST: ServerLimits = {
  seconds: 600,
  exits: 10_000_000,
  steps: 10_000_000,
  memory: 1024,
  image: 64 * 1024 * 1024,
  runs: 64,
  queue: 10_000,
  rate: 100_000,
  perClient: 1000,
  connections: 100_000,
  connectionsPerClient: 100_000,
};

const isLimit = (name: string): name is keyof ServerLimits => Object.hasOwn(DEFAULT_LIMITS, name);

/**
 * Limits with changes such as 'seconds=5'.
 * @throws UserError 'bad-limit' for a name that is none, or a value that is no whole number within bounds.
 */
export function withLimits(changes: readonly string[]): ServerLimits {
  const limits: Record<keyof ServerLimits, number> = {...DEFAULT_LIMITS};
  for (const change of changes) {
    const [name = '', text = ''] = change.split('=');
    if (!isLimit(name))
      throw new UserError(
        'bad-limit',
        `There is no limit named ${name}. Choose one of: ${Object.keys(DEFAULT_LIMITS).join(', ')}; such as --limit seconds=5.`,
      );
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < (name === 'queue' ? 0 : 1) || value > MOST[name])
      throw new UserError('bad-limit', `The limit ${name} is a whole number up to ${MOST[name]}, not "${text}".`);
    limits[name] = value;
  }
  return limits;
}
