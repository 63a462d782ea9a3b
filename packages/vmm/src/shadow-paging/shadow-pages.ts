// Making, joining and taking apart shadow pages. Every change of a shadow entry passes through here, so that the reverse map
// is right and each change is told with its reason. Linux, arch/x86/kvm/mmu/mmu.c.

import {gpa as guestPhysical, hex, hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {ShadowEvent, ShadowMmuOptions} from './ports.js';
import type {PageNumber} from './shadow-pool.js';
import {ShadowPool} from './shadow-pool.js';
import {ReverseMap} from './reverse-map.js';
import type {Slot} from './reverse-map.js';
import {frameIn, indexAt, isPresent, isWritable, SPTE_DIRTY, SPTE_WRITABLE, tableEntry} from './shadow-format.js';
import type {ShadowKey} from './shadow-path.js';
import {roleWords} from './shadow-role.js';

/** What an event is about, beside its action and its reason. */
export interface EventPlace {
  readonly linear?: bigint | undefined;
  readonly gpa?: number | undefined;
}

export class ShadowPages {
  readonly pool: ShadowPool;
  readonly #options: ShadowMmuOptions;
  readonly #map: ReverseMap;

  constructor(options: ShadowMmuOptions) {
    this.#options = options;
    this.pool = new ShadowPool(options.host, options.pool);
    this.#map = new ReverseMap(this.pool);
  }

  tell(action: ShadowEvent['action'], why: string, place: EventPlace = {}, entry?: ShadowEvent['entry']): void {
    this.#options.host.tell({kind: 'shadow-paging', action, linear: place.linear, gpa: place.gpa, entry, why});
  }

  // ── entries ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Replaces an entry by one that points elsewhere or nowhere (0); what it was and is goes into the event. */
  set(slot: Slot, value: bigint): NonNullable<ShadowEvent['entry']> {
    const {page, index} = slot;
    const from = this.pool.entry(page, index);
    const keepsFrame = isPresent(from) && isPresent(value) && frameIn(from) === frameIn(value);
    if (isPresent(from) && !keepsFrame) this.#map.remove(frameIn(from), slot);
    if (from !== value) this.pool.setEntry(page, index, value);
    if (isPresent(value) && !keepsFrame) this.#map.add(frameIn(value), slot);
    return {at: this.pool.entryAt(page, index), level: this.pool.role(page).level, from, to: value};
  }
  /** Clears an entry, unless it is clear or the hypervisor's window; true when something was cleared. */
  drop(slot: Slot, why: string, place: EventPlace = {}): boolean {
    if (!isPresent(this.pool.entry(slot.page, slot.index)) || this.#isWindow(slot)) return false;
    this.tell('zap', why, place, this.set(slot, 0n));
    return true;
  }
  /** The shadow page that an entry leads to. */
  child(page: PageNumber, index: number): PageNumber | undefined {
    const entry = this.pool.entry(page, index);
    return isPresent(entry) ? this.pool.pageOfTable(frameIn(entry)) : undefined;
  }
  /** Makes an entry lead to a shadow page. */
  link(slot: Slot, child: PageNumber): void {
    this.set(slot, tableEntry(this.pool.role(slot.page), this.pool.tableAt(child) / 4096));
  }
  keyOf(page: PageNumber): ShadowKey {
    return {gfn: this.pool.gfn(page), role: this.pool.role(page)};
  }

  // ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** A new shadow page, empty but for the hypervisor's window. The guest table behind it has been protected before. */
  make({gfn, role}: ShadowKey, place: EventPlace): PageNumber {
    const page = this.pool.take(gfn, role);
    const {window} = this.#options;
    if (window !== undefined && role.window && role.level === 2)
      this.pool.setEntry(page, indexAt(role.hardware, 2, window.linear), window.entry);
    const what =
      role.source === 'table'
        ? `shadows the guest’s table at GPA ${hex(gfn * 4096)}`
        : role.source === 'direct'
          ? `maps guest-physical memory from ${hex(gfn * 4096)} in one stretch`
          : 'stands for a level that the guest’s format has no table for';
    this.tell('new-table', `a shadow page at HPA ${hex(this.pool.tableAt(page))} ${what} (${roleWords(role)})`, place);
    return page;
  }
  /** Gives a shadow page back: its entries, the entries that lead to it, its place in the hash. */
  zap(page: PageNumber): void {
    for (const index of this.pool.occupied(page)) {
      if (this.#isWindow({page, index})) this.pool.setEntry(page, index, 0n);
      else this.set({page, index}, 0n);
    }
    for (const parent of this.#map.entriesOf(this.pool.tableAt(page) / 4096)) this.set(parent, 0n);
    this.pool.release(page);
    this.pool.count('zaps');
  }
  #isWindow({page, index}: Slot): boolean {
    const {window} = this.#options;
    const role = this.pool.role(page);
    return (
      window !== undefined && role.window && role.level === 2 && index === indexAt(role.hardware, 2, window.linear)
    );
  }

  // ── write protection ────────────────────────────────────────────────────────────────────────────────────────────
  /** The shadow pages that stand for the guest table in a frame. */
  shadowsOf(gfn: number): readonly PageNumber[] {
    return this.pool.withFrame(gfn).filter(page => this.pool.role(page).source === 'table');
  }
  /** Whether writes to a guest frame must not pass unseen. */
  isProtected(gfn: number): boolean {
    if (this.#options.faults?.has('no-write-protection') === true) return false;
    return this.shadowsOf(gfn).some(page => !this.pool.isUnsync(page));
  }
  /** Takes the right to write away from every entry that maps a host page. */
  writeProtect(host: Hpa, gpa: number, why: string): void {
    let changed = false;
    for (const slot of this.#map.entriesOf(host / 4096)) {
      const entry = this.pool.entry(slot.page, slot.index);
      if (!isWritable(entry)) continue;
      this.tell('write-protect', why, {gpa}, this.set(slot, entry & ~(SPTE_WRITABLE | SPTE_DIRTY)));
      changed = true;
    }
    if (changed) this.#options.host.flushTlb();
  }
  /** The host page of a guest frame that is RAM. */
  ramOf(gfn: number): Hpa | undefined {
    const backing = this.#options.host.backing(guestPhysical(gfn * 4096));
    return backing.kind === 'ram' ? hpa(backing.host) : undefined;
  }
}
