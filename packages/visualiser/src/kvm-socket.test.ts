// The page's half of the conversation, with a socket whose other end is the test.

import {expect, test} from 'vitest';
import {decodeFrame, encodeFrame} from '@hyperscope/base';
import {runOverSocket, socketAddress, standingText} from './kvm-socket.js';
import type {RunSocket} from './kvm-socket.js';

type Answer = (call: string, id: string) => unknown;

/** As much of a WebSocket as the page uses; `answer` gives what comes back for a call, undefined for nothing yet. */
class FakeSocket extends EventTarget {
  binaryType: BinaryType = 'blob';
  closed = false;
  readonly calls: string[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer) {
    super();
    this.#answer = answer;
    queueMicrotask(() => this.dispatchEvent(new Event('open')));
  }
  send(frame: Parameters<RunSocket['send']>[0]): void {
    if (!(frame instanceof Uint8Array)) throw new TypeError('a page sends frames');
    const message: unknown = decodeFrame(frame);
    const {id, path} = Object.assign({id: '', path: ['']}, message);
    this.calls.push(path.join('.'));
    const value = this.#answer(path.join('.'), id);
    if (value !== undefined) this.reply(encodeFrame({id, type: 'RAW', value}));
  }
  reply(frame: Uint8Array): void {
    queueMicrotask(() => this.dispatchEvent(new MessageEvent('message', {data: frame.slice().buffer})));
  }
  close(): void {
    this.closed = true;
  }
}

/** A run against a fake server. */
async function run(answer: Answer, act: (socket: FakeSocket, abort: AbortController) => void = () => undefined) {
  const told: string[] = [];
  const abort = new AbortController();
  let socket = new FakeSocket(answer);
  const result = runOverSocket('ws://here/api/session', () => {
    socket = new FakeSocket(answer);
    act(socket, abort);
    return socket;
  })({guest: 'hello-kvm'}, standing => told.push(standing), abort.signal);
  return {result: await result, told, socket};
}

let server: FakeSocket;

test('gives the record, tells how the run stands on the way, and closes', async () => {
  const standings: unknown[] = [
    {kind: 'waiting', place: 2},
    {kind: 'waiting', place: 1},
    {kind: 'running', exits: 1200},
  ];
  let done: (() => void) | undefined;
  const {result, told, socket} = await run(
    (call, id) => {
      if (call !== 'run') {
        const next = standings.shift();
        if (next === undefined) done?.();
        return next;
      }
      done = () => server.reply(encodeFrame({id, type: 'RAW', value: {ok: true, value: Uint8Array.of(7)}}));
      return undefined;
    },
    each => (server = each),
  );
  expect(result).toEqual(Uint8Array.of(7));
  expect(told).toEqual([
    'Other runs are going on; this one is number 2 in the line.',
    'Another run is going on; this one is next.',
    'Running on real KVM: 1,200 exits so far…',
  ]);
  expect(socket.closed).toBe(true);
});

test.each([
  ['the server’s own sentence', {ok: false, code: 'busy', message: 'Try again.'}, 'Try again.'],
  ['a general one for nonsense', {ok: 'yes'}, 'cannot be reached'],
])('a refused run is told by %s', async (_what, value, why) => {
  const {result} = await run(call => (call === 'run' ? value : {kind: 'running', exits: 0}));
  expect(result).toMatchObject({why: expect.stringContaining(why)});
});

test('a connection that is lost, or a frame that no server sends, ends the run in words', async () => {
  const lost = await run(
    () => undefined,
    socket => setTimeout(() => socket.dispatchEvent(new Event('close')), 1),
  );
  expect(lost.result).toMatchObject({why: expect.stringContaining('still running')});
  const nonsense = await run(
    () => undefined,
    socket => {
      setTimeout(() => socket.reply(Uint8Array.of(1, 2)), 1);
      setTimeout(() => {
        if (socket.closed) socket.dispatchEvent(new Event('close'));
      }, 20);
    },
  );
  expect(nonsense.result).toMatchObject({why: expect.stringContaining('still running')});
});

test('a run is cancelled by closing the socket: the server ends it then', async () => {
  const {result, socket} = await run(
    () => undefined,
    (_socket, abort) => setTimeout(() => abort.abort(), 1),
  );
  expect([result, socket.closed]).toEqual([{why: 'The run was cancelled.'}, true]);
});

test('the socket is beside the page, in its scheme', () => {
  expect(socketAddress('http://localhost:8086/#v1/vtx-ept/popf/3')).toBe('ws://localhost:8086/api/session');
  expect(socketAddress('https://lab.example/course/?theme=dark')).toBe('wss://lab.example/course/api/session');
});

test('what is no standing has no words', () => {
  expect([undefined, null, {kind: 'waiting'}, {kind: 'dancing', place: 1}].map(standingText)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
