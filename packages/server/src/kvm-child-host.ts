// This machine's KVM, asked through a child process for each question: docs/decisions/0004-kvm-in-a-child-process.md.

import {fork} from 'node:child_process';
import type {ChildProcess} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {UserError, assertExists} from '@hyperscope/base';
import {isChildReply} from './kvm-child-messages.js';
import type {ChildReply, ChildRequest} from './kvm-child-messages.js';
import type {KvmAnswer, KvmHost} from './kvm-host.js';

/** How much longer than its run a child may live: starting Node, loading the addon, writing the record. */
const GRACE_MS = 5_000;
const PROBE_MS = 10_000;
/** Why KVM is missing may change (a module is loaded, a permission given); what KVM is does not. */
const ASK_AGAIN_MS = 5_000;

/** The built child; also when this file runs from its sources, in tests. */
const CHILD = fileURLToPath(new URL('../dist/kvm-child.js', import.meta.url));

/** KVM in child processes of the program at `child`. */
export function childKvmHost(child: string = CHILD): KvmHost {
  let known: {readonly answer: Promise<KvmAnswer>; readonly until: number} | undefined;
  const answer = (): Promise<KvmAnswer> => {
    const now = performance.now();
    if (known !== undefined && now < known.until) return known.answer;
    const asked = probe(child);
    known = {answer: asked, until: Infinity};
    void asked.then(result => {
      known = {answer: asked, until: result.available ? Infinity : performance.now() + ASK_AGAIN_MS};
    });
    return asked;
  };
  return {
    answer,
    run: async (request, signal) => {
      const kvm = await answer();
      if (!kvm.available) throw new UserError(kvm.code, kvm.message);
      const options = {...request, host: kvm.fingerprint};
      const reply = await ask(child, {kind: 'run', options}, request.limits.milliseconds + GRACE_MS, signal);
      if (reply.kind === 'refused') throw new UserError(reply.code, reply.message);
      if (reply.kind === 'probed') throw new UserError('kvm-failure', 'The KVM process answered another question.');
      return reply.recording;
    },
  };
}

async function probe(child: string): Promise<KvmAnswer> {
  try {
    const reply = await ask(child, {kind: 'probe'}, PROBE_MS, new AbortController().signal);
    if (reply.kind === 'probed') return reply.answer;
    return {available: false, code: 'kvm-failure', message: 'The KVM process answered another question.'};
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {available: false, code: error.code, message: error.message};
  }
}

/** One question to one new process, which is killed when it takes too long or nobody waits any more. */
function ask(child: string, request: ChildRequest, milliseconds: number, signal: AbortSignal): Promise<ChildReply> {
  return new Promise((resolve, reject) => {
    const process_ = fork(child, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--max-old-space-size=1024'],
    });
    const said = collect(process_);
    const fail = (code: string, message: string): void => {
      process_.kill('SIGKILL');
      reject(new UserError(code, message));
    };
    const timer = setTimeout(
      () => fail('time-limit', `The run did not end within ${milliseconds / 1000} seconds.`),
      milliseconds,
    );
    const abandon = (): void => fail('cancelled', 'The run was cancelled.');
    signal.addEventListener('abort', abandon, {once: true});
    process_.once('message', message => {
      if (isChildReply(message)) resolve(message);
      else fail('kvm-failure', 'The KVM process said something that makes no sense.');
    });
    process_.once('error', error => fail('kvm-failure', `The KVM process cannot be started: ${error.message}.`));
    process_.once('close', (status, killedBy) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
      fail(
        'kvm-failure',
        `The KVM process ended without an answer (${killedBy ?? `status ${status}`}). ${said()}`.trim(),
      );
    });
    process_.send(request);
  });
}

/** The end of what a process says on standard error. */
function collect(process_: ChildProcess): () => string {
  let said = '';
  assertExists(process_.stderr, 'standard error is a pipe').on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-2000);
  });
  return () => said.trim();
}
