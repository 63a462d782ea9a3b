// The x87, MMX and SSE registers: the bank named 'vector', laid out as isa says (vector-state.ts).

import {FCW_INITIAL, MXCSR_INITIAL, VECTOR_BANK_BYTES, vectorPlace} from '@hyperscope/isa';
import type {VectorCell} from '@hyperscope/isa';
import type {Bank, Observer} from '../observer.js';

export class VectorFile {
  readonly bytes = new Uint8Array(VECTOR_BANK_BYTES);
  readonly bank: Bank = {name: 'vector', bytes: this.bytes};
  observer: Observer | undefined;
  readonly #view = new DataView(this.bytes.buffer);

  /** The low `width` bits of a cell: 8, 16, 32, 64 or 128. */
  get(cell: VectorCell, width = vectorPlace(cell).bits): bigint {
    const {offset} = vectorPlace(cell);
    switch (width) {
      case 8:
        return BigInt(this.#view.getUint8(offset));
      case 16:
        return BigInt(this.#view.getUint16(offset, true));
      case 32:
        return BigInt(this.#view.getUint32(offset, true));
      case 64:
        return this.#view.getBigUint64(offset, true);
      default:
        return this.#view.getBigUint64(offset, true) | (this.#view.getBigUint64(offset + 8, true) << 64n);
    }
  }

  /** A cell of 32 bits or fewer. */
  number(cell: VectorCell): number {
    return Number(this.get(cell));
  }

  set(cell: VectorCell, value: bigint, width = vectorPlace(cell).bits): void {
    const {offset} = vectorPlace(cell);
    this.observer?.willWrite('vector', offset, width / 8);
    switch (width) {
      case 8:
        this.#view.setUint8(offset, Number(value & 0xffn));
        break;
      case 16:
        this.#view.setUint16(offset, Number(value & 0xffffn), true);
        break;
      case 32:
        this.#view.setUint32(offset, Number(value & 0xffff_ffffn), true);
        break;
      case 64:
        this.#view.setBigUint64(offset, value, true);
        break;
      default:
        this.#view.setBigUint64(offset, value, true);
        this.#view.setBigUint64(offset + 8, value >> 64n, true);
    }
  }

  /** Bytes of a register, as they lie in memory. */
  slice(offset: number, length: number): Uint8Array {
    return this.bytes.slice(offset, offset + length);
  }
  put(offset: number, data: Uint8Array): void {
    this.observer?.willWrite('vector', offset, data.length);
    this.bytes.set(data, offset);
  }

  /** RESET leaves the FPU as FNINIT would but for FCW, which is 0040h (SDM vol. 3A, "Processor State After Reset"). */
  reset(): void {
    this.put(0, new Uint8Array(VECTOR_BANK_BYTES));
    this.set('FCW', FCW_RESET);
    this.set('FTW', 0xffn);
    this.set('MXCSR', MXCSR_INITIAL);
  }

  /** FNINIT: the registers keep their bits and are marked empty. */
  initializeFpu(): void {
    this.set('FCW', FCW_INITIAL);
    for (const cell of ['FSW', 'FTW', 'FOP', 'FIP', 'FDP', 'FCS', 'FDS'] as const) this.set(cell, 0n);
  }

  /** ES and B follow from FSW and FCW wherever either is loaded. */
  summarizeExceptions(): void {
    const status = this.get('FSW');
    const isPending = (status & ~this.get('FCW') & 0x3fn) !== 0n;
    this.set('FSW', isPending ? status | 0x8080n : status & 0x7f7fn);
  }
}

const FCW_RESET = 0x40n;
