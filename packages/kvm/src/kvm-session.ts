// One guest on real KVM, step by step: the user-space VMM's loop (QEMU's role) cut into steps that a record can follow.
// A step is one KVM_RUN, its answer by a device, and what changed; afterwards the banks hold the state at its end.

import {CELLS, cellIndex} from '@hyperscope/isa';
import {assert, hex, hexBytes} from '@hyperscope/base';
import type {Clock} from '@hyperscope/base';
import {DeviceBoard} from '@hyperscope/vmm';
import type {Actor, CoalescedMmio, GuestImage, HypervisorEvent, PortOptions, RunOutcome, VmExit} from '@hyperscope/vmm';
import {copyExit} from './exit-decoder.js';
import {GuestRam} from './guest-ram.js';
import {PAGE_BYTES} from './kvm-abi.js';
import {exitingInstruction} from './exiting-instruction.js';
import type {InstructionPlace} from './exiting-instruction.js';
import {kvmExitName} from './exit-names.js';
import {KvmVirtualMachine} from './kvm-virtual-machine.js';
import type {Irqchip} from './kvm-virtual-machine.js';
import {MemoryMirror} from './memory-mirror.js';
import type {WriteListener} from './memory-mirror.js';
import {maySingleStep} from './single-step.js';
import type {SingleStep, SteppingQuirks} from './single-step.js';
import {statisticsDelta} from './statistics.js';
import {kernelEventText, openKernelTrace} from './tracepoints.js';
import type {KernelTracing} from './tracepoints.js';
import type {Statistics} from './statistics.js';

export interface KvmLimits {
  /** Wall time of the whole run. A guest that never exits is stopped by the addon's watchdog. */
  readonly milliseconds: number;
  /** KVM_RUN is not called again after so many exits to user space. */
  readonly exits: number;
  /** … or so many steps, where single-stepping makes more of them. */
  readonly steps: number;
}

export type KvmOutcome =
  | RunOutcome
  | {readonly kind: 'limit'; readonly limit: 'milliseconds' | 'exits' | 'steps'}
  /** Somebody called native.kick() or cancelled the run. */
  | {readonly kind: 'cancelled'};

export interface KvmSessionOptions {
  readonly image: GuestImage;
  readonly ports: PortOptions;
  readonly limits: KvmLimits;
  readonly singleStep: SingleStep;
  /** The probes of this host's fingerprint; unknown ones count as the cautious answer. */
  readonly quirks: SteppingQuirks;
  /** Milliseconds, for the wall-time limit. */
  readonly clock: Clock;
  /** 'told': what KVM does without user space is in the steps too, where this host lets itself be traced. */
  readonly insideKvm?: 'told' | 'hidden' | undefined;
  /** Which writes to video memory KVM only notes down; half of it when absent. */
  readonly coalescedMmio?: CoalescedMmio | undefined;
}

export interface KvmStep {
  /** An exit to user space, or a single step. */
  readonly kind: 'kvm-exit' | 'kvm-step';
  /** The guest's ring at the end of the step. */
  readonly who: Actor;
  /** RIP of the instruction that exited or was stepped, and its length (0: not known). */
  readonly rip: bigint;
  readonly length: number;
  readonly exit: VmExit;
  readonly events: readonly HypervisorEvent[];
}

const UART_IRQ = 4;
const VIRTIO_IRQ = 5;
const RFLAGS_IF = 1n << 9n;
/** Milliseconds of KVM_RUN after which to look whether the guest sleeps for ever. */
const LOOK_AFTER = 50;

export class KvmSession {
  /** 'registers' (isa's cells as 64-bit words) and 'memory' (a copy, current after each step). */
  readonly banks: readonly {readonly name: 'registers' | 'memory'; readonly bytes: Uint8Array}[];
  readonly registers = new BigUint64Array(CELLS.length);
  /** The devices; the same that a simulated machine has. */
  readonly board: DeviceBoard;
  readonly machine: KvmVirtualMachine;
  readonly irqchip: Irqchip;
  readonly #options: KvmSessionOptions;
  readonly #mirror: MemoryMirror;
  readonly #startTime: number;
  readonly #statistics: Statistics;
  readonly #tracing: KernelTracing | undefined;
  #outcome: KvmOutcome | undefined;
  #exits = 0;
  #steps = 0;
  /** Bytes that the serial port sent during this step. */
  #sent: number[] = [];
  /** What devices did during this step that no register shows. */
  #news: Extract<HypervisorEvent, {kind: 'device'}>[] = [];
  readonly #ram = new GuestRam(() => this.machine);

  /** @throws UserError when there is no KVM, or it refuses the image's state. */
  constructor(options: KvmSessionOptions) {
    this.#options = options;
    this.board = new DeviceBoard(options.ports, this.#ram);
    this.board.listen((name, what, sentence) => this.#news.push({kind: 'device', name, what, sentence}));
    this.board.uart.onOutput = byte => {
      this.#sent.push(byte);
    };
    this.irqchip = options.image.irqchip ?? 'none';
    const machine = new KvmVirtualMachine({
      memoryBytes: options.image.memoryBytes,
      deadline: options.limits.milliseconds,
      irqchip: this.irqchip,
      videoMemory: 'device',
    });
    this.machine = machine;
    this.#ram.addVideoMemory(this.board, options.coalescedMmio ?? 'half');
    if (this.irqchip === 'kernel') {
      this.board.uart.onInterrupt = level => machine.setIrq(UART_IRQ, level);
      if (this.board.virtioConsole !== undefined)
        this.board.virtioConsole.onInterrupt = level => machine.setIrq(VIRTIO_IRQ, level);
    }
    try {
      this.machine.load(options.image);
      this.machine.vcpu.readCells(this.registers);
      this.#statistics = this.machine.vcpu.statistics();
    } catch (error) {
      this.machine.close();
      throw error;
    }
    this.#mirror = new MemoryMirror(this.machine.memory, options.image.segments);
    this.machine.dirtyPages(); // what a loader wrote is state 0
    this.banks = [
      {name: 'registers', bytes: new Uint8Array(this.registers.buffer)},
      {name: 'memory', bytes: this.#mirror.bytes},
    ];
    this.#startTime = options.clock.now();
    this.#tracing = options.insideKvm === 'told' ? openKernelTrace() : undefined;
  }

  /** Why 'inside-kvm' events come from KVM's counters only; undefined where it is traced, or nobody asked. */
  get untraced(): string | undefined {
    return this.#tracing?.available === false ? this.#tracing.why : undefined;
  }

  /** How the run ended; undefined while it can go on. */
  get outcome(): KvmOutcome | undefined {
    return this.#outcome;
  }
  get exits(): number {
    return this.#exits;
  }
  get steps(): number {
    return this.#steps;
  }

  /** Runs to the next exit or single step, answers it, and brings the banks up to date. Only while `outcome` is undefined. */
  step(listener?: WriteListener): KvmStep {
    assert(this.#outcome === undefined, 'a step of a run that is over');
    const before = this.#cell('RIP');
    const {vcpu} = this.machine;
    const stepping = this.#prepareSingleStep();
    const live = this.#run();
    this.#news.push(...this.#ram.takeCoalescedWrites(this.board));
    const answer = this.#answer(live);
    const exit = copyExit(live); // after the answer: of an IN, the record keeps what the guest read
    vcpu.readCells(this.registers);
    // A stepped IN or MMIO read gives its exit first and the step afterwards: both are the one instruction.
    const stepped = exit.reason === 'debug' || (stepping && vcpu.takeWaitingDebugExit() !== undefined);
    this.#news.push(...this.#ram.takeCoalescedWrites(this.board)); // finishing the exit may have written more
    this.#mirror.update([...this.machine.dirtyPages(), ...this.#ram.takeWrittenPages()], listener);
    this.#steps++;
    if (exit.reason !== 'debug' && exit.reason !== 'interrupted') this.#exits++;
    this.#outcome = answer ?? this.#limit();
    const place = this.#place(exit, before, stepped);
    return {
      kind: exit.reason === 'debug' ? 'kvm-step' : 'kvm-exit',
      who: this.#cell('CPL') === 3n ? 'guest-user' : 'guest-kernel',
      ...place,
      exit,
      events: this.#events(exit),
    };
  }

  /** What this vCPU's counters say happened inside KVM since the start: {exits: 12, insn_emulation: 340, …}. */
  statistics(): Readonly<Record<string, number>> {
    return statisticsDelta(this.#statistics, this.machine.vcpu.statistics());
  }

  /** Ends the run (when another step has not) and closes everything; the banks stay as they are. */
  close(): void {
    this.#outcome ??= {kind: 'cancelled'};
    if (this.#tracing?.available === true) this.#tracing.trace.close();
    this.machine.close();
  }

  #cell(cell: 'RIP' | 'CPL' | 'CS.base' | 'CR0' | 'RFLAGS'): bigint {
    return this.registers[cellIndex(cell)] ?? 0n;
  }

  get #millisecondsLeft(): number {
    return this.#options.limits.milliseconds - (this.#options.clock.now() - this.#startTime);
  }

  /** KVM_RUN. A HLT that sleeps in the kernel tells nobody: then we look now and then whether anything can still wake it. */
  #run(): VmExit {
    const {vcpu} = this.machine;
    for (;;) {
      const left = Math.max(1, this.#millisecondsLeft);
      vcpu.deadline = this.irqchip === 'kernel' ? Math.min(left, LOOK_AFTER) : left;
      const exit = vcpu.run();
      if (exit.reason !== 'interrupted' || vcpu.interruption !== 'deadline') return exit;
      if (this.#millisecondsLeft <= 0 || this.#sleepsForEver()) return exit;
    }
  }

  /** In HLT with IF = 0: nobody sends this guest an NMI or a RESET. */
  #sleepsForEver(): boolean {
    const {vcpu} = this.machine;
    if (this.irqchip === 'none' || !vcpu.isHalted) return false;
    vcpu.readCells(this.registers);
    return (this.#cell('RFLAGS') & RFLAGS_IF) === 0n;
  }

  #prepareSingleStep(): boolean {
    if (this.#options.singleStep === 'off') return false;
    const rip = this.#cell('RIP');
    const possible = maySingleStep(this.registers, this.#code(rip, 1)[0], this.#options.quirks);
    this.machine.vcpu.singleStep(possible ? 'on' : 'off');
    return possible;
  }

  /** Guest code at RIP, through segmentation and the guest's page tables; shorter where it is not mapped. */
  #code(rip: bigint, length: number): Uint8Array {
    const linear = BigInt.asUintN(64, this.#cell('CS.base') + rip);
    const first = this.#codeInPage(linear, length);
    const rest = length - first.length;
    if (rest === 0 || (linear + BigInt(first.length)) % BigInt(PAGE_BYTES) !== 0n) return first;
    const second = this.#codeInPage(linear + BigInt(first.length), rest);
    return Uint8Array.from([...first, ...second]);
  }

  /** Up to the end of the page: one translation, which costs as much as a guest's exit. */
  #codeInPage(linear: bigint, length: number): Uint8Array {
    const paged = this.#cell('CR0') >> 31n === 1n;
    const physical = paged ? this.machine.vcpu.translate(linear) : Number(linear);
    if (physical === undefined) return new Uint8Array();
    const end = physical - (physical % PAGE_BYTES) + PAGE_BYTES;
    return this.machine.memory.slice(physical, Math.min(physical + length, end));
  }

  #place(exit: VmExit, before: bigint, stepped: boolean): InstructionPlace {
    const after = this.#cell('RIP');
    if (stepped) {
      const length = Number(after - before);
      return {rip: before, length: length > 0 && length <= 15 ? length : 0};
    }
    return exitingInstruction(exit, before, after, (rip, length) => this.#code(rip, length));
  }

  /** The devices' answer, into the page from which the guest's IN or read is completed; or how the run ends here. */
  #answer(exit: VmExit): KvmOutcome | undefined {
    if (exit.reason === 'internal-error') return {kind: 'error', message: this.#internalError(exit)};
    if (exit.reason === 'interrupted') {
      if (this.machine.vcpu.interruption === 'deadline' && this.#sleepsForEver()) return {kind: 'halted'};
      return this.machine.vcpu.interruption === 'kick' ? {kind: 'cancelled'} : {kind: 'limit', limit: 'milliseconds'};
    }
    if (exit.reason === 'rdmsr' || exit.reason === 'wrmsr') this.machine.vcpu.answerMsr('#GP');
    const answer = this.board.handleExit(exit);
    return answer === 'continue' ? undefined : answer;
  }

  #internalError(exit: Extract<VmExit, {reason: 'internal-error'}>): string {
    this.machine.vcpu.readCells(this.registers);
    const bytes = exit.instruction ?? this.#code(this.#cell('RIP'), 15);
    const shown = hexBytes(bytes);
    return (
      `This host's KVM could not emulate the instruction at ${hex(this.#cell('RIP'))} (KVM_EXIT_INTERNAL_ERROR, ` +
      `suberror ${exit.suberror}); the bytes there are ${shown === '' ? 'not readable' : shown}.`
    );
  }

  #limit(): KvmOutcome | undefined {
    const {limits} = this.#options;
    if (this.#exits >= limits.exits) return {kind: 'limit', limit: 'exits'};
    if (this.#steps >= limits.steps) return {kind: 'limit', limit: 'steps'};
    return this.#millisecondsLeft <= 0 ? {kind: 'limit', limit: 'milliseconds'} : undefined;
  }

  /** What the kernel traced during this step; with the last one, what KVM's counters say of the whole run. */
  #insideKvm(): readonly HypervisorEvent[] {
    const tracing = this.#tracing;
    if (tracing === undefined) return [];
    const traced = tracing.available ? tracing.trace.take() : [];
    const events: HypervisorEvent[] = traced.map(event => ({
      kind: 'inside-kvm',
      name: event.name,
      text: kernelEventText(event),
    }));
    if (this.#outcome === undefined) return events;
    const counters = Object.entries(this.statistics()).map(([name, count]) => `${name} ${count}`);
    return [...events, {kind: 'inside-kvm', name: 'statistics', text: counters.join(', ')}];
  }

  #events(exit: VmExit): readonly HypervisorEvent[] {
    const [serial, news] = [this.#sent, this.#news];
    this.#sent = [];
    this.#news = [];
    return [
      {kind: 'ioctl', name: 'KVM_RUN', direction: 'call', result: undefined},
      ...this.#insideKvm(),
      {kind: 'ioctl', name: 'KVM_RUN', direction: 'return', result: kvmExitName(exit)},
      {kind: 'kvm-exit', exit},
      ...news,
      ...serial.map(byte => ({kind: 'serial', byte}) as const),
    ];
  }
}
