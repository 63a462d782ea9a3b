// Decks on their way, and the two machines between which they travel: cards keep their columns, decks their order, readers their owners.

import {describe, expect, test} from 'vitest';
import {PhysicalMemory} from '@hyperscope/machine';
import type {Level} from '@hyperscope/machine';
import {CardPunch, CardReader} from './card-devices.js';
import {CARD_COLUMNS, MOST_CARDS, SPOOL_FILES, Spool} from './spool.js';

const card = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(CARD_COLUMNS));
const textOf = (bytes: Uint8Array | 'end-of-file' | undefined): string | undefined =>
  bytes instanceof Uint8Array ? new TextDecoder().decode(bytes).trimEnd() : bytes;
const spool = (): Spool => new Spool(new PhysicalMemory(0x40_0000));

describe('a spool', () => {
  test('gives a deck to the reader that it was closed for, card by card, and then no more', () => {
    const decks = spool();
    for (const text of ['ONE', 'TWO']) expect(decks.punch(0, card(text))).toBe('punched');
    expect([decks.cardsPunched(0), decks.firstIn(1)]).toEqual([2, undefined]);
    expect(decks.close(0, 1, 7)).toEqual({from: 0, to: 1, number: 7, cards: 2});
    expect([decks.firstIn(0), decks.firstIn(1)?.number]).toEqual([undefined, 7]);
    expect([1, 2, 3, 4].map(() => textOf(decks.readCard(1)))).toEqual(['ONE', 'TWO', 'end-of-file', undefined]);
  });

  test('keeps decks of several senders in the order in which they were closed', () => {
    const decks = spool();
    decks.punch(2, card('LATE'));
    decks.punch(0, card('FIRST'));
    decks.punch(1, card('SECOND'));
    for (const [order, from] of [0, 1, 2].entries()) decks.close(from, 3, order);
    const read: (string | undefined)[] = [];
    for (let turn = 0; turn < 7; turn++) read.push(textOf(decks.readCard(3)));
    expect(read).toEqual(['FIRST', 'end-of-file', 'SECOND', 'end-of-file', 'LATE', 'end-of-file', undefined]);
  });

  test('closes nothing where no card was punched', () => {
    expect(spool().close(0, 1, 1)).toBeUndefined();
  });

  test('is full when all files are in use, and has room again when a deck has been read', () => {
    const decks = spool();
    for (let file = 0; file < SPOOL_FILES; file++) {
      decks.punch(0, card(`DECK ${file}`));
      decks.close(0, 1, file);
    }
    expect(decks.punch(0, card('MORE'))).toBe('full');
    decks.readCard(1);
    expect(textOf(decks.readCard(1))).toBe('end-of-file');
    expect(decks.punch(0, card('MORE'))).toBe('punched');
  });

  test('takes so many cards in a deck and not one more', () => {
    const decks = spool();
    for (let count = 0; count < MOST_CARDS; count++) decks.punch(0, card(String(count)));
    expect(decks.punch(0, card('TOO MUCH'))).toBe('full');
    decks.punch(1, card('NEXT DOOR'));
    decks.close(0, 1, 1);
    decks.close(1, 0, 1);
    expect(decks.firstIn(1)?.cards).toBe(MOST_CARDS);
    expect(textOf(decks.readCard(0))).toBe('NEXT DOOR');
  });
});

describe('the punch', () => {
  test('fills a card with blanks, and loses what lies behind column 80', () => {
    const stacker: string[] = [];
    const punch = new CardPunch(bytes => {
      stacker.push(new TextDecoder().decode(bytes));
      return 'punched';
    });
    for (const letter of 'HELLO') punch.write(0, 1, letter.charCodeAt(0));
    punch.write(1, 1, 1);
    for (let column = 0; column < 90; column++) punch.write(0, 1, 0x30 + (column % 10));
    punch.write(1, 1, 1);
    expect(stacker).toEqual(['HELLO'.padEnd(80), '0123456789'.repeat(8)]);
    expect(punch.read(1)).toBe(1);
  });

  test('asks for intervention where a card has no room, and punches on when there is', () => {
    let room: 'punched' | 'full' = 'full';
    const punch = new CardPunch(() => room);
    punch.write(1, 1, 1);
    expect(punch.read(1)).toBe(3);
    room = 'punched';
    punch.write(1, 1, 1);
    expect(punch.read(1)).toBe(1);
  });
});

describe('the reader', () => {
  function reader(cards: readonly (Uint8Array | 'end-of-file')[]) {
    const levels: Level[] = [];
    const waiting = [...cards];
    const source = {
      get hasDeck() {
        return waiting.length > 0;
      },
      readCard: () => waiting.shift(),
    };
    return {levels, device: new CardReader(source, {set: level => void levels.push(level), isHeard: true})};
  }

  test('interrupts for a deck until its status is read', () => {
    const {device, levels} = reader([card('A'), 'end-of-file']);
    device.arrived();
    expect([device.read(1), levels]).toEqual([1, [1, 0]]);
  });

  test('shows a card column by column, and tells where the deck ends', () => {
    const {device} = reader([card('AB'), 'end-of-file']);
    expect(device.read(0)).toBe(0x20);
    device.write(1, 1, 1);
    expect([device.read(1), device.read(0), device.read(0), device.read(0)]).toEqual([3, 0x41, 0x42, 0x20]);
    for (let column = 3; column < 80; column++) device.read(0);
    expect(device.read(0)).toBe(0x20);
    device.write(1, 1, 1);
    expect([device.read(1), device.read(0)]).toEqual([4, 0x20]);
    device.write(1, 1, 1);
    expect(device.read(1)).toBe(0);
  });
});
