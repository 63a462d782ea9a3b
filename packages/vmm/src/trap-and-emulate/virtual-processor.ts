// The virtual processor: the processor's own microcode, page walk and event delivery, run on the virtual CPU's registers and
// on guest-physical memory. It is how the VMM emulates whatever trapped, and how it delivers interrupts and exceptions to the
// guest, through the guest's own IDT. An instruction happens whole or not at all: registers and RAM are written by `commit`.

import {gpa, hex} from '@hyperscope/base';
import {CELLS, cellIndex, disassemble} from '@hyperscope/isa';
import type {Cell, Instruction, Microcode} from '@hyperscope/isa';
import {InstructionEmulator} from '@hyperscope/machine';
import type {
  CostModel,
  CostName,
  DeliverableEvent,
  Fault,
  FaultLink,
  Machine,
  MachineEvent,
  Trouble,
} from '@hyperscope/machine';
import type {LocalApic, ProcessorProfile} from '@hyperscope/machine';
import {ON_PURPOSE} from '../deliberate-faults.js';
import type {DeviceBoard} from '../user-space/device-board.js';
import type {GuestPhysical} from './guest-physical.js';
import type {VirtualCpu} from './virtual-cpu.js';

/** A register of the virtual CPU that an instruction or a delivery has changed. */
export interface CellChange {
  readonly cell: Cell;
  readonly from: bigint;
  readonly to: bigint;
}
/** What `commit` made true. */
export interface Committed {
  readonly changes: readonly CellChange[];
  /** RAM that was written: page tables may be among it. */
  readonly writes: readonly {readonly gpa: number; readonly bytes: number}[];
}

export interface Emulated {
  readonly text: string;
  readonly instruction: Instruction;
  readonly microcode: Microcode;
  readonly result: 'completed' | 'repeats' | Trouble;
  /** The linear address whose translation the instruction forgot (INVLPG); 'all' after a load of CR3. */
  readonly forgot: 'nothing' | 'all' | bigint;
}

export interface VirtualProcessorParts {
  readonly machine: Machine;
  readonly vcpu: VirtualCpu;
  readonly memory: GuestPhysical;
  readonly board: DeviceBoard;
  /** Where the MSRs of x2APIC mode lead. */
  readonly apic: LocalApic;
  /** What the guest's instructions do on it: an ordinary x86, also where the real processor is a strict one. */
  readonly profile: ProcessorProfile;
  /** A mnemonic that its decoder is not to know, on purpose. */
  readonly undecoded?: string | undefined;
  /** Hears of what happened in the virtual processor: deliveries, ports. */
  tell(event: MachineEvent): void;
}

/** What a record of the guest's life has to have. The walks are the VMM's own, in software. */
const TOLD: ReadonlySet<MachineEvent['kind']> = new Set([
  'exception',
  'delivery',
  'port',
  'halt',
  'triple-fault',
  'ring',
]);
/** The machine's, not the virtual CPU's. */
const CLOCKS: readonly Cell[] = ['CYCLES', 'TSC', 'INSTRUCTIONS'];
const CYCLES = cellIndex('CYCLES');

const DONE_BY_HARDWARE = [
  'exception',
  'pageFault',
  'syscall',
  'portAccess',
  'controlRegisterWrite',
  'cr8Write',
  'interruptFlag',
  'nearReturn',
  'callGate',
] as const satisfies readonly CostName[];

/** No hardware does what is emulated: its work is the VMM's step, and each entry that its page walks read. */
const inSoftware = (model: CostModel): CostModel =>
  DONE_BY_HARDWARE.reduce((free, name) => ({...free, [name]: {...free[name], cycles: 0}}), model);

export class VirtualProcessor {
  readonly #parts: VirtualProcessorParts;
  readonly #emulator: InstructionEmulator;
  readonly #before = new BigUint64Array(CELLS.length);
  #pending: {readonly gpa: number; readonly bytes: number; readonly value: bigint}[] = [];
  #accesses: string[] = [];
  /** What each operation of the instruction gave, and the address that its INVLPG forgot. */
  #values: (bigint | undefined)[] = [];
  #forgotten: bigint | undefined;
  #chain: readonly FaultLink[] = [];

  constructor(parts: VirtualProcessorParts) {
    this.#parts = parts;
    const {machine, board} = parts;
    const memory = {
      read: (address: number, bytes: number) => this.#read(address, bytes),
      write: (address: number, bytes: number, value: bigint) => this.#write(address, bytes, value),
    };
    this.#emulator = new InstructionEmulator(parts.profile, inSoftware(machine.costModel), memory, {
      ports: board.ports,
      processor: machine.processor,
      observer: {willWrite: () => undefined, event: event => this.#hear(event)},
    });
    this.#emulator.apic = parts.apic;
    this.#emulator.traceOperations = (index, operation, value) => {
      this.#values[index] = value;
      if (operation.op !== 'invoke' || operation.helper.name !== 'invalidatePage') return;
      this.#forgotten = this.#values[operation.args[0] ?? 0];
    };
  }

  /** What the last instruction read from devices and wrote to them, in words. */
  get accesses(): readonly string[] {
    return this.#accesses;
  }
  /** The faults behind the last triple fault. */
  get chain(): readonly FaultLink[] {
    return this.#chain;
  }
  get registers(): InstructionEmulator['registers'] {
    return this.#emulator.registers;
  }

  #hear(event: MachineEvent): void {
    if (event.kind === 'triple-fault') this.#chain = event.chain;
    if (TOLD.has(event.kind)) this.#parts.tell(event);
  }

  /** The virtual CPU's registers as they are now. */
  load(): void {
    this.#emulator.forgetTranslations();
    const {machine, vcpu} = this.#parts;
    const {registers} = this.#emulator;
    vcpu.readAll(registers.cells);
    this.#before.set(registers.cells);
    for (const cell of CLOCKS) registers.set(cell, machine.registers.get(cell));
    this.#pending = [];
    this.#accesses = [];
  }

  /** Carries out the instruction at the guest's CS:RIP. Nothing is true before `commit`. */
  emulate(): Emulated | Trouble {
    this.load();
    const microcode = this.#emulator.fetch();
    if (!('operations' in microcode)) return microcode;
    const {instruction} = microcode;
    if (instruction.mnemonic === this.#parts.undecoded) return {kind: 'unsupported', ...undecodable(instruction)};
    const text = disassemble(instruction, this.registers.get('RIP'));
    this.#pending = [];
    this.#forgotten = undefined;
    const result = this.#emulator.execute(microcode);
    return {text, instruction, microcode, result, forgot: this.#whatWasForgotten(microcode)};
  }

  /** The instruction at another RIP, after `load`; undefined where fetching it faults. Nothing is true before `commit`. */
  fetchAt(rip: bigint): Microcode | undefined {
    this.registers.set('RIP', rip);
    const microcode = this.#emulator.fetch();
    return 'operations' in microcode ? microcode : undefined;
  }

  #whatWasForgotten({operations}: Microcode): Emulated['forgot'] {
    const helpers = new Set(operations.flatMap(operation => ('helper' in operation ? [operation.helper.name] : [])));
    if (helpers.has('loadCr3') || helpers.has('invalidatePcid')) return 'all';
    return this.#forgotten ?? 'nothing';
  }

  /** Delivers an exception: `delivered`; `shutdown`, a triple fault; or what the virtual CPU does not have. Nothing is true before `commit`. */
  raise(fault: Fault): string {
    return this.#outcome(this.#emulator.raise(fault));
  }
  interrupt(event: DeliverableEvent): string {
    return this.#outcome(this.#emulator.interrupt(event));
  }
  #outcome(outcome: ReturnType<InstructionEmulator['raise']>): string {
    if (outcome.kind === 'unsupported') return outcome.what;
    return outcome.kind === 'shutdown' ? 'shutdown' : 'delivered';
  }

  /** 1 to 8 bytes of a table of the guest's, by the page tables of the guest; undefined where they map nothing. */
  readTable(linear: bigint, bytes: number): bigint | undefined {
    const value = this.#emulator.readTable(linear, bytes);
    return typeof value === 'bigint' ? value : undefined;
  }
  /** Makes the virtual CPU and the guest's RAM what the virtual processor has come to; the time it took passes. */
  commit(): Committed {
    const {vcpu, memory} = this.#parts;
    const {registers} = this.#emulator;
    const changes: CellChange[] = [];
    for (const [index, cell] of CELLS.entries()) {
      const from = this.#before[index] ?? 0n;
      const to = registers.cells[index] ?? 0n;
      if (from === to || CLOCKS.includes(cell)) continue;
      changes.push({cell, from, to});
      vcpu.set(cell, to);
    }
    this.#passTime();
    // Devices come last: a write to the local APIC's task priority changes CR8.
    for (const {gpa: at, bytes, value} of this.#pending) memory.write(at, bytes, value);
    const writes = this.#pending.filter(({gpa: at}) => memory.isWritable(at));
    this.#pending = [];
    return {changes, writes};
  }

  #passTime(): void {
    const {machine} = this.#parts;
    const {registers} = this.#emulator;
    const spent = (registers.cells[CYCLES] ?? 0n) - machine.registers.get('CYCLES');
    const timeStamp = registers.get('TSC');
    machine.processor.charge(Number(spent));
    // WRMSR to the time-stamp counter is carried out on the real one.
    if (machine.registers.get('TSC') !== timeStamp) machine.registers.set('TSC', timeStamp);
  }

  // ── guest-physical memory ───────────────────────────────────────────────────────────────────────────────────────

  #read(address: number, bytes: number): bigint {
    const {memory} = this.#parts;
    const value = memory.read(address, bytes);
    if (memory.hostAddress(address) === undefined)
      this.#accesses.push(`read ${sized(bytes)} at GPA ${hex(address)} from ${memory.nameAt(address)}: ${hex(value)}`);
    return this.#overlaid(address, bytes, value);
  }

  /** What the same instruction wrote before is seen by its later reads. */
  #overlaid(address: number, bytes: number, value: bigint): bigint {
    let seen = value;
    for (const write of this.#pending) {
      for (let index = 0; index < write.bytes; index++) {
        const offset = write.gpa + index - address;
        if (offset < 0 || offset >= bytes) continue;
        const shift = BigInt(8 * offset);
        seen = (seen & ~(0xffn << shift)) | (((write.value >> BigInt(8 * index)) & 0xffn) << shift);
      }
    }
    return seen;
  }

  #write(address: number, bytes: number, value: bigint): void {
    const {memory} = this.#parts;
    this.#pending.push({gpa: gpa(address), bytes, value});
    if (memory.hostAddress(address) === undefined)
      this.#accesses.push(`write ${sized(bytes)}, ${hex(value)}, to GPA ${hex(address)} (${memory.nameAt(address)})`);
  }
}

/** What a hypervisor says whose decoder lacks an instruction. */
const undecodable = ({mnemonic, bytes}: Instruction): {readonly what: string; readonly bytes: Uint8Array} => ({
  what: `the hypervisor’s decoder does not know ${mnemonic}: ${ON_PURPOSE}`,
  bytes,
});

const sized = (bytes: number): string => (bytes === 1 ? '1 byte' : `${bytes} bytes`);
