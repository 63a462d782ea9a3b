// KVM's instruction emulator: a processor in software. Its registers come from the vendor half, its memory is
// the guest's: memory slots, in-kernel devices, and for everything else a question to user space. What an instruction means
// comes from the processor's own microcode. Writes are collected, so an instruction happens whole or not at all; where an
// answer of user space is missing, nothing happens, and the instruction is begun anew when the answer is there.
// Linux, arch/x86/kvm/x86.c: x86_emulate_instruction, emulator_read_write_onepage.

import {hex} from '@hyperscope/base';
import {DESCRIPTOR_REGISTERS, GENERAL_REGISTERS, disassemble} from '@hyperscope/isa';
import type {Cell, DescriptorRegister, Instruction, Intercept, Microcode} from '@hyperscope/isa';
import {InstructionEmulator, pagingModeOf} from '@hyperscope/machine';
import type {DeliverableEvent, Observer, Trouble} from '@hyperscope/machine';
import {isHandedOver} from './emulated-intercepts.js';
import {EmulatedPorts} from './emulated-ports.js';
import type {PortAccess} from './emulated-ports.js';
import type {Host} from './host-context.js';
import {MMIO_READS, MMIO_WRITES, MmioFragments} from './kvm-mmio.js';
import type {MmioAccess} from './kvm-mmio.js';

/** What came of carrying the instruction out. Nothing of the guest has changed yet. */
export type Emulation =
  | {readonly kind: 'done'; readonly result: 'completed' | 'repeats'}
  | {readonly kind: 'needs-read'; readonly access: MmioAccess}
  | {readonly kind: 'needs-input'; readonly access: PortAccess}
  | {readonly kind: 'trouble'; readonly trouble: Trouble}
  /** KVM answers it as if it had exited. */
  | {readonly kind: 'handed-over'; readonly what: HandedOver};

export interface HandedOver {
  readonly intercept: Intercept;
  readonly args: readonly bigint[];
  readonly instruction: Instruction;
}

export interface FetchedInstruction {
  readonly microcode: Microcode;
  readonly rip: bigint;
  /** Of its first byte. */
  readonly gpa: number;
  readonly text: string;
}

/** PAE paging takes its four first entries from registers. */
const PDPTES: readonly Cell[] = ['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'];
const FETCH_CELLS: readonly Cell[] = ['RIP', 'RFLAGS', 'CR0', 'CR3', 'CR4', 'EFER', 'CPL', ...segmentCells('CS')];

export class GuestEmulator {
  readonly #host: Host;
  readonly #emulator: InstructionEmulator;
  readonly reads: MmioFragments;
  readonly writes: MmioFragments;
  readonly ports: EmulatedPorts;
  #phase: 'fetch' | 'execute' = 'fetch';
  #fetchedAt = 0;
  #nowhere: number | undefined;
  #answers = 0;
  #missing: MmioAccess | undefined;
  #handedOver: HandedOver | undefined;
  /** A chain of faults that ends in shutdown is told as if the processor had met it. */
  readonly #tripleFaults: Observer;
  #pending: (MmioAccess & {readonly to: 'memory' | 'device'})[] = [];
  #accesses: string[] = [];
  #loaded = new Set<Cell>();
  #before: ReadonlyMap<Cell, bigint> = new Map();

  constructor(host: Host) {
    this.#host = host;
    this.reads = new MmioFragments(host.machine.memory, MMIO_READS);
    this.writes = new MmioFragments(host.machine.memory, MMIO_WRITES);
    this.ports = new EmulatedPorts(host);
    this.#tripleFaults = {
      willWrite: () => undefined,
      event: event => {
        if (event.kind === 'triple-fault') host.machine.emit(event);
      },
    };
    this.#emulator = new InstructionEmulator(
      host.machine.profile,
      host.machine.costModel,
      {
        read: (gpa, bytes) => this.#read(gpa, bytes),
        write: (gpa, bytes, value) => this.#write(gpa, bytes, value),
      },
      {ports: this.ports},
      (intercept, args, instruction) => {
        if (!isHandedOver(intercept)) return 'carry out';
        this.#handedOver = {intercept, args, instruction};
        return 'hand over';
      },
    );
  }

  /** What the last instruction read and wrote, in order, in words. */
  get accesses(): readonly string[] {
    return this.#accesses;
  }

  /** Fetches and decodes the instruction at the guest's CS:RIP. */
  fetch(): FetchedInstruction | Trouble {
    this.#begin('fetch');
    this.#emulator.registers.cells.fill(0n);
    this.#loaded.clear();
    this.#load(FETCH_CELLS);
    if (pagingModeOf(this.#emulator.registers) === 'PAE') this.#load(PDPTES);
    const microcode = this.#emulator.fetch();
    if (!('operations' in microcode)) return microcode;
    const rip = this.#emulator.registers.get('RIP');
    return {microcode, rip, gpa: this.#fetchedAt, text: disassemble(microcode.instruction, rip)};
  }

  /** Carries out what `fetch` gave just before. `commit` makes it true. */
  execute(microcode: Microcode): Emulation {
    this.#begin('execute');
    this.#load(cellsFor(microcode));
    const {registers} = this.#emulator;
    this.#before = new Map([...this.#loaded].map(cell => [cell, registers.get(cell)]));
    const result = this.#emulator.execute(microcode);
    if (this.#missing !== undefined) return {kind: 'needs-read', access: this.#missing};
    if (this.ports.missing !== undefined) return {kind: 'needs-input', access: this.ports.missing};
    if (result === 'completed' || result === 'repeats') return {kind: 'done', result};
    if (this.#handedOver !== undefined) return {kind: 'handed-over', what: this.#handedOver};
    return {kind: 'trouble', trouble: result};
  }

  /** Where the instruction was to be fetched, when no memory slot covers that: its bytes are then without meaning. */
  get nowhere(): number | undefined {
    return this.#nowhere;
  }

  /** Delivers an event through the guest's own vector table, at once and whole. `commit` makes it true. */
  deliver(event: DeliverableEvent): 'delivered' | 'shutdown' | 'unsupported' {
    this.#begin('execute');
    this.#emulator.registers.cells.fill(0n);
    this.#loaded.clear();
    this.#load([...FETCH_CELLS, ...ALL_CELLS]);
    const {registers} = this.#emulator;
    this.#before = new Map([...this.#loaded].map(cell => [cell, registers.get(cell)]));
    this.#emulator.observer = this.#tripleFaults;
    const {kind} = this.#emulator.interrupt(event);
    this.#emulator.observer = undefined;
    return kind === 'delivered' || kind === 'shutdown' ? kind : 'unsupported';
  }

  /**
   * Registers and memory as the instruction leaves them; writes to user-space devices go to `writes`, unless there is no room.
   * Gives the element of OUTS that is for user space.
   */
  commit(): PortAccess | 'no room' | undefined {
    for (const access of this.#pending) {
      const {gpa, bytes, value} = access;
      const at = access.to === 'memory' ? this.#host.guestToHost(gpa) : undefined;
      const region = this.#host.devices.kernelRegionAt(gpa);
      if (at !== undefined) {
        this.#host.machine.memory.write(at, bytes, value);
        this.#host.mmu.guestWrote(gpa, bytes);
      } else if (region !== undefined) region.write(gpa - region.start, bytes, value);
      else if (!this.#host.coalescedWrites.add(access) && !this.writes.add(access)) return 'no room';
    }
    for (const [cell, before] of this.#before) {
      const after = this.#emulator.registers.get(cell);
      if (after !== before) this.#host.hardware.set(cell, after);
    }
    return this.ports.commit();
  }

  // ── guest-physical memory ───────────────────────────────────────────────────────────────────────────────────────

  #begin(phase: 'fetch' | 'execute'): void {
    this.#phase = phase;
    this.#answers = 0;
    this.#fetchedAt = -1;
    this.#nowhere = undefined;
    this.#missing = undefined;
    this.#handedOver = undefined;
    this.#pending = [];
    this.ports.begin();
    this.#accesses = [];
  }

  #read(gpa: number, bytes: number): bigint {
    const at = this.#host.guestToHost(gpa);
    if (this.#phase === 'fetch') {
      if (bytes === 1 && this.#fetchedAt < 0) {
        this.#fetchedAt = gpa;
        if (at === undefined) this.#nowhere = gpa;
      }
      return at === undefined ? (1n << BigInt(8 * bytes)) - 1n : this.#host.machine.memory.read(at, bytes);
    }
    const value = at === undefined ? this.#readDevice(gpa, bytes) : this.#host.machine.memory.read(at, bytes);
    return at === undefined ? value : this.#overlaid(gpa, bytes, value);
  }

  /** What this instruction has written before is seen by its later reads: a page-table entry with its A bit. */
  #overlaid(gpa: number, bytes: number, value: bigint): bigint {
    let seen = value;
    for (const write of this.#pending) {
      for (let index = 0; index < write.bytes; index++) {
        const offset = write.gpa + index - gpa;
        if (offset < 0 || offset >= bytes) continue;
        const shift = BigInt(8 * offset);
        seen = (seen & ~(0xffn << shift)) | (((write.value >> BigInt(8 * index)) & 0xffn) << shift);
      }
    }
    return seen;
  }

  #readDevice(gpa: number, bytes: number): bigint {
    const size = bytes === 1 ? '1 byte' : `${bytes} bytes`;
    const region = this.#host.devices.kernelRegionAt(gpa);
    if (region !== undefined) {
      const value = region.read(gpa - region.start, bytes);
      this.#accesses.push(`read ${size} at GPA ${hex(gpa)} from the in-kernel ${region.name}: ${hex(value)}`);
      return value;
    }
    const answer = this.reads.at(this.#answers);
    this.#answers++;
    if (answer !== undefined && answer.gpa === gpa && answer.bytes === bytes) {
      this.#accesses.push(`read ${size} at GPA ${hex(gpa)}, for which user space gave ${hex(answer.value)}`);
      return answer.value;
    }
    // From here on the attempt is without meaning: it will be thrown away.
    if (this.#missing === undefined) this.#accesses.push(`read ${size} at GPA ${hex(gpa)}${this.#placeOf(gpa)}`);
    this.#missing ??= {gpa, bytes, value: 0n};
    return 0n;
  }

  #write(gpa: number, bytes: number, value: bigint): void {
    const slot = this.#host.slotAt(gpa);
    const to = slot?.access === 'read-write' ? 'memory' : 'device';
    this.#pending.push({gpa, bytes, value, to});
    if (this.#phase === 'fetch' || to === 'memory' || this.#missing !== undefined) return;
    const size = bytes === 1 ? '1 byte' : `${bytes} bytes`;
    this.#accesses.push(`write ${size}, ${hex(value)}, to GPA ${hex(gpa)}${this.#placeOf(gpa)}`);
  }

  /** ' (VGA text memory, in user space)' */
  #placeOf(gpa: number): string {
    const inKernel = this.#host.devices.kernelRegionAt(gpa);
    if (inKernel !== undefined) return ` (${inKernel.name}, in the kernel)`;
    if (this.#host.slotAt(gpa) !== undefined) return ' (read-only memory)';
    const region = this.#host.board.regionAt(gpa);
    return region === undefined ? ' (nothing answers there)' : ` (${region.name}, in user space)`;
  }

  // ── registers ───────────────────────────────────────────────────────────────────────────────────────────────────

  #load(cells: readonly Cell[]): void {
    for (const cell of cells) {
      if (this.#loaded.has(cell)) continue;
      this.#loaded.add(cell);
      this.#emulator.registers.set(cell, this.#host.hardware.get(cell));
    }
  }
}

function segmentCells(register: DescriptorRegister): readonly Cell[] {
  return [`${register}.selector`, `${register}.base`, `${register}.limit`, `${register}.attributes`];
}

const GENERAL_CELLS: readonly Cell[] = [...GENERAL_REGISTERS, 'INTERRUPT_SHADOW', ...segmentCells('SS')];
const ALL_CELLS: readonly Cell[] = [
  ...GENERAL_CELLS,
  ...DESCRIPTOR_REGISTERS.flatMap(segmentCells),
  'GDTR.base',
  'GDTR.limit',
  'IDTR.base',
  'IDTR.limit',
  'CR2',
  'CR8',
  'XCR0',
];

/** The registers that the instruction may touch: as few VMREADs as can be, all of them where a procedure is called. */
function cellsFor({operations}: Microcode): readonly Cell[] {
  if (operations.some(({op}) => op === 'call' || op === 'invoke')) return ALL_CELLS;
  const segments = new Set<DescriptorRegister>();
  for (const operation of operations) if ('segment' in operation) segments.add(operation.segment);
  return [...GENERAL_CELLS, ...[...segments].flatMap(segmentCells)];
}
