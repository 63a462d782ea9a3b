// Interrupt lines between devices in user space and an interrupt controller in the kernel: a device moves its line, and
// each change is one ioctl(KVM_IRQ_LINE) that the process has still to make.
//
//   bank:  0 number of changes that wait · 1 to 3 the levels that the devices drive, a bit a line
//          4 + n  change n: 4:0 line, 7 level

import {assert} from '@hyperscope/base';
import {BankedDevice} from '@hyperscope/machine';
import type {InterruptLine, Level} from '@hyperscope/machine';

const COUNT = 0,
  LEVELS = 1,
  CHANGES = 4;
const ROOM = 60;
const LEVEL = 0x80;

export interface LineChange {
  readonly irq: number;
  readonly level: Level;
}

export class IrqLineQueue extends BankedDevice {
  readonly #lines = new Map<number, InterruptLine>();

  constructor() {
    super('irq-line-queue', CHANGES + ROOM);
  }

  get isEmpty(): boolean {
    return this.byte(COUNT) === 0;
  }
  /** The oldest change; undefined when none waits. */
  get first(): LineChange | undefined {
    if (this.isEmpty) return undefined;
    const change = this.byte(CHANGES);
    return {irq: change & 0x1f, level: (change & LEVEL) === 0 ? 0 : 1};
  }
  /** The oldest change reaches the controllers. */
  deliver(): LineChange | undefined {
    const {first} = this;
    if (first === undefined) return undefined;
    const count = this.byte(COUNT);
    for (let at = 1; at < count; at++) this.setByte(CHANGES + at - 1, this.byte(CHANGES + at));
    this.setByte(COUNT, count - 1);
    this.#lines.get(first.irq)?.set(first.level);
    return first;
  }

  /** The wire of a device: changes wait here, whether somebody would hear is asked of the controllers. */
  wire(irq: number, line: InterruptLine, changed: () => void): InterruptLine {
    this.#lines.set(irq, line);
    return {
      set: level => {
        if (this.#levelOf(irq) === level) return;
        const at = LEVELS + (irq >> 3);
        this.setBit(at, irq & 7, level);
        const count = this.byte(COUNT);
        assert(count < ROOM, 'the process makes its ioctls before its devices act again');
        this.setByte(CHANGES + count, irq | (level === 1 ? LEVEL : 0));
        this.setByte(COUNT, count + 1);
        changed();
      },
      get isHeard() {
        return line.isHeard;
      },
    };
  }

  #levelOf(irq: number): Level {
    return this.bit(LEVELS + (irq >> 3), irq & 7);
  }
}
