// EPT violations. The guest's memory is mapped lazily: the first touch of a page leaves the guest, KVM finds the memory
// slot and puts an entry into the extended page tables. Linux, arch/x86/kvm/vmx/vmx.c: handle_ept_violation;
// arch/x86/kvm/mmu/mmu.c: kvm_tdp_page_fault.

import {bit, hex, hpa} from '@hyperscope/base';
import {EPT_POOL, EPT_POOL_END} from '../host/host-layout.js';
import type {Host, MemorySlot} from './host-context.js';
import type {StepResult} from '../host/host-program.js';
import {cannotEmulate} from './kvm-emulation-failure.js';

const EPT_VIOLATION = 48;
const READ = 1n;
const WRITE = 2n;
const EXECUTE = 4n;
const LEAF_2M = 0x80n;
const WRITE_BACK = 6n << 3n;
const PAGE = 4096;
const LARGE_PAGE = 0x20_0000;

function accessOf(qualification: bigint): string {
  return bit(qualification, 2) ? 'fetch' : bit(qualification, 1) ? 'write' : 'read';
}

export function handleEptViolation(host: Host): StepResult {
  const qualification = host.vmx.vmread('EXIT_QUALIFICATION');
  const gpa = Number(host.vmx.vmread('GUEST_PHYSICAL_ADDRESS'));
  const what = `${accessOf(qualification)} at GPA ${hex(gpa)}${bit(qualification, 8) ? '' : ' by the page walk'}`;
  const slot = host.slotAt(gpa);
  const read = `read EXIT_QUALIFICATION: ${hex(qualification)}: ${what}`;
  if (slot === undefined && bit(qualification, 2))
    return cannotEmulate(host, `a ${what} lies outside the guest’s memory: no instruction can be fetched there`);
  if (slot === undefined)
    return {
      say: `${read}; no memory slot covers it, so it belongs to a device: the instruction has to be carried out in software`,
      go: 'x86_emulate_instruction',
    };
  if (bit(qualification, 1) && slot.access === 'read-only')
    return {
      say: `${read}; its memory slot is read-only: the instruction has to be carried out in software`,
      go: 'x86_emulate_instruction',
    };
  return {
    say: `${read}; it lies in a memory slot and is not mapped yet`,
    go: 'kvm_tdp_page_fault',
  };
}

export function mapPage(host: Host): StepResult {
  const gpa = Number(host.vmx.vmread('GUEST_PHYSICAL_ADDRESS'));
  const slot = host.slotAt(gpa);
  if (slot === undefined) return cannotEmulate(host, 'the memory slot is gone');
  const large = host.options.eptPage === '2M' && coversLargePage(slot, gpa);
  const size = large ? LARGE_PAGE : PAGE;
  const page = gpa - (gpa % size);
  const target = slot.host + page - slot.gpa;
  const rights = READ | EXECUTE | (slot.access === 'read-write' ? WRITE : 0n);
  const at = entryAddress(host, page, large ? 2 : 1);
  if (at === undefined) {
    host.finish({
      kind: 'error',
      message: `The pool for extended page tables (${(EPT_POOL_END - EPT_POOL) / 2 ** 20} MiB) is full: give the guest less memory, or 2 MiB pages.`,
    });
    return {say: 'no page left for extended page tables', go: 'vcpu_enter_guest'};
  }
  host.machine.memory.write(hpa(at), 8, BigInt(target) | rights | WRITE_BACK | (large ? LEAF_2M : 0n));
  host.vcpu.set('ept_mapped', host.vcpu.get('ept_mapped') + 1n);
  host.handled(
    EPT_VIOLATION,
    'kvm',
    `first touch of a ${large ? '2 MiB' : '4 KiB'} page of RAM: KVM maps it and the guest repeats the access`,
  );
  return {
    say: `EPT: GPA ${hex(page)} → HPA ${hex(target)}, ${large ? '2 MiB' : '4 KiB'}; the access will be repeated`,
    go: 'vcpu_enter_guest',
  };
}

function coversLargePage(slot: MemorySlot, gpa: number): boolean {
  const start = gpa - (gpa % LARGE_PAGE);
  return (
    start >= slot.gpa &&
    start + LARGE_PAGE <= slot.gpa + slot.bytes &&
    (slot.host + start - slot.gpa) % LARGE_PAGE === 0
  );
}

/** Where the entry of `level` for an address lies; makes the tables on the way. Undefined when the pool is empty. */
function entryAddress(host: Host, address: number, level: 1 | 2): number | undefined {
  let table = EPT_POOL;
  for (let at = 4; at > level; at--) {
    const slot = table + indexAt(address, at) * 8;
    const entry = host.machine.memory.read(hpa(slot), 8);
    if (entry !== 0n) {
      table = Number(entry & ~0xfffn);
      continue;
    }
    const fresh = Number(host.vcpu.get('ept_pool'));
    if (fresh >= EPT_POOL_END) return undefined;
    host.vcpu.set('ept_pool', BigInt(fresh + PAGE));
    host.machine.memory.write(hpa(slot), 8, BigInt(fresh) | READ | WRITE | EXECUTE);
    table = fresh;
  }
  return table + indexAt(address, level) * 8;
}

const indexAt = (address: number, level: number): number => Math.floor(address / 2 ** (12 + 9 * (level - 1))) % 512;
