// A page's connection, over a real socket: what it can do, and what ends it.

import {afterEach, describe, expect, test} from 'vitest';
import {wrap} from 'comlink';
import type {Endpoint, Remote} from 'comlink';
import type {FastifyInstance} from 'fastify';
import WebSocket from 'ws';
import {UserError, decodeFrame, encodeFrame} from '@hyperscope/base';
import type {KvmAvailability} from '@hyperscope/kvm';
import {createApp} from './app.js';
import type {KvmHost} from './kvm-host.js';
import {DEFAULT_LIMITS} from './limits.js';
import type {ServerLimits} from './limits.js';
import type {KvmSocketApi} from './session-socket.js';

const PRESENT: KvmAvailability = {
  available: true,
  fingerprint: {flavour: 'kvm_test', kernel: '6', vendor: 'V', apiVersion: 12, recordedOn: '2026-11-22', probes: {}},
};
const open: {readonly app: FastifyInstance; readonly sockets: WebSocket[]}[] = [];
afterEach(async () => {
  for (const {app, sockets} of open.splice(0)) {
    for (const socket of sockets) socket.terminate();
    await app.close();
  }
});

interface Server {
  readonly connect: (headers?: Readonly<Record<string, string>>) => WebSocket;
  /** A connection that is open, as the page sees it. */
  readonly page: () => Promise<Remote<KvmSocketApi>>;
  readonly app: FastifyInstance;
}

async function server(run: KvmHost['run'], limits: Partial<ServerLimits> = {}, token?: string): Promise<Server> {
  const app = await createApp({
    pageFolder: '/nowhere',
    version: '1',
    names: [],
    log: 'error',
    proxy: 'none',
    token,
    limits: {...DEFAULT_LIMITS, ...limits},
    kvm: {answer: () => PRESENT, run},
  });
  app.log.level = 'silent';
  const address = await app.listen({host: '127.0.0.1', port: 0});
  const sockets: WebSocket[] = [];
  open.push({app, sockets});
  const connect = (headers: Readonly<Record<string, string>> = {}): WebSocket => {
    const socket = new WebSocket(`${address.replace('http', 'ws')}/api/session`, {headers});
    socket.on('error', () => undefined); // a refused connection is told by its close or by unexpected-response
    sockets.push(socket);
    return socket;
  };
  return {
    app,
    connect,
    page: async () => {
      const socket = connect();
      await new Promise(resolve => socket.once('open', resolve));
      return wrap<KvmSocketApi>(endpointOf(socket));
    },
  };
}

function endpointOf(socket: WebSocket): Endpoint {
  const heard = new Map<unknown, (data: Buffer) => void>();
  return {
    postMessage: message => {
      socket.send(encodeFrame(message));
    },
    addEventListener: (_type, listener) => {
      const hear = (data: Buffer): void => {
        const event = new MessageEvent('message', {data: decodeFrame(data)});
        if (typeof listener === 'function') listener(event);
        else listener.handleEvent(event);
      };
      heard.set(listener, hear);
      socket.on('message', hear);
    },
    removeEventListener: (_type, listener) => {
      const hear = heard.get(listener);
      if (hear !== undefined) socket.off('message', hear);
    },
  };
}

/** How a connection ended: the close code, or the status of the refused upgrade. */
const ending = (socket: WebSocket): Promise<number> =>
  new Promise(resolve => {
    socket.once('close', code => {
      resolve(code);
    });
    socket.once('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
    });
  });

describe('a page', () => {
  test('runs a guest and gets its record; how the run stands is told when it changes', async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>(resolve => (go = resolve));
    const {page} = await server(async (_program, _signal, onProgress) => {
      onProgress?.({exits: 7});
      await gate;
      return Uint8Array.of(1, 2, 3);
    });
    const remote = await page();
    const run = remote.run({guest: 'hello-kvm'});
    await expect.poll(() => remote.progress()).toEqual({kind: 'running', exits: 7});
    const next = remote.progress();
    go();
    expect(await next).toBeUndefined();
    expect(await run).toEqual({ok: true, value: Uint8Array.of(1, 2, 3)});
  });

  test('runs an edited program in the machine of the original', async () => {
    const asked: unknown[] = [];
    const {page} = await server(async ({image, program, loadAddress}) => {
      asked.push([image.memoryBytes, image.irqchip, image.registers.RIP, [...program], loadAddress]);
      return Uint8Array.of();
    });
    const request = {image: Uint8Array.of(0xeb, 0xfe), at: 0x7c00, mode: 'real', memory: 1, irqchip: 'kernel'};
    expect(await (await page()).run(request)).toMatchObject({ok: true});
    expect(asked).toEqual([[1 << 20, 'kernel', 0x7c00n, [0xeb, 0xfe], 0x7c00]]);
  });

  test('waits in the line with its place in sight, and can leave it', async () => {
    let go: () => void = () => undefined;
    const {page} = await server(() => new Promise(resolve => (go = () => resolve(Uint8Array.of()))));
    const [first, second] = [await page(), await page()];
    const running = first.run({guest: 'popf'});
    expect(await first.progress()).toMatchObject({kind: 'running'});
    const waiting = second.run({guest: 'popf'});
    expect(await second.progress()).toEqual({kind: 'waiting', place: 1});
    await second.cancel();
    expect(await waiting).toMatchObject({ok: false, code: 'cancelled'});
    go();
    expect(await running).toMatchObject({ok: true});
  });

  test('cancels its run; closing the connection does the same', async () => {
    const aborted: boolean[] = [];
    const {page, connect} = await server(
      (_program, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(true);
            reject(new UserError('cancelled', 'The run was cancelled.'));
          });
        }),
    );
    const remote = await page();
    const run = remote.run({guest: 'popf'});
    await remote.progress();
    await remote.cancel();
    expect(await run).toMatchObject({ok: false, code: 'cancelled'});
    const socket = connect();
    await new Promise(resolve => socket.once('open', resolve));
    const other = wrap<KvmSocketApi>(endpointOf(socket));
    void other.run({guest: 'popf'});
    await other.progress();
    socket.terminate();
    await expect.poll(() => aborted.length).toBe(2);
  });

  test.each([
    ['a guest that is none', {guest: 'x'}, 'unknown-guest'],
    ['nothing', null, 'bad-request'],
    ['an image that is too large', {image: new Uint8Array(65)}, 'too-large'],
    ['an address that is none', {image: Uint8Array.of(0xf4), at: -1}, 'bad-request'],
    ['more memory than there is to have', {image: Uint8Array.of(0xf4), memory: 17}, 'too-large'],
    ['interrupt controllers somewhere else', {image: Uint8Array.of(0xf4), irqchip: 'user'}, 'bad-request'],
    ['a word that means nothing', {image: Uint8Array.of(0xf4), registers: {}}, 'bad-request'],
  ])('learns in words why %s is refused', async (_what, request, code) => {
    const {page} = await server(async () => Uint8Array.of(), {image: 64});
    expect(await (await page()).run(request)).toMatchObject({ok: false, code});
  });

  test('does not learn of our own mistakes', async () => {
    const {page} = await server(() => Promise.reject(new TypeError('secret /path')));
    const answer = await (await page()).run({guest: 'popf'});
    expect(answer).toMatchObject({ok: false, code: 'internal-error'});
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  test('that starts more runs than its rate allows is told to wait', async () => {
    const {page} = await server(async () => Uint8Array.of(), {rate: 2});
    const remote = await page();
    for (let run = 0; run < 2; run++) expect(await remote.run({guest: 'popf'})).toMatchObject({ok: true});
    expect(await remote.run({guest: 'popf'})).toMatchObject({ok: false, code: 'too-many-runs'});
  });
});

describe('a hostile peer', () => {
  const call = (path: readonly string[], type = 'APPLY'): Uint8Array =>
    encodeFrame({id: '1', type, path, argumentList: [{type: 'RAW', value: 'return process'}]});

  test.each([
    ['that walks to the Function constructor', call(['run', 'constructor'])],
    ['that constructs', call(['run'], 'CONSTRUCT')],
    ['that reads a property', encodeFrame({id: '1', type: 'GET', path: ['run']})],
    ['that sets a property', encodeFrame({id: '1', type: 'SET', path: ['run'], value: {type: 'RAW', value: 1}})],
    ['that names another method', call(['__proto__'])],
    [
      'that sends a transfer handler',
      encodeFrame({id: '1', type: 'APPLY', path: ['run'], argumentList: [{type: 'HANDLER', name: 'throw', value: {}}]}),
    ],
    ['that sends noise', Uint8Array.of(9, 9, 9, 9, 9)],
    ['that sends text', 'hello'],
  ])('%s is disconnected', async (_what, message) => {
    let ran = 0;
    const {connect} = await server(async () => (ran++, Uint8Array.of()));
    const socket = connect();
    socket.once('open', () => {
      socket.send(message);
    });
    expect([await ending(socket), ran]).toEqual([1008, 0]);
  });

  test('that floods is disconnected, and so is one with a message that is too large', async () => {
    const {connect} = await server(async () => Uint8Array.of(), {image: 1000});
    const flood = connect();
    flood.once('open', () => {
      for (let i = 0; i < 200; i++)
        flood.send(encodeFrame({id: String(i), type: 'APPLY', path: ['cancel'], argumentList: []}));
    });
    expect(await ending(flood)).toBe(1008);
    const large = connect();
    large.once('open', () => {
      large.send(new Uint8Array(10_000));
    });
    expect(await ending(large)).toBe(1009);
  });

  test('from another site, or without the token, gets no connection', async () => {
    const {connect} = await server(async () => Uint8Array.of(), {}, 'secret-token');
    expect(await ending(connect({origin: 'http://evil.example'}))).toBe(403);
    expect(await ending(connect())).toBe(401);
    const own = connect({cookie: 'hyperscope-token=secret-token'});
    await new Promise(resolve => own.once('open', resolve));
  });

  test('with too many connections gets no more of them', async () => {
    const {connect} = await server(async () => Uint8Array.of(), {connectionsPerClient: 2});
    const both = [connect(), connect()];
    await Promise.all(both.map(socket => new Promise(resolve => socket.once('open', resolve))));
    expect(await ending(connect())).toBe(503);
    both[0]?.terminate();
    await expect
      .poll(async () => {
        const again = connect();
        return Promise.race([ending(again), new Promise(resolve => again.once('open', () => resolve('open')))]);
      })
      .toBe('open');
  });
});
