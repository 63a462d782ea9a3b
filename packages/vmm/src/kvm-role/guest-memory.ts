// Guest memory as KVM's software reaches it: guest-virtual to guest-physical by walking the guest's own page tables, then
// through the memory slots. Linux, arch/x86/kvm/mmu/paging_tmpl.h; SDM vol. 3A, "4-Level Paging", "32-Bit Paging".

import {CR0_PG, EFER_LMA} from './guest-registers.js';
import type {Host} from './host-context.js';

const PRESENT = 1n;
const LARGE = 0x80n;
const ADDRESS = 0xf_ffff_ffff_f000n;

/** 1 to 8 bytes at a guest-physical address; undefined outside every slot. */
export function readGuestPhysical(host: Host, gpa: number, bytes: number): bigint | undefined {
  const at = host.guestToHost(gpa);
  return at === undefined ? undefined : host.machine.memory.read(at, bytes);
}

/** The guest-physical address of a linear one, or undefined where the guest's page tables map nothing. */
function translateGuestVirtual(host: Host, linear: bigint): number | undefined {
  if ((host.hardware.get('CR0') & CR0_PG) === 0n) return Number(linear & 0xffff_ffffn);
  if ((host.hardware.get('EFER') & EFER_LMA) !== 0n) return walk(host, linear, 4, 8);
  return (host.hardware.get('CR4') & 0x20n) !== 0n ? walkPae(host, linear) : walk(host, linear & 0xffff_ffffn, 2, 4);
}

function walk(host: Host, linear: bigint, levels: number, entryBytes: 4 | 8): number | undefined {
  const cr3 = host.hardware.get('CR3');
  return walkFrom(host, linear, Number(entryBytes === 8 ? cr3 & ADDRESS : cr3 & 0xffff_f000n), levels, entryBytes);
}

function walkPae(host: Host, linear: bigint): number | undefined {
  const pointer = readGuestPhysical(
    host,
    Number(host.hardware.get('CR3') & 0xffff_ffe0n) + Number((linear >> 30n) & 3n) * 8,
    8,
  );
  if (pointer === undefined || (pointer & PRESENT) === 0n) return undefined;
  return walkFrom(host, linear & 0xffff_ffffn, Number(pointer & ADDRESS), 2, 8);
}

function walkFrom(host: Host, linear: bigint, root: number, levels: number, entryBytes: 4 | 8): number | undefined {
  const indexBits = entryBytes === 8 ? 9 : 10;
  let table = root;
  for (let level = levels; level >= 1; level--) {
    const shift = BigInt(12 + indexBits * (level - 1));
    const index = Number((linear >> shift) & ((1n << BigInt(indexBits)) - 1n));
    const entry = readGuestPhysical(host, table + index * entryBytes, entryBytes);
    if (entry === undefined || (entry & PRESENT) === 0n) return undefined;
    const base = entry & (entryBytes === 8 ? ADDRESS : 0xffff_f000n);
    if (level === 1 || (level <= 3 && (entry & LARGE) !== 0n)) {
      const offset = linear & ((1n << shift) - 1n);
      return Number((base & ~((1n << shift) - 1n)) | offset);
    }
    table = Number(base);
  }
  return undefined;
}

/** 1, 2 or 4 bytes at a linear address, byte by byte so that a page boundary does not matter. */
export function readGuestVirtual(host: Host, linear: bigint, bytes: number): bigint | undefined {
  let value = 0n;
  for (let index = bytes - 1; index >= 0; index--) {
    const gpa = translateGuestVirtual(host, linear + BigInt(index));
    const byte = gpa === undefined ? undefined : readGuestPhysical(host, gpa, 1);
    if (byte === undefined) return undefined;
    value = (value << 8n) | byte;
  }
  return value;
}
