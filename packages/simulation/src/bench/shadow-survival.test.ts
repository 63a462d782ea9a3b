// What the shadow of a deprivileged guest keeps when the guest goes from its kernel to a program and back: under 0/3/3 each half has a
// shadow of its own, and neither is emptied by leaving it.

import {expect, test} from 'vitest';
import {startBench, toItsEnd} from './bench.js';
import {requireGuest} from '../shipped.js';
import {WORKLOADS} from './workload-run.js';

const MARK_PORT = 0x80;
/** Pages that the program reads, and how it chooses the next: workloads.asm, `walks`. */
const VISITS = 2000;
const PAGES = 1024;

/** Hidden faults between the marks that the guest sets around its programs: the last stretch is the measured one. */
function hiddenFaults(workload: (typeof WORKLOADS)[number]['id']): readonly number[] {
  const guest = requireGuest('workloads');
  const program = WORKLOADS.find(({id}) => id === workload)?.program ?? 0;
  const run = startBench(guest, {
    technique: 'trap-and-emulate',
    profile: undefined,
    costModel: undefined,
    registers: {RDI: BigInt(program), RSI: 0n},
  });
  const between: number[] = [];
  let faults = 0;
  run.observe({
    ignoresWrites: true,
    willWrite: () => undefined,
    event: event => {
      if (event.kind !== 'port' || event.port !== MARK_PORT) return;
      between.push(faults);
      faults = 0;
    },
    hypervisorEvent: event => {
      if (event.kind === 'shadow-paging' && event.action === 'hidden-fault') faults++;
    },
  });
  toItsEnd(guest, 'trap-and-emulate', run, () => undefined);
  return between;
}

/** How many of the pages `walks` reads at all: its generator, run here. */
function pagesRead(): number {
  const seen = new Set<number>();
  let state = 1;
  for (let visit = 0; visit < VISITS; visit++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    seen.add((state >>> 16) & (PAGES - 1));
  }
  return seen.size;
}

test('each page is missing in the shadow once, at its first touch, and never again', () => {
  const [measured, warm] = hiddenFaults('walks').toReversed();
  expect(warm).toBe(pagesRead());
  expect(measured).toBe(0);
});

test('two hundred system calls, there and back, lose no entry of either half', () => {
  expect(hiddenFaults('calls').at(-1)).toBe(0);
});
