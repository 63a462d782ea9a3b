// How much one client has asked of late: a bucket of permissions that refills with time, and what it has going on now.
// A client is an address; behind a proxy, the address that the proxy passes on (serve --behind-proxy).

import {UserError} from '@hyperscope/base';
import type {Clock} from '@hyperscope/base';

export interface ClientLimits {
  readonly rate: number;
  readonly perClient: number;
}

interface Bucket {
  permissions: number;
  at: number;
  open: number;
}

const MINUTE = 60_000;
/** Clients remembered; those that have been quiet the longest are forgotten first. */
const MOST_CLIENTS = 10_000;

export class ClientBudget {
  readonly #limits: ClientLimits;
  readonly #clock: Clock;
  readonly #clients = new Map<string, Bucket>();

  constructor(limits: ClientLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Takes a permission for a run; the caller gives back its place with what is returned.
   * @throws UserError 'too-many-runs' when there is none, or the client has too much going on.
   */
  begin(client: string): () => void {
    const bucket = this.#bucket(client);
    if (bucket.open >= this.#limits.perClient)
      throw new UserError(
        'too-many-runs',
        `You have ${bucket.open} runs going on or waiting here already: wait for one to end.`,
      );
    if (bucket.permissions < 1)
      throw new UserError(
        'too-many-runs',
        `This server starts ${this.#limits.rate} runs a minute for one client: wait a little.`,
      );
    bucket.permissions--;
    bucket.open++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      bucket.open--;
    };
  }

  #bucket(client: string): Bucket {
    const now = this.#clock.now();
    const known = this.#clients.get(client);
    const bucket = known ?? {permissions: this.#limits.rate, at: now, open: 0};
    bucket.permissions = Math.min(
      this.#limits.rate,
      bucket.permissions + ((now - bucket.at) / MINUTE) * this.#limits.rate,
    );
    bucket.at = now;
    this.#clients.delete(client);
    this.#clients.set(client, bucket); // the last in the map is the latest
    if (this.#clients.size > MOST_CLIENTS) this.#forget();
    return bucket;
  }

  /** Forgets the quietest client that has nothing going on. */
  #forget(): void {
    for (const [client, {open}] of this.#clients) {
      if (open > 0) continue;
      this.#clients.delete(client);
      return;
    }
  }
}
