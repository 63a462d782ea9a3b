// Guest memory at a moment, by guest-physical or linear address: read from the record's bank, through the guest's own
// page tables. Looking changes nothing: no accessed bits, no TLB, no faults.

import type {RecordHeader} from '../record-format.js';
import {throughNestedTables} from './nested-translation.js';
import {cellOr0, isLongMode} from './processor-view.js';
import type {CellSource} from './processor-view.js';

const PAGE = 4096;
const PRESENT = 1n;
const LARGE = 1n << 7n;
const ADDRESS = 0x000f_ffff_ffff_f000n;

export class GuestMemory {
  readonly #memory: Uint8Array;
  readonly #extents: RecordHeader['guestMemory'];

  /** `memory` is the bank 'memory'; the header says where guest-physical memory lies in it. */
  constructor(header: Pick<RecordHeader, 'guestMemory'>, memory: Uint8Array) {
    this.#memory = memory;
    this.#extents = header.guestMemory;
  }

  /** The place of a guest-physical address in the bank; undefined where there is no memory. */
  offsetOf(gpa: number): number | undefined {
    if (this.#extents === undefined) return gpa < this.#memory.length ? gpa : undefined;
    const extent = this.#extents.find(one => gpa >= one.gpa && gpa < one.gpa + one.length);
    return extent === undefined ? undefined : extent.offset + gpa - extent.gpa;
  }

  /** The guest-physical address of a place in the bank; undefined where the bank holds the host's own memory. */
  addressOf(offset: number): number | undefined {
    if (this.#extents === undefined) return offset;
    const extent = this.#extents.find(one => offset >= one.offset && offset < one.offset + one.length);
    return extent === undefined ? undefined : extent.gpa + offset - extent.offset;
  }

  /** A copy of bytes from a guest-physical address; shorter where memory ends, undefined where there is none at all. */
  readPhysical(gpa: number, length: number): Uint8Array | undefined {
    const out = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const offset = this.offsetOf(gpa + done);
      const part = Math.min(length - done, PAGE - ((gpa + done) % PAGE));
      if (offset === undefined) return done === 0 ? undefined : out.slice(0, done);
      out.set(this.#memory.subarray(offset, offset + part), done);
      done += part;
    }
    return out;
  }

  /** The same from a linear address, through the paging that `cells` describe. */
  readLinear(cells: CellSource, linear: bigint, length: number): Uint8Array | undefined {
    const out = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const guest = this.translate(cells, linear + BigInt(done));
      const gpa = guest === undefined ? undefined : this.physicalOf(cells, guest);
      const part = Math.min(length - done, PAGE - Number((linear + BigInt(done)) & 0xfffn));
      const bytes = gpa === undefined ? undefined : this.readPhysical(gpa, part);
      if (bytes === undefined) return done === 0 ? undefined : out.slice(0, done);
      out.set(bytes, done);
      if (bytes.length < part) return out.slice(0, done + bytes.length);
      done += part;
    }
    return out;
  }

  /** Linear to guest-physical; undefined where a table entry is not present. SDM vol. 3A, "Paging". */
  translate(cells: CellSource, linear: bigint): number | undefined {
    const address = this.#throughTables(cells, linear);
    return address === undefined ? undefined : this.#firstName(address);
  }

  /** Page tables of a guest under Xen hold machine addresses: its memory has those beside its own, which are the first. */
  #firstName(address: number): number {
    const offset = this.#extents === undefined ? undefined : this.offsetOf(address);
    return offset === undefined ? address : (this.addressOf(offset) ?? address);
  }

  #throughTables(cells: CellSource, linear: bigint): number | undefined {
    if (((cellOr0(cells, 'CR0') >> 31n) & 1n) === 0n) return Number(BigInt.asUintN(32, linear));
    const cr3 = cellOr0(cells, 'CR3');
    if (isLongMode(cells)) return this.#walk(linear, cr3 & ADDRESS, [39n, 30n, 21n, 12n]);
    const address = BigInt.asUintN(32, linear);
    if (((cellOr0(cells, 'CR4') >> 5n) & 1n) === 1n) return this.#walk(address, cr3 & 0xffff_ffe0n, [30n, 21n, 12n]);
    return this.#walk32(address, cr3 & 0xffff_f000n);
  }

  /**
   * Where the run is on bare metal, a hypervisor in it may have put its own guest behind tables of its own: the address behind
   * them; undefined where they map nothing.
   */
  physicalOf(cells: CellSource, address: number): number | undefined {
    return this.#extents === undefined ? throughNestedTables(cells, at => this.#entry(at, 8), address) : address;
  }

  #walk(linear: bigint, root: bigint, shifts: readonly bigint[]): number | undefined {
    let table = root;
    for (const shift of shifts) {
      const entry = this.#entry(Number(table + ((linear >> shift) & 0x1ffn) * 8n), 8);
      if (entry === undefined || (entry & PRESENT) === 0n) return undefined;
      const isPage =
        shift === 12n || (shift < 39n && (entry & LARGE) !== 0n && !(shifts.length === 3 && shift === 30n));
      if (isPage) {
        const inside = (1n << shift) - 1n;
        return Number((entry & ADDRESS & ~inside) | (linear & inside));
      }
      table = entry & ADDRESS;
    }
    return undefined;
  }

  #walk32(linear: bigint, root: bigint): number | undefined {
    const directory = this.#entry(Number(root + (linear >> 22n) * 4n), 4);
    if (directory === undefined || (directory & PRESENT) === 0n) return undefined;
    if ((directory & LARGE) !== 0n) return Number((directory & 0xffc0_0000n) | (linear & 0x3f_ffffn));
    const entry = this.#entry(Number((directory & 0xffff_f000n) + ((linear >> 12n) & 0x3ffn) * 4n), 4);
    return entry === undefined || (entry & PRESENT) === 0n
      ? undefined
      : Number((entry & 0xffff_f000n) | (linear & 0xfffn));
  }

  #entry(gpa: number, bytes: 4 | 8): bigint | undefined {
    const offset = this.offsetOf(gpa);
    if (offset === undefined || offset + bytes > this.#memory.length) return undefined;
    const view = new DataView(this.#memory.buffer, this.#memory.byteOffset + offset, bytes);
    return bytes === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
  }
}
