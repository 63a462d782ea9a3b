// For tests: a guest's memory in a host's, a shadow MMU over it, and a processor that walks the shadow as hardware would.
//
//   host-physical   10_0000 … 2f_ffff  pool         40_0000 …  guest RAM, 1 MiB        60_0000  a ROM of two pages
//   guest-physical  0 … f_ffff  RAM                 f0_0000 …  ROM                      elsewhere: devices

import {assert, gpa, hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {Backing, GuestPaging, ShadowEvent, ShadowHardware, ShadowMmu, ShadowVerdict} from './ports.js';
import type {HypervisorWindow, LeafTables, ShadowMmuOptions} from './ports.js';
import {createShadowMmu} from './shadow-mmu.js';
import {refused, textbookWalk} from './textbook-walk.js';
import type {WalkAccess, WalkResult} from './textbook-walk.js';

export const POOL = 0x10_0000;
export const RAM = 0x40_0000;
export const RAM_BYTES = 0x10_0000;
export const ROM = 0xf0_0000;
const ROM_HOST = 0x60_0000;
const ROM_BYTES = 0x2000;
export const FEATURES = {physicalAddressBits: 40, gigabytePages: true, pse36: true} as const;

const HARDWARE_FEATURES = {physicalAddressBits: 52, gigabytePages: true, pse36: true} as const;

export interface FixtureOptions {
  readonly hardware?: Partial<ShadowHardware>;
  readonly poolPages?: number;
  readonly window?: HypervisorWindow;
  readonly leafTables?: LeafTables;
}

/** What became of an access: how often it faulted, and what it came to. */
export interface AccessReport {
  readonly outcome: Exclude<ShadowVerdict['kind'], 'hidden'> | 'done';
  readonly faults: number;
  readonly errorCode: number | undefined;
  /** Host-physical, when done. */
  readonly address: number | undefined;
}

export const CR0 = 0x8001_0001n; // PG WP PE
export const CR0_WP = 0x1_0000n;
export const CR4 = {PSE: 0x10n, PAE: 0x20n, PGE: 0x80n, SMEP: 0x10_0000n, SMAP: 0x20_0000n} as const;
export const EFER_LONG = 0xd01n; // NXE LMA LME SCE

export class ShadowFixture {
  readonly memory = new DataView(new ArrayBuffer(0x62_0000));
  readonly events: ShadowEvent[] = [];
  flushes = 0;
  paging: GuestPaging = {cr0: CR0, cr3: 0x1000n, cr4: CR4.PAE, efer: EFER_LONG, pdptes: [0n, 0n, 0n, 0n]};
  hardware: ShadowHardware;
  readonly window: HypervisorWindow | undefined;
  readonly mmu: ShadowMmu;
  readonly pool: ShadowMmuOptions['pool'];

  constructor(options: FixtureOptions = {}) {
    this.hardware = {format: '4-level', noExecute: 'on', views: 1, ...options.hardware};
    this.window = options.window;
    this.pool = {start: hpa(POOL), end: hpa(POOL + (options.poolPages ?? 0x200) * 4096)};
    this.mmu = createShadowMmu({
      host: {
        paging: () => this.paging,
        backing: at => backing(at),
        read: (at, bytes) => this.read(at, bytes),
        write: (at, bytes, value) => this.write(at, bytes, value),
        flushTlb: linear => this.#flush(linear),
        tell: event => this.events.push(event),
      },
      hardware: () => this.hardware,
      features: FEATURES,
      pool: this.pool,
      window: options.window,
      leafTables: options.leafTables,
    });
  }

  read(at: number, bytes: 4 | 8): bigint {
    return bytes === 4 ? BigInt(this.memory.getUint32(at, true)) : this.memory.getBigUint64(at, true);
  }
  write(at: number, bytes: 4 | 8, value: bigint): void {
    if (bytes === 4) this.memory.setUint32(at, Number(value), true);
    else this.memory.setBigUint64(at, value, true);
  }
  /** The guest's memory as its processor reads it: ones where nothing answers. */
  guestRead(address: number, bytes: 4 | 8): bigint {
    const at = hostOf(address);
    return at === undefined ? (1n << BigInt(bytes * 8)) - 1n : this.read(at, bytes);
  }
  /** A store of the guest that no shadow sees: into plain RAM before it became a table, or through a writable entry. */
  poke(address: number, bytes: 4 | 8, value: bigint): void {
    this.write(RAM + address, bytes, value);
  }
  peek(address: number, bytes: 4 | 8 = 8): bigint {
    return this.read(RAM + address, bytes);
  }

  // ── the hardware ────────────────────────────────────────────────────────────────────────────────────────────────
  view(privilege: WalkAccess['privilege']): 'kernel' | 'user' {
    return this.hardware.views === 2 && privilege === 'user' ? 'user' : 'kernel';
  }
  /** What the processor would use for an access at the privilege at which it really runs the guest: its TLB, or the shadow. */
  hardwareWalk(access: WalkAccess): WalkResult {
    const root = this.mmu.root(this.view(access.privilege));
    if (root !== this.#loaded.root) this.#loadRoot(root);
    const {format, noExecute, views} = this.hardware;
    const guestPages = (this.paging.cr0 & 0x8000_0000n) !== 0n;
    const registers = {
      cr0: CR0,
      cr3: BigInt(root),
      cr4: (format === '32-bit' ? 0n : CR4.PAE) | (guestPages ? this.paging.cr4 & (CR4.SMEP | CR4.SMAP) : 0n),
      efer: (format === '4-level' ? 0x500n : 0n) | (noExecute === 'on' ? 0x800n : 0n),
      pdptes: this.#loaded.pdptes,
    };
    const asRun: WalkAccess = views === 2 ? {...access, privilege: 'user'} : access;
    const remembered = this.#tlb.get(asRun.linear >> 12n);
    if (remembered !== undefined && !refused(asRun, remembered, registers.cr0, registers.cr4))
      return {...remembered, address: remembered.address + Number(asRun.linear & 0xfffn)};
    const found = textbookWalk(registers, asRun, HARDWARE_FEATURES, (at, bytes) => this.read(at, bytes));
    if (found.kind === 'mapped')
      this.#tlb.set(asRun.linear >> 12n, {...found, address: found.address - Number(asRun.linear & 0xfffn)});
    return found;
  }
  /** MOV to the real CR3: the TLB is empty, and the PDPTEs of a PAE root are in their registers. */
  #loadRoot(root: number): void {
    this.#tlb.clear();
    this.#loaded = {root, pdptes: [0, 1, 2, 3].map(index => this.read(root + 8 * index, 8))};
  }
  #flush(linear: bigint | undefined): void {
    this.flushes++;
    if (linear !== undefined) this.#tlb.delete(linear >> 12n);
    else this.#loaded = {root: 0, pdptes: []};
  }
  readonly #tlb = new Map<bigint, Extract<WalkResult, {kind: 'mapped'}>>();
  #loaded: {readonly root: number; readonly pdptes: readonly bigint[]} = {root: 0, pdptes: []};
  /** An access of the guest: as often as it takes, until it is done or comes to something else. */
  access(access: WalkAccess): AccessReport {
    for (let faults = 0; faults < 8; faults++) {
      const found = this.hardwareWalk(access);
      if (found.kind === 'mapped') return {outcome: 'done', faults, errorCode: undefined, address: found.address};
      const verdict = this.mmu.fault(access);
      if (verdict.kind === 'hidden') continue;
      const errorCode = verdict.kind === 'true' ? verdict.errorCode : undefined;
      return {outcome: verdict.kind, faults: faults + 1, errorCode, address: undefined};
    }
    throw new Error(`the access of ${access.linear.toString(16)} faults for ever`);
  }
  load(linear: bigint, privilege: WalkAccess['privilege'] = 'supervisor'): AccessReport {
    return this.access({linear, kind: 'read', privilege, ac: false});
  }
  store(linear: bigint, privilege: WalkAccess['privilege'] = 'supervisor'): AccessReport {
    return this.access({linear, kind: 'write', privilege, ac: false});
  }
  fetch(linear: bigint, privilege: WalkAccess['privilege'] = 'supervisor'): AccessReport {
    return this.access({linear, kind: 'fetch', privilege, ac: false});
  }

  /** What the root has where the hypervisor's window should be. */
  windowEntry(): bigint {
    const {window} = this;
    assert(window !== undefined, 'the fixture has a window');
    const isPae = this.hardware.format === 'PAE';
    let table = Number(this.mmu.root('kernel'));
    for (const shift of isPae ? [30n] : [39n, 30n])
      table = Number(this.read(table + Number((window.linear >> shift) & (isPae ? 3n : 511n)) * 8, 8) & 0xf_ffff_f000n);
    return this.read(table + Number((window.linear >> 21n) & 511n) * 8, 8);
  }

  // ── what the guest's kernel does ────────────────────────────────────────────────────────────────────────────────
  loadCr3(cr3: bigint, pdptes: readonly bigint[] = this.paging.pdptes): void {
    this.paging = {...this.paging, cr3, pdptes};
    this.mmu.guestLoadedCr3();
    this.#flush(undefined);
  }
  setMode(change: Partial<GuestPaging>): void {
    this.paging = {...this.paging, ...change};
    this.mmu.guestChangedMode();
    this.#flush(undefined);
  }
  /** A store of the guest to a guest-physical address that the hypervisor's emulator carries out. */
  emulatedStore(at: number, bytes: 4 | 8, value: bigint): void {
    this.poke(at, bytes, value);
    this.mmu.guestWrote(gpa(at), bytes);
  }
  /** Maps a 4 KiB page in 4-level tables that begin at CR3; tables are taken from `next` on. */
  mapLong(linear: bigint, entry: bigint, upper = 7n): number {
    let table = Number(this.paging.cr3);
    for (const shift of [39n, 30n, 21n]) {
      const slot = table + Number((linear >> shift) & 511n) * 8;
      if (this.peek(slot) === 0n) this.poke(slot, 8, BigInt(this.#nextTable()) | upper);
      table = Number(this.peek(slot) & ~0xfffn);
    }
    const slot = table + Number((linear >> 12n) & 511n) * 8;
    this.poke(slot, 8, entry);
    return slot;
  }
  #next = 0x1000;
  #nextTable(): number {
    this.#next += 0x1000;
    assert(this.#next < 0x8_0000, 'the fixture has room for its tables');
    return this.#next;
  }
  told(action: ShadowEvent['action']): readonly ShadowEvent[] {
    return this.events.filter(event => event.action === action);
  }
}

function hostOf(at: number): Hpa | undefined {
  if (at < RAM_BYTES) return hpa(RAM + at);
  return at >= ROM && at < ROM + ROM_BYTES ? hpa(ROM_HOST + at - ROM) : undefined;
}
function backing(at: number): Backing {
  const host = hostOf(at);
  if (host === undefined) return {kind: 'device'};
  return {kind: at < RAM_BYTES ? 'ram' : 'read-only', host};
}
