// Everything that the panels show at one playhead position, gathered from the record and the state. Live sessions and
// players share it: they differ only in where the banks come from.

import {cellIndex, decode} from '@hyperscope/isa';
import type {Bank} from '@hyperscope/machine';
import {
  Playhead,
  codeAddress,
  codeSizeOf,
  exitRows,
  explainStart,
  explainStep,
  firstGuestStep,
  modeOf,
  textAt,
  textOfStep,
  timelineWindow,
  walkedRoute,
  isDeprivileged,
} from '@hyperscope/trace';
import type {
  Actor,
  ExitRow,
  Explanation,
  Moment,
  RecordHeader,
  RunRecord,
  Step,
  TimelineWindow,
  TraceEvent,
} from '@hyperscope/trace';
import {domainFacts} from '@hyperscope/vmm';
import type {TechniqueRun} from '@hyperscope/vmm';
import {codeWindow} from './code-window.js';
import {stepContext} from './step-facts.js';
import {ExecutionMap} from './execution-map.js';
import {KnownLines} from './known-lines.js';
import type {StateInspector} from './inspect/inspector.js';
import {machineBanks} from './machine-banks.js';
import {screenView} from './screen-view.js';
import {SerialText} from './serial-text.js';
import type {SourceMap} from './source-map.js';
import {StateView} from './state-view.js';
import {shadowPanel} from './shadow-panel.js';
import {strip} from './strip.js';
import {vectorPanel} from './vector-panel.js';
import {vmcbPanel} from './vmcb-panel.js';
import {VirtualMachines} from './virtual-machines.js';
import {vmcsPanel} from './vmcs-panel.js';

const CYCLES = cellIndex('CYCLES');
const RIP = cellIndex('RIP');
const USER_RING = 3;

export class MomentMaker {
  readonly record: RunRecord;
  readonly serial: SerialText;
  readonly #machines: VirtualMachines;
  readonly #executed: ExecutionMap;
  readonly #lines = new KnownLines();
  readonly #source: SourceMap | undefined;
  /** Looks at other moments (the one before, the step of an exit) without moving anybody else. Made when first needed. */
  #scout: Playhead | undefined;
  /** Fetched when the first panel is asked for. */
  #inspector: Promise<StateInspector> | undefined;
  readonly #texts = new Map<number, string>();
  readonly #again: (() => TechniqueRun) | undefined;
  #start: number | undefined;

  /** `again` starts the recorded run once more, for what only running tells; there is none for a file. */
  constructor(record: RunRecord, source: SourceMap | undefined, again?: () => TechniqueRun) {
    this.record = record;
    this.#again = again;
    this.serial = new SerialText(record);
    this.#machines = new VirtualMachines(record);
    this.#executed = new ExecutionMap(record);
    this.#source = source;
  }

  /** The moment at `index`, whose state `banks` hold. */
  moment(banks: readonly Bank[], index: number): Moment {
    const {record} = this;
    const state = new StateView(record.header, banks);
    const previous = index === 0 ? undefined : this.#stateAt(index - 1);
    const last = record.step(index - 1);
    const next = record.step(index) ?? (record.finished ? undefined : this.#nextStep(state, index));
    const events = last === undefined ? [] : record.eventsOf(last.index);
    const {who, operation, cpl} = this.#place(state, last, next);
    return {
      index,
      start: this.start ?? 0,
      length: record.length,
      finished: record.finished,
      outcome: record.outcome,
      header: record.header,
      last,
      next,
      who,
      operation,
      cpl,
      mode: modeOf(state.cells),
      registers: state.registers.slice(),
      previousRegisters: (previous ?? state).registers.slice(),
      events,
      route: walkedRoute(record.events, index),
      why: this.#why(last, events, state, previous),
      code: codeWindow(state, {
        executed: this.#executed,
        known: this.#lines,
        // The text that is edited and shown is the first virtual machine's.
        source: state.machine === 0 ? this.#source : undefined,
        vtx: record.header.engine === 'kvm' || record.header.technique.startsWith('vtx-'),
      }),
      serial: this.serial.before(index),
      virtualMachines: this.#machines.at(index, state.machine),
      screen: screenView(machineBanks(record.header, state.machine, banks), (address, length) =>
        state.guestMemory.readPhysical(address, length),
      ),
      strip: strip(state, record.header.engine),
      vmcs: [
        ...vmcsPanel(state.vmcs(), previous?.vmcsAddress === state.vmcsAddress ? previous?.vmcs() : undefined),
        ...vmcbPanel(state.vmcb(), previous?.vmcb()),
      ],
      vector: vectorPanel(state.vector, previous?.vector),
      walk: record.events.lastBefore('page-walk', index),
      shadow: shadowPanel(record, state, index),
    };
  }

  /** Who answers what the panels ask: one for the record. Rejects where it cannot be fetched, and may be asked again then. */
  async inspector(): Promise<StateInspector> {
    this.#inspector ??= this.#fetchInspector();
    return this.#inspector;
  }

  async #fetchInspector(): Promise<StateInspector> {
    try {
      const {StateInspector: Inspector} = await import('./inspect/inspector.js');
      return new Inspector(this.record, step => this.textOf(step), this.#again);
    } catch (error) {
      this.#inspector = undefined;
      throw error;
    }
  }

  /** Learns of what was recorded since the last moment, so that the next one is made as quickly as any. */
  keepUp(): void {
    this.#executed.keepUp();
    this.serial.keepUp();
  }

  timeline(fromCycle: number, toCycle: number, columns: number): TimelineWindow {
    return timelineWindow(this.record, fromCycle, toCycle, columns);
  }
  exits(): readonly ExitRow[] {
    return exitRows(this.record, step => this.textOf(step) || this.#textAtExit(step));
  }

  /**
   * The state right before the guest's first instruction that completes: 0 without a hypervisor, and where the record
   * belongs to real KVM. Undefined while none is recorded.
   */
  get start(): number | undefined {
    if (this.record.header.technique === 'bare' || this.record.header.engine === 'kvm') return 0;
    return (this.#start ??= firstGuestStep(this.record));
  }

  /** The instruction that the guest's RIP names when an exit came between two instructions: the next to run. */
  #textAtExit(step: number): string {
    const exit = this.record.eventsOf(step).find(event => event.kind === 'vm-exit');
    if (exit === undefined) return '';
    const state = this.#stateAt(step);
    return textAt(state.guestMemory, state.guestCells(), exit.exit.guestRip);
  }

  /** The text of a recorded step's instruction; '' for steps that are none. */
  textOf(step: number): string {
    const known = this.#texts.get(step);
    if (known !== undefined) return known;
    const text = textOfStep(this.#scoutHead(), step, head => this.#stateOf(head).guestCells());
    this.#texts.set(step, text);
    return text;
  }

  /** Where the processor is: a simulated one says so itself; of a real one we know that KVM_RUN came back to user space, or that it stepped. */
  #place(state: StateView, last: Step | undefined, next: Step | undefined): Pick<Moment, 'who' | 'operation' | 'cpl'> {
    const cpl = Number(state.cells('CPL') ?? 0n);
    if (this.record.header.engine === 'simulated')
      return {who: next?.who ?? last?.who ?? actorOf(state), operation: state.operation, cpl};
    return last?.kind === 'kvm-step'
      ? {who: last.who, operation: 'non-root', cpl}
      : {who: 'vmm', operation: 'root', cpl: USER_RING};
  }

  #why(
    last: Step | undefined,
    events: readonly TraceEvent[],
    state: StateView,
    previous: StateView | undefined,
  ): Explanation {
    const {record} = this;
    if (last === undefined || previous === undefined) {
      return explainStart(record.header.guest.title, virtualizedBy(record.header));
    }
    const context = stepContext({record, step: last, text: this.textOf(last.index), before: previous, after: state});
    return this.#machines.named(explainStep(last, events, context), last.index);
  }

  /** The step that the machine would make next: what its registers say. */
  #nextStep(state: StateView, index: number): Step {
    const rip = state.registers[RIP] ?? 0n;
    const who = actorOf(state);
    const isHost = who === 'hypervisor' || who === 'vmm';
    const cells = state.guestCells();
    const bytes = isHost ? undefined : state.guestMemory.readLinear(cells, codeAddress(cells, rip), 15);
    const decoded = bytes === undefined ? undefined : decode(bytes, codeSizeOf(cells));
    const length = decoded?.kind === 'instruction' ? decoded.instruction.bytes.length : 0;
    return {
      index,
      who,
      kind: isHost ? 'host-action' : 'instruction',
      rip,
      length,
      cycle: Number(state.registers[CYCLES] ?? 0n),
    };
  }

  #stateAt(index: number): StateView {
    const scout = this.#scoutHead();
    scout.seek(index);
    return this.#stateOf(scout);
  }
  #stateOf(head: Playhead): StateView {
    return new StateView(this.record.header, head.banks);
  }
  #scoutHead(): Playhead {
    return (this.#scout ??= new Playhead(this.record));
  }
}

/** Who is there before the guest. */
function virtualizedBy({technique, engine}: RecordHeader): 'VT-x' | 'SVM' | 'a hypervisor' | 'the guest' {
  if (technique === 'bare' || engine === 'kvm') return 'the guest';
  if (technique.startsWith('vtx-')) return 'VT-x';
  return technique.startsWith('svm-') ? 'SVM' : 'a hypervisor';
}

/** Who has the processor, by VMX operation and ring. */
function actorOf(state: StateView): Actor {
  const ring = Number(state.cells('CPL') ?? 0n);
  if (state.operation === 'root' && state.header.technique !== 'bare') return ring === 3 ? 'vmm' : 'hypervisor';
  if (isDeprivileged(state.header.technique)) return ring === 0 ? 'hypervisor' : deprivilegedActor(state);
  return ring === 3 ? 'guest-user' : 'guest-kernel';
}

/** The real ring does not tell kernel and programs apart: the virtual CPL does, or under Xen the root that is in use. */
function deprivilegedActor(state: StateView): Actor {
  const isProgram =
    state.header.technique === 'paravirtual'
      ? domainFacts(state.memory).mode === 'program'
      : state.guestCells()('CPL') === BigInt(USER_RING);
  return isProgram ? 'guest-user' : 'guest-kernel';
}
