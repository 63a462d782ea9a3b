// The child process that runs guests. It is JavaScript, so packages/kvm must have been built (npx tsc -b packages/kvm).

import {gpa} from '@hyperscope/base';
import {readFileSync, readdirSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {skipKvmTests} from './skip-kvm-tests.js';
import type {KvmLimits} from './kvm-session.js';
import {runInChild} from './run-in-child.js';
import {runOnKvm} from './run-on-kvm.js';
import type {KvmObserver, KvmRunResult, RunOnKvmOptions} from './run-on-kvm.js';
import {PLACES, startState} from './start-states.js';

const LIMITS: KvmLimits = {milliseconds: 4000, exits: 5000, steps: 100_000};

function options(code: string, limits = LIMITS): RunOnKvmOptions {
  const state = startState('long');
  const bytes = Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex'));
  const image = {
    memoryBytes: 4 << 20,
    segments: [...state.segments, {gpa: gpa(PLACES.code), bytes}],
    registers: state.registers,
  };
  return {image, limits, ports: {exitPort: 0xf4, powerOffPort: undefined, capturePorts: [0xe9]}};
}
/** mov ecx, 600; mov edi, 200000h; l: mov [rdi], ecx; add rdi, 64; mov al, cl; out 0e9h, al; dec ecx; jnz l; hlt */
const WRITER = 'b958020000 bf00002000 890f 4883c740 88c8 e6e9 ffc9 75f2 f4';

/** All that an observer is told, as text. */
function journal(): {readonly lines: string[]; readonly observer: KvmObserver} {
  const lines: string[] = [];
  return {
    lines,
    observer: {
      begin: view => {
        lines.push(`begin ${view.registers.join()}`);
      },
      beforeStep: () => {
        lines.push('step');
      },
      willWrite: (bank, offset, length) => {
        lines.push(`${bank} ${offset} ${length}`);
      },
      exit: (step, view) => {
        lines.push(
          `${step.exit.reason} ${step.rip} ${view.registers.join()} ${Buffer.from(view.banks[1]?.bytes.subarray(0x20_0000, 0x20_0100) ?? []).toString('hex')}`,
        );
      },
    },
  };
}
const comparable = ({seconds: _seconds, statistics: _statistics, ...rest}: KvmRunResult): object => rest;

/** Our own children that run guests. */
function runners(): readonly number[] {
  const children = readdirSync('/proc/self/task').flatMap(task =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' '),
  );
  return children
    .filter(pid => pid.trim() !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('runner-process'))
    .map(Number);
}

async function crashRunner(): Promise<void> {
  await expect.poll(runners, {timeout: 3000}).toHaveLength(1);
  for (const pid of runners()) process.kill(pid, 'SIGSEGV');
}

describe.skipIf(skipKvmTests())('a guest in a child process', {timeout: 30_000}, () => {
  test('tells an observer exactly what a run in this process tells', async () => {
    const [local, remote] = [journal(), journal()];
    const here = runOnKvm({...options(WRITER), observer: local.observer});
    const there = await runInChild({...options(WRITER), observer: remote.observer});
    expect(here.outcome).toEqual({kind: 'halted'});
    expect(here.captured.get(0xe9)?.length).toBe(600);
    expect(remote.lines).toEqual(local.lines);
    expect(comparable(there)).toEqual(comparable(here));
  });

  test('leaves this thread free while the guest spins', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const result = await runInChild(options('ebfe', {...LIMITS, milliseconds: 300}));
    clearInterval(timer);
    expect([result.outcome, ticks > 10]).toEqual([{kind: 'limit', limit: 'milliseconds'}, true]);
  });

  test('is cancelled at once, in the middle of a run that would take long', async () => {
    const controller = new AbortController();
    const started = performance.now();
    setTimeout(() => {
      controller.abort();
    }, 100);
    await expect(
      runInChild({...options('ebfe', {...LIMITS, milliseconds: 60_000}), signal: controller.signal}),
    ).rejects.toMatchObject({code: 'cancelled'});
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test('is not started when it is cancelled before', async () =>
    await expect(runInChild({...options('f4'), signal: AbortSignal.abort()})).rejects.toMatchObject({
      code: 'cancelled',
    }));

  test('may crash: the caller gets an error that says so, and nothing else happens', async () => {
    const run = runInChild(options('ebfe', {...LIMITS, milliseconds: 20_000}));
    await Promise.all([
      expect(run).rejects.toMatchObject({code: 'kvm-child-died', message: expect.stringContaining('SIGSEGV')}),
      crashRunner(),
    ]);
  });

  test('passes on what the user can do', async () => {
    const bad = options('f4');
    await expect(runInChild({...bad, image: {...bad.image, memoryBytes: 100}})).rejects.toMatchObject({
      code: 'bad-memory-size',
    });
  });
});
