import {expect, test} from 'vitest';
import {HandClock} from './device-fixture.js';
import {VIDEO_TEXT} from '../memory-map.js';
import {VgaText} from './vga-text.js';

const set = (vga: VgaText, index: number, value: number): void => {
  vga.write(0, 1, index);
  vga.write(1, 1, value);
};

test('the screen is what lies at B8000, from the start address on', () => {
  const vga = new VgaText(new HandClock().clock);
  const memory = new Uint8Array(0x10_0000);
  memory.set([0x48, 0x1f, 0x69, 0x0a], VIDEO_TEXT.start);
  expect(vga.screen(memory).cells.slice(0, 2)).toEqual([
    {character: 0x48, attribute: 0x1f},
    {character: 0x69, attribute: 0x0a},
  ]);
  set(vga, 0xd, 1);
  expect(vga.screen(memory).cells[0]).toEqual({character: 0x69, attribute: 0x0a});
  expect(vga.screen(new Uint8Array(16)).cells[0]).toEqual({character: 0x20, attribute: 7});
});

test('the cursor is where its registers say, and can be switched off', () => {
  const vga = new VgaText(new HandClock().clock);
  const memory = new Uint8Array(0);
  set(vga, 0xe, 0);
  set(vga, 0xf, 83);
  expect([vga.screen(memory).cursor, vga.read(1)]).toEqual([83, 83]);
  set(vga, 0xa, 0x20);
  expect(vga.screen(memory).cursor).toBeUndefined();
});

test('the vertical retrace comes 70 times a second', () => {
  const time = new HandClock();
  const vga = new VgaText(time.clock);
  let rises = 0;
  for (let cycle = 0, before = 0; cycle < 1_000_000; cycle += 30) {
    time.to(cycle);
    const now = vga.read(6) & 8;
    if (now === 8 && before === 0) rises++;
    before = now;
  }
  expect(rises).toBe(70);
});
