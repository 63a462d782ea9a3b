// A SessionClient over the scripted run: the same questions and answers as the real one, for stories and tests.

import {CELLS} from '@hyperscope/isa';
import type {
  Actor,
  ExitRow,
  Granularity,
  Moment,
  RecordHeader,
  SessionClient,
  Step,
  TimelineWindow,
  TraceEvent,
} from '@hyperscope/trace';
import {SAMPLE_CODE, SAMPLE_STEPS, type SampleStep} from './sample-steps.js';

/** The rows of a timeline. Not taken from actors.ts, which needs a document: a session lives in a worker. */
const ROWS: readonly Actor[] = ['guest-user', 'guest-kernel', 'hypervisor', 'vmm', 'device'];

export const SAMPLE_HEADER: RecordHeader = {
  format: 'hyperscope-record',
  version: 1,
  engine: 'simulated',
  technique: 'vtx-ept',
  guest: {id: 'sample', title: 'A scripted sample', sha256: '0'.repeat(64), loadAddress: 0x8000, bytes: 16},
  machine: {profile: 'sample', costModel: 'sample', memoryBytes: 1 << 20},
  host: undefined,
  cells: CELLS,
  banks: [{name: 'registers', size: CELLS.length * 8}],
};

const START: Readonly<Record<string, bigint>> = {
  RIP: 0x5_6000n,
  RFLAGS: 0x2n,
  RSP: 0x7ff0n,
  CR0: 0x8005_0033n,
  CR3: 0x1000n,
  CR4: 0x20n,
  EFER: 0x500n,
  VMX_OPERATION: 1n,
  'CS.selector': 8n,
  'SS.selector': 16n,
};

/** The page walk that the sample shows: four levels under a four-level EPT. */
export const SAMPLE_WALK: Extract<TraceEvent, {kind: 'page-walk'}> = {
  kind: 'page-walk',
  linear: 0x8000n,
  access: 'execute',
  outcome: 'mapped',
  references: [4, 3, 2, 1, 0].flatMap(guestLevel => [
    ...[4, 3, 2, 1].map(level => ({
      table: 'ept' as const,
      level,
      address: 0x7f_0000 + level * 0x1000 + guestLevel * 8,
      entry: 0x7f_0007n + BigInt(level) * 0x1000n,
    })),
    ...(guestLevel === 0
      ? []
      : [
          {
            table: 'guest' as const,
            level: guestLevel,
            address: 0x1000 + (4 - guestLevel) * 0x1000,
            entry: 0x2003n + BigInt(4 - guestLevel) * 0x1000n,
          },
        ]),
  ]),
};

export class SampleSession implements SessionClient {
  readonly #states: BigUint64Array[] = [];
  readonly #cycles: number[] = [0];
  #index = 0;

  constructor() {
    const first = new BigUint64Array(CELLS.length);
    this.#assign(first, START);
    this.#states.push(first);
    for (const step of SAMPLE_STEPS) this.#append(step);
  }

  #assign(bank: BigUint64Array, values: Readonly<Record<string, bigint>>): void {
    for (const [name, value] of Object.entries(values)) {
      const at = CELLS.findIndex(cell => cell === name);
      if (at >= 0) bank[at] = value;
    }
  }

  #append(step: SampleStep): void {
    const bank = (this.#states.at(-1) ?? new BigUint64Array(CELLS.length)).slice();
    const cycle = (this.#cycles.at(-1) ?? 0) + step.cost;
    this.#assign(bank, {...step.set, CYCLES: BigInt(cycle)});
    this.#states.push(bank);
    this.#cycles.push(cycle);
  }

  #step(index: number): Step | undefined {
    const step = SAMPLE_STEPS[index];
    return step === undefined
      ? undefined
      : {index, who: step.who, kind: step.kind, rip: step.rip, length: step.length, cycle: this.#cycles[index] ?? 0};
  }

  moment(): Moment {
    const index = this.#index;
    const registers = this.#states[index] ?? new BigUint64Array();
    const last = SAMPLE_STEPS[index - 1];
    const next = SAMPLE_STEPS[index];
    const operation =
      (['none', 'root', 'non-root'] as const)[Number(registers[CELLS.indexOf('VMX_OPERATION')] ?? 0n)] ?? 'none';
    const exit = last?.events.some(event => event.kind === 'vm-exit') ?? false;
    return {
      index,
      start: 0,
      length: SAMPLE_STEPS.length,
      finished: true,
      outcome: 'The guest halted with interrupts off.',
      header: SAMPLE_HEADER,
      last: this.#step(index - 1),
      next: this.#step(index),
      who: next?.who ?? 'vmm',
      operation,
      cpl: 0,
      mode: '64-bit',
      registers,
      previousRegisters: this.#states[Math.max(0, index - 1)] ?? registers,
      events: last?.events ?? [],
      why: last?.why ?? {
        title: 'Before the first step',
        sentences: ['QEMU has loaded the guest and is about to call ioctl(KVM_RUN).'],
        checks: [],
        sources: [],
        otherwise: undefined,
      },
      code: SAMPLE_CODE,
      serial: SAMPLE_STEPS.slice(0, index)
        .map(step => step.serial)
        .join(''),
      strip: [
        {label: 'CR3 (real)', value: '0x0'},
        {label: 'guest CR3', value: '0x1000'},
        {label: 'EPTP', value: '0x7f01e'},
        {label: 'current VMCS', value: '0x7e000 · launched'},
      ],
      vmcs: [
        {
          area: 'Exit information',
          name: 'EXIT_REASON',
          value: exit ? '30 I/O instruction' : '0',
          changed: exit,
          meaning: 'why the guest left',
        },
        {area: 'Guest state', name: 'GUEST_RIP', value: '0x8007', changed: exit, meaning: 'where the guest goes on'},
        {area: 'Controls', name: 'EPT_POINTER', value: '0x7f01e', changed: false, meaning: 'root of the EPT tables'},
      ],
      vector: [],
      walk: SAMPLE_WALK,
    };
  }

  seek(index: number): Moment {
    this.#index = Math.min(Math.max(0, index), SAMPLE_STEPS.length);
    return this.moment();
  }

  step(direction: 'forward' | 'back', granularity: Granularity): Moment {
    const by = direction === 'forward' ? 1 : -1;
    for (let at = this.#index + by; at >= 0 && at <= SAMPLE_STEPS.length; at += by) {
      const events = SAMPLE_STEPS[at - 1]?.events ?? [];
      const wanted =
        granularity === 'exit'
          ? events.some(event => event.kind === 'vm-exit')
          : granularity === 'event'
            ? events.length > 0
            : granularity === 'instruction';
      if (wanted || at === 0) return this.seek(at);
    }
    return this.seek(direction === 'forward' ? SAMPLE_STEPS.length : 0);
  }

  run(_steps: number): Moment {
    return this.moment();
  }

  stateAtCycle(cycle: number): number {
    return Math.max(
      0,
      this.#cycles.findLastIndex(start => start <= cycle),
    );
  }

  timeline(fromCycle: number, toCycle: number, columns: number): TimelineWindow {
    const cycles = new Float64Array(columns * ROWS.length);
    const width = (toCycle - fromCycle) / columns;
    SAMPLE_STEPS.forEach((step, at) => {
      const row = ROWS.indexOf(step.who);
      const start = this.#cycles[at] ?? 0;
      for (let column = 0; column < columns; column++) {
        const left = fromCycle + column * width;
        const overlap = Math.min(left + width, start + step.cost) - Math.max(left, start);
        if (overlap > 0) cycles[row * columns + column] = (cycles[row * columns + column] ?? 0) + overlap;
      }
    });
    const marks = SAMPLE_STEPS.flatMap((step, at) =>
      step.events
        .filter(event => ['vm-exit', 'vm-entry', 'kvm-exit'].includes(event.kind))
        .map(event => ({step: at, cycle: this.#cycles[at] ?? 0, kind: event.kind, label: step.why.title})),
    );
    return {
      fromCycle,
      toCycle,
      columns,
      cycles,
      marks: marks.filter(mark => mark.cycle >= fromCycle && mark.cycle <= toCycle),
    };
  }

  exits(): readonly ExitRow[] {
    return [
      {
        reason: 'I/O instruction',
        count: 2,
        instruction: 'out dx, al',
        sentence: 'bit 0x3f8 of the I/O bitmap is set',
        steps: [4, 11],
      },
      {reason: 'CPUID', count: 1, instruction: 'cpuid', sentence: 'CPUID always exits', steps: [18]},
      {reason: 'HLT', count: 1, instruction: 'hlt', sentence: 'HLT exiting is 1', steps: [21]},
    ];
  }

  memory(): Uint8Array | undefined {
    return undefined;
  }

  lastWriter(): number | undefined {
    return undefined;
  }
}
