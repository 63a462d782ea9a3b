// A virtio device behind a page of 32-bit registers: how a driver finds it, agrees with it on features and tells it where
// its queues lie. Virtual I/O Device (VIRTIO) 1.2, "Virtio Over MMIO", "Device Initialization".
//
//   000h "virt" · 004h version 2 · 008h device · 00ch vendor       050h QueueNotify, the kick: which queue has news
//   010h features, 014h which half · 020h, 024h the driver's       060h InterruptStatus · 064h InterruptACK
//   030h QueueSel · 034h QueueNumMax · 038h QueueNum · 044h ready  070h Status · 0fch ConfigGeneration · 100h configuration
//   080h descriptors, 090h available ring, 0a0h used ring: 64 bits each
//
//   Status      0 ACKNOWLEDGE · 1 DRIVER · 2 DRIVER_OK · 3 FEATURES_OK · 6 DEVICE_NEEDS_RESET · 7 FAILED
//   interrupts  0 a buffer was used · 1 the configuration or the device's state changed
//
//   bank:  0 Status · 1 InterruptStatus · 2 QueueSel · 3 trouble + 1 · 4, 8 feature selectors · c, 10h driver's features
//          14h what the trouble speaks of · 1ch + 2ch·n  queue n, in the order of QUEUE_FIELDS · then the device's own

import {hex} from '@hyperscope/base';
import type {MmioRegion} from '../mmu/physical-memory.js';
import {BankedDevice} from './banked-device.js';
import type {DeviceMemory} from './device-memory.js';
import type {Level} from './interrupt-line.js';
import {QUEUE_TROUBLES, layoutTrouble} from './virtqueue.js';
import type {QueueState, QueueTrouble} from './virtqueue.js';

const STATUS = 0,
  INTERRUPT_STATUS = 1,
  QUEUE_SELECTOR = 2,
  TROUBLE = 3,
  DEVICE_FEATURES_SELECTOR = 4,
  DRIVER_FEATURES_SELECTOR = 8,
  DRIVER_FEATURES = 12,
  TROUBLE_AT = 20,
  QUEUES = 28,
  QUEUE_BYTES = 44;
const QUEUE_FIELDS = {size: 0, ready: 4, descriptors: 8, available: 16, used: 24, taken: 32, returned: 36} as const;

const DRIVER_OK = 4,
  FEATURES_OK = 8,
  NEEDS_RESET = 0x40;
const USED_BUFFER = 1,
  CONFIGURATION_CHANGE = 2;
const MAGIC = 0x7472_6976;
const VENDOR = 0x5048_5953;
const CONFIGURATION = 0x100;
const REGION_BYTES = 0x200;
/** The most descriptors that a queue may have. */
export const QUEUE_MAXIMUM = 64;
/** VIRTIO_F_VERSION_1: bit 32. A driver that does not take it is of another age. */
const VERSION_1 = 1;

export interface VirtioKind {
  readonly name: string;
  /** "Device Types". */
  readonly device: number;
  /** Features 0 to 31 that it offers. */
  readonly features: number;
  readonly queues: number;
  /** Bytes of its own state, behind the transport's. */
  readonly stateBytes: number;
}

/** Where the transport's state lies in a device's bank, for whoever looks at one. */
export const VIRTIO_BYTES = {
  STATUS,
  INTERRUPT_STATUS,
  QUEUE_SELECTOR,
  DRIVER_FEATURES,
  QUEUES,
  QUEUE_BYTES,
  QUEUE_FIELDS,
} as const;

export abstract class VirtioMmioDevice extends BankedDevice {
  protected readonly memory: DeviceMemory;
  /** Where the device's own state begins in the bank. */
  protected readonly own: number;
  /** Told what the device did that nobody sees at a register. */
  onNews: ((what: 'output' | 'trouble', sentence: string) => void) | undefined;
  /** Told the level of the device's interrupt line. */
  onInterrupt: ((level: Level) => void) | undefined;
  readonly #kind: VirtioKind;

  constructor(kind: VirtioKind, memory: DeviceMemory) {
    super(kind.name, QUEUES + QUEUE_BYTES * kind.queues + kind.stateBytes);
    this.#kind = kind;
    this.memory = memory;
    this.own = QUEUES + QUEUE_BYTES * kind.queues;
  }

  /** The page of registers. */
  region(start: number): MmioRegion {
    return {
      name: this.name,
      start,
      length: REGION_BYTES,
      read: (offset, bytes) => this.#read(offset, bytes),
      write: (offset, bytes, value) => {
        if (offset >= CONFIGURATION)
          this.writeConfiguration(offset - CONFIGURATION, bytes, Number(value & 0xffff_ffffn));
        else if (bytes === 4 && offset % 4 === 0) this.#writeRegister(offset, Number(value & 0xffff_ffffn));
      },
    };
  }

  /** Why the device needs a reset; undefined while it does not. */
  get trouble(): string | undefined {
    const kind = QUEUE_TROUBLES[this.byte(TROUBLE) - 1];
    const high = this.word(TROUBLE_AT + 4) * 2 ** 32;
    return kind === undefined ? undefined : troubleSentence({trouble: kind, at: high + this.word(TROUBLE_AT)});
  }

  /** A driver has kicked: queue `index` has news, and the device may work. */
  protected abstract notified(index: number): void;
  /** A byte of the configuration space. */
  protected abstract readConfiguration(offset: number): number;
  protected abstract writeConfiguration(offset: number, bytes: number, value: number): void;

  /** A queue that may be used now; undefined before the driver is ready, and after trouble. */
  protected queue(index: number): QueueState | undefined {
    const status = this.byte(STATUS);
    if ((status & DRIVER_OK) === 0 || (status & NEEDS_RESET) !== 0) return undefined;
    return this.word(this.#queueAt(index) + QUEUE_FIELDS.ready) === 0 ? undefined : this.#layout(index);
  }
  /** How far a queue has come. */
  protected advance(index: number, {taken, returned}: QueueState): void {
    const at = this.#queueAt(index);
    this.setWord(at + QUEUE_FIELDS.taken, (taken + 1) & 0xffff);
    this.setWord(at + QUEUE_FIELDS.returned, (returned + 1) & 0xffff);
  }
  protected interruptUsed(): void {
    this.#interrupt(USED_BUFFER);
  }
  /** The driver broke a rule. It is told by Status and an interrupt, and nothing more is done until it resets the device. */
  protected needReset({trouble, at}: QueueTrouble): void {
    this.setByte(TROUBLE, QUEUE_TROUBLES.indexOf(trouble) + 1);
    this.setWord(TROUBLE_AT, at);
    this.setWord(TROUBLE_AT + 4, Math.floor(at / 2 ** 32));
    this.setByte(STATUS, this.byte(STATUS) | NEEDS_RESET);
    this.onNews?.('trouble', `${this.name} needs a reset: ${troubleSentence({trouble, at})}`);
    if ((this.byte(STATUS) & DRIVER_OK) !== 0) this.#interrupt(CONFIGURATION_CHANGE);
  }

  #interrupt(cause: number): void {
    this.setByte(INTERRUPT_STATUS, this.byte(INTERRUPT_STATUS) | cause);
    this.onInterrupt?.(1);
  }
  #queueAt(index: number): number {
    return QUEUES + QUEUE_BYTES * index;
  }
  #layout(index: number): QueueState {
    const at = this.#queueAt(index);
    const address = (field: number): number => this.word(at + field + 4) * 2 ** 32 + this.word(at + field);
    return {
      size: this.word(at + QUEUE_FIELDS.size),
      descriptors: address(QUEUE_FIELDS.descriptors),
      available: address(QUEUE_FIELDS.available),
      used: address(QUEUE_FIELDS.used),
      taken: this.word(at + QUEUE_FIELDS.taken),
      returned: this.word(at + QUEUE_FIELDS.returned),
    };
  }

  // ── registers ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The registers are 32 bits wide; an access of another width gives the bytes that it covers. */
  #read(offset: number, bytes: number): bigint {
    let value = 0n;
    for (let index = bytes - 1; index >= 0; index--) value = (value << 8n) | BigInt(this.#readByte(offset + index));
    return value;
  }
  #readByte(offset: number): number {
    if (offset >= CONFIGURATION) return this.readConfiguration(offset - CONFIGURATION) & 0xff;
    return (this.#readRegister(offset & ~3) >>> (8 * (offset & 3))) & 0xff;
  }

  #readRegister(offset: number): number {
    switch (offset) {
      case 0x00:
        return MAGIC;
      case 0x04:
        return 2;
      case 0x08:
        return this.#kind.device;
      case 0x0c:
        return VENDOR;
      case 0x10:
        return this.#offered(this.word(DEVICE_FEATURES_SELECTOR));
      case 0x34:
        return this.#selected === undefined ? 0 : QUEUE_MAXIMUM;
      case 0x44:
        return this.#selected === undefined ? 0 : this.word(this.#selected + QUEUE_FIELDS.ready);
      case 0x60:
        return this.byte(INTERRUPT_STATUS);
      case 0x70:
        return this.byte(STATUS);
      case 0xb0:
      case 0xb4:
      case 0xb8:
      case 0xbc:
        return 0xffff_ffff; // no shared memory regions
      default:
        return 0;
    }
  }

  #writeRegister(offset: number, value: number): void {
    switch (offset) {
      case 0x14:
        return this.setWord(DEVICE_FEATURES_SELECTOR, value);
      case 0x20:
        if (this.word(DRIVER_FEATURES_SELECTOR) < 2 && (this.byte(STATUS) & FEATURES_OK) === 0)
          this.setWord(DRIVER_FEATURES + 4 * this.word(DRIVER_FEATURES_SELECTOR), value);
        return undefined;
      case 0x24:
        return this.setWord(DRIVER_FEATURES_SELECTOR, value);
      case 0x30:
        return this.setByte(QUEUE_SELECTOR, Math.min(value, 0xff));
      case 0x44:
        return this.#setReady(value);
      case 0x50:
        if (value < this.#kind.queues) this.notified(value);
        return undefined;
      case 0x64:
        return this.#acknowledge(value);
      case 0x70:
        return this.#setStatus(value);
      default:
        return this.#writeQueueRegister(offset, value);
    }
  }

  /** Where the selected queue's state lies; undefined where there is no such queue. */
  get #selected(): number | undefined {
    const index = this.byte(QUEUE_SELECTOR);
    return index < this.#kind.queues ? this.#queueAt(index) : undefined;
  }
  #offered(half: number): number {
    return half === 0 ? this.#kind.features : half === 1 ? VERSION_1 : 0;
  }

  /** A queue that is ready stays where it is. */
  #writeQueueRegister(offset: number, value: number): void {
    const at = this.#selected;
    if (at === undefined || this.word(at + QUEUE_FIELDS.ready) !== 0) return;
    const field = QUEUE_REGISTERS.get(offset);
    if (field !== undefined) this.setWord(at + field, value);
  }
  #setReady(value: number): void {
    const at = this.#selected;
    if (at === undefined) return;
    if (value === 0) return this.setWord(at + QUEUE_FIELDS.ready, 0);
    const wrong = layoutTrouble(this.#layout(this.byte(QUEUE_SELECTOR)), QUEUE_MAXIMUM);
    if (wrong === undefined) this.setWord(at + QUEUE_FIELDS.ready, 1);
    else this.needReset(wrong);
  }
  #acknowledge(value: number): void {
    const left = this.byte(INTERRUPT_STATUS) & ~value;
    this.setByte(INTERRUPT_STATUS, left);
    if (left === 0) this.onInterrupt?.(0);
  }

  /** 0 resets. FEATURES_OK stays clear where the driver wants what was not offered, or does not know version 1. */
  #setStatus(value: number): void {
    if (value === 0) return this.#reset();
    const [low, high] = [this.word(DRIVER_FEATURES), this.word(DRIVER_FEATURES + 4)];
    const agreed = (low & ~this.#kind.features) === 0 && high === VERSION_1;
    const wanted = agreed ? value : value & ~FEATURES_OK;
    this.setByte(STATUS, (wanted & ~NEEDS_RESET & 0xff) | (this.byte(STATUS) & NEEDS_RESET));
  }
  #reset(): void {
    for (let at = 0; at < this.own; at++) this.setByte(at, 0);
    this.onInterrupt?.(0);
  }
}

const QUEUE_REGISTERS: ReadonlyMap<number, number> = new Map([
  [0x38, QUEUE_FIELDS.size],
  [0x80, QUEUE_FIELDS.descriptors],
  [0x84, QUEUE_FIELDS.descriptors + 4],
  [0x90, QUEUE_FIELDS.available],
  [0x94, QUEUE_FIELDS.available + 4],
  [0xa0, QUEUE_FIELDS.used],
  [0xa4, QUEUE_FIELDS.used + 4],
]);

/** What a driver did wrong, and with which number. */
function troubleSentence({trouble, at}: QueueTrouble): string {
  switch (trouble) {
    case 'table-outside-memory':
      return `the table at GPA ${hex(at)} does not lie in the guest’s memory`;
    case 'index-ran-away':
      return `the available ring’s index says that ${at} chains wait, which is more than the queue has room for`;
    case 'no-such-head':
      return `the available ring names descriptor ${at}, and the table has no such descriptor`;
    case 'no-such-next':
      return `a chain goes on at descriptor ${at}, and the table has no such descriptor`;
    case 'loop':
      return `a chain goes on at descriptor ${at} after as many descriptors as the table has: it runs in a circle`;
    case 'empty-buffer':
      return `descriptor ${at} has the length 0`;
    case 'buffer-outside-memory':
      return `the buffer at GPA ${hex(at)} does not lie in the guest’s memory`;
    case 'wrong-direction':
      return `descriptor ${at} has the wrong direction: what the driver sends is for reading, what it receives for writing`;
    case 'indirect':
      return `descriptor ${at} is indirect, a feature that was not offered`;
    case 'chain-too-long':
      return `a chain of ${at} bytes is longer than this device moves at once`;
    case 'bad-size':
      return `a queue of ${at} descriptors: it must be a power of 2 and at most ${QUEUE_MAXIMUM}`;
    case 'misaligned':
      return `a part of a queue lies at GPA ${hex(at)}: descriptors need an alignment of 16, the available ring of 2, the used ring of 4`;
  }
}
