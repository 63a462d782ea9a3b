// What a keyboard answers to what it is told. IBM, "PC AT Technical Reference", "Commands from the System".

const ACKNOWLEDGE = 0xfa,
  RESEND = 0xfe,
  SELF_TEST_PASSED = 0xaa;
const SET_LEDS = 0xed,
  ECHO = 0xee,
  SCAN_CODE_SET = 0xf0,
  IDENTIFY = 0xf2,
  SET_RATE = 0xf3,
  ENABLE = 0xf4,
  DISABLE = 0xf5,
  SET_DEFAULTS = 0xf6,
  RESET = 0xff;

/** One byte of state: the command whose parameter comes next, or 0. */
export interface StateByte {
  get(): number;
  set(value: number): void;
}

export class KeyboardReplies {
  readonly #awaited: StateByte;

  constructor(awaited: StateByte) {
    this.#awaited = awaited;
  }

  answer(value: number): readonly number[] {
    const awaited = this.#awaited.get();
    this.#awaited.set(0);
    // Scan code set 2, as the keyboard has it before the controller translates: 43h after translation.
    if (awaited === SCAN_CODE_SET && value === 0) return [ACKNOWLEDGE, 0x43];
    if (awaited !== 0 && value < SET_LEDS) return [ACKNOWLEDGE];
    switch (value) {
      case SET_LEDS:
      case SCAN_CODE_SET:
      case SET_RATE:
        this.#awaited.set(value);
        return [ACKNOWLEDGE];
      case ECHO:
        return [ECHO];
      case IDENTIFY:
        return [ACKNOWLEDGE, 0xab, 0x41]; // AB 83, of which the controller translates the second byte.
      case ENABLE:
      case DISABLE:
      case SET_DEFAULTS:
        return [ACKNOWLEDGE];
      case RESET:
        return [ACKNOWLEDGE, SELF_TEST_PASSED];
      default:
        return [RESEND];
    }
  }
}
