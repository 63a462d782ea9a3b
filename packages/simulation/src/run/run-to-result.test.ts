import {describe, expect, test} from 'vitest';
import {UserError} from '@hyperscope/base';
import {TECHNIQUES} from '@hyperscope/vmm';
import type {Technique} from '@hyperscope/vmm';
import {assertExists} from '@hyperscope/base';
import {GUESTS} from '@hyperscope/guests';
import {loadGuest} from '../images/guest-program.js';
import {loadRaw} from '../images/raw.js';
import {exitStatusOf} from './exit-status.js';
import {RESULT_OUTCOMES} from './run-result.js';
import {runToResult} from './run-to-result.js';
import type {FinishedRun, RunRequest} from './run-to-result.js';
import {parseSerialScript} from './serial-script.js';

/** A clock that moves one second at each look. */
const ticking = (): {now(): number} => {
  let now = 0;
  return {now: () => (now += 1000)};
};
const technique = (id: string): Technique =>
  assertExists(
    TECHNIQUES.find(one => one.id === id),
    id,
  );

function run(code: readonly number[], more: Partial<RunRequest> & {readonly on: string}): FinishedRun {
  const bytes = Uint8Array.from(code);
  const image = loadRaw(bytes, {
    name: 'code',
    memoryBytes: 2 ** 20,
    commandLine: '',
    modules: [],
    at: 0x1000,
    mode: 'real',
    set: {},
  });
  return runToResult({
    technique: technique(more.on),
    image,
    guest: {id: 'code', title: 'code', bytes},
    clock: ticking(),
    ...more,
  });
}

describe.each(['bare', 'vtx-ept'])('on %s', {timeout: 60_000}, on => {
  test('a guest that halts gives its registers, ports and memory', () => {
    // mov al, 0x5a; out 0x80, al; mov [0x2000], al; hlt
    const {result} = run([0xb0, 0x5a, 0xe6, 0x80, 0xa2, 0x00, 0x20, 0xf4], {
      on,
      dumpMemory: [{address: 0x1fff, length: 3}],
    });
    expect(result).toMatchObject({
      schema: 1,
      engine: 'simulated',
      technique: on,
      outcome: 'halted',
      debugExit: null,
      memory: {'0x1fff': '005a00'},
      ports: {'0x80': [0x5a]},
    });
    expect(result.registers['rax']).toBe('0x5a');
    expect(exitStatusOf(result.outcome)).toBe(0);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  test('the exit port ends the run with its value', () => {
    const {result} = run([0xb0, 0x07, 0xe6, 0xf4, 0xeb, 0xfe], {
      on,
      ports: {exitPort: 0xf4, powerOffPort: undefined, capturePorts: []},
    });
    expect(result).toMatchObject({outcome: 'debug-exit', debugExit: 15});
  });

  test('a guest that never ends meets its limits', () => {
    expect(run([0xeb, 0xfe], {on, maxInstructions: 5000}).result).toMatchObject({outcome: 'limit', instructions: 5000});
    expect(run([0xeb, 0xfe], {on, timeoutMilliseconds: 3000}).result).toMatchObject({outcome: 'limit'});
  });

  test('a triple fault comes with its chain', () => {
    // lidt [0x1006] (limit 0), then int3
    const {result} = run([0x0f, 0x01, 0x1e, 0x06, 0x10, 0xcc, 0, 0, 0, 0, 0, 0], {on});
    expect(result.outcome).toBe('triple-fault');
    expect(result.message).toMatch(/^Triple fault\./);
    expect(exitStatusOf(result.outcome)).toBe(3);
  });

  test('recording changes nothing of the result, and gives a record', () => {
    const guest = assertExists(
      GUESTS.find(one => one.id === 'hello-real'),
      'hello-real',
    );
    const image = loadGuest(guest);
    const request = {
      technique: technique(on),
      image,
      guest: {id: guest.id, title: guest.title, bytes: image.assembly.bytes},
    };
    const plain = runToResult({...request, clock: ticking()});
    const recorded = runToResult({...request, clock: ticking(), recording: 'on'});
    expect(recorded.result).toEqual(plain.result);
    expect(recorded.record?.length).toBeGreaterThan(100);
    expect(new TextDecoder().decode(plain.serial)).toBe(guest.expectedSerial);
  });

  test('text on the serial port can end the run', () => {
    const guest = assertExists(
      GUESTS.find(one => one.id === 'hello-real'),
      'hello-real',
    );
    const image = loadGuest(guest);
    const {result} = runToResult({
      technique: technique(on),
      image,
      guest: {id: '', title: '', bytes: new Uint8Array(0)},
      clock: ticking(),
      stopSerial: /real mode/,
    });
    expect(['halted', 'stop-serial']).toContain(result.outcome);
  });

  test('a script answers what the guest asks', () => {
    // out '?' to the UART, wait for data ready, read it, put it to port 0x80, halt
    const code = [
      0xba, 0xf8, 0x03, 0xb0, 0x3f, 0xee, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, 0xba, 0xf8, 0x03, 0xec, 0xe6,
      0x80, 0xf4,
    ];
    const {result} = run(code, {on, serialScript: parseSerialScript('wait "?"\nsend "Y"'), maxInstructions: 100_000});
    expect(result).toMatchObject({outcome: 'halted', ports: {'0x80': [0x59]}});
  });
});

test('every outcome has an exit status', () =>
  expect(RESULT_OUTCOMES.map(exitStatusOf)).toEqual([0, 0, 0, 0, 3, 4, 5, 6, 1]));

test('a serial script that is not understood names its line', () => {
  expect(() => parseSerialScript('wait "a"\nsay b')).toThrow(UserError);
  expect(() => parseSerialScript('wait "a"\nsay b')).toThrow(/Line 2/);
});
