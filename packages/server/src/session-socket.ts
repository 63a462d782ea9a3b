// A page's connection: Comlink over a WebSocket. Comlink would let its peer walk any property of what is exposed, up to the
// Function constructor; so every message is checked first, and only three methods by name get through.

import {expose} from 'comlink';
import type {Endpoint} from 'comlink';
import type {FastifyBaseLogger} from 'fastify';
import type {WebSocket} from 'ws';
import {Listeners, UserError, decodeFrame, encodeFrame} from '@hyperscope/base';
import type {Listener} from '@hyperscope/base';
import * as v from 'valibot';
import type {KvmService, RunProgress} from './kvm-service.js';
import {programOfMessage} from './run-request.js';

/** What a call comes back with; failures are values, so that no stack ever leaves the server. */
export type SocketAnswer<T> =
  | {readonly ok: true; readonly value: T}
  | {readonly ok: false; readonly code: string; readonly message: string};

/** What the page may call. */
export interface KvmSocketApi {
  /** Runs a guest: `{guest, depth}` or `{image, at, mode, memory, irqchip, depth}`. One at a time for a connection. */
  run(request: unknown): Promise<SocketAnswer<Uint8Array>>;
  /** How the run stands, as soon as that differs from the answer before; undefined when none is going on. */
  progress(): Promise<RunProgress | undefined>;
  cancel(): void;
}

const Argument = v.strictObject({type: v.literal('RAW'), value: v.unknown()});
const Message = v.variant('type', [
  v.strictObject({
    id: v.pipe(v.string(), v.maxLength(64)),
    type: v.literal('APPLY'),
    path: v.strictTuple([v.picklist(['run', 'progress', 'cancel'])]),
    argumentList: v.pipe(v.array(Argument), v.maxLength(1)),
  }),
  v.object({id: v.pipe(v.string(), v.maxLength(64)), type: v.literal('RELEASE')}),
]);

/** Close code for a peer that does not keep to the rules (RFC 6455, section 7.4.1). */
const POLICY_VIOLATION = 1008;
/** Messages that a connection may send in a second. */
const MESSAGES_A_SECOND = 50;
const PING_EVERY = 30_000;

class PageSession implements KvmSocketApi {
  readonly #service: KvmService;
  readonly #client: string;
  readonly #log: FastifyBaseLogger;
  #running: AbortController | undefined;
  #state: RunProgress | undefined;
  #told: RunProgress | undefined;
  #waiters: ((state: RunProgress | undefined) => void)[] = [];

  constructor(service: KvmService, client: string, log: FastifyBaseLogger) {
    this.#service = service;
    this.#client = client;
    this.#log = log;
  }

  async run(request: unknown): Promise<SocketAnswer<Uint8Array>> {
    if (this.#running !== undefined)
      return {ok: false, code: 'busy', message: 'A run of this page is going on: cancel it first.'};
    const running = new AbortController();
    this.#running = running;
    try {
      const program = programOfMessage(request, this.#service.limits);
      const answer = this.#service.kvm.answer();
      if (!answer.available) throw new UserError(answer.code, answer.message);
      const value = await this.#service.run({
        program,
        client: this.#client,
        signal: running.signal,
        log: this.#log,
        onProgress: state => {
          this.#tell(state);
        },
      });
      return {ok: true, value};
    } catch (error) {
      return this.#failure(error);
    } finally {
      this.#running = undefined;
      this.#tell(undefined);
    }
  }

  progress(): Promise<RunProgress | undefined> {
    if (this.#running === undefined || this.#state !== this.#told) {
      this.#told = this.#state;
      return Promise.resolve(this.#state);
    }
    return new Promise(resolve => {
      this.#waiters.push(resolve);
    });
  }

  cancel(): void {
    this.#running?.abort();
  }

  #tell(state: RunProgress | undefined): void {
    this.#state = state;
    if (this.#waiters.length === 0) return;
    this.#told = state;
    for (const resolve of this.#waiters.splice(0)) resolve(state);
  }

  #failure(error: unknown): SocketAnswer<never> {
    if (error instanceof UserError) return {ok: false, code: error.code, message: error.message};
    this.#log.error(error);
    return {ok: false, code: 'internal-error', message: 'Something in Hyperscope is wrong; the server printed what.'};
  }
}

/** Hands what came over the socket to Comlink, if it is a message that a page sends; else the connection ends. */
class SocketEndpoint implements Endpoint {
  readonly #socket: WebSocket;
  readonly #listeners = new Listeners<Event>();
  #second = 0;
  #messages = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data, isBinary) => {
      this.#receive(data, isBinary);
    });
  }

  postMessage(message: unknown): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeFrame(message));
  }
  addEventListener(_type: string, listener: Listener<Event>): void {
    this.#listeners.add(listener);
  }
  removeEventListener(_type: string, listener: Listener<Event>): void {
    this.#listeners.remove(listener);
  }

  #receive(data: unknown, isBinary: boolean): void {
    if (this.#isFlood()) return this.#refuse('too many messages');
    if (!isBinary || !Buffer.isBuffer(data)) return this.#refuse('not a message of the lab');
    let message: unknown;
    try {
      message = decodeFrame(data);
    } catch {
      return this.#refuse('not a message of the lab'); // a frame that no page of ours sends
    }
    const checked = v.safeParse(Message, message);
    if (!checked.success) return this.#refuse('not a message of the lab');
    this.#listeners.tell(new MessageEvent('message', {data: checked.output}));
    return undefined;
  }

  #isFlood(): boolean {
    const second = Math.floor(performance.now() / 1000);
    this.#messages = second === this.#second ? this.#messages + 1 : 1;
    this.#second = second;
    return this.#messages > MESSAGES_A_SECOND;
  }

  #refuse(why: string): void {
    this.#socket.close(POLICY_VIOLATION, why);
  }
}

/** Serves one connection until it closes; what it had going on ends with it. */
export function serveSocket(socket: WebSocket, service: KvmService, client: string, log: FastifyBaseLogger): void {
  const session = new PageSession(service, client, log);
  expose(
    {
      run: (request: unknown) => session.run(request),
      progress: () => session.progress(),
      cancel: () => {
        session.cancel();
      },
    } satisfies KvmSocketApi,
    new SocketEndpoint(socket),
  );
  let isAlive = true;
  const heartbeat = setInterval(() => {
    if (!isAlive) {
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
  }, PING_EVERY);
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('error', error => {
    log.debug(error, 'socket');
  });
  socket.on('close', () => {
    clearInterval(heartbeat);
    session.cancel();
  });
}
