// The guest's memory as devices of the user-space VMM reach it: the consoles that read their rings there, and the video card, whose
// memory lies at its place behind the guest's RAM, but in no slot: each access is an exit, or a write that KVM notes down.

import {coalescedZone, videoMemory} from '@hyperscope/vmm';
import type {CoalescedMmio, DeviceBoard, DeviceMemory, HypervisorEvent} from '@hyperscope/vmm';
import {PAGE_BYTES} from './kvm-abi.js';
import type {KvmVirtualMachine} from './kvm-virtual-machine.js';

type Machine = Pick<KvmVirtualMachine, 'memory' | 'coalesce' | 'coalescedWrites'>;

export class GuestRam implements DeviceMemory {
  /** Pages that a device has written: KVM's dirty log knows only the guest's own writes. */
  readonly #written = new Set<number>();
  readonly #machine: () => Machine;

  /** `machine` is asked when a device runs: the board is made before the machine. */
  constructor(machine: () => Machine) {
    this.#machine = machine;
  }

  read(at: number, length: number): Uint8Array | undefined {
    const {memory} = this.#machine();
    return at + length <= memory.length ? memory.slice(at, at + length) : undefined;
  }

  write(at: number, bytes: Uint8Array): boolean {
    const {memory} = this.#machine();
    if (at + bytes.length > memory.length) return false;
    memory.set(bytes, at);
    for (let page = at - (at % PAGE_BYTES); page < at + bytes.length; page += PAGE_BYTES) this.#written.add(page);
    return true;
  }

  /** Guest-physical addresses of the pages that devices wrote since the last call. */
  takeWrittenPages(): readonly number[] {
    const pages = [...this.#written];
    this.#written.clear();
    return pages;
  }

  /** Gives the board the video card's memory, and KVM the part of it whose writes can wait. */
  addVideoMemory(board: DeviceBoard, choice: CoalescedMmio): void {
    const machine = this.#machine();
    const region = videoMemory(machine.memory.length, {
      read: (at, length) =>
        machine.memory.subarray(at, at + length).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n),
      write: (at, length, value) => {
        this.write(
          at,
          Uint8Array.from({length}, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn)),
        );
      },
    });
    if (region === undefined) return;
    board.regions.push(region);
    const zone = coalescedZone(choice, machine.memory.length);
    if (zone !== undefined) machine.coalesce(zone);
  }

  /** What KVM noted down reaches its device; the event that tells of it, if there was anything. */
  takeCoalescedWrites(board: DeviceBoard): readonly Extract<HypervisorEvent, {kind: 'device'}>[] {
    const writes = this.#machine().coalescedWrites();
    if (writes.length === 0) return [];
    for (const write of writes) board.handleExit(write);
    const told = writes.length === 1 ? '1 write reaches its device' : `${writes.length} writes reach their device`;
    const sentence = `${told}: KVM had noted them down without coming back to user space`;
    return [{kind: 'device', name: 'video card', what: 'output', sentence}];
  }
}
