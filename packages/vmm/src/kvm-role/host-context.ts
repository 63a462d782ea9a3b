// What the host's routines share: the machine they run on, the guest they run, and ways to tell of what they do.
// There is no state here that a step changes, apart from the outcome that ends the run: everything else is in memory.

import {assertExists, hex, hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {FaultLink, Machine} from '@hyperscope/machine';
import {VIDEO_TEXT} from '@hyperscope/machine';
import type {WrongField} from '../control-changes.js';
import {NO_FAULTS} from '../deliberate-faults.js';
import type {DeliberateFaults} from '../deliberate-faults.js';
import type {RunObservation} from '../run-observer.js';
import type {DeviceBoard} from '../user-space/device-board.js';
import type {GuestDebug, GuestImage, RunOutcome, VcpuSignal} from '../technique.js';
import type {HypervisorEvent} from '../virtual-machine.js';
import {GUEST_RAM} from '../host/host-layout.js';
import {coalescedZone} from '../user-space/video-memory.js';
import type {AddressRange, CoalescedMmio} from '../user-space/video-memory.js';
import {CoalescedMmioRing} from './coalesced-mmio.js';
import type {GuestMmu, GuestMmuKind} from './guest-mmu.js';
import {GuestEmulator} from './guest-emulator.js';
import type {Hardware, HardwareKind} from './hardware.js';
import {KvmVcpu} from './kvm-vcpu.js';
import type {InterruptedActor} from './host-interrupt.js';
import {hvaOf} from './memory-slots.js';
import type {MemorySlot} from './memory-slots.js';
import type {LeafTables} from '../shadow-paging/ports.js';
import {VirtualChipset} from './virtual-chipset.js';
import type {IrqchipPlace} from './virtual-chipset.js';

/** Choices of KVM and of its user space that are the same on either vendor's hardware. */
export interface HypervisorOptions {
  /** Where PIC, IOAPIC, local APIC and PIT are. Where absent, as the guest’s image asks: in user space, or in the kernel. */
  readonly irqchip?: IrqchipPlace | undefined;
  /** Size of the pages by which nested paging maps guest memory on first touch. */
  readonly nestedPage: '4K' | '2M';
  /** Writes to video memory that KVM only notes down. */
  readonly coalescedMmio: CoalescedMmio;
  /** Shadow paging: whether writes to the guest's leaf tables are let through or trapped, as in 2006. */
  readonly leafTables: LeafTables;
  /** What the hypervisor does wrong on purpose. */
  readonly faults: DeliberateFaults;
  /** A signal that is pending when KVM_RUN begins. */
  readonly signal?: VcpuSignal | undefined;
  /** What user space asks of KVM_SET_GUEST_DEBUG. */
  readonly guestDebug?: GuestDebug | undefined;
  /** A mnemonic that the instruction emulator does not know. */
  readonly undecoded?: string | undefined;
  /** What stands in the VMCS at the first VM entry, although it must not. */
  readonly wrongField?: WrongField | undefined;
  /** Whom a network card of the host's interrupts, once. */
  readonly hostInterrupt?: InterruptedActor | undefined;
}

/**
 * 4 KiB pages: a small guest touches few pages, so its first touches show as few exits, each at its own address. With
 * 2 MiB a bigger guest is mapped in few exits and the mechanism passes unseen; the first 2 MiB stay small pages either way,
 * because of the hole for video memory. measured, EPT violations: hello-kvm 5, rings 4, popf 5, hello-real 1, mini-os 17.
 */
export const HYPERVISOR_DEFAULTS: HypervisorOptions = {
  nestedPage: '4K',
  coalescedMmio: 'half',
  leafTables: 'unsync',
  faults: NO_FAULTS,
};

/** In the place of an exit reason, while KVM emulates without one. */
export const NO_EXIT = 0xffff_ffff_ffff_ffffn;

export interface HostContextParts {
  readonly machine: Machine;
  readonly image: GuestImage;
  readonly slots: readonly MemorySlot[];
  readonly options: HypervisorOptions;
  readonly hardware: HardwareKind;
  readonly mmu: GuestMmuKind;
  readonly board: DeviceBoard;
  readonly observation: RunObservation;
  readonly disks: readonly Uint8Array[];
  tell(event: HypervisorEvent): void;
}

export class HostContext {
  readonly machine: Machine;
  readonly image: GuestImage;
  /** What user space offers to KVM, and what KVM has of its own; `#known`: those that KVM was told of. */
  readonly slots: readonly MemorySlot[];
  readonly #known: readonly MemorySlot[];
  readonly options: HypervisorOptions;
  readonly board: DeviceBoard;
  readonly #observation: RunObservation;
  readonly tell: (event: HypervisorEvent) => void;
  readonly vcpu: KvmVcpu;
  readonly hardware: Hardware;
  readonly mmu: GuestMmu;
  readonly devices: VirtualChipset;
  readonly coalescedZone: AddressRange | undefined;
  readonly coalescedWrites: CoalescedMmioRing;
  readonly emulator: GuestEmulator;
  /** Set once, by the step that ends the run. */
  outcome: RunOutcome | undefined;
  /** What KVM's emulator could not do, for the process that has to stop because of it. */
  unsupported: Extract<RunOutcome, {kind: 'unsupported'}> | undefined;
  /** Where the routines lie; known when they have been placed. */
  code: {address(target: string): bigint} | undefined;

  constructor(parts: HostContextParts) {
    this.machine = parts.machine;
    this.image = parts.image;
    this.slots = parts.slots;
    const isOfKvm = ({gpa}: MemorySlot): boolean => gpa === parts.hardware.privateMemory?.gpa;
    this.#known = parts.options.faults.has('no-memory-region') ? parts.slots.filter(isOfKvm) : parts.slots;
    this.options = parts.options;
    this.board = parts.board;
    this.#observation = parts.observation;
    this.tell = event => parts.tell(event);
    this.vcpu = new KvmVcpu(parts.machine.memory);
    this.devices = new VirtualChipset({
      machine: parts.machine,
      vcpu: this.vcpu,
      board: parts.board,
      place: parts.options.irqchip ?? parts.image.irqchip ?? 'user',
      memoryBytes: parts.image.memoryBytes,
      disks: parts.disks,
    });
    this.coalescedZone = coalescedZone(parts.options.coalescedMmio, parts.image.memoryBytes);
    this.coalescedWrites = new CoalescedMmioRing(parts.machine.memory, this.coalescedZone);
    this.hardware = parts.hardware.create(this);
    this.mmu = parts.mmu.create(this);
    this.emulator = new GuestEmulator(this);
  }

  /** What KVM knows of a guest-physical address. */
  slotAt(gpa: number): MemorySlot | undefined {
    return this.#known.find(slot => gpa >= slot.gpa && gpa < slot.gpa + slot.bytes);
  }
  /** Where user space has the memory that it offers to KVM. */
  #memoryAt(gpa: number): MemorySlot | undefined {
    return this.slots.find(slot => gpa >= slot.gpa && gpa < slot.gpa + slot.bytes);
  }
  /** Whether KVM was told of memory: it allows itself shadow pages in proportion to that (kvm_mmu_change_mmu_pages). */
  get hasMemory(): boolean {
    return !this.options.faults.has('no-memory-region');
  }
  guestToHost(gpa: number): Hpa | undefined {
    const slot = this.slotAt(gpa);
    return slot === undefined ? undefined : hpa(slot.host + gpa - slot.gpa);
  }
  /** Where QEMU has that address, in words; the memory slot says so. */
  hvaText(gpa: number): string {
    const slot = this.slotAt(gpa);
    return slot === undefined ? 'no HVA' : `HVA ${hex(hvaOf(slot, gpa))}`;
  }
  /** As `guestToHost`, and where the bytes of the video card's memory are: for loaders and views. */
  guestBytes(gpa: number): Hpa | undefined {
    const isVideo = gpa >= VIDEO_TEXT.start && gpa < VIDEO_TEXT.end && this.image.memoryBytes >= VIDEO_TEXT.end;
    if (isVideo) return hpa(GUEST_RAM + gpa);
    const slot = this.#memoryAt(gpa);
    return slot === undefined ? undefined : hpa(slot.host + gpa - slot.gpa);
  }
  /** Whether KVM is handling an exit, and not an instruction that it emulates because it cannot enter. */
  get isExitPending(): boolean {
    return this.vcpu.get('exit_reason') !== NO_EXIT;
  }
  /** Tells by whom the exit was answered that is being handled. */
  handled(route: 'kvm' | 'user-space', why: string): void {
    if (!this.isExitPending) return;
    const {reason} = this.hardware.exit();
    this.tell({kind: 'exit-handled', reason, route, why, ...(this.hardware.name === 'SVM' ? {hardware: 'SVM'} : {})});
  }
  /** The address of a routine, for the hardware to come back to. */
  addressOf(routine: string): bigint {
    return assertExists(this.code, 'the routines have been placed').address(routine);
  }
  /** The faults that led to the last triple fault. */
  get lastFaultChain(): readonly FaultLink[] {
    return this.#observation.lastFaultChain;
  }
  finish(outcome: RunOutcome): void {
    this.outcome ??= outcome;
  }
}

export type Host = HostContext;
