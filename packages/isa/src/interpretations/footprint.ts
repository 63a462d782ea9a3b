// Footprint: what an instruction reads and writes, from its recording and from what its helpers declare.

import type {Resource} from '../microcode/helper.js';
import type {Flag, FlagRule, Microcode, Operation, StateName} from '../microcode/microcode.js';
import {FLAG_BITS} from '../microcode/microcode.js';
import {keysOf} from '@hyperscope/base';
import type {GeneralRegister, SegmentRegister} from '../registers/cells.js';
import type {VectorCell} from '../registers/vector-state.js';
import {Wording} from './wording.js';

export interface MemoryTouch {
  readonly segment: SegmentRegister;
  /** Bits. */
  readonly width: number;
  /** `mem64[RBX + 8]` */
  readonly text: string;
}

export interface Touched {
  readonly registers: readonly GeneralRegister[];
  readonly flags: readonly Flag[];
  readonly states: readonly StateName[];
  readonly memory: readonly MemoryTouch[];
  /** XMM, MMX, MXCSR and the x87 words. */
  readonly vectors: readonly VectorCell[];
  /** What helpers declare. */
  readonly resources: readonly Resource[];
}

export interface Footprint {
  readonly reads: Touched;
  readonly writes: Touched;
}

class Collector {
  readonly registers = new Set<GeneralRegister>();
  readonly flags = new Set<Flag>();
  readonly states = new Set<StateName>();
  readonly memory: MemoryTouch[] = [];
  readonly vectors = new Set<VectorCell>();
  readonly resources = new Set<Resource>();

  get touched(): Touched {
    return {
      registers: [...this.registers],
      flags: [...this.flags],
      states: [...this.states],
      memory: this.memory,
      vectors: [...this.vectors],
      resources: [...this.resources],
    };
  }
}

/** What the instruction may touch. A jump writes RIP; that every instruction advances RIP is not told. */
export function footprint(microcode: Microcode): Footprint {
  const [reads, writes] = [new Collector(), new Collector()];
  const wording = new Wording(microcode);
  microcode.operations.forEach((operation, id) => {
    if (operation.op === 'load' || operation.op === 'call') wording.name(id);
    collect(operation, reads, writes, wording);
    // Text is made in the order of the operations, so that a register is named as it is at that moment.
    if (operation.op === 'setRegister') wording.overwrite(operation.register, id);
    if (operation.op === 'setVector') wording.overwrite(operation.cell, id);
  });
  return {reads: reads.touched, writes: writes.touched};
}

function collect(operation: Operation, reads: Collector, writes: Collector, wording: Wording): void {
  switch (operation.op) {
    case 'register':
      reads.registers.add(operation.register);
      break;
    case 'flag':
      reads.flags.add(operation.flag);
      break;
    case 'state':
      if (operation.state !== 'stackMask') reads.states.add(operation.state);
      break;
    case 'stackTop':
      reads.registers.add('RSP');
      break;
    case 'load':
      reads.memory.push(memoryTouch(operation, wording));
      break;
    case 'store':
      writes.memory.push(memoryTouch(operation, wording));
      break;
    case 'vector':
      reads.vectors.add(operation.cell);
      break;
    case 'setVector':
      writes.vectors.add(operation.cell);
      break;
    case 'setRegister':
      writes.registers.add(operation.register);
      break;
    case 'moveStack':
      writes.registers.add('RSP');
      break;
    case 'setFlag':
      writes.flags.add(operation.flag);
      break;
    case 'setFlags':
      for (const flag of RULE_FLAGS[operation.rule]) writes.flags.add(flag);
      break;
    case 'writeFlags':
      for (const flag of flagsOf(possibleOnes(operation.mask, wording))) writes.flags.add(flag);
      break;
    case 'jump':
      writes.resources.add('RIP');
      break;
    case 'call':
    case 'invoke':
      for (const resource of operation.helper.reads) reads.resources.add(resource);
      for (const resource of operation.helper.writes) writes.resources.add(resource);
      break;
    default:
      break;
  }
}

function memoryTouch(
  operation: {readonly segment: SegmentRegister; readonly offset: number; readonly width: number},
  wording: Wording,
): MemoryTouch {
  const {segment, offset, width} = operation;
  return {segment, width, text: wording.memory(segment, offset, width)};
}

const STATUS: readonly Flag[] = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'];
const WITHOUT_CARRY = STATUS.filter(flag => flag !== 'CF');
const RULE_FLAGS: Readonly<Record<FlagRule, readonly Flag[]>> = {
  add: STATUS,
  adc: STATUS,
  sub: STATUS,
  sbb: STATUS,
  logic: STATUS.filter(flag => flag !== 'AF'),
  inc: WITHOUT_CARRY,
  dec: WITHOUT_CARRY,
};

const flagsOf = (mask: bigint): readonly Flag[] =>
  keysOf(FLAG_BITS).filter(flag => ((mask >> BigInt(FLAG_BITS[flag])) & 1n) === 1n);

/** The bits of a mask that can be 1: all that any branch of it allows. */
export function possibleOnes(id: number, wording: Wording): bigint {
  const operation = wording.at(id);
  switch (operation.op) {
    case 'constant':
      return operation.value;
    case 'choose':
      return possibleOnes(operation.a, wording) | possibleOnes(operation.b, wording);
    case 'binary': {
      const [a, b] = [possibleOnes(operation.a, wording), possibleOnes(operation.b, wording)];
      return operation.operation === 'and' ? a & b : operation.operation === 'or' ? a | b : ~0n;
    }
    default:
      return ~0n;
  }
}
