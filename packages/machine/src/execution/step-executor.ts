// The reference tier: walks the recorded operations of one instruction, one at a time, in BigInt.
// Clear first; a faster tier must leave the same state (executor.ts). Values live in one array that is reused.

import {FLAG_BITS, binaryResult, exceptionVector, laneResult, unaryResult} from '@hyperscope/isa';
import type {Effect, GeneralRegister, Instruction, Microcode, Operation} from '@hyperscope/isa';
import {assertExists, assertUnreachable} from '@hyperscope/base';
import {GENERAL, RFLAGS, RIP, RSP, SEGMENT} from '../cpu/cell-indexes.js';
import {checkOffset} from '../cpu/code-segment.js';
import {check, isTrouble} from '../cpu/faults.js';
import type {ProcessorHelper} from '../cpu/helper-table.js';
import {is64Bit, low, stackSizeOf} from '../cpu/modes.js';
import type {Processor} from '../cpu/processor.js';
import type {Trouble} from '../cpu/trouble.js';
import {linearAddress} from '../mmu/segmentation.js';
import {applyFlagRule} from './arithmetic.js';
import {conditionText} from './condition-text.js';
import type {ExecutionResult, Executor, TraceOperation} from './executor.js';
import {readState} from './named-state.js';

type Op<K extends Operation['op']> = Extract<Operation, {op: K}>;
/** What one operation did: a value, nothing, trouble, or the end of the instruction. */
type Outcome = bigint | undefined | Trouble | 'completed' | 'repeats';

export class StepExecutor implements Executor {
  traceOperations: TraceOperation | undefined;
  readonly #cpu: Processor;
  readonly #helpers: ReadonlyMap<string, ProcessorHelper>;
  readonly #values: bigint[] = [];

  constructor(cpu: Processor, helpers: ReadonlyMap<string, ProcessorHelper>) {
    this.#cpu = cpu;
    this.#helpers = helpers;
  }

  execute(microcode: Microcode): ExecutionResult {
    const {operations} = microcode;
    const values = this.#values;
    for (let index = 0; index < operations.length; index++) {
      const operation = operations[index];
      if (operation === undefined) break;
      const outcome = this.#perform(operation, microcode);
      if (typeof outcome === 'bigint') values[index] = outcome;
      else if (outcome !== undefined) return outcome;
      this.traceOperations?.(index, operation, outcome);
    }
    return 'completed';
  }

  #value(index: number): bigint {
    return this.#values[index] ?? 0n;
  }

  #perform(operation: Operation, microcode: Microcode): Outcome {
    const {registers} = this.#cpu;
    switch (operation.op) {
      case 'constant':
        return operation.value;
      case 'register':
        return this.#readRegister(operation.register, operation.width, operation.high);
      case 'flag':
        return ((registers.cells[RFLAGS] ?? 0n) >> BigInt(FLAG_BITS[operation.flag])) & 1n;
      case 'state':
        return BigInt.asUintN(operation.width, readState(registers, operation.state));
      case 'nextRip':
        return BigInt.asUintN(operation.width, this.#nextRip(microcode.instruction));
      case 'load':
        return this.#load(operation);
      case 'binary':
        return binaryResult(
          operation.operation,
          this.#value(operation.a),
          this.#value(operation.b),
          widthOf(microcode, operation.a),
          widthOf(microcode, operation.b),
        );
      case 'unary':
        return unaryResult(
          operation.operation,
          this.#value(operation.a),
          widthOf(microcode, operation.a),
          operation.width,
        );
      case 'concat':
        return (this.#value(operation.high) << BigInt(widthOf(microcode, operation.low))) | this.#value(operation.low);
      case 'choose':
        return this.#value(operation.condition) === 1n ? this.#value(operation.a) : this.#value(operation.b);
      case 'stackTop':
        return BigInt.asUintN(stackSizeOf(registers), (registers.cells[RSP] ?? 0n) + operation.delta);
      case 'call':
        return this.#call(operation, microcode.instruction);
      case 'vector':
        return this.#cpu.vectors.get(operation.cell, operation.width);
      case 'lanes': {
        const [a, b] = [this.#value(operation.a), this.#value(operation.b)];
        return laneResult(operation.operation, operation.lane, a, b, operation.width);
      }
      default:
        return this.#effect(operation, microcode);
    }
  }

  #effect(operation: Effect, microcode: Microcode): Outcome {
    const {registers} = this.#cpu;
    switch (operation.op) {
      case 'setRegister':
        return this.#writeRegister(operation);
      case 'setVector':
        this.#cpu.vectors.set(operation.cell, this.#value(operation.value), operation.width);
        return undefined;
      case 'probe':
        return this.#probe(operation);
      case 'store':
        return this.#store(operation);
      case 'setFlags':
        registers.words[2 * RFLAGS] = applyFlagRule(
          operation.rule,
          low(registers, RFLAGS),
          this.#value(operation.a),
          this.#value(operation.b),
          this.#value(operation.result),
          operation.width,
        );
        return undefined;
      case 'moveStack':
        return this.#moveStack(operation.delta);
      case 'setFlag':
        if (this.#holds(operation.when)) this.#writeFlag(FLAG_BITS[operation.flag], this.#value(operation.value));
        return undefined;
      case 'writeFlags': {
        const mask = this.#value(operation.mask);
        registers.cells[RFLAGS] =
          ((registers.cells[RFLAGS] ?? 0n) & ~mask) |
          (this.#value(operation.image) & mask & ~this.#cpu.absentFlags) |
          2n;
        return undefined;
      }
      case 'faultIf':
        return this.#holds(operation.when) ? this.#fault(operation, microcode) : undefined;
      case 'intercept':
        return this.#cpu.isGuest ? this.#intercept(operation, microcode.instruction) : undefined;
      case 'checkTarget':
        return this.#holds(operation.when) ? this.#checkTarget(this.#value(operation.target)) : undefined;
      case 'jump':
        if (this.#holds(operation.when)) registers.cells[RIP] = this.#value(operation.target);
        return undefined;
      case 'finishIf':
        return this.#holds(operation.when) ? 'completed' : undefined;
      case 'repeatIf':
        if (!this.#holds(operation.when)) return undefined;
        registers.cells[RIP] = this.#cpu.instructionRip;
        return 'repeats';
      case 'invoke':
        return this.#invoke(operation, microcode.instruction);
      default:
        return assertUnreachable(operation);
    }
  }

  #holds(when: number | undefined): boolean {
    return when === undefined || this.#value(when) === 1n;
  }

  // ── registers ───────────────────────────────────────────────────────────────────────────────────────────────────

  #readRegister(register: GeneralRegister, width: number, high: boolean): bigint {
    const whole = this.#cpu.registers.cells[GENERAL[register]] ?? 0n;
    return BigInt.asUintN(width, high ? whole >> 8n : whole);
  }

  /**
   * A 32-bit write clears the upper half; 8 and 16-bit writes keep the rest (SDM vol. 1, "General-Purpose Registers
   * in 64-Bit Mode").
   */
  #writeRegister({register, high, value, width}: Op<'setRegister'>): undefined {
    const {cells} = this.#cpu.registers;
    const index = GENERAL[register];
    const written = this.#value(value);
    if (width >= 32) {
      cells[index] = written;
      return;
    }
    const shift = high ? 8n : 0n;
    const mask = ((1n << BigInt(width)) - 1n) << shift;
    cells[index] = ((cells[index] ?? 0n) & ~mask) | (written << shift);
  }

  #writeFlag(bit: number, value: bigint): void {
    const {words} = this.#cpu.registers;
    const old = words[2 * RFLAGS] ?? 0;
    words[2 * RFLAGS] = value === 1n ? old | (1 << bit) : old & ~(1 << bit);
  }

  #moveStack(delta: bigint): undefined {
    const {registers} = this.#cpu;
    const size = stackSizeOf(registers);
    const old = registers.cells[RSP] ?? 0n;
    const inner = BigInt.asUintN(size, old + delta);
    // A 16-bit stack keeps the upper bits; a 32-bit one clears bits 63:32, which only 64-bit mode could see.
    registers.cells[RSP] = size === 16 ? (old & ~0xffffn) | inner : inner;
  }

  /** IP wraps at 64 KiB and EIP at 4 GiB in the arithmetic of near branches. */
  #nextRip(instruction: Instruction): bigint {
    return BigInt.asUintN(
      instruction.codeSize === 64 ? 64 : 32,
      this.#cpu.instructionRip + BigInt(instruction.bytes.length),
    );
  }

  // ── memory ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #load({segment, offset, width, access}: Op<'load'>): bigint | Trouble {
    const cpu = this.#cpu;
    const bytes = width / 8;
    const linear = linearAddress(
      cpu.registers,
      segment,
      this.#value(offset),
      bytes,
      access === 'read' ? 'read' : 'write',
    );
    if (typeof linear !== 'bigint') return linear;
    const unaligned = cpu.alignmentFault(linear, bytes);
    if (unaligned !== undefined) return unaligned;
    return cpu.mmu.read(linear, bytes, cpu.privilege, access === 'read' ? 'read' : 'write');
  }

  #probe({segment, offset, bytes}: Op<'probe'>): Trouble | undefined {
    const cpu = this.#cpu;
    const linear = linearAddress(cpu.registers, segment, this.#value(offset), bytes, 'write');
    if (typeof linear !== 'bigint') return linear;
    return cpu.alignmentFault(linear, bytes) ?? cpu.mmu.probe(linear, bytes, 'write', cpu.privilege);
  }

  #store({segment, offset, value, width}: Op<'store'>): Trouble | undefined {
    const cpu = this.#cpu;
    const bytes = width / 8;
    const linear = linearAddress(cpu.registers, segment, this.#value(offset), bytes, 'write');
    if (typeof linear !== 'bigint') return linear;
    return cpu.alignmentFault(linear, bytes) ?? cpu.mmu.write(linear, bytes, this.#value(value), cpu.privilege);
  }

  // ── checks and helpers ──────────────────────────────────────────────────────────────────────────────────────────

  /** The fault, with the conditions of this instruction that were fine before it as well. */
  #fault(decisive: Op<'faultIf'>, microcode: Microcode): Trouble {
    const {operations, instruction} = microcode;
    const earlier = operations.slice(0, operations.indexOf(decisive)).filter(operation => operation.op === 'faultIf');
    const checks = [...earlier, decisive].map(operation => {
      const {rule, values} = conditionText(microcode, this.#values, operation.when);
      return check(rule, operation !== decisive, values, instruction.form.source);
    });
    const errorCode = decisive.errorCode === undefined ? undefined : Number(this.#value(decisive.errorCode));
    return {kind: 'fault', vector: exceptionVector(decisive.exception), errorCode, address: undefined, checks};
  }

  #intercept({intercept, args}: Op<'intercept'>, instruction: Instruction): Trouble | undefined {
    const exit = this.#cpu.unit?.intercept(
      this.#cpu,
      instruction,
      intercept,
      args.map(arg => this.#value(arg)),
    );
    if (exit === undefined) return undefined;
    return 'kind' in exit ? exit : {kind: 'vm-exit', exit};
  }

  #checkTarget(target: bigint): Trouble | undefined {
    const {registers} = this.#cpu;
    return checkOffset(target, low(registers, SEGMENT.CS.limit), is64Bit(registers));
  }

  #invoke({helper, args}: Op<'invoke'>, instruction: Instruction): Trouble | undefined {
    const result = this.#run(helper.name, args, instruction);
    return isTrouble(result) ? result : undefined;
  }

  #call({helper, args, width}: Op<'call'>, instruction: Instruction): bigint | Trouble {
    const result = this.#run(helper.name, args, instruction);
    if (isTrouble(result)) return result;
    return BigInt.asUintN(width, result ?? 0n);
  }

  #run(name: string, args: readonly number[], instruction: Instruction): bigint | Trouble | undefined {
    const helper = assertExists(this.#helpers.get(name), `no helper named ${name}`);
    return helper(
      this.#cpu,
      instruction,
      args.map(arg => this.#value(arg)),
    );
  }
}

function widthOf(microcode: Microcode, index: number): number {
  const operation = microcode.operations[index];
  return operation !== undefined && 'width' in operation ? operation.width : 64;
}
