// Measures this machine's KVM, exit by exit. Times are the host's: from before KVM_RUN to behind it.

import {readFileSync} from 'node:fs';
import {performance} from 'node:perf_hooks';
import {gpa} from '@hyperscope/base';
import type {HostFingerprint} from '../fingerprint.js';
import {KvmVirtualMachine} from '../kvm-virtual-machine.js';
import {PLACES, startState} from '../start-states.js';
import {OPERATIONS} from './operations.js';
import type {Operation} from './operations.js';
import {summarize} from './summary.js';
import type {Summary} from './summary.js';

export type Measurement = Pick<Operation, 'id' | 'title' | 'answeredBy'> &
  (
    | {
        readonly kind: 'measured';
        readonly time: Summary;
        /** The median in cycles of the time-stamp counter. */ readonly cycles: number;
      }
    | {readonly kind: 'not-measured'; readonly why: string}
  );

export interface MachineMeasurements {
  readonly operations: readonly Measurement[];
  /** Thousands of time-stamp cycles a second, as KVM_GET_TSC_KHZ says. */
  readonly tscKhz: number;
  /** A hypervisor below this kernel, which every exit may have to pass: CPUID.1:ECX[31]. */
  readonly outerHypervisor: boolean;
}

const MEMORY = 64 << 20;
const DEADLINE = 2000;
/** Operations between two exits, and how many such batches; returns of KVM_RUN, each a sample. */
const BATCH = 128;
const BATCHES = 60;
const RETURNS = 2000;
const WARM_UP = 20;
const FRESH_FROM = 0x100_0000;
const PAGE = 4096;

const hex32 = (value: number): string =>
  [0, 8, 16, 24].map(shift => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join('');

/** mov esi, BATCH; l: CODE; dec esi; jnz l; out 80h, al; jmp to the beginning. */
function batchLoop(code: string): string {
  const body = `${code}ffce`;
  const back = -(body.length / 2 + 2);
  const loop = `be${hex32(BATCH)}${body}75${(back & 0xff).toString(16).padStart(2, '0')}e680`;
  return `${loop}eb${(-(loop.length / 2 + 2) & 0xff).toString(16).padStart(2, '0')}`;
}

/** CODE; jmp to the beginning. */
const returnLoop = (code: string): string =>
  `${code}eb${(-(code.length / 2 + 2) & 0xff).toString(16).padStart(2, '0')}`;

class Bench {
  readonly machine: KvmVirtualMachine;

  constructor(code: string, {registers, irqchip}: Pick<Operation, 'registers' | 'irqchip'>) {
    this.machine = new KvmVirtualMachine({memoryBytes: MEMORY, deadline: DEADLINE, irqchip: irqchip ?? 'none'});
    const state = startState('long');
    const program = {gpa: gpa(PLACES.code), bytes: Uint8Array.from(Buffer.from(code, 'hex'))};
    this.machine.load({
      memoryBytes: MEMORY,
      segments: [...state.segments, program],
      registers: {...state.registers, RDI: BigInt(FRESH_FROM), ...registers},
    });
    // The host's own pages are there before the guest touches its own: what is timed is KVM, not the host's allocator.
    this.machine.memory.fill(1, FRESH_FROM, FRESH_FROM + PAGE * BATCH * (BATCHES + WARM_UP));
  }

  /** Nanoseconds of one KVM_RUN that must come back for `reasons`. */
  time(reasons: ReadonlySet<string>): number | undefined {
    const {vcpu} = this.machine;
    const start = performance.now();
    const exit = vcpu.run();
    const time = (performance.now() - start) * 1e6;
    return reasons.has(exit.reason) ? time : undefined;
  }
}

const IO: ReadonlySet<string> = new Set(['io']);
const ANSWERED: ReadonlySet<string> = new Set(['io', 'mmio', 'hlt']);

/** Times of `count` runs after a warm-up; undefined when the guest did something else. */
function times(code: string, operation: Operation, count: number, reasons: ReadonlySet<string>): number[] | undefined {
  const bench = new Bench(code, operation);
  try {
    const all = Array.from({length: WARM_UP + count}, () => bench.time(reasons));
    const measured = all.slice(WARM_UP).filter(time => time !== undefined);
    return measured.length === count && all.every(time => time !== undefined) ? measured : undefined;
  } finally {
    bench.machine.close();
  }
}

function samplesOf(operation: Operation): readonly number[] | undefined {
  if (operation.answeredBy === 'user-space') return times(returnLoop(operation.code), operation, RETURNS, ANSWERED);
  const batches = times(batchLoop(operation.code), operation, BATCHES, IO);
  const empty = times(batchLoop(''), {...operation, code: ''}, BATCHES, IO);
  if (batches === undefined || empty === undefined) return undefined;
  const own = summarize(empty).median;
  return batches.map(time => Math.max(0, time - own) / BATCH);
}

function measureOne(operation: Operation, host: Pick<HostFingerprint, 'probes'>, tscKhz: number): Measurement {
  const {id, title, answeredBy, unless} = operation;
  const answer = unless === undefined ? undefined : String(host.probes[unless.probe]);
  if (unless !== undefined && answer !== undefined && unless.answers.includes(answer))
    return {id, title, answeredBy, kind: 'not-measured', why: unless.why};
  const samples = samplesOf(operation);
  if (samples === undefined)
    return {id, title, answeredBy, kind: 'not-measured', why: 'this KVM did not answer it as expected'};
  const time = summarize(samples);
  return {id, title, answeredBy, kind: 'measured', time, cycles: Math.round((time.median * tscKhz) / 1e6)};
}

function tscKhzOfHost(): number {
  const machine = new KvmVirtualMachine({memoryBytes: PAGE * 16, deadline: DEADLINE});
  try {
    return machine.vcpu.native.getTscKhz();
  } finally {
    machine.close();
  }
}

/**
 * Measures every operation; takes a second or two. `onProgress` is told of each before it begins.
 * @throws UserError when there is no KVM.
 */
export function measureKvm(
  host: Pick<HostFingerprint, 'probes'>,
  onProgress: (operation: Operation, index: number, count: number) => void = () => undefined,
): MachineMeasurements {
  const tscKhz = tscKhzOfHost();
  const operations = OPERATIONS.map((operation, index) => {
    onProgress(operation, index, OPERATIONS.length);
    return measureOne(operation, host, tscKhz);
  });
  return {operations, tscKhz, outerHypervisor: hasHypervisorBit(readFileSync('/proc/cpuinfo', 'utf8'))};
}

/** Whether Linux saw CPUID.1:ECX[31], by the text of /proc/cpuinfo. */
export const hasHypervisorBit = (cpuinfo: string): boolean => /^flags\s*:.*\bhypervisor\b/m.test(cpuinfo);
