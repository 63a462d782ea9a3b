// The memory-management unit: linear addresses to physical ones, through the TLB where it can answer.
// An access that crosses a page is translated on both sides before a byte moves, so it happens whole or not at all.

import {gpa, hpa} from '@hyperscope/base';
import {noteAccess} from '../cpu/breakpoints.js';
import {heldPdptes} from '../cpu/page-directory-pointers.js';
import type {Processor} from '../cpu/processor.js';
import type {Trouble} from '../cpu/trouble.js';
import {
  CR0_WP,
  CR4_PGE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_NXE,
  RFLAGS_AC,
  isPaging,
  low,
  pagingModeOf,
} from '../cpu/modes.js';
import {CR0, CR3, CR4, EFER, RFLAGS} from '../cpu/cell-indexes.js';
import type {WalkReference} from '../observer.js';
import {
  TLB_DIRTY,
  TLB_GLOBAL,
  TLB_NO_EXECUTE,
  TLB_PROVEN_EXECUTE,
  TLB_PROVEN_READ,
  TLB_PROVEN_WRITE,
  TLB_USER,
  TLB_WRITABLE,
} from './tlb.js';
import {deniedBy, walkPageTables} from './page-walk.js';
import type {AccessKind, PagingRules, Privilege, TableAccess, Translation} from './page-walk.js';

const PROVEN = {read: TLB_PROVEN_READ, write: TLB_PROVEN_WRITE, execute: TLB_PROVEN_EXECUTE} as const;
const PROVEN_ALL = TLB_PROVEN_READ | TLB_PROVEN_WRITE | TLB_PROVEN_EXECUTE;

export class Mmu {
  readonly #cpu: Processor;

  constructor(cpu: Processor) {
    this.#cpu = cpu;
  }

  /** The host-physical address behind a linear one, for an access that lies within one page. */
  translate(linear: bigint, access: AccessKind, privilege: Privilege): number | Trouble {
    const found = this.#translate(linear, access, privilege);
    return typeof found === 'number' ? this.#cpu.memory.throughA20(found) : found;
  }

  /** The same where it is known without a walk, so that asking changes nothing; undefined where it is not. */
  known(linear: bigint, access: AccessKind, privilege: Privilege): number | undefined {
    const found = this.#remembered(linear, access, privilege, this.#cpu.usesEpt);
    return found === undefined ? undefined : this.#cpu.memory.throughA20(found);
  }

  #translate(linear: bigint, access: AccessKind, privilege: Privilege): number | Trouble {
    const nested = this.#cpu.usesEpt;
    return this.#remembered(linear, access, privilege, nested) ?? this.#walk(linear, access, privilege, nested);
  }

  #remembered(linear: bigint, access: AccessKind, privilege: Privilege, nested: boolean): number | undefined {
    const cpu = this.#cpu;
    if (!nested && !isPaging(cpu.registers)) return Number(linear);
    const page = Number(linear >> 12n);
    const at = cpu.tlb.find(page);
    if (at < 0 || !this.#tlbAllows(cpu.tlb.flags(at), access, privilege)) return undefined;
    return cpu.tlb.physicalPage(at) * 4096 + Number(linear & 0xfffn);
  }

  /** Reads 1 to 16 bytes, little-endian. */
  read(linear: bigint, bytes: number, privilege: Privilege, access: AccessKind = 'read'): bigint | Trouble {
    if (this.#cpu.watching && privilege !== 'implicit') noteAccess(this.#cpu, linear, bytes, 'read');
    const first = this.translate(linear, access, privilege);
    if (typeof first !== 'number') return first;
    const inPage = 4096 - Number(linear & 0xfffn);
    if (bytes <= inPage && bytes <= 8) return this.#cpu.memory.read(hpa(first), bytes);
    const second = bytes > inPage ? this.translate(this.#after(linear, inPage), access, privilege) : first + inPage;
    if (typeof second !== 'number') return second;
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) {
      value = (value << 8n) | this.#cpu.memory.read(hpa(i < inPage ? first + i : second + i - inPage), 1);
    }
    return value;
  }

  /** Writes 1 to 16 bytes, little-endian; all of them or, with trouble, none. */
  write(linear: bigint, bytes: number, value: bigint, privilege: Privilege): Trouble | undefined {
    if (this.#cpu.watching && privilege !== 'implicit') noteAccess(this.#cpu, linear, bytes, 'write');
    const first = this.translate(linear, 'write', privilege);
    if (typeof first !== 'number') return first;
    const inPage = 4096 - Number(linear & 0xfffn);
    if (bytes <= inPage && bytes <= 8) {
      this.#cpu.memory.write(hpa(first), bytes, value);
      return undefined;
    }
    const second = bytes > inPage ? this.translate(this.#after(linear, inPage), 'write', privilege) : first + inPage;
    if (typeof second !== 'number') return second;
    for (let i = 0; i < bytes; i++) {
      const at = i < inPage ? first + i : second + i - inPage;
      this.#cpu.memory.write(hpa(at), 1, (value >> BigInt(8 * i)) & 0xffn);
    }
    return undefined;
  }

  /** Whether an access would succeed; A and D bits are set as by the access itself. */
  probe(linear: bigint, bytes: number, access: AccessKind, privilege: Privilege): Trouble | undefined {
    const first = this.translate(linear, access, privilege);
    if (typeof first !== 'number') return first;
    const inPage = 4096 - Number(linear & 0xfffn);
    if (bytes <= inPage) return undefined;
    const second = this.translate(this.#after(linear, inPage), access, privilege);
    return typeof second === 'number' ? undefined : second;
  }

  /** Linear addresses wrap at 4 GiB outside 64-bit mode, at 2^64 in it. */
  #after(linear: bigint, bytes: number): bigint {
    return BigInt.asUintN(this.#cpu.linearAddressBits, linear + BigInt(bytes));
  }

  /** Numbers first: nearly every access is allowed at a glance; only what is left is worth asking in full. */
  #tlbAllows(flags: number, access: AccessKind, privilege: Privilege): boolean {
    if ((flags & PROVEN[access]) === 0 || (access === 'write' && (flags & TLB_DIRTY) === 0)) return false;
    const {registers} = this.#cpu;
    const typeAllows =
      access === 'execute' ? (flags & TLB_NO_EXECUTE) === 0 : access === 'read' || (flags & TLB_WRITABLE) !== 0;
    const isUserPage = (flags & TLB_USER) !== 0;
    if (typeAllows && isUserPage && (privilege === 'user' || (low(registers, CR4) & (CR4_SMEP | CR4_SMAP)) === 0))
      return true;
    if ((typeAllows && !isUserPage && privilege !== 'user') || !isPaging(registers)) return true;
    const rights = {
      user: isUserPage,
      writable: (flags & TLB_WRITABLE) !== 0,
      noExecute: (flags & TLB_NO_EXECUTE) !== 0,
    };
    return deniedBy(access, privilege, rights, this.#protections()) === undefined;
  }

  #protections(): Pick<PagingRules, 'writeProtect' | 'smep' | 'smap' | 'alignmentFlag'> {
    const {registers} = this.#cpu;
    return {
      writeProtect: (low(registers, CR0) & CR0_WP) !== 0,
      smep: (low(registers, CR4) & CR4_SMEP) !== 0,
      smap: (low(registers, CR4) & CR4_SMAP) !== 0,
      alignmentFlag: (low(registers, RFLAGS) & RFLAGS_AC) !== 0,
    };
  }

  // A refused or unknown translation always walks: a right that the tables have granted since is then seen at once,
  // which the SDM allows (vol. 3A, "Optional Invalidation"); only a right that was taken away can stay remembered.
  #walk(linear: bigint, access: AccessKind, privilege: Privilege, nested: boolean): number | Trouble {
    const cpu = this.#cpu;
    const references: WalkReference[] = [];
    const translation = this.#guestTranslation(linear, access, privilege, nested, references);
    if (translation.kind !== 'translation') {
      this.#walked(linear, access, references, translation);
      return translation;
    }
    const physical = nested
      ? cpu.translateGuestPhysical(gpa(translation.address), {kind: access, linear, purpose: 'translation'}, references)
      : translation.address;
    if (typeof physical !== 'number') {
      this.#walked(linear, access, references, physical);
      return physical;
    }
    this.#remember(linear, access, translation, physical, nested);
    this.#walked(linear, access, references, undefined);
    return physical;
  }

  #guestTranslation(
    linear: bigint,
    access: AccessKind,
    privilege: Privilege,
    nested: boolean,
    references: WalkReference[],
  ): Translation | Trouble {
    const cpu = this.#cpu;
    const mode = pagingModeOf(cpu.registers);
    if (mode === 'none') {
      return {
        kind: 'translation',
        address: Number(linear),
        pageBits: 12,
        user: true,
        writable: true,
        noExecute: false,
        dirty: true,
        global: false,
      };
    }
    const cr4 = low(cpu.registers, CR4);
    const rules: PagingRules = {
      ...this.#protections(),
      mode,
      cr3: cpu.registers.cells[CR3] ?? 0n,
      physicalAddressBits: cpu.profile.physicalAddressBits,
      gigabytePages: cpu.features.gigabytePages,
      pse36: cpu.features.pse36,
      pointers: mode === 'PAE' ? heldPdptes(cpu) : undefined,
      noExecute: (low(cpu.registers, EFER) & EFER_NXE) !== 0,
      pageSizeExtensions: (cr4 & CR4_PSE) !== 0,
      globalPages: (cr4 & CR4_PGE) !== 0,
    };
    return walkPageTables(
      linear,
      access,
      privilege,
      rules,
      nested ? this.#nestedTables(linear, references) : this.#plainTables(),
      references,
    );
  }

  #plainTables(): TableAccess {
    const {memory} = this.#cpu;
    return {
      read: (address, bytes) => memory.read(hpa(memory.throughA20(address)), bytes),
      write: (address, bytes, value) => {
        memory.write(hpa(memory.throughA20(address)), bytes, value);
        return undefined;
      },
    };
  }

  /** Guest tables lie in guest-physical memory: each of their entries costs a walk of EPT of its own. */
  #nestedTables(linear: bigint, references: WalkReference[]): TableAccess {
    const cpu = this.#cpu;
    return {
      read: (address, bytes) => {
        const at = cpu.translateGuestPhysical(
          gpa(address),
          {kind: 'read', linear, purpose: 'paging-structure'},
          references,
        );
        return typeof at === 'number' ? cpu.memory.read(hpa(cpu.memory.throughA20(at)), bytes) : at;
      },
      write: (address, bytes, value) => {
        const at = cpu.translateGuestPhysical(
          gpa(address),
          {kind: 'write', linear, purpose: 'paging-structure'},
          undefined,
        );
        if (typeof at !== 'number') return at;
        cpu.memory.write(hpa(cpu.memory.throughA20(at)), bytes, value);
        return undefined;
      },
    };
  }

  #remember(linear: bigint, access: AccessKind, found: Translation, physical: number, nested: boolean): void {
    const page = Number(linear >> 12n);
    const earlier = this.#cpu.tlb.find(page);
    const physicalPage = Math.floor(physical / 4096);
    // What EPT allowed for an earlier access stays proven as long as the translation is the same.
    const proven =
      earlier >= 0 && this.#cpu.tlb.physicalPage(earlier) === physicalPage
        ? this.#cpu.tlb.flags(earlier) & PROVEN_ALL
        : 0;
    const flags =
      (found.user ? TLB_USER : 0) |
      (found.writable ? TLB_WRITABLE : 0) |
      (found.noExecute ? TLB_NO_EXECUTE : 0) |
      (found.dirty ? TLB_DIRTY : 0) |
      (found.global ? TLB_GLOBAL : 0) |
      (nested ? proven | PROVEN[access] : PROVEN_ALL);
    this.#cpu.tlb.insert({linearPage: page, physicalPage, flags, pageBits: found.pageBits});
  }

  /** Each entry that was read has its price, of a walk that ended in trouble too. */
  #walked(
    linear: bigint,
    access: AccessKind,
    references: readonly WalkReference[],
    trouble: Trouble | undefined,
  ): void {
    const cpu = this.#cpu;
    cpu.charge(cpu.costModel.tlbMissReference.cycles * references.length);
    if (references.length === 0 || !cpu.observed) return;
    cpu.emit({kind: 'page-walk', linear, access, references, outcome: outcomeOf(trouble)});
  }
}

/** Exit reasons 48 and 49: SDM vol. 3D, "VMX Basic Exit Reasons". */
function outcomeOf(trouble: Trouble | undefined): 'mapped' | 'page-fault' | 'ept-violation' | 'ept-misconfiguration' {
  if (trouble === undefined) return 'mapped';
  if (trouble.kind !== 'vm-exit') return 'page-fault';
  return trouble.exit.reason === 49 ? 'ept-misconfiguration' : 'ept-violation';
}
