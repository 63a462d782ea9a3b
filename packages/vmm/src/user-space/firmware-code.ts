// The few instructions that a PC's firmware leaves behind in real mode: what interrupts end in until a program takes them
// over. Hardware interrupts are acknowledged and the timer counts; a call of a BIOS service comes back with CF set and
// AH = 86h, "function not supported", because there is no BIOS. IBM, "PC AT Technical Reference", "Interrupt Usage";
// the timer's handler and the bare IRET are where IBM's BIOS has them.

const SEGMENT = 0xf000;
const SERVICE = 0xff00,
  MASTER = 0xff10,
  SLAVE = 0xff20,
  TIMER = 0xfea5,
  RETURN = 0xff53,
  RESET = 0xfff0,
  MODEL = 0xfffe;
const TIMER_VECTOR = 0x08,
  SLAVE_VECTOR = 0x70;
/** IBM PC AT. */
const MODEL_BYTE = 0xfc;

/** Pieces by their offset in segment F000h. */
const CODE: readonly (readonly [offset: number, code: readonly number[]])[] = [
  [
    TIMER,
    [
      0x1e,
      0x50, // push ds / push ax
      0xb8,
      0x40,
      0x00,
      0x8e,
      0xd8, // mov ax, 0x40 / mov ds, ax
      0x83,
      0x06,
      0x6c,
      0x00,
      0x01, // add word [0x6c], 1: ticks since midnight
      0x83,
      0x16,
      0x6e,
      0x00,
      0x00, // adc word [0x6e], 0
      0xcd,
      0x1c, // int 0x1c: whoever wants to know
      0xb0,
      0x20,
      0xe6,
      0x20, // mov al, 0x20 / out 0x20, al
      0x58,
      0x1f,
      0xcf, // pop ax / pop ds / iret
    ],
  ],
  [MASTER, [0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf]], // push ax / mov al, 0x20 / out 0x20, al / pop ax / iret
  [SLAVE, [0x50, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0x58, 0xcf]], // and out 0xa0, al before
  [
    SERVICE,
    [
      0x55,
      0x89,
      0xe5, // push bp / mov bp, sp
      0x83,
      0x4e,
      0x06,
      0x01, // or word [bp+6], 1: CF of the caller
      0x5d,
      0xb4,
      0x86,
      0xcf, // pop bp / mov ah, 0x86 / iret
    ],
  ],
  [RETURN, [0xcf]], // iret
  [RESET, [0xb0, 0xfe, 0xe6, 0x64, 0xf4]], // mov al, 0xfe / out 0x64, al: the reset line / hlt
  [MODEL, [MODEL_BYTE]],
];

export interface CodePiece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** The code, by physical address. */
export const FIRMWARE_CODE: readonly CodePiece[] = CODE.map(([offset, code]) => ({
  at: (SEGMENT << 4) + offset,
  bytes: Uint8Array.from(code),
}));

/** Where interrupt `vector` goes. */
function handler(vector: number): number {
  if (vector === TIMER_VECTOR) return TIMER;
  if (vector > TIMER_VECTOR && vector < TIMER_VECTOR + 8) return MASTER;
  if (vector >= SLAVE_VECTOR && vector < SLAVE_VECTOR + 8) return SLAVE;
  return vector >= 0x10 && vector <= 0x1a ? SERVICE : RETURN;
}

/** The 256 entries of the interrupt vector table: offset, segment. */
export function interruptVectors(): Uint8Array {
  const view = new DataView(new ArrayBuffer(1024));
  for (let vector = 0; vector < 256; vector++) {
    view.setUint16(4 * vector, handler(vector), true);
    view.setUint16(4 * vector + 2, SEGMENT, true);
  }
  return new Uint8Array(view.buffer);
}

/**
 * What firmware writes to the devices: the 8259 pair at vectors 08h and 70h, with all masked but the timer and the cascade;
 * counter 0 of the 8254 at its slowest, 18.2 times a second.
 */
export const FIRMWARE_PORT_WRITES: readonly (readonly [port: number, value: number])[] = [
  [0x20, 0x11],
  [0x21, TIMER_VECTOR],
  [0x21, 4],
  [0x21, 1],
  [0xa0, 0x11],
  [0xa1, SLAVE_VECTOR],
  [0xa1, 2],
  [0xa1, 1],
  [0x21, 0xfa],
  [0xa1, 0xff],
  [0x43, 0x34],
  [0x40, 0],
  [0x40, 0],
];
