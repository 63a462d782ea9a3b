import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {UserError} from '@hyperscope/base';
import {createApp} from './app.js';
import type {KvmAvailability} from '@hyperscope/kvm';
import type {KvmHost} from './kvm-host.js';
import type {KvmProgram} from './kvm-program.js';
import {DEFAULT_LIMITS, withLimits} from './limits.js';

const LARGEST_IMAGE = DEFAULT_LIMITS.image;

const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
afterAll(() => rmSync(folder, {recursive: true}));
beforeAll(() => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><script>document.title</script><script src="/assets/a.js"></script>',
  );
  writeFileSync(join(folder, 'assets/a.js'), 'plain');
  writeFileSync(join(folder, 'assets/a.js.br'), 'brotli');
});

const PRESENT: KvmAvailability = {
  available: true,
  fingerprint: {flavour: 'kvm_test', kernel: '6', vendor: 'V', apiVersion: 12, recordedOn: '2026-11-22', probes: {}},
};
const ABSENT: KvmAvailability = {available: false, code: 'ENOENT', message: 'There is no /dev/kvm here.'};

const QUIET = {limits: DEFAULT_LIMITS, token: undefined, log: 'error', proxy: 'none'} as const;

/** A KVM that is `answer` and runs by `run`. */
const fakeKvm = (answer: KvmAvailability, run: KvmHost['run'] = async () => Uint8Array.of(1, 2, 3)): KvmHost => ({
  answer: () => answer,
  run,
});

const appWith = (kvm: KvmHost, pageFolder = folder) =>
  createApp({...QUIET, pageFolder, version: '1.2.3', kvm, names: ['lab.example']});
const RUN = {
  method: 'POST',
  url: '/api/kvm/run',
  headers: {host: 'localhost:1', 'content-type': 'application/json'},
} as const;

describe('the page', () => {
  test('is asked for again each time, and its hashed assets are kept for ever', async () => {
    const app = await appWith(fakeKvm(ABSENT));
    const page = await app.inject('/');
    expect(page.statusCode).toBe(200);
    expect(page.headers['cache-control']).toBe('no-cache');
    expect((await app.inject('/assets/a.js')).headers['cache-control']).toContain('immutable');
  });

  test('is served compressed to who understands it', async () => {
    const app = await appWith(fakeKvm(ABSENT));
    const asset = await app.inject({url: '/assets/a.js', headers: {'accept-encoding': 'br'}});
    expect([asset.headers['content-encoding'], asset.body]).toEqual(['br', 'brotli']);
    expect((await app.inject('/assets/a.js')).body).toBe('plain');
  });

  test('answers to paths that only it understands, but not to missing files or unknown questions', async () => {
    const app = await appWith(fakeKvm(ABSENT));
    expect((await app.inject('/lab/hello-kvm')).body).toContain('<!doctype html>');
    expect((await app.inject('/assets/missing.js')).statusCode).toBe(404);
    expect((await app.inject({url: '/api/nothing', headers: {host: 'localhost'}})).json()).toMatchObject({
      code: 'not-found',
    });
  });

  test('says what to do before it is built', async () => {
    const app = await appWith(fakeKvm(ABSENT), join(folder, 'nowhere'));
    const answer = await app.inject('/');
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'not-built']);
  });

  test('does not leave its folder', async () => {
    const app = await appWith(fakeKvm(ABSENT));
    const answer = await app.inject('/assets/..%2f..%2f..%2fetc%2fpasswd');
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
  });
});

describe('every answer', () => {
  test('isolates the page and allows only its own inline script', async () => {
    const app = await appWith(fakeKvm(ABSENT));
    const {headers} = await app.inject('/');
    expect(headers).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'x-content-type-options': 'nosniff',
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/script-src 'self' 'sha256-[A-Za-z0-9+/]{43}=';/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  });
});

describe('/healthz', () => {
  test('tells the version, and why there is no KVM', async () => {
    const app = await appWith(fakeKvm(ABSENT));
    expect((await app.inject('/healthz')).json()).toMatchObject({status: 'ok', version: '1.2.3', kvm: ABSENT});
  });
});

describe('GET /api/kvm', () => {
  test('gives the fingerprint of this machine', async () => {
    const app = await appWith(fakeKvm(PRESENT));
    const answer = await app.inject({url: '/api/kvm', headers: {host: '127.0.0.1:8080'}});
    expect(answer.json()).toMatchObject({available: true, fingerprint: {flavour: 'kvm_test'}, queue: 0});
  });
});

describe('POST /api/kvm/run', () => {
  test('answers with the record of a shipped guest', async () => {
    const asked: KvmProgram[] = [];
    const app = await appWith(fakeKvm(PRESENT, async program => (asked.push(program), Uint8Array.of(7, 8))));
    const answer = await app.inject({...RUN, payload: {guest: 'hello-kvm'}});
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    expect([...answer.rawPayload]).toEqual([7, 8]);
    expect(asked).toMatchObject([{id: 'hello-kvm', depth: 'exits'}]);
  });

  test('runs posted bytes where the query says', async () => {
    const asked: KvmProgram[] = [];
    const app = await appWith(fakeKvm(PRESENT, async program => (asked.push(program), Uint8Array.of())));
    const headers = {host: 'localhost', 'content-type': 'application/octet-stream'};
    const answer = await app.inject({
      method: 'POST',
      url: '/api/kvm/run?at=0x7c00&mode=real',
      headers,
      payload: Buffer.from([0xf4]),
    });
    expect(answer.statusCode).toBe(200);
    expect(asked).toMatchObject([{program: Buffer.from([0xf4]), loadAddress: 0x7c00}]);
  });

  test.each([
    ['no guest', {}, 'bad-request'],
    ['a guest that is no name', {guest: '../../etc/passwd'}, 'bad-request'],
    ['a field nobody knows', {guest: 'popf', as: 'root'}, 'bad-request'],
  ])('refuses %s', async (_what, payload, code) => {
    const app = await appWith(fakeKvm(PRESENT));
    const answer = await app.inject({...RUN, payload});
    expect([answer.statusCode, answer.json().code]).toEqual([400, code]);
  });

  test.each([
    ['an empty image', '', Buffer.alloc(0), 400],
    ['an address that is none', '?at=here', Buffer.from([0xf4]), 400],
    ['an image beyond memory', '?at=0xfffffff0', Buffer.from([0xf4]), 400],
    ['a mode that is none', '?mode=smm', Buffer.from([0xf4]), 400],
    ['an image that is too large', '', Buffer.alloc(LARGEST_IMAGE + 1), 413],
  ])('refuses %s', async (_what, query, payload, status) => {
    const app = await appWith(fakeKvm(PRESENT));
    const headers = {host: 'localhost', 'content-type': 'application/octet-stream'};
    expect((await app.inject({method: 'POST', url: `/api/kvm/run${query}`, headers, payload})).statusCode).toBe(status);
  });

  test('says that a guest does not exist', async () => {
    const answer = await (await appWith(fakeKvm(PRESENT))).inject({...RUN, payload: {guest: 'x'}});
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      {code: 'unknown-guest', message: 'There is no guest named x.'},
    ]);
  });

  test('passes on why KVM failed', async () => {
    const app = await appWith(fakeKvm(PRESENT, () => Promise.reject(new UserError('kvm-child-died', 'It ended.'))));
    const answer = await app.inject({...RUN, payload: {guest: 'popf'}});
    expect([answer.statusCode, answer.json()]).toEqual([502, {code: 'kvm-child-died', message: 'It ended.'}]);
  });

  test('says 503 and why where there is no KVM', async () => {
    const app = await appWith(fakeKvm(ABSENT));
    const answer = await app.inject({...RUN, payload: {guest: 'hello-kvm'}});
    expect([answer.statusCode, answer.json()]).toEqual([503, {code: 'ENOENT', message: ABSENT.message}]);
  });

  test('says 429 when too many wait, and later serves again', async () => {
    let finish: () => void = () => undefined;
    const gate = new Promise<void>(resolve => (finish = resolve));
    const kvm = fakeKvm(PRESENT, () => gate.then(() => Uint8Array.of(1)));
    const limits = withLimits(['perClient=6']);
    const app = await createApp({...QUIET, limits, pageFolder: folder, version: '1', kvm, names: []});
    const ask = () => app.inject({...RUN, payload: {guest: 'popf'}});
    const admitted = [ask(), ask(), ask(), ask(), ask()];
    await new Promise(resolve => setTimeout(resolve, 20));
    const refused = await ask();
    expect([refused.statusCode, refused.json().code, refused.headers['retry-after']]).toEqual([429, 'busy', '2']);
    finish();
    expect((await Promise.all(admitted)).map(answer => answer.statusCode)).toEqual([200, 200, 200, 200, 200]);
    expect((await ask()).statusCode).toBe(200);
  });

  test.each([
    ['another site', {origin: 'http://evil.example'}],
    ['a name that was pointed at this machine', {host: 'evil.example', origin: 'http://evil.example'}],
    ['a page of another site without an Origin', {'sec-fetch-site': 'cross-site'}],
  ])('refuses %s, and runs nothing', async (_who, headers) => {
    let ran = 0;
    const app = await appWith(fakeKvm(PRESENT, async () => (ran++, Uint8Array.of())));
    const answer = await app.inject({...RUN, headers: {...RUN.headers, ...headers}, payload: {guest: 'popf'}});
    expect([answer.statusCode, answer.json().code, ran]).toEqual([403, 'wrong-origin', 0]);
  });

  test('accepts our own page, under each of our names', async () => {
    const app = await appWith(fakeKvm(PRESENT));
    for (const host of ['localhost:8', '127.0.0.1:8', '[::1]:8', 'lab.example']) {
      const headers = {...RUN.headers, host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin'};
      expect((await app.inject({...RUN, headers, payload: {guest: 'popf'}})).statusCode, host).toBe(200);
    }
  });

  test('does not tell a client about our own mistakes', async () => {
    const app = await appWith(fakeKvm(PRESENT, () => Promise.reject(new TypeError('secret'))));
    app.log.level = 'silent';
    const answer = await app.inject({...RUN, payload: {guest: 'popf'}});
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
  });
});

describe('a server with a token', () => {
  const secured = () =>
    createApp({...QUIET, pageFolder: folder, version: '1', kvm: fakeKvm(PRESENT), names: [], token: 'the-secret'});
  const ask = {url: '/api/kvm', headers: {host: 'localhost'}} as const;

  test('answers who shows it, by cookie or as a bearer, and nobody else', async () => {
    const app = await secured();
    const status = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await app.inject({...ask, headers: {...ask.headers, ...headers}})).statusCode;
    expect(await status({})).toBe(401);
    expect(await status({cookie: 'hyperscope-token=the-secrex'})).toBe(401);
    expect(await status({authorization: 'Bearer the'})).toBe(401);
    expect(await status({cookie: 'a=b; hyperscope-token=the-secret'})).toBe(200);
    expect(await status({authorization: 'Bearer the-secret'})).toBe(200);
    expect((await app.inject({url: '/metrics', headers: ask.headers})).statusCode).toBe(401);
  });

  test('turns the address that was given out into a cookie, and keeps the rest of the address', async () => {
    const answer = await (await secured()).inject('/lab/popf?token=the-secret&theme=dark');
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/lab/popf?theme=dark']);
    expect(answer.headers['set-cookie']).toMatch(/^hyperscope-token=the-secret; HttpOnly; SameSite=Strict/);
    expect((await (await secured()).inject('/?token=wrong')).headers['set-cookie']).toBeUndefined();
  });

  test('shows the page and its health to anybody: they tell nothing', async () => {
    const app = await secured();
    expect((await app.inject('/')).statusCode).toBe(200);
    const health = await app.inject('/healthz');
    expect([health.statusCode, health.json().kvm]).toEqual([200, {available: true}]);
  });
});

describe('/metrics', () => {
  test('counts runs by their end, refusals by their code, and who waits', async () => {
    const app = await createApp({
      ...QUIET,
      limits: withLimits(['rate=1']),
      pageFolder: folder,
      version: '1',
      kvm: fakeKvm(PRESENT),
      names: [],
    });
    await app.inject({...RUN, payload: {guest: 'popf'}});
    expect((await app.inject({...RUN, payload: {guest: 'popf'}})).statusCode).toBe(429);
    const {body, headers} = await app.inject({url: '/metrics', headers: {host: 'localhost'}});
    expect(headers['content-type']).toContain('text/plain');
    expect(body).toContain('hyperscope_runs_total{outcome="done"} 1');
    expect(body).toContain('hyperscope_refusals_total{code="too-many-runs"} 1');
    expect(body).toContain('hyperscope_queue_length 0');
  });
});
