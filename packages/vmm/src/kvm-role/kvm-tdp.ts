// Two-dimensional paging: EPT violations and nested page faults. The guest's memory is mapped lazily: the first touch of
// a page leaves the guest, KVM finds the memory slot and puts an entry into the nested tables.
// Linux, arch/x86/kvm/mmu/mmu.c: kvm_mmu_page_fault, kvm_tdp_page_fault.

import {hex, hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import {TABLE_POOL, TABLE_POOL_END} from '../host/host-layout.js';
import type {StepResult} from '../host/host-program.js';
import {EPT_FORMAT, NPT_FORMAT} from '../nested-paging/entry-format.js';
import {NestedMmu} from '../nested-paging/nested-mmu.js';
import type {GuestMmu, GuestMmuKind} from './guest-mmu.js';
import type {Host} from './host-context.js';
import {cannotEmulate, cannotFetch} from './kvm-emulation-failure.js';

const PAGE = 4096;

export class NestedGuestMmu implements GuestMmu {
  readonly kind = 'nested';
  readonly #host: Host;
  readonly tables: NestedMmu;

  constructor(host: Host) {
    this.#host = host;
    const {memory} = host.machine;
    const access = {
      read: (at: Hpa, bytes: 8): bigint => memory.read(at, bytes),
      write: (at: Hpa, bytes: 8, value: bigint): void => memory.write(at, bytes, value),
      allocatePage: (): Hpa | undefined => this.#allocatePage(),
    };
    this.tables = new NestedMmu(access, host.hardware.name === 'VMX' ? EPT_FORMAT : NPT_FORMAT, hpa(TABLE_POOL));
  }

  #allocatePage(): Hpa | undefined {
    const fresh = Number(this.#host.vcpu.get('ept_pool'));
    if (fresh >= TABLE_POOL_END) return undefined;
    this.#host.vcpu.set('ept_pool', BigInt(fresh + PAGE));
    return hpa(fresh);
  }

  create(): Hpa {
    this.#host.vcpu.set('ept_pool', BigInt(TABLE_POOL + PAGE));
    return this.tables.root;
  }
  reload(): undefined {
    return undefined;
  }
  guestLoadedCr3(): string {
    return 'the guest’s own page-table root, which the hardware walks itself';
  }
  guestChangedMode(): void {
    // The processor reads the guest's CR0, CR4 and EFER itself.
  }
  guestInvalidated(): string {
    this.#host.hardware.flushTlb();
    return this.#host.hardware.name === 'VMX' ? 'INVEPT' : 'the next VMRUN flushes the guest’s translations';
  }
  guestWrote(): void {
    // Nothing was derived from the guest's memory.
  }
}

/** `read`: what the vendor half read to know of it, for the screen. */
export function nestedPageFault(host: Host, read: string): StepResult {
  const {gpa, access, by} = host.hardware.nestedFault();
  const what = `${access} at GPA ${hex(gpa)}${by === 'access' ? '' : ' by the page walk'}`;
  const slot = host.slotAt(gpa);
  if (slot === undefined && access === 'fetch') return cannotFetch(host, `a ${what}`);
  if (slot === undefined)
    return {
      say: `${read}: ${what}; no memory slot covers it, so it belongs to a device: the instruction has to be carried out in software`,
      go: 'x86_emulate_instruction',
    };
  if (access === 'write' && slot.access === 'read-only')
    return {
      say: `${read}: ${what}; its memory slot is read-only: the instruction has to be carried out in software`,
      go: 'x86_emulate_instruction',
    };
  return {say: `${read}: ${what}; it lies in a memory slot and is not mapped yet`, go: 'kvm_tdp_page_fault'};
}

function mapPage(host: Host): StepResult {
  const {mmu} = host;
  const {gpa} = host.hardware.nestedFault();
  const slot = host.slotAt(gpa);
  if (slot === undefined || !(mmu instanceof NestedGuestMmu)) return cannotEmulate(host, 'the memory slot is gone');
  const mapping = mmu.tables.map(slot, gpa, host.options.nestedPage);
  const tables = host.hardware.name === 'VMX' ? 'EPT' : 'NPT';
  if (mapping === undefined) {
    host.finish({
      kind: 'error',
      message: `The pool for nested page tables (${(TABLE_POOL_END - TABLE_POOL) / 2 ** 20} MiB) is full: give the guest less memory, or 2 MiB pages.`,
    });
    return {say: 'no page left for nested page tables', go: 'vcpu_enter_guest'};
  }
  host.vcpu.set('ept_mapped', host.vcpu.get('ept_mapped') + 1n);
  host.handled('kvm', `first touch of a ${mapping.size} page of RAM: KVM maps it and the guest repeats the access`);
  return {
    say: `the memory slot makes GPA ${hex(mapping.gpa)} ${host.hvaText(mapping.gpa)}, the host’s page tables make that HPA ${hex(mapping.host)}; ${tables}: GPA ${hex(mapping.gpa)} → HPA ${hex(mapping.host)}, ${mapping.size}; the access will be repeated`,
    go: 'vcpu_enter_guest',
  };
}

export const NESTED_MMU: GuestMmuKind = {
  kind: 'nested',
  routines: [{name: 'kvm_tdp_page_fault', actor: 'hypervisor', steps: [mapPage]}],
  create: host => new NestedGuestMmu(host),
};
