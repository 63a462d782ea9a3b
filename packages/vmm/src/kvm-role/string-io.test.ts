// INS and OUTS under KVM: how many exits they take, where their other side may lie, whose faults they raise.

import {describe, expect, test} from 'vitest';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {AnyEvent, FinishedRun} from '../testing/run-guest.js';
import {GUEST_RAM} from '../host/host-layout.js';
import type {HypervisorDefinition} from './hypervisor-run.js';
import {HypervisorRun} from './hypervisor-run.js';
import {svmNpt} from './svm/svm-techniques.js';
import {vtxEpt} from './vmx/vtx-ept.js';

const ofKind = <K extends AnyEvent['kind']>({events}: FinishedRun, kind: K): readonly Extract<AnyEvent, {kind: K}>[] =>
  events.filter((event): event is Extract<AnyEvent, {kind: K}> => event.kind === kind);
const told = (run: FinishedRun): readonly string[] =>
  ofKind(run, 'kvm-exit').map(({exit}) => {
    if (exit.reason === 'io') return `${exit.direction} ${exit.port.toString(16)} × ${exit.count}`;
    return exit.reason === 'mmio' ? `${exit.direction} ${exit.gpa.toString(16)}` : exit.reason;
  });
const ioExits = ({events}: FinishedRun): number =>
  events.filter(
    event =>
      event.kind === 'vm-exit' &&
      (event.exit.svm === undefined ? event.exit.reason === 30 : event.exit.reason === 0x7b),
  ).length;

describe.each<readonly [string, HypervisorDefinition]>([
  ['vtx-ept', vtxEpt({}, {irqchip: 'user'})],
  ['svm-npt', svmNpt({}, {irqchip: 'user'})],
])('on %s', (_id, definition) => {
  const start = (code: string, handlers: Readonly<Record<number, string>> = {}, disk?: Uint8Array): HypervisorRun => {
    const bytes = Object.fromEntries(Object.entries(handlers).map(([vector, source]) => [vector, listing(source)]));
    const image = startImage({title: '', mode: 'protected', code: listing(code), handlers: bytes, expect: {}});
    const disks = disk === undefined ? [] : [disk];
    return new HypervisorRun({image, ports: TEST_PORTS, profile: undefined, costModel: undefined, disks}, definition);
  };
  const at = (run: HypervisorRun, gpa: number, length: number): readonly number[] => [
    ...run.machine.memory.bytes.subarray(GUEST_RAM + gpa, GUEST_RAM + gpa + length),
  ];
  /** READ SECTORS of sector 1, and wait for DRQ. */
  const READ = `
    66 ba f2 01 b0 01 ee 42 b0 01 ee 42 b0 00 ee 42 ee 42 b0 e0 ee 42 b0 20 ee
    ec a8 08 74 fb`;
  const disk = (): Uint8Array => Uint8Array.from({length: 1024}, (_, index) => (index * 7 + (index >> 8)) & 0xff);
  const sector = [...disk().subarray(512)];

  test('REP INS is one exit for the buffer', () => {
    const run = start(`${READ} bf 00 00 01 00 b9 80 00 00 00 66 ba f0 01 f3 6d f4`, {}, disk()); // 80h × INSD to 10000h
    const finished = runToEnd(run);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(told(finished).slice(-2)).toEqual(['in 1f0 × 128', 'hlt']);
    expect([at(run, 0x1_0000, 512), run.guestRegisters().RCX, run.guestRegisters().RDI]).toEqual([
      sector,
      0n,
      0x1_0200n,
    ]);
  });

  test('… up to the end of the page, and backwards too', () => {
    const run = start(`${READ} bf f0 0f 01 00 b9 00 01 00 00 66 ba f0 01 f3 66 6d f4`, {}, disk()); // 100h × INSW to 10ff0h
    const finished = runToEnd(run);
    expect(told(finished).slice(-3)).toEqual(['in 1f0 × 8', 'in 1f0 × 248', 'hlt']);
    expect(at(run, 0x1_0ff0, 512)).toEqual(sector);
    const back = start(`${READ} fd bf 04 00 01 00 b9 04 00 00 00 66 ba f0 01 f3 66 6d f4`, {}, disk()); // std; from 10004h
    expect(told(runToEnd(back)).slice(-4)).toEqual(['in 1f0 × 2', 'in 1f0 × 1', 'in 1f0 × 1', 'hlt']);
    expect(at(back, 0xfffe, 8)).toEqual([
      ...sector.slice(6, 8),
      ...sector.slice(4, 6),
      ...sector.slice(2, 4),
      ...sector.slice(0, 2),
    ]);
  });

  test('REP OUTS is an exit for each element', () => {
    const run = start('c7 05 00 00 01 00 61 62 63 64 be 00 00 01 00 b9 04 00 00 00 66 ba 80 00 f3 6e f4');
    const finished = runToEnd(run);
    expect([ioExits(finished), told(finished)]).toEqual([4, [...Array(4).fill('out 80 × 1'), 'hlt']]);
    expect([...run.captured(0x80)]).toEqual([0x61, 0x62, 0x63, 0x64]);
    expect(run.guestRegisters()).toMatchObject({RCX: 0n, RSI: 0x1_0004n});
  });

  test('device memory is as good a place as RAM: INS into video memory, OUTS out of it', () => {
    // A sector's first 4 bytes into B8000h by REP INSB, each a write for user space; then the same out to port 80h.
    const run = start(
      `${READ} bf 00 80 0b 00 b9 02 00 00 00 66 ba f0 01 f3 66 6d
       be 00 80 0b 00 b9 04 00 00 00 66 ba 80 00 f3 6e f4`,
      {},
      disk(),
    );
    const finished = runToEnd(run);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(at(run, 0xb_8000, 4)).toEqual(sector.slice(0, 4));
    expect([...run.captured(0x80)]).toEqual(sector.slice(0, 4));
    const last = told(finished).slice(-12);
    expect(last.slice(0, 3)).toEqual(['in 1f0 × 2', 'write b8000', 'write b8002']);
    expect(last.slice(3)).toEqual([0, 1, 2, 3].flatMap(index => [`read b800${index}`, 'out 80 × 1']).concat(['hlt']));
  });

  test('a fault of the string’s own is the guest’s, before any port is touched', () => {
    // An empty data segment: xor eax, eax / mov ds, ax / outsb is #GP; mov es, ax / insb too
    for (const code of ['31 c0 8e d8 66 ba 80 00 6e f4', '31 c0 8e c0 66 ba 80 00 6c f4']) {
      const run = start(code, {13: 'e6 e9 f4'});
      const finished = runToEnd(run);
      expect([finished.outcome, told(finished)]).toEqual([{kind: 'halted'}, ['out e9 × 1', 'hlt']]);
      expect(run.captured(0x80)).toHaveLength(0);
    }
  });
});

test('an in-kernel device answers a whole REP OUTS without user space', () => {
  // REP OUTSB of ICW1 four times to port 20h
  const code = 'c7 05 00 00 01 00 11 11 11 11 be 00 00 01 00 b9 04 00 00 00 66 ba 20 00 f3 6e fa f4';
  const image = startImage({title: '', mode: 'protected', code: listing(code), expect: {}});
  const options = {image, ports: TEST_PORTS, profile: undefined, costModel: undefined};
  const finished = runToEnd(new HypervisorRun(options, vtxEpt({}, {irqchip: 'kernel'})));
  expect([finished.outcome, told(finished), ioExits(finished)]).toEqual([{kind: 'halted'}, [], 1]);
});
