import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {childKvmHost} from './kvm-child-host.js';
import type {KvmAnswer, KvmHost} from './kvm-host.js';
import {kvmRunRequest} from './kvm-program.js';

const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
afterAll(() => rmSync(folder, {recursive: true}));

const PRESENT: KvmAnswer = {
  available: true,
  fingerprint: {flavour: 'kvm_test', kernel: '6', vendor: 'V', apiVersion: 12, recordedOn: '2026-11-22', probes: {}},
};
let count = 0;

/** A host whose child answers a probe with `answer` and does `onRun` for a run. */
function hostWith(onRun: string, answer: KvmAnswer = PRESENT): KvmHost {
  const path = join(folder, `child-${count++}.mjs`);
  writeFileSync(
    path,
    `process.once('message', request => {
      if (request.kind === 'probe') process.send({kind: 'probed', answer: ${JSON.stringify(answer)}}, () => process.disconnect());
      else { ${onRun} }
    });`,
  );
  return childKvmHost(path);
}

const never = new AbortController().signal;
const run = (host: KvmHost, milliseconds = 1000, signal = never) =>
  host.run(
    {...kvmRunRequest({kind: 'shipped', id: 'popf'}, 'exits'), limits: {exits: 1, steps: 1, milliseconds}},
    signal,
  );

describe('a child that', () => {
  test('answers gives its bytes', async () => {
    const host = hostWith(
      `process.send({kind: 'recorded', recording: {file: new Uint8Array([1, 2])}}, () => process.disconnect());`,
    );
    expect([...(await run(host)).file]).toEqual([1, 2]);
  });

  test('refuses passes on its code and sentence', async () => {
    const host = hostWith(
      `process.send({kind: 'refused', code: 'unknown-guest', message: 'No such guest.'}, () => process.disconnect());`,
    );
    await expect(run(host)).rejects.toMatchObject({code: 'unknown-guest', message: 'No such guest.'});
  });

  test('crashes is a failure that shows what it said', async () => {
    const host = hostWith(`console.error('the reason'); process.exit(3);`);
    await expect(run(host)).rejects.toMatchObject({
      code: 'kvm-failure',
      message: expect.stringMatching(/status 3.*the reason/),
    });
  });

  test('hangs, even deaf to signals, is killed after its time', async () => {
    const host = hostWith(`process.on('SIGTERM', () => {}); for (;;);`);
    await host.answer();
    await expect(run(host, -4500)).rejects.toMatchObject({code: 'time-limit'});
  });

  test('is waited for by nobody is killed', async () => {
    const gone = new AbortController();
    const host = hostWith(`for (;;);`);
    await host.answer();
    setTimeout(() => gone.abort(), 50);
    await expect(run(host, 1000, gone.signal)).rejects.toMatchObject({code: 'cancelled'});
  });

  test('talks nonsense is a failure', async () => {
    await expect(run(hostWith(`process.send('hello');`))).rejects.toMatchObject({code: 'kvm-failure'});
  });
});

test('where there is no KVM nothing is run, and the reason is passed on', async () => {
  const host = hostWith('process.exit(1);', {available: false, code: 'ENOENT', message: 'There is no /dev/kvm.'});
  await expect(run(host)).rejects.toMatchObject({code: 'ENOENT'});
});

test('the device is probed once for many questions', async () => {
  const host = hostWith('');
  const [first, second] = await Promise.all([host.answer(), host.answer()]);
  expect(first).toBe(second);
});
