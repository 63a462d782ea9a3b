// A program while it is being made: each instruction is executed by the simulator as soon as it is chosen, so that the
// next one is chosen knowing what the registers and the memory hold. The pieces are what another machine runs later.

import {encodeLittle} from './little-endian.js';
import {FUZZ_LAYOUT, FUZZ_MODES} from './fuzz-image.js';
import type {FuzzMode} from './fuzz-image.js';
import {codeOf} from './fuzz-program.js';
import type {FuzzProgram} from './fuzz-program.js';
import type {Random} from './random.js';
import type {SimulatedProcessor} from './simulated-processor.js';
import type {SegmentRegister} from '@hyperscope/isa';

const SEGMENT_PREFIX: Readonly<Record<SegmentRegister, number>> = {
  ES: 0x26,
  CS: 0x2e,
  SS: 0x36,
  DS: 0x3e,
  FS: 0x64,
  GS: 0x65,
};
const NOP = 0x90;
const TF = 0x100n;
const LAST_ADDRESS = FUZZ_LAYOUT.code + FUZZ_LAYOUT.codeBytes - 0x100;

export class ProgramDraft {
  readonly pieces: Uint8Array[] = [];
  readonly mode: FuzzMode;
  readonly random: Random;
  readonly processor: SimulatedProcessor;
  readonly #registers: FuzzProgram['registers'];
  /** Where the next instruction goes, and where the processor is. */
  #frontier: number = FUZZ_LAYOUT.code;

  constructor(mode: FuzzMode, random: Random, processor: SimulatedProcessor, registers: FuzzProgram['registers']) {
    this.mode = mode;
    this.random = random;
    this.processor = processor;
    this.#registers = registers;
    processor.begin(mode, registers);
  }

  get frontier(): number {
    return this.#frontier;
  }
  get codeSize(): 16 | 32 | 64 {
    return FUZZ_MODES[this.mode].codeSize;
  }
  /** Nothing can follow: the program has ended, or says nothing. */
  get isOver(): boolean {
    const {processor} = this;
    return processor.ending !== undefined || processor.isUseless || this.#frontier >= LAST_ADDRESS;
  }
  get program(): FuzzProgram {
    return {mode: this.mode, pieces: this.pieces, registers: this.#registers};
  }

  /** Adds an instruction and executes it. What it jumps over is filled. */
  emit(bytes: Uint8Array): void {
    if (this.isOver) return;
    const {processor} = this;
    const start = this.#frontier;
    const next = start + bytes.length;
    processor.place(start, bytes);
    this.pieces.push(bytes);
    this.#frontier = next;
    processor.step();
    processor.stepUntil(() => processor.rip >= next);
    if (processor.ending !== undefined) return;
    const gap = processor.rip - next;
    if (gap === 0) return;
    if (gap > LAST_ADDRESS - next) {
      // Astray, where no code is: the processor decides how that ends.
      processor.stepUntil(() => false);
      return;
    }
    const filling = Uint8Array.from({length: gap}, () => this.random.next() >>> 24);
    processor.place(next, filling);
    this.pieces.push(filling);
    this.#frontier = next + gap;
  }

  /** Executes what ends a program, where nothing has ended it yet. */
  finish(): void {
    const {processor} = this;
    // A trap after the last instruction belongs to it, and not to HLT, which not every host can be stepped over.
    if ((processor.flags & TF) !== 0n) this.emit(Uint8Array.of(NOP));
    const code = codeOf(this.program);
    processor.place(FUZZ_LAYOUT.code + code.length - 1, code.subarray(code.length - 1));
    processor.stepUntil(() => false);
  }

  /** MOV register, value. */
  load(register: number, value: bigint): void {
    const low = 0xb8 | (register & 7);
    if (this.codeSize === 16) return this.emit(Uint8Array.from([0x66, low, ...encodeLittle(value, 4)]));
    if (this.codeSize === 32) return this.emit(Uint8Array.from([low, ...encodeLittle(value, 4)]));
    const wide = BigInt.asUintN(32, value) !== value;
    const rex = 0x40 | (wide ? 8 : 0) | (register >> 3);
    this.emit(Uint8Array.from([...(rex === 0x40 ? [] : [rex]), low, ...encodeLittle(value, wide ? 8 : 4)]));
  }

  /** MOV [segment:offset], value, of 2, 4 or 8 bytes. */
  store(segment: SegmentRegister, offset: bigint, value: bigint, bytes: number): void {
    const prefix = segment === 'DS' ? [] : [SEGMENT_PREFIX[segment]];
    const small = (bytes === 2) !== (this.codeSize === 16) ? [0x66] : [];
    if (this.codeSize === 64) {
      const sizes = bytes === 8 ? [0x48] : bytes === 2 ? [0x66] : [];
      const address = [0x04, 0x25, ...encodeLittle(offset, 4)];
      this.emit(Uint8Array.from([...prefix, ...sizes, 0xc7, ...address, ...encodeLittle(value, Math.min(bytes, 4))]));
      return;
    }
    const address = this.codeSize === 16 ? [0x06, ...encodeLittle(offset, 2)] : [0x05, ...encodeLittle(offset, 4)];
    this.emit(Uint8Array.from([...prefix, ...small, 0xc7, ...address, ...encodeLittle(value, bytes)]));
  }

  /** RSP where pushes and pops, and frames of exceptions, fit on both sides of it. */
  keepStack(): void {
    const {processor} = this;
    const pointer = processor.register(4);
    const low = this.mode === 'real' ? pointer & 0xffffn : pointer;
    const start = this.mode === 'real' ? 0n : BigInt(FUZZ_LAYOUT.stack);
    if (low >= start + 0x200n && low < start + 0xf000n) return;
    this.load(4, start + BigInt(0x1000 + this.random.below(0x2000) * 4));
  }
}
