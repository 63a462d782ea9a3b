// With and without a server, with and without /dev/kvm, and when the server goes away in the middle.

import {expect, test} from 'vitest';
import type {RunOnServer} from './kvm-socket.js';
import {askKvm, realRun} from './real-kvm.js';

type Answers = Readonly<Record<string, () => Response>>;

/** A network of canned answers; an address that is not listed refuses the connection. */
function network(answers: Answers): typeof fetch {
  return input => {
    const answer = answers[String(input)];
    return answer === undefined ? Promise.reject(new TypeError('connection refused')) : Promise.resolve(answer());
  };
}

const json =
  (value: unknown, status = 200) =>
  (): Response =>
    Response.json(value, {status});
const bytes = (text: string) => (): Response =>
  new Response(new TextEncoder().encode(text), {headers: {'content-type': 'application/octet-stream'}});
const page = (): Response => new Response('<!doctype html>', {headers: {'content-type': 'text/html'}});
const LIVE = {available: true, fingerprint: {flavour: 'kvm_intel', kernel: '6.1'}};
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

test('a server with /dev/kvm is live', async () => {
  expect(await askKvm(network({'./api/kvm': json(LIVE)}))).toEqual({kind: 'live', flavour: 'kvm_intel', kernel: '6.1'});
});

test('a server without it gives its own reason', async () => {
  const answer = await askKvm(
    network({'./api/kvm': json({available: false, code: 'EACCES', message: 'Add yourself to the kvm group.'})}),
  );
  expect(answer).toEqual({kind: 'recording', why: 'Add yourself to the kvm group.'});
});

test.each([
  ['no server', {}],
  ['a static host that gives its page for everything', {'./api/kvm': page}],
  ['a static host that says 404', {'./api/kvm': json({}, 404)}],
  ['nonsense', {'./api/kvm': json([1])}],
] as const)('with %s there is the recording', async (_name, answers: Answers) => {
  expect((await askKvm(network(answers))).kind).toBe('recording');
});

/** Parts for a run whose server does `run`. */
const parts = (fetch: typeof globalThis.fetch, runOnServer: RunOnServer) => ({
  fetch,
  runOnServer,
  tell: () => undefined,
  signal: new AbortController().signal,
});
const LIVE_HERE = {kind: 'live', flavour: 'kvm_intel', kernel: '6.1'} as const;
const KEPT = {'./recordings/hello-kvm.kvm.hsr': bytes('kept')};

test('a live run gives the server’s record', async () => {
  const run: RunOnServer = async program => new TextEncoder().encode(`live ${JSON.stringify(program)}`);
  const record = await realRun(parts(network({}), run), LIVE_HERE, {guest: 'hello-kvm'});
  expect(record.kind === 'record' ? [record.from, text(record.bytes)] : record).toEqual([
    'live',
    'live {"guest":"hello-kvm"}',
  ]);
});

test('when the run fails the recording takes its place, and the server’s sentence is kept', async () => {
  const run: RunOnServer = async () => ({why: 'Four runs are waiting already.'});
  expect(await realRun(parts(network(KEPT), run), LIVE_HERE, {guest: 'hello-kvm'})).toMatchObject({
    kind: 'record',
    from: 'recording',
    why: 'Four runs are waiting already.',
  });
});

test('without KVM the server is not asked to run anything', async () => {
  const run: RunOnServer = () => Promise.reject(new Error('asked'));
  const record = await realRun(parts(network(KEPT), run), {kind: 'recording', why: 'No KVM.'}, {guest: 'hello-kvm'});
  expect(record).toMatchObject({from: 'recording', why: 'No KVM.'});
});

test('a page instead of a recording is not taken for one', async () => {
  const run: RunOnServer = async () => ({why: 'unused'});
  const answers = {'./recordings/rings.kvm.hsr': page};
  const record = await realRun(parts(network(answers), run), {kind: 'recording', why: 'No server.'}, {guest: 'rings'});
  expect(record).toEqual({kind: 'nothing', why: 'No server. No recording of this guest ships with the lab either.'});
});

test('an edited program runs live, and no recording of the original is taken for it', async () => {
  const edited = {image: Uint8Array.of(0xf4), at: 0x8000, mode: 'long', memory: 2} as const;
  const given: unknown[] = [];
  const run: RunOnServer = async program => (given.push(program), Uint8Array.of(1));
  expect(await realRun(parts(network(KEPT), run), LIVE_HERE, edited)).toMatchObject({kind: 'record', from: 'live'});
  expect(given).toEqual([edited]);
  const without = await realRun(parts(network(KEPT), run), {kind: 'recording', why: 'No server.'}, edited);
  expect(without).toEqual({kind: 'nothing', why: expect.stringMatching(/^No server\. .*another one\.$/)});
});
