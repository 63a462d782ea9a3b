// A console whose bytes go through rings in the guest's memory: the driver fills as many buffers as it likes, and one write
// to one register sends them all. Virtual I/O Device (VIRTIO) 1.2, "Console Device". One port, no control queues.
//
//   queue 0 receives, queue 1 transmits · configuration: cols (2) · rows (2) · max_nr_ports (4) · emerg_wr (4), a byte that
//   is put out at once, with no queue: for a driver that has none yet
//
//   own state:  0 bytes put out · 4 where the waiting input begins, 5 how much of it there is · 6 the input, a ring

import {OutputLog, outputText} from './output-log.js';
import type {DeviceMemory} from './device-memory.js';
import {QUEUE_MAXIMUM, VirtioMmioDevice} from './virtio-mmio.js';
import {nextChain, readChain, returnChain, wantsInterrupt, writeChain} from './virtqueue.js';
import type {QueueTrouble} from './virtqueue.js';

const RECEIVE = 0,
  TRANSMIT = 1;
const SIZE = 1 << 0,
  EMERGENCY_WRITE = 1 << 2;
const COUNT = 0,
  FIRST = 4,
  WAITING = 5,
  INPUT = 6;
const INPUT_ROOM = 128;
const EMERGENCY_OFFSET = 8;
const CONFIGURATION = [80, 0, 25, 0, 1, 0, 0, 0, 0, 0, 0, 0] as const;

export class VirtioConsole extends VirtioMmioDevice {
  readonly #log = new OutputLog();

  constructor(memory: DeviceMemory) {
    const stateBytes = INPUT + INPUT_ROOM;
    super({name: 'virtio-console', device: 3, features: SIZE | EMERGENCY_WRITE, queues: 2, stateBytes}, memory);
  }

  /** Everything that was put out so far. */
  get output(): Uint8Array {
    return this.#log.first(this.word(this.own + COUNT));
  }

  /** Bytes typed at the console. What finds no room is lost, as on a serial line. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const waiting = this.byte(this.own + WAITING);
      if (waiting === INPUT_ROOM) break;
      this.setByte(this.own + INPUT + ((this.byte(this.own + FIRST) + waiting) % INPUT_ROOM), byte);
      this.setByte(this.own + WAITING, waiting + 1);
    }
    this.#fill();
  }

  protected override notified(index: number): void {
    if (index === TRANSMIT) this.#transmit();
    else this.#fill();
  }
  protected override readConfiguration(offset: number): number {
    return CONFIGURATION[offset] ?? 0;
  }
  protected override writeConfiguration(offset: number, _bytes: number, value: number): void {
    if (offset === EMERGENCY_OFFSET) this.#put(Uint8Array.of(value));
  }

  /** All that waits, in one go: a queue holds no more chains than it may have descriptors. */
  #transmit(): void {
    const before = this.word(this.own + COUNT);
    let chains = 0;
    for (; chains < QUEUE_MAXIMUM; chains++) {
      const trouble = this.#sendNext();
      if (trouble === 'nothing waits') break;
      if (trouble !== undefined) return this.needReset(trouble);
    }
    if (chains === 0) return;
    const from = `${chains} ${chains === 1 ? 'chain' : 'chains'} of its transmit ring`;
    this.onNews?.('output', `${this.name} put out ${outputText(this.#since(before))} from ${from}, at one kick`);
    this.#interruptFor(TRANSMIT);
  }

  /** Puts out what one chain carries. */
  #sendNext(): QueueTrouble | 'nothing waits' | undefined {
    const queue = this.queue(TRANSMIT);
    const chain = queue === undefined ? undefined : nextChain(this.memory, queue, 'device-reads');
    if (queue === undefined || chain === undefined) return 'nothing waits';
    if ('trouble' in chain) return chain;
    const bytes = readChain(this.memory, chain);
    if ('trouble' in bytes) return bytes;
    this.#put(bytes);
    const wrong = returnChain(this.memory, queue, chain.head, 0);
    if (wrong !== undefined) return wrong;
    this.advance(TRANSMIT, queue);
    return undefined;
  }

  /** What was typed goes into the buffers that the driver has offered. */
  #fill(): void {
    let chains = 0;
    while (this.byte(this.own + WAITING) > 0) {
      const taken = this.#fillNext();
      if (taken === undefined) break;
      if (typeof taken !== 'number') return this.needReset(taken);
      this.setByte(this.own + FIRST, (this.byte(this.own + FIRST) + taken) % INPUT_ROOM);
      this.setByte(this.own + WAITING, this.byte(this.own + WAITING) - taken);
      chains++;
    }
    if (chains > 0) this.#interruptFor(RECEIVE);
  }

  /** Puts input into one chain; gives how much of it, or undefined where no chain waits. */
  #fillNext(): number | QueueTrouble | undefined {
    const queue = this.queue(RECEIVE);
    if (queue === undefined) return undefined;
    const chain = nextChain(this.memory, queue, 'device-writes');
    if (chain === undefined || 'trouble' in chain) return chain;
    const taken = writeChain(this.memory, chain, this.#input);
    if (typeof taken !== 'number') return taken;
    const wrong = returnChain(this.memory, queue, chain.head, taken);
    if (wrong !== undefined) return wrong;
    this.advance(RECEIVE, queue);
    return taken;
  }

  get #input(): Uint8Array {
    const first = this.byte(this.own + FIRST);
    return Uint8Array.from({length: this.byte(this.own + WAITING)}, (_, index) =>
      this.byte(this.own + INPUT + ((first + index) % INPUT_ROOM)),
    );
  }
  #since(position: number): Uint8Array {
    return this.#log.between(position, this.word(this.own + COUNT));
  }
  #put(bytes: Uint8Array): void {
    const length = this.word(this.own + COUNT);
    bytes.forEach((byte, index) => this.#log.put(length + index, byte));
    this.setWord(this.own + COUNT, length + bytes.length);
  }
  #interruptFor(index: number): void {
    const queue = this.queue(index);
    if (queue !== undefined && wantsInterrupt(this.memory, queue)) this.interruptUsed();
  }
}
