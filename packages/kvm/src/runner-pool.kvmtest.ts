// The pool's processes, on the real device. They are JavaScript, so packages/kvm must have been built.

import {afterEach, describe, expect, test, vi} from 'vitest';
import {gpa} from '@hyperscope/base';
import {childrenOf} from './child-processes.js';
import {RunnerPool} from './runner-pool.js';
import type {RunOnKvmOptions} from './run-on-kvm.js';
import {skipKvmTests} from './skip-kvm-tests.js';
import {PLACES, startState} from './start-states.js';

const POOL = {idle: 2, uses: 3, idleMilliseconds: 60_000};

function options(code: string, milliseconds = 4000): RunOnKvmOptions {
  const state = startState('long');
  const segments = [...state.segments, {gpa: gpa(PLACES.code), bytes: Uint8Array.from(Buffer.from(code, 'hex'))}];
  return {
    image: {memoryBytes: 4 << 20, segments, registers: state.registers},
    limits: {milliseconds, exits: 100, steps: 100},
    ports: {exitPort: 0xf4, powerOffPort: undefined, capturePorts: [0xe9]},
  };
}
/** mov al, [9000h]; out 0e9h, al; mov byte [9000h], 55h; hlt: tells what it found in memory that nobody gave it. */
const SPY = '8a042500900000e6e9c604250090000055f4';

/** Process ids of our runners. */
const runners = (): readonly number[] =>
  childrenOf(process.pid)
    .filter(({command}) => command.includes('runner-process'))
    .map(({pid}) => pid);

describe.skipIf(skipKvmTests())('a pool of processes for guests', {timeout: 60_000}, () => {
  let pool = new RunnerPool(POOL);
  afterEach(async () => {
    pool.close();
    pool = new RunnerPool(POOL);
    await vi.waitUntil(() => runners().length === 0, {timeout: 5000});
  });

  test('uses a process again after a run in order, and not for ever', async () => {
    const seen: (readonly number[])[] = [];
    for (let run = 0; run < 4; run++) {
      expect((await pool.run(options('f4'))).outcome).toEqual({kind: 'halted'});
      if (run !== 2) seen.push(runners());
    }
    expect(seen[0]).toHaveLength(1);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toHaveLength(1);
    expect(seen[2]).not.toEqual(seen[0]); // the third run was the first one's last
  });

  test('a guest finds nothing of the one before it', async () => {
    for (let run = 0; run < 2; run++) {
      const {captured, outcome} = await pool.run(options(SPY));
      expect([outcome, [...(captured.get(0xe9) ?? [])]]).toEqual([{kind: 'halted'}, [0]]);
    }
  });

  test('a process whose guest had to be stopped is not used again', async () => {
    expect((await pool.run(options('ebfe', 100))).outcome).toMatchObject({kind: 'limit'});
    expect(pool.waiting).toBe(0);
  });

  test('a process that died while it waited is replaced', async () => {
    await pool.run(options('f4'));
    for (const pid of runners()) process.kill(Number(pid), 'SIGKILL');
    await expect.poll(() => pool.waiting).toBe(0);
    expect((await pool.run(options('f4'))).outcome).toEqual({kind: 'halted'});
  });

  test('only so many wait', async () => {
    await Promise.all([1, 2, 3].map(() => pool.run(options('f4'))));
    expect(pool.waiting).toBe(2);
  });
});
