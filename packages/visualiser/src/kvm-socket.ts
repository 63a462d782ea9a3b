// A run on the server's KVM, over a socket that tells how it stands. Comlink speaks over it; frames are base's. Whatever goes
// wrong is a sentence, because the shipped recording will take the run's place.

import {wrap} from 'comlink';
import type {Endpoint} from 'comlink';
import {Listeners, decodeFrame, encodeFrame} from '@hyperscope/base';

/** As much of a WebSocket as is used here. */
export type RunSocket = Pick<WebSocket, 'addEventListener' | 'binaryType' | 'close' | 'send'>;

/** What a run on the server gives: its record's bytes, or why there is none. */
export type ServerRun = Uint8Array | {readonly why: string};

/** What a server can run: a guest that ships, by its name; or bytes, and the machine that they are written for. */
export type RealProgram =
  | {readonly guest: string}
  | {
      readonly image: Uint8Array;
      /** Guest-physical address of the first byte, which is also where it starts. */
      readonly at: number;
      readonly mode: 'real' | 'protected' | 'long';
      /** MiB. */
      readonly memory: number;
      readonly irqchip?: 'kernel';
    };

/** Runs a program; `tell` hears in words how it stands. Never throws. */
export type RunOnServer = (
  program: RealProgram,
  tell: (standing: string) => void,
  signal: AbortSignal,
) => Promise<ServerRun>;

/** What the server answers to a call; the page trusts none of it. */
interface ServerApi {
  run(request: RealProgram): unknown;
  progress(): unknown;
  cancel(): void;
}

const GONE = 'The server cannot be reached any more: is it still running?';
/** Milliseconds for the connection; the run itself has the server's limits. */
const PATIENCE = 5000;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** How a run stands, in words; undefined for what no server of ours says. */
export function standingText(progress: unknown): string | undefined {
  if (!isObject(progress)) return undefined;
  const {kind, place, exits} = progress;
  if (kind === 'waiting' && typeof place === 'number')
    return place === 1
      ? 'Another run is going on; this one is next.'
      : `Other runs are going on; this one is number ${place} in the line.`;
  if (kind === 'running' && typeof exits === 'number')
    return exits === 0 ? 'Running on real KVM…' : `Running on real KVM: ${exits.toLocaleString('en')} exits so far…`;
  return undefined;
}

/** The runner over a socket to `url`. `open` makes the socket: tests give their own. */
export function runOverSocket(
  url: string,
  open: (url: string) => RunSocket = address => new WebSocket(address),
): RunOnServer {
  return async (program, tell, signal) => {
    const socket = open(url);
    socket.binaryType = 'arraybuffer';
    const over = new AbortController();
    try {
      return await Promise.race([
        conversation(socket, program, tell, AbortSignal.any([signal, over.signal])),
        lost(socket),
        aborted(signal),
      ]);
    } finally {
      over.abort();
      socket.close();
    }
  };
}

async function conversation(
  socket: RunSocket,
  program: RealProgram,
  tell: (standing: string) => void,
  signal: AbortSignal,
): Promise<ServerRun> {
  await opened(socket);
  const server = wrap<ServerApi>(endpointOf(socket, signal));
  let isOver = false;
  const follow = async (): Promise<void> => {
    while (!isOver && !signal.aborted) {
      const standing = standingText(await server.progress());
      if (standing === undefined) return;
      tell(standing);
    }
  };
  const answer = server.run(program);
  // Its end is the run's end; what fails here fails there, too, and is told there.
  void follow().catch(() => undefined);
  const given: unknown = await answer;
  isOver = true;
  if (isObject(given) && given['ok'] === true && given['value'] instanceof Uint8Array) return given['value'];
  return {why: isObject(given) && typeof given['message'] === 'string' ? given['message'] : GONE};
}

function opened(socket: RunSocket): Promise<void> {
  return new Promise(resolve => {
    socket.addEventListener('open', () => {
      resolve();
    });
  });
}

/** Resolves when the socket closes, does not open, or is not open in time. */
function lost(socket: RunSocket): Promise<ServerRun> {
  return new Promise(resolve => {
    const give = (): void => {
      resolve({why: GONE});
    };
    socket.addEventListener('close', give);
    socket.addEventListener('error', give);
    const timer = setTimeout(give, PATIENCE);
    socket.addEventListener('open', () => {
      clearTimeout(timer);
    });
  });
}

function aborted(signal: AbortSignal): Promise<ServerRun> {
  return new Promise(resolve => {
    const give = (): void => {
      resolve({why: 'The run was cancelled.'});
    };
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, {once: true});
  });
}

/** Once `over` is aborted nothing is sent: what Comlink says when its proxy is collected comes long after the socket's end. */
function endpointOf(socket: RunSocket, over: AbortSignal): Endpoint {
  const listeners = new Listeners<Event>();
  socket.addEventListener('message', ({data}: MessageEvent<unknown>) => {
    if (!(data instanceof ArrayBuffer)) return;
    let message: unknown;
    try {
      message = decodeFrame(new Uint8Array(data));
    } catch {
      socket.close(); // no server of ours says this
      return;
    }
    listeners.tell(new MessageEvent('message', {data: message}));
  });
  return {
    postMessage: message => {
      if (!over.aborted) socket.send(encodeFrame(message));
    },
    addEventListener: (_type, listener) => {
      listeners.add(listener);
    },
    removeEventListener: (_type, listener) => {
      listeners.remove(listener);
    },
  };
}

/** Where the server's socket is, beside the page. */
export function socketAddress(page: string): string {
  const url = new URL('./api/session', page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = '';
  return url.href;
}
