// For tests: a guest that does random things to its page tables, and what a processor without shadows would make of it.
// What the processor could use at any moment is compared with a walk of the guest's own tables that knows nothing of shadows. A
// translation may lag behind only while a processor's TLB might have held it as well.

import {CR0, CR0_WP, CR4, EFER_LONG, FEATURES, RAM, RAM_BYTES, ROM, ShadowFixture} from './shadow-fixture.js';
import type {AccessReport, FixtureOptions} from './shadow-fixture.js';
import type {GuestPaging} from './ports.js';
import {textbookWalk} from './textbook-walk.js';
import type {WalkAccess, WalkResult} from './textbook-walk.js';

/** Numbers that are the same for ever: xorshift32. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 0x9e37_79b9 + 0x1234_5678) | 0 || 1;
  }
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % limit;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

export type Format = 'none' | '32-bit' | 'PAE' | '4-level';
const TABLES = Array.from({length: 10}, (_, index) => index * 0x1000);
const DATA = [0x8_0000, 0x8_1000, 0x8_2000, 0xf_f000];
/** Indexes that tables use, so that most entries that are written are used as well. */
const INDEXES = [0, 1, 2, 3, 511];
const INDEXES_32 = [0, 1, 3, 511, 512, 1023];
const KINDS = ['read', 'write', 'fetch'] as const;
const PRIVILEGES = ['user', 'supervisor'] as const;
interface Stale {
  readonly time: number;
}

/** Plain checks where there are millions of them. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
function mustEqual(found: Uint8Array, expected: Uint8Array, what: string): void {
  const at = found.findIndex((byte, index) => byte !== expected[index]);
  must(at < 0, `${what}: byte ${at.toString(16)} of the tables is ${found[at]}, not ${expected[at]}`);
}

export class Scenario {
  readonly #dice: Dice;
  readonly #formats: readonly Format[];
  readonly t: ShadowFixture;
  readonly #linears: bigint[] = [];
  /** Guest entries that were stored to unseen, and when; a flush later than that makes them count. */
  readonly #stored = new Map<number, Stale>();
  readonly #seen = new Map<bigint, number>();
  #flushed = 0;
  #now = 0;
  done = {accesses: 0, hidden: 0, true: 0, device: 0, written: 0, stale: 0};

  constructor(seed: number, formats: readonly Format[], options: FixtureOptions) {
    this.#dice = new Dice(seed);
    this.#formats = formats;
    this.t = new ShadowFixture(options);
    this.#chooseMode();
    for (const table of TABLES) for (const index of INDEXES) this.t.poke(table + index * 8, 8, this.#entry(8));
    for (const table of TABLES.slice(0, this.#formats.includes('32-bit') ? 6 : 0))
      for (const index of INDEXES_32) this.t.poke(table + index * 4, 4, this.#entry(4));
    this.#chooseRoot();
    for (let count = 0; count < 10; count++) this.#linears.push(this.#linear());
  }

  // ── random parts ────────────────────────────────────────────────────────────────────────────────────────────────
  #linear(): bigint {
    const dice = this.#dice;
    if (dice.chance(this.#formats.includes('none') ? 20 : 3)) return BigInt(dice.pick([...DATA, ...TABLES])) + 8n;
    const legacy = (shift: bigint): bigint => BigInt(dice.pick(INDEXES_32)) << shift;
    const legacyShare = this.#formats.includes('32-bit') ? (this.#formats.length < 3 ? 90 : 35) : 0;
    if (dice.chance(legacyShare)) return legacy(22n) | legacy(12n) | 0x10n;
    const at = (shift: bigint): bigint => BigInt(dice.pick(INDEXES)) << shift;
    const long = BigInt.asUintN(48, at(39n) | at(30n) | at(21n) | at(12n) | 0x18n);
    return dice.chance(50) ? BigInt.asUintN(32, long) : BigInt.asUintN(64, BigInt.asIntN(48, long));
  }
  #entry(bytes: 4 | 8): bigint {
    const dice = this.#dice;
    const target = dice.chance(3) ? dice.pick([ROM, 0x20_0000]) : dice.pick(dice.chance(90) ? TABLES : DATA);
    let entry = BigInt(target);
    const flags = [
      [1n, 97],
      [2n, 88],
      [4n, 90],
      [0x20n, 40],
      [0x40n, 40],
      [0x80n, 10],
      [0x100n, 20],
    ] as const;
    for (const [flag, percent] of flags) if (dice.chance(percent)) entry |= flag;
    if (bytes === 8 && dice.chance(5)) entry |= 1n << 63n;
    if (dice.chance(1)) entry |= bytes === 8 ? 1n << 45n : 0n;
    // A large page needs an address that is aligned, else its low bits are reserved.
    if ((entry & 0x80n) !== 0n && dice.chance(95)) entry &= 0xfn | 0x1e0n | (1n << 63n);
    return entry;
  }
  #chooseMode(): void {
    const dice = this.#dice;
    const format = dice.pick(this.#formats);
    const on = (flag: bigint, percent: number): bigint => (dice.chance(percent) ? flag : 0n);
    const smap = this.t.hardware.views === 2 ? 0n : on(CR4.SMAP, 15);
    const mode: Partial<GuestPaging> = {
      cr0: format === 'none' ? 1n : (CR0 & ~CR0_WP) | on(CR0_WP, 60),
      cr4: (format === 'PAE' || format === '4-level' ? CR4.PAE : 0n) | on(CR4.PSE, 50) | on(CR4.SMEP, 15) | smap,
      efer: format === '4-level' ? EFER_LONG & ~on(0x800n, 20) : on(0x800n, 50),
    };
    this.t.setMode(mode);
    this.#flushed = ++this.#now;
  }
  #chooseRoot(): void {
    const again = this.#dice.chance(60) && this.t.paging.cr3 < 0x3000n;
    const cr3 = again ? this.t.paging.cr3 : BigInt(this.#dice.pick(TABLES.slice(0, 3)));
    const pdptes = [0, 1, 2, 3].map(index => this.t.peek(Number(cr3) + 8 * index) & 0xff_ffff_f019n & ~0x18n);
    this.t.loadCr3(cr3, pdptes);
    this.#flushed = ++this.#now;
  }
  /** Outside 64-bit mode there are 32 bits of address. */
  #inReach(linear: bigint): bigint {
    return (this.t.paging.efer & 0x400n) === 0n ? BigInt.asUintN(32, linear) : linear;
  }
  #access(): WalkAccess {
    const dice = this.#dice;
    return {
      linear: this.#inReach(dice.pick(this.#linears)),
      kind: dice.pick(KINDS),
      privilege: dice.pick(PRIVILEGES),
      ac: dice.chance(50),
    };
  }

  // ── what a bare processor would do ──────────────────────────────────────────────────────────────────────────────
  #bare(access: WalkAccess): {readonly result: WalkResult; readonly isStale: boolean} {
    const read: number[] = [];
    const result = textbookWalk(this.t.paging, access, FEATURES, (address, bytes) => {
      read.push(address);
      return this.t.guestRead(address, bytes);
    });
    const since = Math.max(this.#flushed, this.#seen.get(access.linear >> 12n) ?? 0);
    const isStale = read.some(address => (this.#stored.get(address - (address % 8))?.time ?? 0) > since);
    return {result, isStale};
  }
  static hostOf(address: number): number | undefined {
    if (address < RAM_BYTES) return RAM + address;
    return address >= ROM && address < ROM + 0x2000 ? 0x60_0000 + address - ROM : undefined;
  }

  // ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────
  step(): void {
    this.#now++;
    const what = this.#dice.below(100);
    if (what < 58) this.#makeAccess(this.#access());
    else if (what < 84) this.#edit();
    else if (what < 90) this.#invalidate();
    else if (what < 95) this.#chooseRoot();
    else if (what < 97) this.#chooseMode();
    else this.t.mmu.zapAll('the test says so');
    if (this.#dice.chance(35)) this.#checkEverything();
  }

  #makeAccess(access: WalkAccess): void {
    if (this.#isInWindow(access.linear) && this.t.hardwareWalk(access).kind === 'mapped') return;
    const {result, isStale} = this.#bare(access);
    const before = this.#tableBytes();
    const marked = this.#marked(access, result);
    const report = this.t.access(access);
    const context = `${access.kind} of ${access.linear.toString(16)} by ${access.privilege}`;
    this.done.accesses++;
    if (report.faults === 0) {
      // A processor with a warm TLB: it neither reads nor writes the guest's tables.
      mustEqual(this.#tableBytes(), before, context);
      if (!isStale) mustEqual(before, marked, `${context}: A and D are set already`);
      return;
    }
    this.#seen.set(access.linear >> 12n, ++this.#now);
    mustEqual(this.#tableBytes(), marked, `${context}: A and D bits`);
    const {outcome} = report;
    if (result.kind === 'fault') {
      must(outcome === 'true' && report.errorCode === result.errorCode, `${context}: #PF(${result.errorCode})`);
      this.done.true++;
      return;
    }
    must(this.#isRightOutcome(access, result, report), `${context} comes to ${outcome}`);
    this.done[outcome === 'done' ? 'hidden' : 'device']++;
  }
  #isRightOutcome(access: WalkAccess, result: Extract<WalkResult, {kind: 'mapped'}>, report: AccessReport): boolean {
    const host = Scenario.hostOf(result.address);
    const isWrite = access.kind === 'write';
    if (host === undefined || (host >= 0x60_0000 && isWrite)) return report.outcome === 'device';
    switch (report.outcome) {
      case 'done':
        return report.address === host;
      case 'device':
        return this.#isSoftwareWrite(access, result);
      case 'hypervisor-window':
        return this.#isInWindow(access.linear);
      case 'page-table-write':
        return isWrite;
      default:
        return false;
    }
  }
  #isSoftwareWrite(access: WalkAccess, result: Extract<WalkResult, {kind: 'mapped'}>): boolean {
    const {cr0, cr4} = this.t.paging;
    const guard = CR4.SMAP | (this.t.hardware.noExecute === 'on' ? 0n : CR4.SMEP);
    const flips = (cr0 & CR0_WP) === 0n && (cr4 & guard) !== 0n && access.privilege === 'supervisor';
    return flips && access.kind === 'write' && result.user && !result.writable;
  }

  /** The guest stores an entry: through a linear address that reaches the table, or by the hands of an emulator. */
  #edit(): void {
    const {at, bytes} = this.#place();
    const value = this.#newValue(at, bytes);
    const ways = this.#linears.map(linear => this.#inReach(linear)).filter(linear => this.#reaches(linear, at));
    if (ways.length === 0) {
      this.t.emulatedStore(at, bytes, value);
      return;
    }
    const way = this.#dice.pick(ways);
    const report = this.t.access({linear: way, kind: 'write', privilege: 'supervisor', ac: true});
    if (report.faults > 0) this.#seen.set(way >> 12n, ++this.#now);
    if (report.outcome === 'done') {
      const target = (report.address ?? 0) - ((report.address ?? 0) % 0x1000) - RAM + (at % 0x1000);
      this.t.poke(target, bytes, value);
      this.#stored.set(target - (target % 8), {time: ++this.#now});
      this.done.stale++;
    } else if (report.outcome !== 'true') {
      this.t.emulatedStore(at, bytes, value);
      this.done.written++;
    }
  }
  /** An entry to change: one that an access uses, or any. */
  #place(): {readonly at: number; readonly bytes: 4 | 8} {
    const bytes = (this.t.paging.cr4 & CR4.PAE) === 0n ? 4 : 8;
    const {result} = this.#bare(this.#access());
    const used = result.kind === 'mapped' ? result.used.filter(({address}) => address < TABLES.length * 0x1000) : [];
    if (used.length > 0 && this.#dice.chance(75)) return {at: this.#dice.pick(used).address, bytes};
    return {at: this.#dice.pick(TABLES) + this.#dice.pick(bytes === 8 ? INDEXES : INDEXES_32) * bytes, bytes};
  }
  #newValue(at: number, bytes: 4 | 8): bigint {
    const dice = this.#dice;
    if (dice.chance(30)) return this.#entry(bytes);
    return this.t.peek(at, bytes) ^ dice.pick([1n, 2n, 4n, 0x20n, 0x40n, 0x2000n, 0x8_0000n]);
  }
  /** Whether the guest's kernel may write to an address, and finds the table of an entry there. */
  #reaches(linear: bigint, at: number): boolean {
    if (this.#isInWindow(linear)) return false;
    const {result} = this.#bare({linear, kind: 'write', privilege: 'supervisor', ac: true});
    return result.kind === 'mapped' && result.address - (result.address % 0x1000) === at - (at % 0x1000);
  }
  #invalidate(): void {
    const linear = this.#inReach(this.#dice.pick(this.#linears));
    this.t.mmu.guestInvalidated(linear);
    this.#seen.set(linear >> 12n, ++this.#now);
  }

  // ── what must hold at every moment ──────────────────────────────────────────────────────────────────────────────
  #checkEverything(): void {
    for (const each of this.#linears)
      for (const kind of KINDS)
        for (const privilege of PRIVILEGES) {
          const linear = this.#inReach(each);
          this.#checkOne({linear, kind, privilege, ac: this.#dice.chance(50)});
        }
    this.#checkWindow();
  }
  /** Where the processor would let an access pass, the guest's own tables would, to the same place. */
  #checkOne(access: WalkAccess): void {
    if (this.#isInWindow(access.linear)) return;
    const found = this.t.hardwareWalk(access);
    if (found.kind === 'fault') return;
    const {result, isStale} = this.#bare(access);
    const context = `${access.kind} of ${access.linear.toString(16)} by ${access.privilege}`;
    must(found.address >= RAM, `${context} stays in the guest’s memory`);
    must(access.kind !== 'write' || found.address < 0x60_0000, `${context}: a ROM is not written`);
    if (isStale) return;
    if (result.kind !== 'mapped') throw new Error(`${context} passes, and should fault with ${result.errorCode}`);
    must(found.address === Scenario.hostOf(result.address), `${context} leads to the guest’s page`);
    for (const {value, isLeaf} of result.used) {
      must((value & 0x20n) !== 0n, `${context}: Accessed is set`);
      must(!isLeaf || access.kind !== 'write' || (value & 0x40n) !== 0n, `${context}: Dirty is set`);
    }
  }
  #isInWindow(linear: bigint): boolean {
    const {window} = this.t;
    return window !== undefined && this.#inReach(window.linear) >> 21n === linear >> 21n;
  }
  #checkWindow(): void {
    const {window} = this.t;
    if (window === undefined) return;
    const found = this.t.windowEntry();
    must(found === window.entry, 'the hypervisor’s window is open');
  }

  /** The guest's tables as an access would leave them. */
  #marked(access: WalkAccess, result: WalkResult): Uint8Array {
    const bytes = this.#tableBytes();
    if (result.kind === 'fault') return bytes;
    for (const {address, isLeaf} of result.used) {
      const at = address - (TABLES[0] ?? 0);
      if (at < 0 || at >= bytes.length) continue;
      bytes[at] = (bytes[at] ?? 0) | 0x20 | (isLeaf && access.kind === 'write' ? 0x40 : 0);
    }
    return bytes;
  }
  #tableBytes(): Uint8Array {
    const from = RAM + (TABLES[0] ?? 0);
    return new Uint8Array(this.t.memory.buffer.slice(from, from + TABLES.length * 0x1000));
  }
}
