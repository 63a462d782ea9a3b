// One or two hard disks behind the first ATA channel, in programmed I/O: the program moves every word itself.
// T13, "AT Attachment 8—ATA/ATAPI Command Set", "ATA/ATAPI-7 Volume 2, Parallel Transport". Commands take no time.
//
//   1f0h data, 16 or 32 bits · 1f1h error, features · 1f2h sector count · 1f3h to 1f5h LBA · 1f6h device · 1f7h status,
//   command · 3f6h alternate status, device control    (LBA48: count and LBA registers are two bytes deep)

import {assert, assertExists} from '@hyperscope/base';
import type {Bank} from '../observer.js';
import {BankedDevice} from './banked-device.js';
import {SECTOR_BYTES, identity} from './ide-identity.js';
import {UNCONNECTED} from './interrupt-line.js';
import type {InterruptLine} from './interrupt-line.js';
import type {PortDevice, PortRange} from './port-map.js';

const DATA = 0,
  ERROR = 1,
  COUNT = 2,
  LBA = 3,
  DEVICE = 6,
  STATUS = 7,
  CONTROL = 0x206;
/** Bank: registers at 1 to 7, their former values (for LBA48) at 8 + the same, then what the command in hand needs. */
const FORMER = 8,
  CONTROL_REGISTER = 16,
  /** 0 none · 1 the drive gives words · 2 it takes them. */
  TRANSFER = 17,
  /** The drive that the command in hand was given to. */
  DRIVE = 18,
  POSITION = 20,
  SECTOR = 24,
  LEFT = 32,
  BUFFER = 40;
const NO_TRANSFER = 0,
  GIVES = 1,
  TAKES = 2;

const READY = 0x50,
  DATA_REQUEST = 8,
  FAILED = 1;
const ABORTED = 4,
  NOT_FOUND = 0x10;
const SECOND_DRIVE = 0x10,
  LBA_MODE = 0x40;
const CONTROL_NO_INTERRUPT = 2,
  CONTROL_RESET = 4,
  CONTROL_FORMER = 0x80;

const READ = 0x20,
  READ_EXTENDED = 0x24,
  READ_MULTIPLE = 0xc4,
  WRITE = 0x30,
  WRITE_EXTENDED = 0x34,
  WRITE_MULTIPLE = 0xc5,
  IDENTIFY = 0xec,
  FLUSH = 0xe7,
  FLUSH_EXTENDED = 0xea,
  INITIALIZE = 0x91,
  RECALIBRATE = 0x10,
  SET_FEATURES = 0xef,
  DIAGNOSE = 0x90;

export class IdeDisk extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x1f0, count: 8};
  readonly also: readonly PortRange[] = [{first: 0x3f6, count: 1}];
  readonly widest = 4;
  /** The sectors themselves, of one drive or two. */
  readonly contents: readonly Bank[];
  readonly #line: InterruptLine;

  /** `disks` are the disks, not copies of them: each a multiple of 512 bytes. */
  constructor(disks: readonly Uint8Array[], line: InterruptLine = UNCONNECTED) {
    super('ide', BUFFER + SECTOR_BYTES);
    assert(disks.length === 1 || disks.length === 2, 'a channel has one drive or two');
    const isWhole = disks.every(({length}) => length > 0 && length % SECTOR_BYTES === 0);
    assert(isWhole, 'a disk consists of whole sectors');
    this.contents = disks.map((bytes, drive) => ({name: drive === 0 ? 'disk' : `disk-${drive}`, bytes}));
    this.#line = line;
    this.#reset();
  }

  read(offset: number, bytes: number): number {
    if (this.#isAbsent && offset !== DEVICE) return 0;
    switch (offset) {
      case DATA:
        return this.#takeWord(bytes);
      case STATUS:
        this.#line.set(0);
        return this.byte(STATUS);
      case CONTROL:
        return this.byte(STATUS);
      default:
        return this.byte(((this.byte(CONTROL_REGISTER) & CONTROL_FORMER) === 0 ? 0 : FORMER) + offset);
    }
  }

  write(offset: number, bytes: number, value: number): void {
    switch (offset) {
      case DATA:
        return this.#putWord(bytes, value);
      case CONTROL:
        if ((value & CONTROL_RESET) !== 0) this.#reset();
        return this.setByte(CONTROL_REGISTER, value & 0xff);
      case STATUS:
        return this.#isAbsent ? undefined : this.#command(value);
      default:
        this.setByte(CONTROL_REGISTER, this.byte(CONTROL_REGISTER) & ~CONTROL_FORMER);
        if (offset >= COUNT && offset < DEVICE) this.setByte(FORMER + offset, this.byte(offset));
        if (offset !== ERROR) this.setByte(offset, value);
    }
  }

  get #selected(): 0 | 1 {
    return (this.byte(DEVICE) & SECOND_DRIVE) === 0 ? 0 : 1;
  }
  /** Reading the registers of a drive that is not there gives 0. */
  get #isAbsent(): boolean {
    return this.#selected >= this.contents.length;
  }
  /** The disk that the command in hand is about. */
  get #disk(): Bank {
    return assertExists(this.contents[this.byte(DRIVE)], 'commands are given to drives that are there');
  }
  get #sectors(): number {
    return this.#disk.bytes.length / SECTOR_BYTES;
  }

  /** Ready, with the signature of an ATA drive. */
  #reset(): void {
    for (const [at, value] of [1, 1, 1, 0, 0, 0, READY].entries()) this.setByte(ERROR + at, value);
    this.setByte(TRANSFER, NO_TRANSFER);
    this.#line.set(0);
  }

  #command(command: number): void {
    this.#line.set(0);
    this.setByte(ERROR, 0);
    this.setByte(TRANSFER, NO_TRANSFER);
    this.setByte(DRIVE, this.#selected);
    switch (command) {
      case READ:
      case READ + 1:
      case READ_MULTIPLE:
        return this.#start(GIVES, 'LBA28');
      case READ_EXTENDED:
        return this.#start(GIVES, 'LBA48');
      case WRITE:
      case WRITE + 1:
      case WRITE_MULTIPLE:
        return this.#start(TAKES, 'LBA28');
      case WRITE_EXTENDED:
        return this.#start(TAKES, 'LBA48');
      case IDENTIFY:
        this.setWord(LEFT, 1);
        this.#fill(identity(this.#sectors));
        return this.#request(GIVES, 'interrupts');
      case DIAGNOSE:
        this.#reset();
        return this.#done();
      case FLUSH:
      case FLUSH_EXTENDED:
      case INITIALIZE:
      case RECALIBRATE:
      case SET_FEATURES:
        return this.#done();
      default:
        this.#fail(ABORTED);
    }
  }

  #start(transfer: typeof GIVES | typeof TAKES, addressing: 'LBA28' | 'LBA48'): void {
    if ((this.byte(DEVICE) & LBA_MODE) === 0) return this.#fail(ABORTED); // Cylinders and heads are not simulated.
    const isLong = addressing === 'LBA48';
    const register = (at: number): number => this.byte(at) + (isLong ? this.byte(FORMER + at) * 0x100_0000 : 0);
    const top = isLong ? 0 : (this.byte(DEVICE) & 0xf) * 0x100_0000;
    const sector = register(LBA) + register(LBA + 1) * 0x100 + register(LBA + 2) * 0x1_0000 + top;
    const count = this.byte(COUNT) + (isLong ? this.byte(FORMER + COUNT) * 256 : 0);
    const left = count === 0 ? (isLong ? 0x1_0000 : 256) : count;
    if (sector + left > this.#sectors) return this.#fail(NOT_FOUND);
    this.setTime(SECTOR, sector);
    this.setWord(LEFT, left);
    if (transfer === GIVES) this.#load();
    // The first sector of a write is asked for without an interrupt.
    this.#request(transfer, transfer === GIVES ? 'interrupts' : 'silently');
  }

  #request(transfer: number, how: 'interrupts' | 'silently'): void {
    this.setByte(TRANSFER, transfer);
    this.setWord(POSITION, 0);
    this.setByte(STATUS, READY | DATA_REQUEST);
    if (how === 'interrupts') this.#interrupt();
  }
  #done(): void {
    this.setByte(TRANSFER, NO_TRANSFER);
    this.setByte(STATUS, READY);
    this.#interrupt();
  }
  #fail(error: number): void {
    this.setByte(ERROR, error);
    this.setByte(STATUS, READY | FAILED);
    this.#interrupt();
  }
  #interrupt(): void {
    if ((this.byte(CONTROL_REGISTER) & CONTROL_NO_INTERRUPT) === 0) this.#line.set(1);
  }

  #takeWord(bytes: number): number {
    if (this.byte(TRANSFER) !== GIVES) return 0xffff_ffff;
    const at = this.word(POSITION);
    let value = 0;
    for (let index = Math.max(2, bytes) - 1; index >= 0; index--) value = (value << 8) | this.#bufferByte(at + index);
    this.#advance(at + Math.max(2, bytes));
    return value >>> 0;
  }
  #putWord(bytes: number, value: number): void {
    if (this.byte(TRANSFER) !== TAKES) return;
    const at = this.word(POSITION);
    const moved = Math.max(2, bytes);
    for (let index = 0; index < moved && at + index < SECTOR_BYTES; index++)
      this.setByte(BUFFER + at + index, (value >>> (8 * index)) & 0xff);
    this.#advance(at + moved);
  }
  #bufferByte(at: number): number {
    return at < SECTOR_BYTES ? this.byte(BUFFER + at) : 0;
  }

  #advance(position: number): void {
    this.setWord(POSITION, position);
    if (position < SECTOR_BYTES) return;
    const gives = this.byte(TRANSFER) === GIVES;
    if (!gives) this.#store();
    const left = this.word(LEFT) - 1;
    this.setWord(LEFT, left);
    this.setTime(SECTOR, this.time(SECTOR) + 1);
    if (left > 0) {
      if (gives) this.#load();
      this.#request(this.byte(TRANSFER), 'interrupts');
    } else if (gives) {
      // The last sector has been announced already: its end is silent.
      this.setByte(TRANSFER, NO_TRANSFER);
      this.setByte(STATUS, READY);
    } else {
      this.#done();
    }
  }

  #load(): void {
    const start = this.time(SECTOR) * SECTOR_BYTES;
    this.#fill(this.#disk.bytes.subarray(start, start + SECTOR_BYTES));
  }
  #fill(bytes: Uint8Array): void {
    this.willWrite?.(this.name, BUFFER, SECTOR_BYTES);
    this.bank.bytes.set(bytes, BUFFER);
  }
  #store(): void {
    const start = this.time(SECTOR) * SECTOR_BYTES;
    const {name, bytes} = this.#disk;
    this.willWrite?.(name, start, SECTOR_BYTES);
    bytes.set(this.bank.bytes.subarray(BUFFER, BUFFER + SECTOR_BYTES), start);
  }
}
