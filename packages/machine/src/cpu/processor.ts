// The processor's state and units, as its procedures share them. The loop that drives it is machine.ts.

import {CELLS, recordMicrocode, recordStrictMicrocode} from '@hyperscope/isa';
import type {Instruction, InstructionFeature, Microcode} from '@hyperscope/isa';
import {hpa} from '@hyperscope/base';
import type {Gpa} from '@hyperscope/base';
import type {MachineEvent, Observer, WalkReference} from '../observer.js';
import type {PhysicalMemory} from '../mmu/physical-memory.js';
import {Mmu} from '../mmu/mmu.js';
import type {Privilege} from '../mmu/page-walk.js';
import {Tlb} from '../mmu/tlb.js';
import type {PortMap} from '../devices/port-map.js';
import type {ApicMsrs} from './apic-msrs.js';
import type {Core, DeliverableEvent, GuestPhysicalAccess, ProcessorProfile, VirtualizationUnit} from './core.js';
import {CPL, CR0, CYCLES, RFLAGS, TSC, VMX_OPERATION} from './cell-indexes.js';
import type {CostModel} from './cost.js';
import {ownCost} from './instruction-cost.js';
import {absentFlags, announcedInstructions, featuresOf, withUnit} from './features.js';
import type {ProcessorFeatures} from './features.js';
import {faultBecause, shown} from './faults.js';
import {CR0_AM, RFLAGS_AC, codeSizeOf, currentPrivilegeLevel, isLongMode, low} from './modes.js';
import {MachineCheck} from './machine-check.js';
import {MemoryTypeRanges} from './memory-type-ranges.js';
import {RegisterFile} from './register-file.js';
import {deliverAtOnce, raiseAtOnce} from './exceptions.js';
import type {Fault, Trouble} from './trouble.js';
import {VectorFile} from './vector-file.js';

const LONGEST_INSTRUCTION = 15;

export interface ProcessorParts {
  readonly memory: PhysicalMemory;
  readonly ports: PortMap;
  readonly profile: ProcessorProfile;
  readonly costModel: CostModel;
  readonly unit: VirtualizationUnit | undefined;
  readonly entropySeed: bigint;
  /** Another processor whose x87 and SSE registers, memory-type ranges and machine-check registers this one uses. */
  readonly lender?: Processor | undefined;
}

export class Processor implements Core {
  readonly registers = new RegisterFile();
  readonly vectors: VectorFile;
  readonly memory: PhysicalMemory;
  readonly tlb = new Tlb();
  readonly mmu: Mmu;
  readonly memoryTypeRanges: MemoryTypeRanges;
  readonly machineCheck: MachineCheck;
  readonly ports: PortMap;
  readonly profile: ProcessorProfile;
  readonly features: ProcessorFeatures;
  readonly instructionFeatures: ReadonlySet<InstructionFeature>;
  /** What a decoded instruction means on this processor. */
  readonly record: (instruction: Instruction) => Microcode;
  /** Bits of RFLAGS that this processor does not have. */
  readonly absentFlags: bigint;
  /** What RDRAND and RDSEED grow from. */
  readonly entropySeed: bigint;
  readonly costModel: CostModel;
  readonly unit: VirtualizationUnit | undefined;
  observer: Observer | undefined;
  /** The local APIC, where the machine has one. */
  apic: ApicMsrs | undefined;
  instructionRip = 0n;
  /** Whether the running instruction's accesses are compared with DR0 to DR3. */
  watching = false;
  /** The data breakpoints that the running instruction has struck, as bits of DR6. */
  struck = 0;
  /**
   * Trouble that waits for the end of the step: something unsupported that a nested delivery met, a fault of a task that was
   * just entered, or an exit that follows an instruction like a trap.
   */
  stopped: Trouble | undefined;

  constructor(parts: ProcessorParts) {
    this.memory = parts.memory;
    this.ports = parts.ports;
    this.profile = withUnit(parts.profile, parts.unit === undefined ? undefined : (parts.unit.feature ?? 'vmx'));
    this.features = featuresOf(this.profile);
    this.instructionFeatures = announcedInstructions(this.profile);
    this.record = this.profile.strict ? recordStrictMicrocode : recordMicrocode;
    this.absentFlags = absentFlags(this.profile);
    this.entropySeed = parts.entropySeed;
    this.costModel = parts.costModel;
    this.unit = parts.unit;
    this.vectors = parts.lender?.vectors ?? new VectorFile();
    this.memoryTypeRanges = parts.lender?.memoryTypeRanges ?? new MemoryTypeRanges(this.profile.physicalAddressBits);
    this.machineCheck = parts.lender?.machineCheck ?? new MachineCheck(this.features);
    this.mmu = new Mmu(this);
  }

  get observed(): boolean {
    return this.observer !== undefined && this.observer.ignoresEvents !== true;
  }
  emit(event: MachineEvent): void {
    this.observer?.event(event);
  }

  get cpl(): number {
    return currentPrivilegeLevel(this.registers);
  }
  /** Whose rights an access by the running program has. */
  get privilege(): Privilege {
    return this.cpl === 3 ? 'user' : 'supervisor';
  }
  get isGuest(): boolean {
    return low(this.registers, VMX_OPERATION) === 2;
  }
  /** Whether NMI_BLOCKING is about the guest's virtual NMIs and does not hold real ones off. */
  get hasVirtualNmis(): boolean {
    return this.isGuest && this.unit?.hasVirtualNmis?.(this) === true;
  }
  get usesEpt(): boolean {
    return this.unit !== undefined && this.isGuest && this.unit.usesEpt(this);
  }
  get linearAddressBits(): 32 | 64 {
    return isLongMode(this.registers) ? 64 : 32;
  }

  /** Changes CPL; `how` names the transition: 'SYSCALL', 'far RET'. */
  enterRing(ring: number, how: string): void {
    const from = this.cpl;
    if (from === ring) return;
    this.registers.cells[CPL] = BigInt(ring);
    this.emit({kind: 'ring', how, from, to: ring});
  }

  /** Through EPT, where the running guest has it. */
  translateGuestPhysical(
    address: Gpa,
    access: GuestPhysicalAccess,
    references: WalkReference[] | undefined,
  ): number | Trouble {
    if (this.unit === undefined) return address;
    const found = this.unit.translate(this, address, access, references);
    return typeof found === 'number' ? found : {kind: 'vm-exit', exit: found};
  }

  /** #AC where alignment is checked (CR0.AM, RFLAGS.AC, CPL 3) and the access is not aligned to its size. */
  alignmentFault(linear: bigint, bytes: number): Fault | undefined {
    if (bytes < 2 || (low(this.registers, CR0) & CR0_AM) === 0 || this.cpl !== 3) return undefined;
    if ((low(this.registers, RFLAGS) & RFLAGS_AC) === 0 || linear % BigInt(Math.min(bytes, 8)) === 0n) return undefined;
    return faultBecause(
      '#AC',
      0,
      'the address is a multiple of the access size (CR0.AM, RFLAGS.AC, CPL 3)',
      [shown('linear address', linear), ['bytes', String(bytes)]],
      'SDM vol. 3A, "Interrupt 17—Alignment Check Exception (#AC)"',
    );
  }

  charge(cycles: number): void {
    const {cells} = this.registers;
    cells[CYCLES] = (cells[CYCLES] ?? 0n) + BigInt(cycles);
    cells[TSC] = (cells[TSC] ?? 0n) + BigInt(cycles);
  }
  /** The cost of an instruction that has completed. Ports, SYSCALL and deliveries charge their own. */
  chargeInstruction(instruction: Instruction): void {
    this.charge(this.costModel.instruction.cycles + ownCost(this.costModel, instruction));
  }

  instructionBytes(): readonly number[] {
    const {registers, mmu, memory} = this;
    const base = codeSizeOf(registers) === 64 ? 0n : registers.get('CS.base');
    const found: number[] = [];
    for (let index = 0; index < LONGEST_INSTRUCTION; index++) {
      const linear = BigInt.asUintN(this.linearAddressBits, base + this.instructionRip + BigInt(index));
      const at = mmu.known(linear, 'execute', this.privilege);
      if (at === undefined) break;
      found.push(Number(memory.read(hpa(at), 1)));
    }
    return found;
  }

  deliverEvent(event: DeliverableEvent): void {
    deliverAtOnce(this, event);
  }

  raise(fault: Fault): void {
    raiseAtOnce(this, fault);
  }

  clearRegisters(): void {
    this.registers.cells.fill(0n, 0, CELLS.length);
  }
}
