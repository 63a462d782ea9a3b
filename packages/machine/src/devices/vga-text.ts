// Text-mode video: 80 by 25 characters at B8000, two bytes each, which are plain RAM; and the few registers that move
// the cursor and scroll. IBM, "Video Graphics Array Technical Reference", "CRT Controller Registers". No graphics modes.
//
//   3d4h index · 3d5h data    Ah, Bh cursor shape · Ch, Dh first character shown · Eh, Fh cursor position
//   3dah status: 0 no display now · 3 vertical retrace, at 70 Hz

import {VIDEO_TEXT} from '../memory-map.js';
import {BankedDevice} from './banked-device.js';
import type {DeviceClock} from './device-clock.js';
import type {PortDevice, PortRange} from './port-map.js';

const COLUMNS = 80,
  ROWS = 25;

const INDEX = 0,
  REGISTERS = 1,
  REGISTER_COUNT = 25;
const CURSOR_START = 0xa,
  START_HIGH = 0xc,
  CURSOR_HIGH = 0xe;
const CURSOR_OFF = 0x20;
const STATUS_OFFSET = 6,
  LINES = 449,
  VISIBLE_LINES = 400,
  LINE_HERTZ = 31_469;
const STATUS_BLANK = 1,
  STATUS_RETRACE = 8;
/** What firmware leaves for mode 3: horizontal and vertical timing, cursor in the last two lines of a character. */
const MODE_3 = [
  0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f,
  0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
] as const;

export interface TextCell {
  /** Code page 437. */
  readonly character: number;
  /** 3:0 foreground, 6:4 background, 7 blink. */
  readonly attribute: number;
}
export interface TextScreen {
  readonly columns: number;
  readonly rows: number;
  /** Row by row; characters that lie outside RAM are blank. */
  readonly cells: readonly TextCell[];
  /** Where the cursor stands, counted from the first cell; undefined while it is off or elsewhere. */
  readonly cursor: number | undefined;
}

/** Where its registers lie in its bank, for whoever looks at one. */
export const VGA_BYTES = {INDEX, REGISTERS, CURSOR_START, START_HIGH, CURSOR_HIGH} as const;

export class VgaText extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x3d4, count: 2};
  readonly also: readonly PortRange[] = [{first: 0x3da, count: 1}];
  readonly widest = 1;
  readonly #clock: DeviceClock;

  constructor(clock: DeviceClock) {
    super('vga', REGISTERS + REGISTER_COUNT);
    this.#clock = clock;
    MODE_3.forEach((value, index) => this.setByte(REGISTERS + index, value));
  }

  read(offset: number): number {
    if (offset === STATUS_OFFSET) return this.#status;
    if (offset === 0) return this.byte(INDEX);
    return this.byte(INDEX) < REGISTER_COUNT ? this.byte(REGISTERS + this.byte(INDEX)) : 0;
  }

  write(offset: number, _bytes: number, value: number): void {
    if (offset === 0) this.setByte(INDEX, value & 0x1f);
    else if (offset === 1 && this.byte(INDEX) < REGISTER_COUNT) this.setByte(REGISTERS + this.byte(INDEX), value);
  }

  /** What the screen shows, out of the machine's RAM. */
  screen(memory: Uint8Array): TextScreen {
    return textScreen(this.bank.bytes, memory.subarray(VIDEO_TEXT.start, VIDEO_TEXT.end));
  }
  get #status(): number {
    const line = this.#clock.ticks(LINE_HERTZ) % LINES;
    return line < VISIBLE_LINES ? 0 : STATUS_BLANK | (line < VISIBLE_LINES + 2 ? 0 : STATUS_RETRACE);
  }
}

/** What the screen shows, out of the bytes of a device's bank and video memory: a live machine's, or a record's. */
export function textScreen(bank: Uint8Array, video: Uint8Array): TextScreen {
  const register = (index: number): number => bank[REGISTERS + index] ?? 0;
  const pair = (high: number): number => (register(high) << 8) | register(high + 1);
  const first = pair(START_HIGH);
  const cells = Array.from({length: COLUMNS * ROWS}, (_, cell) => {
    const at = (2 * (first + cell)) & (VIDEO_TEXT.end - VIDEO_TEXT.start - 1);
    return {character: video[at] ?? 0x20, attribute: video[at + 1] ?? 7};
  });
  const cursor = pair(CURSOR_HIGH) - first;
  const isShown = (register(CURSOR_START) & CURSOR_OFF) === 0 && cursor >= 0 && cursor < cells.length;
  return {columns: COLUMNS, rows: ROWS, cells, cursor: isShown ? cursor : undefined};
}
