// One pass over the statements: gives every label an address and every statement its bytes.
// Jumps start short and grow: a pass that moved a label is followed by another.

import {assertUnreachable} from '@hyperscope/base';
import {encodeInstruction, type AssemblyOperand, type CodeSize, type RequestedPrefixes} from '@hyperscope/isa';
import {dataBytes} from './data-bytes.js';
import {diagnosticAt, diagnosticOf, SourceError, type Diagnostic, type Origin} from './diagnostics.js';
import {encodeError, encodeWarning} from './encode-advice.js';
import {addressIn, evaluate, scalar, UNKNOWN, type Scope, type Value} from './evaluation.js';
import type {Expression, Place} from './expression.js';
import {operandValue} from './operand-values.js';
import {prefixBytes} from './prefix-bytes.js';
import {placeSections, Section, SIZE_LIMIT, type Placement} from './section.js';
import type {Body, Statement} from './statement.js';
import {Symbols} from './symbols.js';

/** A stretch of bytes and the line that made it. */
export interface PlacedLine {
  readonly origin: Origin;
  readonly section: Section;
  /** Offset in its section. */
  readonly offset: number;
  readonly length: number;
  readonly bits: CodeSize;
  readonly kind: 'instruction' | 'data' | 'reserved' | 'padding';
}

type InstructionBody = Extract<Body, {readonly kind: 'instruction'}>;

/** Bytes of instructions that no symbol and no address takes part in: by statement and mode, and by words and mode. */
export class EncodingCache {
  private readonly byBody = new Map<InstructionBody, {readonly mode: string; readonly bytes: Uint8Array}>();
  private readonly byText = new Map<string, Uint8Array>();

  get(body: InstructionBody, mode: string): Uint8Array | undefined {
    const own = this.byBody.get(body);
    if (own !== undefined && own.mode === mode) return own.bytes;
    // Later passes need not ask again whether a line that has symbols was met before.
    if (own !== undefined) return undefined;
    const bytes = this.byText.get(mode + body.key);
    if (bytes !== undefined) this.byBody.set(body, {mode, bytes});
    return bytes;
  }

  set(body: InstructionBody, mode: string, bytes: Uint8Array): void {
    this.byBody.set(body, {mode, bytes});
    this.byText.set(mode + body.key, bytes);
  }

  /** This statement has to be encoded anew in each pass. */
  setVarying(body: InstructionBody): void {
    this.byBody.set(body, {mode: 'varying', bytes: new Uint8Array()});
  }
}

export interface PassOptions {
  readonly bits: CodeSize;
  readonly origin: bigint;
  readonly before: Pass | undefined;
  readonly cache: EncodingCache;
}

/** What, beside its words, decides the bytes of an instruction. */
const MODES = {
  absolute: {16: 'a16 ', 32: 'a32 ', 64: 'a64 '},
  relative: {16: 'r16 ', 32: 'r32 ', 64: 'r64 '},
} as const;

/** The alignment that nasm's flat binaries give to sections other than .text. */
const DEFAULT_ALIGNMENT = 4n;

export class Pass implements Scope {
  readonly symbols: Symbols;
  readonly diagnostics: Diagnostic[] = [];
  readonly placed: PlacedLine[] = [];
  readonly sections = new Map<string, Section>();
  origin: bigint;
  private readonly cache: EncodingCache;
  private readonly placements: ReadonlyMap<string, Placement>;
  private readonly first: boolean;
  private section: Section;
  private bits: CodeSize;
  private reference: 'relative' | 'absolute' = 'absolute';
  /** Address of the statement that is being read: $. */
  private start = 0n;
  /** Whether a name was looked up since this was last cleared. */
  private touched = false;

  constructor({bits, origin, before, cache}: PassOptions) {
    this.bits = bits;
    this.origin = origin;
    this.cache = cache;
    this.first = before === undefined;
    this.symbols = new Symbols(before?.symbols);
    this.placements = before === undefined ? new Map() : placeSections([...before.sections.values()], before.origin);
    this.section = this.sectionNamed('.text', 'stored', 1n);
  }

  run(statements: readonly Statement[]): void {
    for (const statement of statements) {
      this.start = this.section.address;
      try {
        this.statement(statement);
      } catch (error) {
        this.diagnostics.push(diagnosticOf(statement.origin, error));
      }
    }
  }

  /** Whether another pass would give the same bytes. */
  get settled(): boolean {
    if (this.first || !this.symbols.settled) return false;
    const next = placeSections([...this.sections.values()], this.origin);
    return [...next].every(([name, {start}]) => this.sections.get(name)?.start === start);
  }

  symbol(name: string, place: Place): Value {
    this.touched = true;
    const value = this.symbols.lookup(name);
    if (value !== undefined) return value;
    if (this.first) return UNKNOWN;
    throw this.symbols.undefinedError(name, place);
  }

  here(): Value {
    this.touched = true;
    return addressIn(this.section.name, this.start);
  }

  sectionStart(): Value {
    this.touched = true;
    return addressIn(this.section.name, this.section.start);
  }

  private sectionNamed(name: string, kind: 'reserved' | 'stored', alignment: bigint): Section {
    const known = this.sections.get(name);
    if (known !== undefined) return known;
    const made = new Section(name, kind === 'reserved', this.placements.get(name)?.start ?? this.origin, alignment);
    this.sections.set(name, made);
    return made;
  }

  private statement({label, body, origin}: Statement): void {
    if (label !== undefined && body.kind !== 'equ') {
      this.symbols.define(label.name, addressIn(this.section.name, this.start), origin.line, label.place);
    }
    this.body(body, origin);
  }

  private body(body: Body, origin: Origin): void {
    switch (body.kind) {
      case 'instruction':
      case 'prefixes':
      case 'data':
      case 'reserve':
        return this.emitter(body, origin)();
      case 'times':
        return this.times(body, origin);
      case 'equ': {
        const value = evaluate(body.value, this);
        if (value.registers.length > 0)
          throw new SourceError(body.place, 'equ cannot name a register.', 'Use %define for that.');
        return this.symbols.define(body.name, value, origin.line, body.place);
      }
      case 'bits':
        this.bits = body.bits;
        return;
      case 'default':
        this.reference = body.reference;
        return;
      case 'org':
        return this.setOrigin(body.value);
      case 'section':
        return this.enter(body);
      case 'align':
        return this.align(body, origin);
      case 'ignored':
      case 'nothing':
        return;
      default:
        return assertUnreachable(body);
    }
  }

  private setOrigin(expression: Expression): void {
    const value = evaluate(expression, this);
    this.origin = BigInt.asUintN(64, scalar(value, expression.place));
  }

  private enter(body: Extract<Body, {readonly kind: 'section'}>): void {
    const alignment = body.alignment === undefined ? DEFAULT_ALIGNMENT : this.boundary(body.alignment);
    const known = this.sections.has(body.name);
    this.section = this.sectionNamed(body.name, body.reserved ? 'reserved' : 'stored', alignment);
    if (known && body.alignment !== undefined) this.section.alignment = alignment;
  }

  private boundary(expression: Expression): bigint {
    const value = scalar(evaluate(expression, this), expression.place);
    const isPower = value > 0n && (value & (value - 1n)) === 0n;
    if (!isPower)
      throw new SourceError(expression.place, 'An alignment must be a power of two.', 'Write 2, 4, 8, 16 and so on.');
    return value;
  }

  private align(body: Extract<Body, {readonly kind: 'align'}>, origin: Origin): void {
    const boundary = this.boundary(body.boundary);
    if (boundary > this.section.alignment && this.section.name !== '.text') this.section.alignment = boundary;
    // nasm aligns within the section, whatever its origin is.
    const over = BigInt(this.section.size) % boundary;
    const count = over === 0n ? 0 : Number(boundary - over);
    if (count === 0) return;
    if (count > SIZE_LIMIT) throw tooLarge(body.boundary.place);
    const {fill} = body;
    if (fill === undefined) return this.place('padding', origin, () => this.section.skip(count));
    if (this.section.reserved)
      throw new SourceError(body.place, 'This section holds no bytes to fill with.', 'Use alignb here.');
    this.place('padding', origin, () => {
      for (let index = 0; index < count; index++) this.write(this.bytesOf(fill, origin));
    });
  }

  private times(body: Extract<Body, {readonly kind: 'times'}>, origin: Origin): void {
    const value = evaluate(body.count, this);
    if (value.forward) return;
    const count = scalar(value, body.count.place);
    if (count < 0n)
      throw new SourceError(
        body.count.place,
        `times has a negative count: ${count}.`,
        `What stands before it is ${-count} bytes too long.`,
      );
    if (count > BigInt(SIZE_LIMIT)) throw tooLarge(body.count.place);
    const emit = this.emitter(body.body, origin);
    for (let index = 0n; index < count; index++) {
      this.start = this.section.address;
      emit();
    }
  }

  /** What puts a body into the section, once each time it is called. */
  private emitter(body: Body, origin: Origin): () => void {
    if (body.kind === 'reserve') return () => this.reserve(body, origin);
    const kind = body.kind === 'data' ? 'data' : 'instruction';
    let same: Uint8Array | undefined;
    return () =>
      this.place(kind, origin, () => {
        this.touched = false;
        const bytes = same ?? this.bytesOf(body, origin);
        if (body.kind === 'data' && !this.touched) same = bytes;
        this.write(bytes);
      });
  }

  private reserve(body: Extract<Body, {readonly kind: 'reserve'}>, origin: Origin): void {
    const count = scalar(evaluate(body.count, this), body.count.place);
    if (count < 0n)
      throw new SourceError(body.count.place, `The count is negative: ${count}.`, 'Write how many units to reserve.');
    if (count * BigInt(body.unit) > BigInt(SIZE_LIMIT)) throw tooLarge(body.count.place);
    this.place('reserved', origin, () => this.section.skip(Number(count) * body.unit));
  }

  private place(kind: PlacedLine['kind'], origin: Origin, emit: () => void): void {
    const {section, bits} = this;
    const offset = section.size;
    emit();
    if (section.size > offset) this.placed.push({origin, section, offset, length: section.size - offset, bits, kind});
  }

  private write(bytes: Uint8Array): void {
    if (this.section.reserved && bytes.length > 0) {
      throw new SourceError(
        {column: 0, length: 1},
        `The section ${this.section.name} has no bytes in the file.`,
        'Use resb and its family here, or go to section .data.',
      );
    }
    if (this.section.size + bytes.length > SIZE_LIMIT) throw tooLarge({column: 0, length: 1});
    this.section.append(bytes);
  }

  private bytesOf(body: Body, origin: Origin): Uint8Array {
    switch (body.kind) {
      case 'instruction':
        return this.instruction(body, origin);
      case 'prefixes':
        return prefixBytes(body.prefixes, this.bits);
      case 'data':
        return dataBytes(body, this, (place, message, advice) => {
          this.diagnostics.push(diagnosticAt(origin, place, 'warning', message, advice));
        });
      case 'reserve':
        return new Uint8Array(Number(scalar(evaluate(body.count, this), body.count.place)) * body.unit);
      default:
        throw new SourceError({column: 0, length: 1}, 'This cannot be repeated.', 'Repeat instructions or data.');
    }
  }

  private instruction(body: InstructionBody, origin: Origin): Uint8Array {
    const mode = MODES[this.reference][this.bits];
    const known = this.cache.get(body, mode);
    if (known !== undefined) return known;
    this.touched = false;
    const setting = {scope: this, section: this.section.name, reference: this.referenceFor(body.prefixes)};
    const operands = body.operands.map(operand => operandValue(operand, setting));
    const prefixes = withAddressSize(body);
    const result = encodeInstruction({
      mnemonic: body.mnemonic,
      operands,
      prefixes,
      codeSize: this.bits,
      address: this.start,
    });
    if (!result.ok) return this.refused(body, origin, encodeError(result.failure, body), {operands, prefixes});
    for (const warning of result.warnings) {
      const [message, advice] = encodeWarning(warning);
      this.diagnostics.push(diagnosticAt(origin, body.place, 'warning', message, advice));
    }
    if (!this.touched && result.depends === 'nothing' && result.warnings.length === 0)
      this.cache.set(body, mode, result.bytes);
    else this.cache.setVarying(body);
    return result.bytes;
  }

  /**
   * Reports an instruction that cannot be encoded. If only a number is too large for it, it keeps its place: in this
   * pass the number may still be wrong, and lines after it should not move because of it.
   */
  private refused(
    body: InstructionBody,
    origin: Origin,
    error: SourceError,
    {operands, prefixes}: {readonly operands: readonly AssemblyOperand[]; readonly prefixes: RequestedPrefixes},
  ): Uint8Array {
    this.diagnostics.push(diagnosticOf(origin, error));
    const unchecked = operands.map((operand): AssemblyOperand =>
      operand.kind === 'immediate' && operand.certainty !== 'constant' ? {...operand, certainty: 'forward'} : operand,
    );
    const result = encodeInstruction({
      mnemonic: body.mnemonic,
      operands: unchecked,
      prefixes,
      codeSize: this.bits,
      address: this.start,
    });
    return result.ok ? result.bytes : new Uint8Array();
  }

  private referenceFor(prefixes: RequestedPrefixes): 'relative' | 'absolute' {
    return prefixes.segment === 'FS' || prefixes.segment === 'GS' ? 'absolute' : this.reference;
  }
}

/** `[a32 x]` is the prefix a32 written where it is needed. */
function withAddressSize(body: InstructionBody): RequestedPrefixes {
  for (const operand of body.operands) {
    if (operand.kind === 'memory' && operand.addressSize !== undefined)
      return {...body.prefixes, addressSize: operand.addressSize};
  }
  return body.prefixes;
}

function tooLarge(place: Place): SourceError {
  return new SourceError(
    place,
    'The output would be larger than 64 MiB.',
    'Check the count of this times, resb or align.',
  );
}
