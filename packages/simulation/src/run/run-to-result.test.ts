import {describe, expect, test} from 'vitest';
import {UserError} from '@hyperscope/base';
import {TECHNIQUES} from '@hyperscope/vmm';
import type {Technique} from '@hyperscope/vmm';
import {assertExists} from '@hyperscope/base';
import {GUESTS} from '@hyperscope/guests';
import {loadRaw} from '../images/raw.js';
import {loadRom} from '../images/rom.js';
import {exitStatusOf} from './exit-status.js';
import {RESULT_OUTCOMES} from './run-result.js';
import {runToResult} from './run-to-result.js';
import type {FinishedRun, RunRequest} from './run-to-result.js';
import {parseSerialScript} from './serial-script.js';
import {loadGuest} from '../shipped.js';

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

describe.each(['bare', 'vtx-ept', 'vtx-shadow'])('on %s', {timeout: 60_000}, on => {
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
    expect(result.message).toMatch(
      /^Triple fault: .* The last instruction was at 0x1005: cc \(int3\)\. #GP .* could not be delivered: /,
    );
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
    const {result, serial} = runToResult({
      technique: technique(on),
      image,
      guest: {id: '', title: '', bytes: new Uint8Array(0)},
      clock: ticking(),
      stopSerial: /real mode/,
    });
    expect(result.outcome).toBe('stop-serial');
    expect(new TextDecoder().decode(serial)).toMatch(/real mode$/);
  });

  test('text that ends the run does so at its last byte, whatever would have come after it', () => {
    // mov dx, 0x3f8; mov al, 'K'; out dx, al; lidt [empty]; int3
    const code = [0xba, 0xf8, 0x03, 0xb0, 0x4b, 0xee, 0x0f, 0x01, 0x1e, 0x0d, 0x10, 0xcc, 0xf4, 0, 0, 0, 0, 0, 0];
    expect(run(code, {on}).result.outcome).toBe('triple-fault');
    expect(run(code, {on, stopSerial: /K/}).result).toMatchObject({outcome: 'stop-serial', instructions: 3});
  });

  test('only instructions that completed are counted, each iteration of REP as one', () => {
    // mov cx, 3; mov dx, 0x80; rep outsb; hlt
    const {result} = run([0xb9, 0x03, 0x00, 0xba, 0x80, 0x00, 0xf3, 0x6e, 0xf4], {on});
    expect(result).toMatchObject({outcome: 'halted', instructions: 6});
    // nop; fld1
    expect(run([0x90, 0xd9, 0xe8], {on}).result).toMatchObject({outcome: 'unsupported', instructions: 1});
  });

  test("the simulator's own counters are no registers of the guest", () => {
    const {registers} = run([0xf4], {on}).result;
    expect(Object.keys(registers)).toContain('rip');
    expect(Object.keys(registers)).not.toContain('instructions');
    expect(Object.keys(registers)).not.toContain('cycles');
  });

  test('a ROM can be dumped where it lies', () => {
    const rom = new Uint8Array(4096).fill(0x90);
    rom.set([0xf4], 4096 - 16);
    const image = loadRom(rom, {name: 'rom', memoryBytes: 2 ** 20, commandLine: '', modules: []});
    const {result} = run([0], {on, image, dumpMemory: [{address: 2 ** 32 - 16, length: 2}]});
    expect(result).toMatchObject({outcome: 'halted', memory: {'0xfffffff0': 'f490'}});
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

test('a state in which no processor starts is refused with the check that fails', () => {
  const image = loadRaw(Uint8Array.of(0xf4), {
    name: 'code',
    memoryBytes: 2 ** 20,
    commandLine: '',
    modules: [],
    at: 0x1000,
    mode: 'real',
    set: {CR4: 0xffff_ffffn},
  });
  expect(() => run([0], {on: 'vtx-ept', image})).toThrow(/No processor starts in this state: .*CR4/);
});
