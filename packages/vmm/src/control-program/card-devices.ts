// The virtual card reader and the virtual card punch: what a virtual machine finds at its ports. The addresses are ours, after the
// 00C and 00D at which a CMS machine had them; so are the registers, since channel programs have no counterpart on a PC.
//
//   reader   C00h  IN   the next column of the card in the station; a blank behind column 80
//            C01h  IN   status; reading it takes the interrupt request back     OUT 1: feed the next card into the station
//                       bit 0 a deck is in the hopper · 1 a card is in the station · 2 end of file: the deck is read
//            IRQ 3 (a PC's second serial port, which this one has not): a deck has arrived, "device end"
//   punch    D00h  OUT  the next column of the card; columns behind 80 are lost
//            D01h  OUT 1: punch it and feed the next one       IN   status: bit 0 ready · 1 "intervention required", no room

import {BankedDevice} from '@hyperscope/machine';
import type {InterruptLine, PortDevice, PortRange} from '@hyperscope/machine';
import {CARD_COLUMNS} from './spool.js';

const READER_PORTS: PortRange = {first: 0xc00, count: 2};
export const READER_IRQ = 3;
const PUNCH_PORTS: PortRange = {first: 0xd00, count: 2};

const DATA = 0;
const FEED = 1;
const BLANK = 0x20;
const ALL_ONES = 0xff;
// The bank of each: status, column, the card.
const STATUS = 0,
  COLUMN = 1,
  CARD = 2;

abstract class CardDevice extends BankedDevice {
  constructor(name: string) {
    super(name, CARD + CARD_COLUMNS);
  }
  protected get card(): Uint8Array {
    return this.bank.bytes.slice(CARD);
  }
  protected setCard(card: Uint8Array): void {
    for (const [at, byte] of card.entries()) this.setByte(CARD + at, byte);
    this.setByte(COLUMN, 0);
  }
  /** Where the next column is; undefined behind the last one. */
  protected nextColumn(): number | undefined {
    const column = this.byte(COLUMN);
    if (column >= CARD_COLUMNS) return undefined;
    this.setByte(COLUMN, column + 1);
    return CARD + column;
  }
}

const DECK_IN_HOPPER = 1,
  CARD_IN_STATION = 2,
  END_OF_FILE = 4;

/** Where a reader's cards come from. */
export interface CardSource {
  readonly hasDeck: boolean;
  readCard(): Uint8Array | 'end-of-file' | undefined;
}

export class CardReader extends CardDevice implements PortDevice {
  readonly ports = READER_PORTS;
  readonly widest = 1;
  readonly #source: CardSource;
  readonly #line: InterruptLine;

  constructor(source: CardSource, line: InterruptLine) {
    super('card-reader');
    this.#source = source;
    this.#line = line;
  }

  /** A deck has been put into the hopper. */
  arrived(): void {
    this.setByte(STATUS, this.byte(STATUS) & ~END_OF_FILE);
    this.#line.set(1);
  }

  read(offset: number): number {
    if (offset !== DATA) {
      this.#line.set(0);
      return this.byte(STATUS) | (this.#source.hasDeck ? DECK_IN_HOPPER : 0);
    }
    const column = this.nextColumn();
    return (this.byte(STATUS) & CARD_IN_STATION) === 0 || column === undefined ? BLANK : this.byte(column);
  }

  write(offset: number, _bytes: number, value: number): void {
    if (offset === DATA || value !== FEED) return;
    const card = this.#source.readCard();
    if (card instanceof Uint8Array) {
      this.setCard(card);
      this.setByte(STATUS, CARD_IN_STATION);
    } else this.setByte(STATUS, card === 'end-of-file' ? END_OF_FILE : 0);
  }
}

const READY = 1,
  INTERVENTION_REQUIRED = 2;

export class CardPunch extends CardDevice implements PortDevice {
  readonly ports = PUNCH_PORTS;
  readonly widest = 1;
  readonly #stacker: (card: Uint8Array) => 'punched' | 'full';

  constructor(stacker: (card: Uint8Array) => 'punched' | 'full') {
    super('card-punch');
    this.#stacker = stacker;
    this.#blankCard();
    this.setByte(STATUS, READY);
  }

  read(offset: number): number {
    return offset === DATA ? ALL_ONES : this.byte(STATUS);
  }

  write(offset: number, _bytes: number, value: number): void {
    if (offset === DATA) {
      const column = this.nextColumn();
      if (column !== undefined) this.setByte(column, value);
    } else if (value === FEED) this.#punch();
  }

  #punch(): void {
    const isFull = this.#stacker(this.card) === 'full';
    this.setByte(STATUS, isFull ? READY | INTERVENTION_REQUIRED : READY);
    this.#blankCard();
  }
  #blankCard(): void {
    this.setCard(new Uint8Array(CARD_COLUMNS).fill(BLANK));
  }
}
