// One instruction in software, as a hypervisor needs it for device memory: the processor's own fetch, microcode,
// segmentation, page walk and helpers, on registers that the caller has filled in and on guest-physical memory that the
// caller answers for. Meaning is not defined here a second time; only where the state lies is different.

import type {Gpa} from '@hyperscope/base';
import {gpa} from '@hyperscope/base';
import type {Microcode} from '@hyperscope/isa';
import {INTERRUPT_SHADOW, RIP} from '../cpu/cell-indexes.js';
import type {DeliverableEvent, ProcessorProfile} from '../cpu/core.js';
import type {CostModel} from '../cpu/cost.js';
import {deliverOrRaise, resolveTrouble} from '../cpu/exceptions.js';
import type {Outcome} from '../cpu/exceptions.js';
import {featuresOf} from '../cpu/features.js';
import {helperTable} from '../cpu/helper-table.js';
import {codeSizeOf} from '../cpu/modes.js';
import {Processor} from '../cpu/processor.js';
import type {RegisterFile} from '../cpu/register-file.js';
import type {Fault, Trouble} from '../cpu/trouble.js';
import {PortMap} from '../devices/port-map.js';
import type {ExecutionResult, TraceOperation} from '../execution/executor.js';
import {InstructionFetch} from '../execution/instruction-fetch.js';
import {StepExecutor} from '../execution/step-executor.js';
import {linearAddress} from '../mmu/segmentation.js';
import {PhysicalMemory} from '../mmu/physical-memory.js';
import type {Observer} from '../observer.js';
import {handOverUnit} from './hand-over.js';
import type {HandOver} from './hand-over.js';

/** Guest-physical memory as the emulator's owner sees it. `bytes` is 1, 2, 4 or 8. */
export interface EmulatedMemory {
  read(address: Gpa, bytes: number): bigint;
  write(address: Gpa, bytes: number, value: bigint): void;
}

/** What the emulated processor has around it and shares with a real one; on its own it has no ports. */
export interface EmulatorSurroundings {
  readonly ports: PortMap;
  /** The processor whose x87 and SSE registers, memory-type ranges and machine-check registers the guest uses. */
  readonly processor?: Processor;
  readonly observer?: Observer;
}

const GUEST = 2n;
/** Everything a guest-physical address can be. */
const ADDRESS_SPACE = 2 ** 52;

export class InstructionEmulator {
  readonly #processor: Processor;
  readonly #executor: StepExecutor;
  readonly #fetch: InstructionFetch;
  /** Whether the owner is asked about instructions, which happens in a guest only. */
  readonly #isAsked: boolean;

  constructor(
    profile: ProcessorProfile,
    costModel: CostModel,
    memory: EmulatedMemory,
    surroundings?: EmulatorSurroundings,
    handOver?: HandOver,
  ) {
    const physical = new PhysicalMemory(0);
    physical.addRegion({
      name: 'guest-physical memory',
      start: 0,
      length: ADDRESS_SPACE,
      read: (offset, bytes) => memory.read(gpa(offset), bytes),
      write: (offset, bytes, value) => memory.write(gpa(offset), bytes, value),
    });
    this.#processor = new Processor({
      memory: physical,
      ports: surroundings?.ports ?? new PortMap(),
      profile,
      costModel,
      unit: handOver === undefined ? undefined : handOverUnit(handOver, featuresOf(profile).svm ? 'svm' : 'vmx'),
      entropySeed: 0n,
      lender: surroundings?.processor,
    });
    this.#processor.observer = surroundings?.observer;
    this.#executor = new StepExecutor(this.#processor, helperTable(undefined));
    this.#fetch = new InstructionFetch(this.#processor);
    this.#isAsked = handOver !== undefined;
  }

  /** To be filled with the guest's registers before `fetch`, and read after `execute`. */
  get registers(): RegisterFile {
    return this.#processor.registers;
  }

  /** Sees each operation of an instruction with the value that it gave. */
  set traceOperations(trace: TraceOperation | undefined) {
    this.#executor.traceOperations = trace;
  }
  /** Hears what the emulated processor tells. */
  set observer(observer: Observer | undefined) {
    this.#processor.observer = observer;
  }
  /** The local APIC that its MSRs reach. */
  set apic(apic: Processor['apic']) {
    this.#processor.apic = apic;
  }

  /** An exception at CS:RIP, through the guest's own IDT or vector table, or what becomes of it: #DF, shutdown. */
  raise(fault: Fault): Outcome {
    this.#processor.tlb.flushAll();
    return resolveTrouble(this.#processor, fault);
  }
  /** An interrupt, in the same way. */
  interrupt(event: DeliverableEvent): Outcome {
    this.#processor.tlb.flushAll();
    this.#processor.registers.cells[INTERRUPT_SHADOW] = 0n;
    return deliverOrRaise(this.#processor, event);
  }
  /** Translations of earlier states of the guest's page tables count no more. */
  forgetTranslations(): void {
    this.#processor.tlb.flushAll();
  }
  /** 1 to 8 bytes at a linear address, read as the processor reads its tables: with supervisor rights. */
  readTable(linear: bigint, bytes: number): bigint | Trouble {
    return this.#processor.mmu.read(linear, bytes, 'implicit');
  }

  /** The linear address of the instruction at CS:RIP, by the rules of segmentation. */
  linearRip(): bigint | Trouble {
    const {registers} = this.#processor;
    return linearAddress(registers, 'CS', registers.get('RIP'), 1, 'execute');
  }

  /** Fetches and decodes the instruction at CS:RIP. Nothing is remembered of earlier translations. */
  fetch(): Microcode | Trouble {
    this.#processor.tlb.flushAll();
    return this.#fetch.next(codeSizeOf(this.#processor.registers));
  }

  /**
   * Carries out what `fetch` gave, on the registers and through the memory; with trouble, the registers are as before.
   * Memory that is written before trouble strikes has been written: an owner who wants all or nothing collects writes.
   */
  execute(microcode: Microcode): ExecutionResult {
    const processor = this.#processor;
    const {cells} = processor.registers;
    const before = cells.slice();
    const rip = cells[RIP] ?? 0n;
    processor.instructionRip = rip;
    if (this.#isAsked) processor.registers.set('VMX_OPERATION', GUEST);
    processor.stopped = undefined;
    const {bytes, codeSize} = microcode.instruction;
    cells[RIP] = BigInt.asUintN(codeSize === 64 ? 64 : 32, rip + BigInt(bytes.length));
    cells[INTERRUPT_SHADOW] = 0n;
    const result = this.#executor.execute(microcode);
    if (result !== 'completed' && result !== 'repeats') cells.set(before);
    return result;
  }
}
