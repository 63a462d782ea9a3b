// The machine: one core, its memory, its ports; and the loop that executes one thing at a time.

import {hexBytes} from '@hyperscope/base';
import type {Bank, MachineEvent, Mode, Observer} from './observer.js';
import {ACTIVITY, CYCLES, INSTRUCTIONS, INTERRUPT_SHADOW, RFLAGS, RIP, VMX_OPERATION} from './cpu/cell-indexes.js';
import {breakpointsEnabled, debugException, instructionBreakpoint, reportInDr6} from './cpu/breakpoints.js';
import type {Core, DeliverableEvent, ProcessorProfile} from './cpu/core.js';
import type {CostModel} from './cpu/cost.js';
import {deliverOrRaise, resolveTrouble} from './cpu/exceptions.js';
import type {Outcome} from './cpu/exceptions.js';
import {helperTable} from './cpu/helper-table.js';
import type {Virtualization} from './cpu/helper-table.js';
import {InterruptPins} from './cpu/interrupt-pins.js';
import {RFLAGS_IF, RFLAGS_RF, RFLAGS_TF, codeSizeOf, low, modeOf} from './cpu/modes.js';
import {Processor} from './cpu/processor.js';
import type {RegisterFile} from './cpu/register-file.js';
import {resetRegisters} from './cpu/reset.js';
import {singleStepTrap} from './cpu/single-step.js';
import type {Fault, Trouble} from './cpu/trouble.js';
import type {DeviceTime} from './devices/device-clock.js';
import {PortMap} from './devices/port-map.js';
import {CompiledTier} from './execution/compiled/compiled-tier.js';
import type {Executor} from './execution/executor.js';
import {InstructionFetch} from './execution/instruction-fetch.js';
import {StepExecutor} from './execution/step-executor.js';
import {PhysicalMemory} from './mmu/physical-memory.js';
import type {Tlb} from './mmu/tlb.js';
import type {CodeSize, Instruction} from '@hyperscope/isa';

/**
 * A program of the host that is TypeScript: where the processor arrives at one of its addresses, its next named
 * action runs.
 */
export interface HostProgram {
  covers(rip: bigint): boolean;
  /** Runs the one action that RIP stands for, and moves RIP. */
  step(): void;
}

export type MachineStep =
  | {readonly kind: 'instruction'; readonly length: number}
  | {readonly kind: 'delivery'}
  | {readonly kind: 'host-action'}
  /** HLT with nothing that could wake the processor. */
  | {readonly kind: 'halted'}
  /** A triple fault outside VMX non-root operation. */
  | {readonly kind: 'shutdown'}
  | {readonly kind: 'unsupported'; readonly address: bigint; readonly bytes: Uint8Array; readonly what: string};

export interface MachineOptions {
  /** Bytes of RAM from address 0, a multiple of 4096. */
  readonly memoryBytes: number;
  readonly profile: ProcessorProfile;
  readonly costModel: CostModel;
  /** What RDRAND and RDSEED grow from; 0 where it is left out. The same seed gives the same run. */
  readonly entropySeed?: bigint | undefined;
  /**
   * 'reference': every instruction is walked operation by operation. 'compiled', the default: instructions that run more
   * than once are compiled, with the same result.
   */
  readonly executor?: 'reference' | 'compiled' | undefined;
  /** The virtualization half of the processor; without it VMX instructions are #UD. */
  readonly virtualization?: Virtualization | undefined;
}

const ACTIVE = 0;
const HALTED = 1;
const SHUTDOWN = 2;
/** How many deadlines HLT waits for before it is called hopeless; the first one is normally enough. */
const WAITS = 1000;
/** Interruptibility: MOV SS was the last instruction. */
const SHADOW_MOV_SS = 2;

/** The steps of instructions, by length: nothing is allocated for the frequent ones. */
const INSTRUCTION_STEPS: readonly MachineStep[] = Array.from({length: 16}, (_, length) => ({
  kind: 'instruction',
  length,
}));

export class Machine implements Core {
  readonly memory: PhysicalMemory;
  readonly ports = new PortMap();
  readonly pins = new InterruptPins();
  readonly processor: Processor;
  readonly executor: Executor;
  hostProgram: HostProgram | undefined;
  /** The time of devices that act by themselves, where there are any. */
  deviceClock: DeviceTime | undefined;
  /**
   * What the last step can have changed of the registers: all of them, or, of a 'plain' one, only general registers, RIP,
   * RFLAGS and the counters.
   */
  lastStep: 'plain' | 'any' = 'any';
  readonly #fetch: InstructionFetch;
  readonly #compiled: CompiledTier | undefined;

  constructor(options: MachineOptions) {
    this.memory = new PhysicalMemory(options.memoryBytes);
    this.processor = new Processor({
      memory: this.memory,
      ports: this.ports,
      profile: options.profile,
      costModel: options.costModel,
      unit: options.virtualization?.unit,
      entropySeed: options.entropySeed ?? 0n,
    });
    this.executor = new StepExecutor(this.processor, helperTable(options.virtualization?.helpers));
    this.#fetch = new InstructionFetch(this.processor);
    this.#compiled = options.executor === 'reference' ? undefined : new CompiledTier(this.processor, this.#fetch);
    this.reset();
  }

  // ── as the parts of a processor see each other ──────────────────────────────────────────────────────────────────

  get registers(): RegisterFile {
    return this.processor.registers;
  }
  get tlb(): Tlb {
    return this.processor.tlb;
  }
  get profile(): ProcessorProfile {
    return this.processor.profile;
  }
  get features(): Processor['features'] {
    return this.processor.features;
  }
  get observed(): boolean {
    return this.processor.observed;
  }
  get instructionRip(): bigint {
    return this.processor.instructionRip;
  }
  get costModel(): CostModel {
    return this.processor.costModel;
  }
  /** Cycles since RESET, as a number: the machine's clock. */
  get cycles(): number {
    const {words} = this.registers;
    return (words[2 * CYCLES + 1] ?? 0) * 0x1_0000_0000 + (words[2 * CYCLES] ?? 0);
  }
  get mode(): Mode {
    return modeOf(this.registers);
  }
  emit(event: MachineEvent): void {
    this.processor.emit(event);
  }
  instructionBytes(): readonly number[] {
    return this.processor.instructionBytes();
  }
  deliverEvent(event: DeliverableEvent): void {
    this.processor.deliverEvent(event);
  }
  raise(fault: Fault): void {
    this.processor.raise(fault);
  }

  /** Everything that a record must follow, registers first. Attach devices before asking. */
  get banks(): readonly Bank[] {
    return [
      {name: 'registers', bytes: this.registers.bytes},
      {name: 'memory', bytes: this.memory.bytes},
      this.tlb.bank,
      this.processor.vectors.bank,
      ...(this.processor.features.mtrr ? [this.processor.memoryTypeRanges.bank] : []),
      ...(this.processor.features.mca ? [this.processor.machineCheck.bank] : []),
      this.pins.bank,
      ...this.ports.devices.map(device => device.bank),
      ...(this.processor.unit?.banks ?? []),
    ];
  }

  observe(observer: Observer | undefined): void {
    this.processor.observer = observer;
    this.memory.observer = observer;
    this.tlb.observer = observer;
    this.processor.vectors.observer = observer;
    this.processor.memoryTypeRanges.observer = observer;
    this.processor.machineCheck.observer = observer;
    this.pins.observer = observer;
    this.ports.observe(
      observer === undefined ? undefined : (bank, offset, length) => observer.willWrite(bank, offset, length),
    );
  }

  /** RESET: the processor's state; memory and devices keep theirs. */
  reset(): void {
    this.processor.clearRegisters();
    resetRegisters(this.registers, this.profile);
    this.tlb.reset();
    this.processor.vectors.reset();
    if (this.processor.features.mtrr) this.processor.memoryTypeRanges.reset();
    this.pins.reset();
  }

  /** An interrupt controller asks for `vector` (0 to 255). It is taken when IF and the interrupt window allow. */
  requestInterrupt(vector: number): void {
    this.pins.request(vector);
  }

  // ── the loop ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Executes one instruction (or one iteration of a repeated one), delivers one event, or runs one host action. */
  step(): MachineStep {
    const {registers, processor} = this;
    this.lastStep = 'any';
    if (this.deviceClock !== undefined && this.cycles >= this.deviceClock.next) this.deviceClock.run();
    if (
      this.hostProgram !== undefined &&
      low(registers, VMX_OPERATION) !== 2 &&
      this.hostProgram.covers(registers.cells[RIP] ?? 0n)
    ) {
      this.hostProgram.step();
      return {kind: 'host-action'};
    }
    if (low(registers, ACTIVITY) === SHUTDOWN && !processor.isGuest) return {kind: 'shutdown'};
    const before = this.mode;
    const operation = low(registers, VMX_OPERATION);
    processor.instructionRip = registers.cells[RIP] ?? 0n;
    const early = this.#deliverPending() ?? this.#leaveBefore();
    const tier = this.#compiled;
    if (early === undefined && tier !== undefined && this.#isPlain && tier.isReady() && tier.step()) {
      this.lastStep = 'plain';
      return INSTRUCTION_STEPS[tier.lastLength] ?? {kind: 'instruction', length: tier.lastLength};
    }
    const step = early ?? (low(registers, ACTIVITY) === ACTIVE ? this.#instruction() : this.#rest());
    const after = this.mode;
    // A VM exit or entry puts another context into the processor; that context's own mode has not changed.
    if (before !== after && operation === low(registers, VMX_OPERATION))
      this.emit({kind: 'mode', from: before, to: after});
    return this.#stoppedInside() ?? step;
  }

  /**
   * Runs instructions for as long as nothing but registers and RAM can change, at most `limit` of them (iterations of
   * repeated ones count), and gives how many there were. 0: the next thing is for `step`. The same as stepping, only sooner:
   * no event can come up on the way, and CYCLES, TSC and INSTRUCTIONS are right again when it returns.
   */
  runAhead(limit: number): number {
    const {registers, processor, pins, deviceClock} = this;
    const tier = this.#compiled;
    if (tier === undefined || !this.#isPlain || pins.nmi) return 0;
    const isOpen = processor.isGuest || (low(registers, RFLAGS) & RFLAGS_IF) !== 0;
    if (isOpen && pins.requested !== undefined) return 0;
    if (processor.isGuest) {
      // What may strike a guest between two instructions changes only with state that ends this run.
      if (processor.unit?.hasPendingInterrupt?.(processor) === true) return 0;
      if (processor.unit?.pendingExit?.(processor) !== undefined) return 0;
    } else if (this.hostProgram !== undefined) return 0;
    if (!tier.isReady()) return 0;
    return tier.run(limit, deviceClock === undefined ? Infinity : deviceClock.next - this.cycles);
  }

  /** Whether an instruction can be run without looking inside it or looking back at the one before. */
  get #isPlain(): boolean {
    return this.executor.traceOperations === undefined && !this.pins.holdsDebug;
  }

  /** An NMI, then an external interrupt, where nothing blocks them. SDM vol. 3A, "Priority Among Concurrent Events". */
  #deliverPending(): MachineStep | undefined {
    const {registers, pins, processor} = this;
    if (!pins.nmi && pins.requested === undefined) return undefined;
    const rip = registers.cells[RIP] ?? 0n;
    const shadow = low(registers, INTERRUPT_SHADOW);
    const nmi: DeliverableEvent = {type: 'NMI', vector: 2, errorCode: undefined, returnRip: rip};
    const activity = low(registers, ACTIVITY);
    if (activity > SHUTDOWN) return undefined;
    const isOpen = registers.get('NMI_BLOCKING') === 0n || processor.hasVirtualNmis;
    const takesNmi = pins.nmi && isOpen && (shadow & 2) === 0;
    if (takesNmi && processor.unit?.holdsInterrupt?.(processor, nmi) !== true) {
      pins.acknowledgeNmi();
      return this.#interrupt(nmi);
    }
    const vector = pins.requested;
    if (vector === undefined || shadow !== 0 || activity === SHUTDOWN) return undefined;
    const event: DeliverableEvent = {type: 'external-interrupt', vector, errorCode: undefined, returnRip: rip};
    if (processor.unit?.holdsInterrupt?.(processor, event) === true) return undefined;
    const exit = processor.isGuest ? processor.unit?.interceptInterrupt?.(processor, event) : undefined;
    if (exit !== undefined) {
      // "Acknowledge interrupt on exit": the exit carries the vector, so the controller has been asked for it.
      if (exit.interruptionInformation !== 0) pins.acknowledge();
      return this.#finish(resolveTrouble(processor, {kind: 'vm-exit', exit}));
    }
    if ((low(registers, RFLAGS) & RFLAGS_IF) === 0) return undefined;
    pins.acknowledge();
    return this.#interrupt(event);
  }

  #interrupt(event: DeliverableEvent): MachineStep {
    const {registers, processor} = this;
    if (event.type === 'NMI') {
      const exit = processor.isGuest ? processor.unit?.interceptInterrupt?.(processor, event) : undefined;
      if (exit !== undefined) return this.#finish(resolveTrouble(processor, {kind: 'vm-exit', exit}));
      registers.set('NMI_BLOCKING', 1n);
    }
    registers.cells[ACTIVITY] = 0n;
    registers.cells[INTERRUPT_SHADOW] = 0n;
    return this.#finish(deliverOrRaise(processor, event));
  }

  /**
   * Halted: time passes until a device interrupts. The clock goes straight to the moment at which one will, so a guest
   * that sleeps costs nothing. Devices whose interrupt is masked on the way wake nobody and are not waited for.
   */
  #sleep(): MachineStep {
    const {deviceClock, registers, processor} = this;
    const mayWake = (low(registers, RFLAGS) & RFLAGS_IF) !== 0 || processor.isGuest;
    for (let wait = 0; mayWake && wait < WAITS; wait++) {
      const nextWake = deviceClock?.nextWake ?? Infinity;
      const ownTime = this.#cyclesUntilExit;
      if (nextWake === Infinity && ownTime === Infinity) break;
      processor.charge(Math.max(0, Math.min(nextWake - this.cycles, ownTime)));
      deviceClock?.run();
      const woken = this.#deliverPending() ?? this.#leaveBefore();
      if (woken !== undefined) return woken;
    }
    return {kind: 'halted'};
  }

  /** Time until the VMX-preemption timer ends a guest's turn: it counts in a halted guest too. */
  get #cyclesUntilExit(): number {
    const {processor} = this;
    return (processor.isGuest ? processor.unit?.cyclesUntilExit?.(processor) : undefined) ?? Infinity;
  }

  /**
   * No instruction is executed: HLT; or a guest that a VM entry put into shutdown, where only the timer and an NMI end its
   * turn; or into wait-for-SIPI, where nothing does, since no other processor is there to send one.
   */
  #rest(): MachineStep {
    const {processor} = this;
    const activity = low(this.registers, ACTIVITY);
    if (activity === HALTED) return this.#sleep();
    const left = activity === SHUTDOWN ? this.#cyclesUntilExit : Infinity;
    if (left === Infinity) return {kind: activity === SHUTDOWN ? 'shutdown' : 'halted'};
    processor.charge(left);
    return this.#leaveBefore() ?? {kind: 'shutdown'};
  }

  /** What ends a guest's run between instructions: an interrupt window, the preemption timer. */
  #leaveBefore(): MachineStep | undefined {
    const {processor} = this;
    const exit = processor.isGuest ? processor.unit?.pendingExit?.(processor) : undefined;
    if (exit !== undefined) return this.#finish(resolveTrouble(processor, {kind: 'vm-exit', exit}));
    const virtual = processor.isGuest ? processor.unit?.pendingInterrupt?.(processor) : undefined;
    return virtual === undefined ? undefined : this.#interrupt(virtual);
  }

  #instruction(): MachineStep {
    const {registers, processor} = this;
    const {cells} = registers;
    const rip = processor.instructionRip;
    const codeSize = codeSizeOf(registers);
    const breakpoint = breakpointsEnabled(processor) ? this.#beforeWatched(codeSize) : undefined;
    if (breakpoint !== undefined) return this.#trouble(breakpoint);
    const microcode = this.#fetch.next(codeSize);
    if (!('operations' in microcode)) return this.#trouble(microcode);
    const {instruction} = microcode;
    const shadow = cells[INTERRUPT_SHADOW] ?? 0n;
    const flags = low(registers, RFLAGS);
    // Helpers see the next instruction's address in RIP, and a shadow that only they can cast anew.
    cells[RIP] = BigInt.asUintN(codeSize === 64 ? 64 : 32, rip + BigInt(instruction.bytes.length));
    cells[INTERRUPT_SHADOW] = 0n;
    const result = this.executor.execute(microcode);
    processor.watching = false;
    if (result !== 'completed' && result !== 'repeats') {
      processor.struck = 0;
      cells[RIP] = rip;
      cells[INTERRUPT_SHADOW] = shadow;
      return this.#trouble(result, instruction);
    }
    return this.#retire(instruction, result, flags);
  }

  #retire(instruction: Instruction, result: 'completed' | 'repeats', flags: number): MachineStep {
    const {registers, processor} = this;
    const {cells} = registers;
    processor.chargeInstruction(instruction);
    // RF lasts for one instruction, unless that instruction set it (IRET).
    if (
      (flags & RFLAGS_RF) !== 0 &&
      (low(registers, RFLAGS) & RFLAGS_RF) !== 0 &&
      !instruction.mnemonic.startsWith('IRET')
    ) {
      cells[RFLAGS] = (cells[RFLAGS] ?? 0n) & ~BigInt(RFLAGS_RF);
    }
    if (result === 'completed') cells[INSTRUCTIONS] = (cells[INSTRUCTIONS] ?? 0n) + 1n;
    // An exit that follows the instruction comes before its traps: they are pending in the guest that is left.
    if (processor.stopped?.kind === 'vm-exit') return {kind: 'instruction', length: instruction.bytes.length};
    if ((flags & RFLAGS_TF) !== 0 || processor.struck !== 0 || this.pins.holdsDebug) {
      const trap = this.#trapAfter(instruction, flags);
      // A debug exception ends HLT at once. SDM vol. 2, "HLT—Halt".
      if (trap !== undefined && low(registers, ACTIVITY) === HALTED) cells[ACTIVITY] = 0n;
      if (trap !== undefined) return this.#trouble(trap, instruction);
    }
    return {kind: 'instruction', length: instruction.bytes.length};
  }

  /** An instruction breakpoint at CS:RIP; and from here on accesses are compared with the others. */
  #beforeWatched(codeSize: CodeSize): Trouble | undefined {
    const {registers, processor} = this;
    processor.watching = true;
    processor.struck = 0;
    const isHeldBack = (low(registers, RFLAGS) & RFLAGS_RF) !== 0 || low(registers, INTERRUPT_SHADOW) === SHADOW_MOV_SS;
    if (isHeldBack) return undefined;
    const base = codeSize === 64 ? 0n : registers.get('CS.base');
    return instructionBreakpoint(
      processor,
      BigInt.asUintN(processor.linearAddressBits, base + processor.instructionRip),
    );
  }

  /** The traps of a completed instruction: single step, and the data breakpoints that it (or a MOV SS before it) struck. */
  #trapAfter(instruction: Instruction, flags: number): Trouble | undefined {
    const {processor, pins} = this;
    const held = pins.takeDebug();
    // INT1 is a #DB itself: what MOV SS before it held back is told in the same #DB, whose handler runs next.
    const isTold = held !== 0 && instruction.mnemonic === 'INT1';
    if (isTold) reportInDr6(processor, BigInt(held));
    const hits = processor.struck | (isTold ? 0 : held);
    processor.struck = 0;
    if (hits !== 0 && low(this.registers, INTERRUPT_SHADOW) === SHADOW_MOV_SS) {
      pins.holdDebug(hits);
      return undefined;
    }
    const step = (flags & RFLAGS_TF) === 0 ? undefined : singleStepTrap(processor, instruction);
    if (hits === 0) return step;
    const struck = debugException(processor, hits, ['instruction', instruction.mnemonic]);
    return {...struck, debugStatus: BigInt(hits) | (step?.debugStatus ?? 0n)};
  }

  #trouble(trouble: Trouble, instruction?: Instruction): MachineStep {
    return this.#finish(resolveTrouble(this.processor, trouble), instruction);
  }

  #finish(outcome: Outcome, instruction?: Instruction): MachineStep {
    switch (outcome.kind) {
      case 'delivered':
      case 'left-guest':
        return {kind: 'delivery'};
      case 'shutdown':
        return {kind: 'shutdown'};
      default: {
        const bytes = outcome.bytes.length > 0 ? outcome.bytes : (instruction?.bytes ?? outcome.bytes);
        const address = this.processor.instructionRip;
        this.emit({kind: 'unsupported', address, bytes: hexBytes(bytes), what: outcome.what});
        return {kind: 'unsupported', address, bytes, what: outcome.what};
      }
    }
  }

  /** A delivery inside an instruction (event injection) met something that is not simulated; or a new task faulted at once. */
  #stoppedInside(): MachineStep | undefined {
    const {stopped} = this.processor;
    if (stopped === undefined) return undefined;
    this.processor.stopped = undefined;
    this.processor.instructionRip = this.registers.cells[RIP] ?? 0n;
    return this.#finish(resolveTrouble(this.processor, stopped));
  }
}
