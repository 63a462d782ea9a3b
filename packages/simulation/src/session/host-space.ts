// Host-virtual addresses at a state: what the memory slots say of guest-physical memory, and where the host's own page tables
// lead. KVM asks the two one after the other when it maps a page (__gfn_to_hva, then get_user_pages); the processor asks neither.

import {
  DIRECT_MAP,
  HOST_PAGE_TABLES,
  KVM_RUN_WINDOW,
  RAM_WINDOW,
  GUEST_RAM,
  hvaOf,
  notedMemorySlots,
  outlineOfTechnique,
} from '@hyperscope/vmm';
import type {NotedSlot} from '@hyperscope/vmm';
import {GuestMemory} from '@hyperscope/trace';
import type {CellSource} from '@hyperscope/trace';
import type {StateView} from './state-view.js';

const PAGE = 4096;
const KVM_RUN_PAGES = 3;
const CELLS: Readonly<Record<string, bigint>> = {
  CR0: 0x8001_0001n,
  CR3: BigInt(HOST_PAGE_TABLES),
  CR4: 0x20n,
  EFER: 0xd00n,
};
/** The host's paging: its tables do not depend on who runs. */
const HOST_CELLS: CellSource = cell => CELLS[cell];

/** Whether the guest's memory is a process's: QEMU's, with KVM under it. */
export const hasHost = (technique: string): boolean => outlineOfTechnique(technique)?.host === 'hardware';

export class HostSpace {
  readonly #state: StateView;
  /** A reader for which the whole of memory is one piece. */
  readonly #memory: GuestMemory;
  /** What KVM has been told; empty before the ioctl. */
  readonly slots: readonly NotedSlot[];

  /** The host under a state; undefined on bare metal, and under a VMM that is no process of a host. */
  static of(state: StateView): HostSpace | undefined {
    return hasHost(state.header.technique) ? new HostSpace(state) : undefined;
  }

  private constructor(state: StateView) {
    this.#state = state;
    this.#memory = new GuestMemory({}, state.memory);
    this.slots = notedMemorySlots(state.memory);
  }

  /** Host-physical, by the host's page tables; undefined where they map nothing. */
  translate(hva: bigint): number | undefined {
    const at = this.#memory.translate(HOST_CELLS, hva);
    return at === undefined || at >= this.#state.memory.length ? undefined : at;
  }

  /** The memory slot that a guest-physical address lies in. */
  slotOf(gpa: number): {readonly number: number; readonly hva: bigint} | undefined {
    const number = this.slots.findIndex(slot => gpa >= slot.gpa && gpa < slot.gpa + slot.bytes);
    const slot = this.slots[number];
    return slot === undefined ? undefined : {number, hva: hvaOf(slot, gpa)};
  }

  /** A host-virtual address of a place in memory: QEMU's, or the kernel's where no process has it. */
  hvaOf(hpa: number): bigint | undefined {
    return this.#candidates(hpa).find(hva => this.translate(hva) === hpa);
  }

  #candidates(hpa: number): readonly bigint[] {
    const gpa = this.#state.guestMemory.addressOf(hpa);
    const slot = gpa === undefined ? undefined : this.slotOf(gpa);
    const inside = BigInt(hpa % PAGE);
    return [
      ...(slot === undefined ? [] : [slot.hva]),
      ...(hpa < GUEST_RAM ? [] : [RAM_WINDOW + BigInt(hpa - GUEST_RAM)]),
      ...Array.from({length: KVM_RUN_PAGES}, (_, page) => KVM_RUN_WINDOW + BigInt(page * PAGE) + inside),
      DIRECT_MAP + BigInt(hpa),
    ];
  }
}
