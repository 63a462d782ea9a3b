// What the host's routines share: the machine they run on, the guest they run, and ways to tell of what they do.
// There is no state here that a step changes, apart from the outcome that ends the run: everything else is in memory.

import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {FaultLink, Machine} from '@hyperscope/machine';
import {VIDEO_TEXT, VmxInstructions} from '@hyperscope/machine';
import type {RunObservation} from '../run-observer.js';
import type {DeviceBoard} from '../user-space/device-board.js';
import type {GuestImage, RunOutcome} from '../technique.js';
import type {HypervisorEvent} from '../virtual-machine.js';
import type {VtxEptOptions} from './vmx/controls.js';
import {GUEST_RAM} from '../host/host-layout.js';
import {GuestEmulator} from './guest-emulator.js';
import {KvmVcpu} from './kvm-vcpu.js';
import {VirtualChipset} from './virtual-chipset.js';

/** A memory slot, as KVM_SET_USER_MEMORY_REGION makes it. */
export interface MemorySlot {
  readonly gpa: number;
  readonly bytes: number;
  readonly host: number;
  readonly access: 'read-write' | 'read-only';
}

const PAGE = 4096;
const upTo = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;

/**
 * RAM from 0, with a hole where the video card's text memory is; and a slot of its own for every segment that lies outside
 * (a ROM at the top of 4 GiB). The RAM lies in the host's memory as if there were no hole.
 */
export function memorySlots(image: GuestImage): readonly MemorySlot[] {
  const ram = (from: number, to: number): MemorySlot => ({
    gpa: from,
    bytes: to - from,
    host: GUEST_RAM + from,
    access: 'read-write',
  });
  const {memoryBytes} = image;
  const hole = memoryBytes >= VIDEO_TEXT.end;
  const slots = hole ? [ram(0, VIDEO_TEXT.start)] : [ram(0, memoryBytes)];
  if (memoryBytes > VIDEO_TEXT.end) slots.push(ram(VIDEO_TEXT.end, memoryBytes));
  let next = GUEST_RAM + upTo(image.memoryBytes, 0x20_0000);
  for (const {gpa, bytes} of image.segments) {
    if (gpa + bytes.length <= image.memoryBytes) continue;
    const size = upTo(bytes.length, PAGE);
    slots.push({gpa, bytes: size, host: next, access: 'read-only'});
    next += size;
  }
  return slots;
}

/** Bytes of host-physical memory that the host and the slots need. */
export function hostMemoryBytes(slots: readonly MemorySlot[]): number {
  return upTo(Math.max(...slots.map(slot => slot.host + slot.bytes)), PAGE);
}

export interface HostContextParts {
  readonly machine: Machine;
  readonly image: GuestImage;
  readonly slots: readonly MemorySlot[];
  readonly options: VtxEptOptions;
  readonly board: DeviceBoard;
  readonly observation: RunObservation;
  readonly disks: readonly Uint8Array[];
  tell(event: HypervisorEvent): void;
}

export class HostContext {
  readonly machine: Machine;
  readonly image: GuestImage;
  readonly slots: readonly MemorySlot[];
  readonly options: VtxEptOptions;
  readonly board: DeviceBoard;
  readonly #observation: RunObservation;
  readonly tell: (event: HypervisorEvent) => void;
  readonly vmx: VmxInstructions;
  readonly vcpu: KvmVcpu;
  readonly devices: VirtualChipset;
  readonly emulator: GuestEmulator;
  /** Set once, by the step that ends the run. */
  outcome: RunOutcome | undefined;
  /** What KVM's emulator could not do, for the process that has to stop because of it. */
  unsupported: Extract<RunOutcome, {kind: 'unsupported'}> | undefined;
  /** The address of vmx_vmexit, for HOST_RIP; known when the routines have been placed. */
  exitAddress = 0n;

  constructor(parts: HostContextParts) {
    this.machine = parts.machine;
    this.image = parts.image;
    this.slots = parts.slots;
    this.options = parts.options;
    this.board = parts.board;
    this.#observation = parts.observation;
    this.tell = event => parts.tell(event);
    this.vmx = new VmxInstructions(parts.machine);
    this.vcpu = new KvmVcpu(parts.machine.memory);
    this.devices = new VirtualChipset({
      machine: parts.machine,
      vcpu: this.vcpu,
      board: parts.board,
      place: parts.options.irqchip ?? parts.image.irqchip ?? 'user',
      memoryBytes: parts.image.memoryBytes,
      disks: parts.disks,
    });
    this.emulator = new GuestEmulator(this);
  }

  slotAt(gpa: number): MemorySlot | undefined {
    return this.slots.find(slot => gpa >= slot.gpa && gpa < slot.gpa + slot.bytes);
  }
  guestToHost(gpa: number): Hpa | undefined {
    const slot = this.slotAt(gpa);
    return slot === undefined ? undefined : hpa(slot.host + gpa - slot.gpa);
  }
  /** As `guestToHost`, and where the bytes of the video card's memory are: for loaders and views. */
  guestBytes(gpa: number): Hpa | undefined {
    const isVideo = gpa >= VIDEO_TEXT.start && gpa < VIDEO_TEXT.end && this.image.memoryBytes >= VIDEO_TEXT.end;
    return isVideo ? hpa(GUEST_RAM + gpa) : this.guestToHost(gpa);
  }
  /** Tells by whom an exit was answered. */
  handled(reason: number, route: 'kvm' | 'user-space', why: string): void {
    this.tell({kind: 'exit-handled', reason, route, why});
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
