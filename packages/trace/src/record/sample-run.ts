// A small deterministic run for tests: a pretend machine that counts, writes memory and now and then has an event.

import type {RecordHeader} from '../record-format.js';
import {Recorder} from './recorder.js';

const SAMPLE_HEADER: RecordHeader = {
  format: 'hyperscope-record',
  version: 1,
  engine: 'simulated',
  technique: 'bare',
  guest: {id: 'sample', title: 'Sample', sha256: '00', loadAddress: 0, bytes: 0},
  machine: {profile: 'test', costModel: 'test', memoryBytes: 4096},
  host: undefined,
  cells: ['RAX', 'RIP', 'CYCLES'],
  banks: [
    {name: 'registers', size: 24},
    {name: 'memory', size: 4096},
  ],
};

export interface SampleRun {
  readonly recorder: Recorder;
  readonly banks: readonly {readonly name: string; readonly bytes: Uint8Array}[];
  /** Copies of the state before each step asked for. */
  readonly snapshots: ReadonlyMap<number, readonly Uint8Array[]>;
}

/** Records `steps` steps and keeps copies of the state at the given ones. */
export function sampleRun(steps: number, keep: readonly number[] = []): SampleRun {
  const banks = [
    {name: 'registers', bytes: new Uint8Array(24)},
    {name: 'memory', bytes: new Uint8Array(4096)},
  ];
  const registers = new BigUint64Array(banks[0]?.bytes.buffer ?? new ArrayBuffer(24));
  const memory = banks[1]?.bytes ?? new Uint8Array(0);
  memory.set([1, 2, 3], 100);
  const recorder = new Recorder(SAMPLE_HEADER, banks);
  const snapshots = new Map<number, readonly Uint8Array[]>();
  let random = 12345;
  const keepNow = (index: number): void => {
    if (keep.includes(index))
      snapshots.set(
        index,
        banks.map(bank => bank.bytes.slice()),
      );
  };
  for (let i = 0; i < steps; i++) {
    keepNow(i);
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    recorder.beginStep();
    if (random % 3 === 0) {
      const offset = (random >>> 8) % 4000;
      recorder.willWrite('memory', offset, 8);
      for (let b = 0; b < 8; b++) memory[offset + b] = (random >>> (b % 4)) & 0xff;
    }
    if (i % 100 === 99) recorder.event({kind: 'halt'});
    registers[0] = BigInt(random) << 20n;
    registers[1] = BigInt(i + 1) * 3n;
    registers[2] = BigInt(i + 1) * 10n;
    recorder.endStep(
      {
        who: i % 5 === 0 ? 'hypervisor' : 'guest-kernel',
        kind: 'instruction',
        rip: BigInt(i) * 3n,
        length: 3,
        cycle: i * 10,
      },
      (i + 1) * 10,
    );
  }
  keepNow(steps);
  return {recorder, banks, snapshots};
}
