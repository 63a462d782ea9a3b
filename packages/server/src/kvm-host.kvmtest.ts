import {describe, expect, test} from 'vitest';
import {skipKvmTests} from '@hyperscope/kvm';
import {readRecord} from '@hyperscope/trace';
import {kvmOfThisMachine} from './kvm-host.js';
import {DEFAULT_LIMITS} from './limits.js';
import {postedProgram, shippedProgram} from './kvm-program.js';

const never = new AbortController().signal;
const SPIN = Uint8Array.of(0xeb, 0xfe); // jmp $

describe.skipIf(skipKvmTests())('the KVM of this machine', () => {
  const kvm = kvmOfThisMachine();

  test('says what it is', () => {
    expect(kvm.answer()).toMatchObject({available: true, fingerprint: {apiVersion: 12}});
  });

  test('runs a guest that ships and gives its record, labelled with the host', async () => {
    const record = await readRecord(await kvm.run(shippedProgram('hello-kvm', 'exits', DEFAULT_LIMITS), never));
    expect(record.header).toMatchObject({
      engine: 'kvm',
      technique: 'kvm',
      guest: {id: 'hello-kvm'},
      host: {apiVersion: 12},
    });
    expect([...record.steps()].every(step => step.kind === 'kvm-exit')).toBe(true);
    expect(record.outcome).toContain('halted');
  });

  test('runs posted bytes, one step an instruction where it can', async () => {
    const program = postedProgram(
      Uint8Array.of(0x90, 0x90, 0xf4),
      {at: 0x8000, mode: 'real'},
      'instructions',
      DEFAULT_LIMITS,
    );
    const record = await readRecord(await kvm.run(program, never));
    expect([...record.steps()].map(step => [step.kind, step.rip])).toEqual([
      ['kvm-step', 0x8000n],
      ['kvm-step', 0x8001n],
      ['kvm-exit', 0x8002n],
    ]);
  });

  test('stops a guest that never exits, and says so in the record', async () => {
    const program = {
      ...postedProgram(SPIN, {at: 0x8000, mode: 'long'}, 'exits', DEFAULT_LIMITS),
      limits: {exits: 10, steps: 10, milliseconds: 200},
    };
    expect((await readRecord(await kvm.run(program, never))).outcome).toContain('limit');
  });

  test('stops at once when nobody waits any more', async () => {
    const gone = new AbortController();
    setTimeout(() => gone.abort(), 100);
    await expect(
      kvm.run(postedProgram(SPIN, {at: 0x8000, mode: 'long'}, 'exits', DEFAULT_LIMITS), gone.signal),
    ).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});
