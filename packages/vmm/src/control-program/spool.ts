// The spool: decks of cards on their way from one virtual machine's punch to another one's reader. CP-67 kept them on disk; here
// they lie in the control program's memory, a file a deck.
//
//   file    +0 state  +4 from  +8 to  +12 number  +16 cards  +20 next card to be read  +24 order of arrival  +256 cards of 80 bytes

import {hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {SPOOL} from './cp-layout.js';

export const CARD_COLUMNS = 80;
export const SPOOL_FILES = 16;
export const MOST_CARDS = 800;

const HEADER = 256;
const FILE_BYTES = HEADER + MOST_CARDS * CARD_COLUMNS;
const FIELDS = {state: 0, from: 4, to: 8, number: 12, cards: 16, next: 20, arrival: 24} as const;
const FREE = 0,
  PUNCHED = 1,
  DELIVERED = 2;

export interface SpoolFile {
  readonly from: number;
  readonly to: number;
  /** The number that its sender counts it by. */
  readonly number: number;
  readonly cards: number;
}

export class Spool {
  readonly #memory: PhysicalMemory;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  /** A card comes out of a virtual machine's punch. 'full': there is no room for it. */
  punch(from: number, card: Uint8Array): 'punched' | 'full' {
    const file = this.#openFile(from) ?? this.#newFile(from);
    if (file === undefined) return 'full';
    const cards = this.#get(file, 'cards');
    if (cards === MOST_CARDS) return 'full';
    this.#memory.load(hpa(this.#start(file) + HEADER + cards * CARD_COLUMNS), card);
    this.#set(file, 'cards', cards + 1);
    return 'punched';
  }

  /** Cards in the punch's stacker: of the deck that is not closed yet. */
  cardsPunched(from: number): number {
    const file = this.#openFile(from);
    return file === undefined ? 0 : this.#get(file, 'cards');
  }

  /** The deck in the punch's stacker is complete, and goes to a reader. Undefined where there is no card. */
  close(from: number, to: number, number: number): SpoolFile | undefined {
    const file = this.#openFile(from);
    if (file === undefined) return undefined;
    this.#set(file, 'to', to);
    this.#set(file, 'number', number);
    this.#set(file, 'arrival', 1 + Math.max(0, ...this.#files.map(each => this.#get(each, 'arrival'))));
    this.#set(file, 'state', DELIVERED);
    return this.#describe(file);
  }

  /** The deck that lies first in a reader; undefined where its hopper is empty. */
  firstIn(to: number): SpoolFile | undefined {
    const file = this.#firstFile(to);
    return file === undefined ? undefined : this.#describe(file);
  }

  /** The next card of that deck; 'end-of-file' behind its last one, which takes the deck out of the reader. */
  readCard(to: number): Uint8Array | 'end-of-file' | undefined {
    const file = this.#firstFile(to);
    if (file === undefined) return undefined;
    const next = this.#get(file, 'next');
    if (next === this.#get(file, 'cards')) {
      for (const field of Object.keys(FIELDS)) if (isField(field)) this.#set(file, field, 0);
      return 'end-of-file';
    }
    this.#set(file, 'next', next + 1);
    const at = this.#start(file) + HEADER + next * CARD_COLUMNS;
    return this.#memory.bytes.slice(at, at + CARD_COLUMNS);
  }

  #openFile(from: number): number | undefined {
    return this.#files.find(file => this.#get(file, 'state') === PUNCHED && this.#get(file, 'from') === from);
  }
  #newFile(from: number): number | undefined {
    const file = this.#files.find(each => this.#get(each, 'state') === FREE);
    if (file === undefined) return undefined;
    this.#set(file, 'state', PUNCHED);
    this.#set(file, 'from', from);
    return file;
  }
  #firstFile(to: number): number | undefined {
    const waiting = this.#files.filter(file => this.#get(file, 'state') === DELIVERED && this.#get(file, 'to') === to);
    return waiting.sort((a, b) => this.#get(a, 'arrival') - this.#get(b, 'arrival'))[0];
  }
  #describe(file: number): SpoolFile {
    return {
      from: this.#get(file, 'from'),
      to: this.#get(file, 'to'),
      number: this.#get(file, 'number'),
      cards: this.#get(file, 'cards'),
    };
  }

  get #files(): readonly number[] {
    return Array.from({length: SPOOL_FILES}, (_, file) => file);
  }
  #start(file: number): number {
    return SPOOL + file * FILE_BYTES;
  }
  #get(file: number, field: keyof typeof FIELDS): number {
    return Number(this.#memory.read(hpa(this.#start(file) + FIELDS[field]), 4));
  }
  #set(file: number, field: keyof typeof FIELDS, value: number): void {
    this.#memory.write(hpa(this.#start(file) + FIELDS[field]), 4, BigInt(value));
  }
}

const isField = (name: string): name is keyof typeof FIELDS => name in FIELDS;
