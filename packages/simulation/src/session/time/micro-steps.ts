// The micro-operations of one recorded instruction, each with what it read and wrote: its microcode walked once more over the
// registers and memory that the record has before it. Where an operation is a helper's work, the record after the instruction
// tells what it came to; what neither tells is a question mark. Nothing is run, and nothing is guessed.

import {
  FLAG_BITS,
  binaryResult,
  explainOperations,
  operandsOf,
  recordMicrocode,
  registerName,
  unaryResult,
} from '@hyperscope/isa';
import type {Instruction, Microcode, Operation} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import {RecordedValues, is64Bit} from '@hyperscope/trace';
import type {CellSource, MicroStep, NamedValue} from '@hyperscope/trace';

export interface RecordedSides {
  readonly before: CellSource;
  readonly after: CellSource;
  /** Bytes at a linear address before the instruction; undefined where nothing is mapped. */
  readonly read: (linear: bigint, bytes: number) => Uint8Array | undefined;
}

type Known = bigint | undefined;
type Op<K extends Operation['op']> = Extract<Operation, {op: K}>;

const FLAG_NAMES = ['OF', 'SF', 'ZF', 'AF', 'PF', 'CF'] as const;

/** In the order in which the processor takes them. What a hypervisor might intercept, and did not, is left out. */
export function microSteps(instruction: Instruction, sides: RecordedSides): readonly MicroStep[] {
  const microcode = recordMicrocode(instruction);
  const walk = new MicroWalk(microcode, instruction, sides);
  return explainOperations(microcode)
    .filter(({line}) => !line.startsWith('in a guest, if “'))
    .map(({line, operations}) => ({
      text: line,
      reads: distinct(operations.flatMap(id => walk.reads(id))),
      writes: distinct(operations.flatMap(id => walk.writes(id, line))),
    }));
}

class MicroWalk {
  readonly #microcode: Microcode;
  readonly #instruction: Instruction;
  readonly #sides: RecordedSides;
  readonly #states: RecordedValues;
  readonly #values: Known[] = [];
  /** What general registers hold at the operation that is walked. */
  readonly #registers = new Map<string, Known>();
  /** For each place, the last operation that writes it: after that one it holds what the record has. */
  readonly #lastWriter = new Map<string, number>();

  constructor(microcode: Microcode, instruction: Instruction, sides: RecordedSides) {
    this.#microcode = microcode;
    this.#instruction = instruction;
    this.#sides = sides;
    this.#states = new RecordedValues(microcode, sides.before);
    microcode.operations.forEach((operation, id) => {
      for (const place of placesWritten(operation)) this.#lastWriter.set(place, id);
    });
    microcode.operations.forEach((operation, id) => this.#values.push(this.#walk(operation, id)));
  }

  /** What a line about this operation reads. */
  reads(id: number): readonly NamedValue[] {
    const operation = this.#microcode.operations[id];
    if (operation === undefined) return [];
    // The result that flags are set by is made of the two values before it.
    const used = operation.op === 'setFlags' ? [operation.a, operation.b] : operandsOf(operation);
    const operands = used.flatMap(operand => this.#leaves(operand));
    if (operation.op === 'load') return [...operands, ...this.#leaves(id)];
    return operation.op === 'moveStack' ? [{name: 'RSP', value: shown(this.#registers.get(`before ${id}`))}] : operands;
  }

  /** What it writes; a load gives its value the name that the line has for it. */
  writes(id: number, line: string): readonly NamedValue[] {
    const operation = this.#microcode.operations[id];
    switch (operation?.op) {
      case 'load':
        return [{name: line.replace(/ ←.*$/, ''), value: shown(this.#values[id])}];
      case 'setRegister':
        return [
          {
            name: registerName(operation.register, operation.width, operation.high),
            value: shown(this.#values[operation.value] ?? this.#registerAfter(operation, id)),
          },
        ];
      case 'moveStack':
        return [{name: 'RSP', value: shown(this.#values[id])}];
      case 'store':
        return [{name: this.#memoryName(operation, operation.width), value: shown(this.#values[operation.value])}];
      case 'setFlags':
        return FLAG_NAMES.map(flag => ({name: flag, value: this.#flagAfter(flag, id)}));
      case 'setFlag':
        return this.#holds(operation.when) === false
          ? []
          : [{name: operation.flag, value: shown(this.#values[operation.value])}];
      case 'writeFlags':
        return [{name: 'RFLAGS', value: this.#isLast('RFLAGS', id) ? shown(this.#sides.after('RFLAGS')) : '?'}];
      case 'jump':
        return this.#holds(operation.when) === false
          ? []
          : [{name: 'RIP', value: shown(this.#values[operation.target])}];
      case 'invoke':
        return operation.helper.writes.flatMap(place => {
          const after = this.#sides.after(place);
          return after === undefined ? [] : [{name: place, value: shown(after)}];
        });
      default:
        return [];
    }
  }

  #leaves(id: number): readonly NamedValue[] {
    const operation = this.#microcode.operations[id];
    if (operation === undefined) return [];
    switch (operation.op) {
      case 'register':
        return [
          {
            name: registerName(operation.register, operation.width, operation.high),
            value: shown(this.#values[id]),
          },
        ];
      case 'flag':
        return [{name: operation.flag, value: shown(this.#values[id])}];
      case 'state':
        return operation.state === 'stackMask' ? [] : [{name: operation.state, value: shown(this.#values[id])}];
      case 'stackTop':
        return [{name: 'RSP', value: shown(this.#registers.get(`before ${id}`))}];
      case 'load':
        return [{name: this.#memoryName(operation, operation.width), value: shown(this.#values[id])}];
      default:
        return operandsOf(operation).flatMap(operand => this.#leaves(operand));
    }
  }

  #walk(operation: Operation, id: number): Known {
    const value = (at: number): Known => this.#values[at];
    switch (operation.op) {
      case 'constant':
        return operation.value;
      case 'register': {
        const whole = this.#register(operation.register);
        return whole === undefined ? undefined : BigInt.asUintN(operation.width, operation.high ? whole >> 8n : whole);
      }
      case 'flag':
        return this.#flag(operation.flag, id);
      case 'state':
        return this.#state(operation);
      case 'nextRip':
        return BigInt.asUintN(operation.width, this.#nextRip());
      case 'load':
        return this.#load(operation);
      case 'binary': {
        const [a, b] = [value(operation.a), value(operation.b)];
        return a === undefined || b === undefined
          ? undefined
          : binaryResult(operation.operation, a, b, this.#width(operation.a), this.#width(operation.b));
      }
      case 'unary': {
        const a = value(operation.a);
        return a === undefined
          ? undefined
          : unaryResult(operation.operation, a, this.#width(operation.a), operation.width);
      }
      case 'concat': {
        const [high, low] = [value(operation.high), value(operation.low)];
        return high === undefined || low === undefined ? undefined : (high << BigInt(this.#width(operation.low))) | low;
      }
      case 'choose': {
        const condition = value(operation.condition);
        return condition === undefined ? undefined : value(condition === 1n ? operation.a : operation.b);
      }
      case 'stackTop': {
        const rsp = this.#register('RSP');
        this.#registers.set(`before ${id}`, rsp);
        return rsp === undefined ? undefined : BigInt.asUintN(this.#stackSize(), rsp + operation.delta);
      }
      case 'setRegister':
        return this.#setRegister(operation, id);
      case 'moveStack':
        this.#registers.set(`before ${id}`, this.#register('RSP'));
        return this.#moveStack(operation);
      // A helper may write registers that it does not name one by one: what is read of them later is unknown.
      case 'invoke':
        if (operation.helper.writes.length > 0) this.#registers.set('helper', undefined);
        return undefined;
      default:
        return undefined;
    }
  }

  #register(name: string): Known {
    if (this.#registers.has(name)) return this.#registers.get(name);
    return this.#registers.has('helper') ? undefined : this.#sides.before(name);
  }

  #setRegister(operation: Op<'setRegister'>, id: number): Known {
    const written = this.#values[operation.value];
    const old = this.#register(operation.register);
    const shift = operation.high ? 8n : 0n;
    const mask = ((1n << BigInt(operation.width)) - 1n) << shift;
    // A 32-bit write clears the upper half; a narrower one keeps the rest.
    const whole =
      written === undefined
        ? undefined
        : operation.width >= 32
          ? written
          : old === undefined
            ? undefined
            : (old & ~mask) | (written << shift);
    const last = this.#isLast(operation.register, id) ? this.#sides.after(operation.register) : undefined;
    this.#registers.set(operation.register, whole ?? last);
    return whole ?? last;
  }

  #registerAfter(operation: Op<'setRegister'>, id: number): Known {
    const whole = this.#isLast(operation.register, id) ? this.#sides.after(operation.register) : undefined;
    return whole === undefined ? undefined : BigInt.asUintN(operation.width, operation.high ? whole >> 8n : whole);
  }

  #moveStack({delta}: Op<'moveStack'>): Known {
    const old = this.#register('RSP');
    if (old === undefined) return undefined;
    const size = this.#stackSize();
    const inner = BigInt.asUintN(size, old + delta);
    const whole = size === 16 ? (old & ~0xffffn) | inner : inner;
    this.#registers.set('RSP', whole);
    return whole;
  }

  #load({segment, offset, width}: Op<'load'>): Known {
    const linear = this.#linear(segment, offset);
    const bytes = linear === undefined ? undefined : this.#sides.read(linear, width / 8);
    if (bytes === undefined || bytes.length < width / 8) return undefined;
    return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  #linear(segment: string, offset: number): Known {
    const at = this.#values[offset];
    if (at === undefined) return undefined;
    const {before} = this.#sides;
    if (!is64Bit(before)) return BigInt.asUintN(32, (before(`${segment}.base`) ?? 0n) + at);
    const base = segment === 'FS' || segment === 'GS' ? (before(`${segment}.base`) ?? 0n) : 0n;
    return BigInt.asUintN(64, base + at);
  }

  #memoryName({segment, offset}: {readonly segment: string; readonly offset: number}, width: number): string {
    const linear = this.#linear(segment, offset);
    return `mem${width}[${linear === undefined ? '?' : hex(linear)}]`;
  }

  #state(operation: Op<'state'>): Known {
    if (operation.state !== 'stackMask') {
      const known = this.#states.state(operation.state);
      return known === undefined ? undefined : BigInt.asUintN(operation.width, known);
    }
    return BigInt.asUintN(operation.width, (1n << BigInt(this.#stackSize())) - 1n);
  }

  /** A flag that nothing before has written is as the record has it before; one that nothing later writes, as after. */
  #flag(flag: keyof typeof FLAG_BITS, id: number): Known {
    const writers = this.#microcode.operations.flatMap((operation, at) =>
      placesWritten(operation).some(place => place === flag || place === 'RFLAGS') ? [at] : [],
    );
    const cell = writers.every(at => at > id)
      ? this.#sides.before('RFLAGS')
      : writers.every(at => at < id)
        ? this.#sides.after('RFLAGS')
        : undefined;
    return cell === undefined ? undefined : (cell >> BigInt(FLAG_BITS[flag])) & 1n;
  }

  #flagAfter(flag: keyof typeof FLAG_BITS, id: number): string {
    const cell =
      this.#isLast(flag, id) && !this.#isWrittenLater('RFLAGS', id) ? this.#sides.after('RFLAGS') : undefined;
    return shown(cell === undefined ? undefined : (cell >> BigInt(FLAG_BITS[flag])) & 1n);
  }

  #isLast(place: string, id: number): boolean {
    return this.#lastWriter.get(place) === id;
  }
  #isWrittenLater(place: string, id: number): boolean {
    return (this.#lastWriter.get(place) ?? -1) > id;
  }
  #holds(when: number | undefined): boolean | undefined {
    const value = when === undefined ? 1n : this.#values[when];
    return value === undefined ? undefined : value === 1n;
  }

  #nextRip(): bigint {
    const rip = (this.#sides.before('RIP') ?? 0n) + BigInt(this.#instruction.bytes.length);
    return BigInt.asUintN(this.#instruction.codeSize === 64 ? 64 : 32, rip);
  }

  /** SDM vol. 1, "Stacks in 64-Bit Mode"; outside of it the D/B bit of SS. */
  #stackSize(): 16 | 32 | 64 {
    const {before} = this.#sides;
    if (is64Bit(before)) return 64;
    return (((before('SS.attributes') ?? 0n) >> 14n) & 1n) === 1n ? 32 : 16;
  }

  #width(id: number): number {
    const operation = this.#microcode.operations[id];
    return operation !== undefined && 'width' in operation ? operation.width : 64;
  }
}

/** Places whose value after the instruction the record has. */
function placesWritten(operation: Operation): readonly string[] {
  switch (operation.op) {
    case 'setRegister':
      return [operation.register];
    case 'moveStack':
      return ['RSP'];
    case 'setFlags':
      return FLAG_NAMES;
    case 'setFlag':
      return [operation.flag];
    case 'writeFlags':
      return ['RFLAGS'];
    case 'invoke':
      return operation.helper.writes;
    default:
      return [];
  }
}

const shown = (value: Known): string => (value === undefined ? '?' : value < 10n ? String(value) : hex(value));

const distinct = (values: readonly NamedValue[]): readonly NamedValue[] => [
  ...new Map(values.map(value => [`${value.name} ${value.value}`, value])).values(),
];
