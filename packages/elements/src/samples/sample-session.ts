// A SessionClient over the scripted run: the same questions and answers as the real one, for stories and tests.

import {CELLS} from '@hyperscope/isa';
import type {
  Actor,
  ExitRow,
  Granularity,
  Inspection,
  InspectionRequest,
  Moment,
  RecordHeader,
  SessionClient,
  Step,
  TimelineWindow,
} from '@hyperscope/trace';
import {ROUTE_KINDS} from '@hyperscope/trace';
import {SAMPLE_INSPECTIONS} from './sample-inspections.js';
import {SAMPLE_WALK} from './sample-walk.js';
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

/** What a record gives: the last exit before a state, and what came after it of its route. */
function routeBefore(index: number): Moment['route'] {
  const all = SAMPLE_STEPS.slice(0, index).flatMap(({events}, step) =>
    ROUTE_KINDS.flatMap(kind => (events.some(event => event.kind === kind) ? [{step, kind}] : [])),
  );
  return all.slice(
    Math.max(
      0,
      all.findLastIndex(({kind}) => kind === 'vm-exit'),
    ),
  );
}

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
      route: routeBefore(index),
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
      counts: countsIn(marks, fromCycle, toCycle, columns),
      marked: marks.filter(mark => mark.cycle >= fromCycle && mark.cycle <= toCycle).length,
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
        steps: Float64Array.of(4, 11),
      },
      {reason: 'CPUID', count: 1, instruction: 'cpuid', sentence: 'CPUID always exits', steps: Float64Array.of(18)},
      {reason: 'HLT', count: 1, instruction: 'hlt', sentence: 'HLT exiting is 1', steps: Float64Array.of(21)},
    ];
  }

  memory(): Uint8Array | undefined {
    return undefined;
  }

  lastWriter(): number | undefined {
    return undefined;
  }

  /** Where an address cannot be read the answer says so; everything else is a sample. */
  async inspect(request: InspectionRequest): Promise<Inspection> {
    return Promise.resolve(this.#answer(request));
  }

  #answer(request: InspectionRequest): Inspection {
    const index = this.#index;
    const isEmpty = request.panel === 'kvm-run' && index === 0;
    if (isEmpty) return {panel: 'kvm-run', index, content: undefined, why: 'KVM_RUN has not returned yet.'};
    const answers: {readonly [P in InspectionRequest['panel']]: Extract<Inspection, {panel: P}>} = {
      memory: {panel: 'memory', index, content: SAMPLE_INSPECTIONS.memory},
      writer: {panel: 'writer', index, content: SAMPLE_INSPECTIONS.writer},
      walk: {panel: 'walk', index, content: SAMPLE_INSPECTIONS.walk},
      descriptors: {panel: 'descriptors', index, content: SAMPLE_INSPECTIONS.descriptors},
      tlb: {panel: 'tlb', index, content: SAMPLE_INSPECTIONS.tlb},
      fault: {panel: 'fault', index, content: SAMPLE_INSPECTIONS.fault},
      lookups: {panel: 'lookups', index, content: SAMPLE_INSPECTIONS.lookups},
      devices: {panel: 'devices', index, content: SAMPLE_INSPECTIONS.devices},
      'kvm-run': {panel: 'kvm-run', index, content: SAMPLE_INSPECTIONS['kvm-run']},
      statistics: {panel: 'statistics', index, content: SAMPLE_INSPECTIONS.statistics},
      vcpu: {panel: 'vcpu', index, content: SAMPLE_INSPECTIONS.vcpu},
      translation: {panel: 'translation', index, content: SAMPLE_INSPECTIONS.translation},
      'entry-checks': {panel: 'entry-checks', index, content: SAMPLE_INSPECTIONS['entry-checks']},
    };
    return answers[request.panel];
  }
}

/** Exits by column; the sample has no exceptions. */
function countsIn(
  marks: readonly {readonly cycle: number; readonly kind: string}[],
  fromCycle: number,
  toCycle: number,
  columns: number,
): Uint32Array {
  const counts = new Uint32Array(2 * columns);
  for (const {cycle, kind} of marks) {
    const column = Math.min(columns - 1, Math.floor(((cycle - fromCycle) * columns) / (toCycle - fromCycle)));
    if (kind === 'vm-exit' && cycle >= fromCycle && cycle <= toCycle) counts[column] = (counts[column] ?? 0) + 1;
  }
  return counts;
}
