// The vocabulary: everything an instruction may do is a method here, and nothing else is.
// A definition calls these methods once, when its instruction is decoded; what it said is kept as a list of operations.
// Small readers of that list then execute, explain, classify and (one day) compile it.
//
// Compute, then commit: a verb that may fault must not follow one that cannot be undone. The recorder refuses it, so
// precise faults are a property of the vocabulary, not of the author's care.

import {assert} from '@hyperscope/base';
import type {Condition, Instruction, MemoryOperand, Operand} from '../instruction.js';
import type {GeneralRegister, SegmentRegister} from '../registers/cells.js';
import type {VectorCell} from '../registers/vector-state.js';
import type {Helper} from './helper.js';
import type {Intercept} from './intercept.js';
import type {LaneOperation, LaneWidth} from './lane-operations.js';
import type {
  Width,
  BinaryOperation,
  Flag,
  StateName,
  FlagRule,
  ExceptionName,
  Access,
  Operation,
  Effect,
} from './operation.js';
import {Value} from './value.js';

export * from './operation.js';

export interface Address {
  readonly segment: SegmentRegister;
  readonly offset: Value;
}

export class Microcode {
  readonly instruction: Instruction;
  readonly operations: Operation[] = [];
  #committed = false;
  /** The condition of what was committed, where all of it has the same one. */
  #committedWhen: Value | undefined;
  readonly #probed = new Set<number>();
  /** An operand's address is computed once, before anything changes the registers that it is made of. */
  readonly #addresses = new Map<MemoryOperand, Address>();

  constructor(instruction: Instruction) {
    this.instruction = instruction;
  }

  // ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────

  constant(value: bigint, width: Width): Value {
    return this.record({op: 'constant', value: BigInt.asUintN(width, value), width});
  }
  gpr(register: GeneralRegister, width: Width, high = false): Value {
    return this.record({op: 'register', register, high, width});
  }
  flag(flag: Flag): Value {
    return this.record({op: 'flag', flag, width: 1});
  }
  state(state: StateName, width: Width = 64): Value {
    return this.record({op: 'state', state, width});
  }
  get cpl(): Value {
    return this.state('CPL', 8);
  }
  get iopl(): Value {
    return this.state('IOPL', 8);
  }
  /** RFLAGS.VM: virtual-8086 mode. */
  get vm(): Value {
    return this.state('VM', 1);
  }
  get nextRip(): Value {
    return this.record({op: 'nextRip', width: 64});
  }
  vector(cell: VectorCell, width: Width): Value {
    return this.record({op: 'vector', cell, width});
  }
  /** Lane by lane; the result is as wide as `a`. */
  lanes(operation: LaneOperation, lane: LaneWidth, a: Value, b: Value): Value {
    return this.record({op: 'lanes', operation, lane, a: a.id, b: b.id, width: a.width});
  }
  concat(high: Value, low: Value): Value {
    return this.record({op: 'concat', high: high.id, low: low.id, width: doubled(low.width)});
  }
  binary(operation: BinaryOperation, a: Value, b: Value): Value {
    const shift = operation === 'shl' || operation === 'shr' || operation === 'sar' || operation === 'crc32';
    assert(shift || a.width === b.width, `${operation} of ${a.width} and ${b.width} bits`);
    const known = this.#fold(operation, a, b);
    if (known !== undefined) return this.constant(known, a.width);
    const width = COMPARISONS.has(operation) ? 1 : a.width;
    return this.record({op: 'binary', operation, a: a.id, b: b.id, width});
  }
  /** What two constants give together: known now, so nobody has to compute it later or read how. */
  #fold(operation: BinaryOperation, a: Value, b: Value): bigint | undefined {
    const [x, y] = [this.operations[a.id], this.operations[b.id]];
    if (x?.op !== 'constant' || y?.op !== 'constant') return undefined;
    switch (operation) {
      case 'add':
        return x.value + y.value;
      case 'sub':
        return x.value - y.value;
      case 'and':
        return x.value & y.value;
      case 'or':
        return x.value | y.value;
      default:
        return undefined;
    }
  }
  /** The value of a condition code (SDM vol. 1, "Condition Codes"). */
  condition(condition: Condition): Value {
    const negated = condition.startsWith('N');
    const value = this.#plainCondition(negated ? condition.slice(1) : condition);
    return negated ? value.not() : value;
  }
  #plainCondition(condition: string): Value {
    switch (condition) {
      case 'O':
        return this.flag('OF');
      case 'B':
        return this.flag('CF');
      case 'Z':
        return this.flag('ZF');
      case 'BE':
        return this.flag('CF').or(this.flag('ZF'));
      case 'S':
        return this.flag('SF');
      case 'P':
        return this.flag('PF');
      case 'L':
        return this.flag('SF').xor(this.flag('OF'));
      default:
        return this.flag('ZF').or(this.flag('SF').xor(this.flag('OF')));
    }
  }

  // ── operands ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The offset that a memory operand names, truncated to the address size and widened to 64 bits. */
  address(operand: MemoryOperand): Address {
    const known = this.#addresses.get(operand);
    if (known !== undefined) return known;
    const address = {segment: operand.segment, offset: this.#offset(operand)};
    this.#addresses.set(operand, address);
    return address;
  }
  #offset(operand: MemoryOperand): Value {
    const size = operand.addressSize;
    const terms: Value[] = [];
    if (operand.base === 'RIP') terms.push(this.nextRip.truncate(size));
    else if (operand.base !== undefined) terms.push(this.gpr(operand.base, size));
    if (operand.index !== undefined) {
      const index = this.gpr(operand.index, size);
      terms.push(operand.scale === 1 ? index : index.shiftLeft(BigInt(Math.log2(operand.scale))));
    }
    if (operand.displacement !== 0n || terms.length === 0) terms.push(this.constant(operand.displacement, size));
    const sum = terms.reduce((a, b) => a.add(b));
    return size === 64 ? sum : sum.zeroExtend(64);
  }

  /** Reads an operand; `modify` when the same operand is written later. */
  read(operand: Operand, width: Width, access: Access = 'read'): Value {
    switch (operand.kind) {
      case 'register':
        return this.gpr(operand.register, width, operand.high);
      case 'immediate':
        return this.constant(operand.value, width);
      case 'memory':
        return this.load(this.address(operand), width, access);
      case 'segment':
        return this.state(`${operand.register}.selector`, 16).zeroExtend(width);
      case 'vector':
        return this.vector(operand.register, width);
      default:
        assert(false, `an operand of kind ${operand.kind} cannot be read as a value`);
    }
  }
  /** Writes an operand. A memory operand must have been read for `modify` or probed, unless this is the only commit. */
  write(operand: Operand, value: Value): void {
    if (operand.kind === 'register') this.setGpr(operand.register, value, operand.high);
    else if (operand.kind === 'memory') this.store(this.address(operand), value);
    else if (operand.kind === 'vector') this.setVector(operand.register, value);
    else assert(false, `an operand of kind ${operand.kind} cannot be written as a value`);
  }

  // ── memory ──────────────────────────────────────────────────────────────────────────────────────────────────────

  load(address: Address, width: Width, access: Access = 'read'): Value {
    this.#fallible();
    if (access !== 'read') this.#probed.add(address.offset.id);
    return this.record({op: 'load', segment: address.segment, offset: address.offset.id, width, access});
  }
  /** Makes sure that a later store of `bytes` bytes cannot fault. */
  probe(address: Address, bytes: number): void {
    this.#fallible();
    this.#probed.add(address.offset.id);
    this.operations.push({op: 'probe', segment: address.segment, offset: address.offset.id, bytes});
  }
  store(address: Address, value: Value): void {
    if (!this.#probed.has(address.offset.id)) this.#fallible();
    this.#commit({
      op: 'store',
      segment: address.segment,
      offset: address.offset.id,
      value: value.id,
      width: value.width,
    });
  }
  /** The address `delta` bytes from the top of the stack; the stack's width, not the instruction's, decides how it wraps. */
  stackSlot(delta: bigint): Address {
    return {segment: 'SS', offset: this.record({op: 'stackTop', delta, width: 64})};
  }
  /** Moves the stack pointer. Commits. */
  moveStack(delta: bigint): void {
    this.#commit({op: 'moveStack', delta});
  }
  push(value: Value): void {
    const bytes = BigInt(value.width / 8);
    this.store(this.stackSlot(-bytes), value);
    this.moveStack(-bytes);
  }
  /** Reads the top of the stack and releases it. Commits, so whatever else may fault comes before. */
  pop(width: Width): Value {
    const value = this.load(this.stackSlot(0n), width);
    this.moveStack(BigInt(width / 8));
    return value;
  }

  // ── effects ─────────────────────────────────────────────────────────────────────────────────────────────────────

  setGpr(register: GeneralRegister, value: Value, high = false): void {
    this.#commit({op: 'setRegister', register, high, value: value.id, width: value.width});
  }
  /** Writes as many low bits of the cell as the value has. */
  setVector(cell: VectorCell, value: Value): void {
    this.#commit({op: 'setVector', cell, value: value.id, width: value.width});
  }
  setFlags(rule: FlagRule, a: Value, b: Value, result: Value): void {
    this.#commit({op: 'setFlags', rule, a: a.id, b: b.id, result: result.id, width: result.width});
  }
  setFlag(flag: Flag, value: Value | bigint, when?: Value): void {
    const v = typeof value === 'bigint' ? this.constant(value, 1) : value;
    this.#commit({op: 'setFlag', flag, value: v.id, when: when?.id, isUndefined: false}, when);
  }
  /** A flag that the manual leaves undefined: our choice is recorded as such, so that comparisons can mask it. */
  setUndefinedFlag(flag: Flag, value: Value | bigint, when?: Value): void {
    const v = typeof value === 'bigint' ? this.constant(value, 1) : value;
    this.#commit({op: 'setFlag', flag, value: v.id, when: when?.id, isUndefined: true});
  }
  writeFlags(image: Value, mask: Value): void {
    this.#commit({op: 'writeFlags', image: image.id, mask: mask.id});
  }
  faultIf(when: Value, exception: ExceptionName, errorCode?: Value | bigint): void {
    this.#fallible();
    const code = typeof errorCode === 'bigint' ? this.constant(errorCode, 16) : errorCode;
    this.operations.push({op: 'faultIf', when: when.id, exception, errorCode: code?.id});
  }
  /** The place, in the order of checks, where a hypervisor may have asked for a VM exit (VT-x) or #VMEXIT (SVM). */
  intercept(intercept: Intercept, ...args: Value[]): void {
    this.#fallible();
    this.operations.push({op: 'intercept', intercept, args: args.map(a => a.id)});
  }
  checkTarget(target: Value, when?: Value): void {
    this.#fallible();
    this.operations.push({op: 'checkTarget', target: target.id, when: when?.id});
  }
  jump(target: Value, when?: Value): void {
    this.#commit({op: 'jump', target: target.id, when: when?.id});
  }
  finishIf(when: Value): void {
    this.operations.push({op: 'finishIf', when: when.id});
    // What was committed only where the instruction is complete now has not happened for what follows.
    if (this.#committedWhen === when) this.#committed = false;
  }
  repeatIf(when: Value): void {
    this.#commit({op: 'repeatIf', when: when.id});
  }
  /** Runs machinery. One that writes nothing only checks, and does not commit. */
  invoke(helper: Helper, ...args: Value[]): void {
    if (helper.mayFault) this.#fallible();
    if (helper.writes.length > 0) this.#committed = true;
    this.operations.push({op: 'invoke', helper, args: args.map(a => a.id)});
  }
  /** As `invoke`, for a helper that gives a value back. One that writes nothing does not commit. */
  call(helper: Helper, ...args: Value[]): Value {
    if (helper.mayFault) this.#fallible();
    if (helper.writes.length > 0) this.#committed = true;
    return this.record({op: 'call', helper, args: args.map(a => a.id), width: helper.result ?? 64});
  }

  // ── recording ───────────────────────────────────────────────────────────────────────────────────────────────────

  record(operation: Exclude<Operation, Effect>): Value {
    this.operations.push(operation);
    return new Value(this.operations.length - 1, operation.width, this);
  }
  #fallible(): void {
    assert(
      !this.#committed,
      `${this.instruction.mnemonic}: this can fault, but the instruction has already committed a result`,
    );
  }
  #commit(effect: Effect, when?: Value): void {
    this.#committedWhen = this.#committed && this.#committedWhen !== when ? undefined : when;
    this.#committed = true;
    this.operations.push(effect);
  }
}

const COMPARISONS: ReadonlySet<BinaryOperation> = new Set(['eq', 'ne', 'gtu', 'ltu', 'lts']);

/** Twice as wide: of a product, or of a dividend. */
export function doubled(width: Width): Width {
  switch (width) {
    case 8:
      return 16;
    case 16:
      return 32;
    case 32:
      return 64;
    default:
      return 128;
  }
}

/**
 * Records the meaning of a decoded instruction. Throws an AssertionError when the definition breaks compute-then-commit.
 * `first` records what comes before all of it but the question whether the instruction exists in this mode.
 */
export function recordMicrocode(instruction: Instruction, first?: (m: Microcode) => void): Microcode {
  const microcode = new Microcode(instruction);
  // In 64-bit mode neither can be: the check would only be noise.
  if (instruction.form.attributes.has('protected') && instruction.codeSize !== 64) {
    microcode.faultIf(microcode.state('PE', 1).not().or(microcode.vm), '#UD');
  }
  first?.(microcode);
  instruction.form.semantics(instruction, microcode);
  return microcode;
}
