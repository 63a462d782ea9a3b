// For tests: a decoded instruction as a person would ask the encoder for it.

import type {ImmediateOperand, Instruction, MemoryOperand, Operand} from '../instruction.js';
import type {AddressTerm, AssemblyMemory, AssemblyOperand, EncodeRequest} from '../interpretations/assemble-request.js';
import {disassemble} from '../interpretations/disassemble.js';
import {effectiveSegment} from '../interpretations/prefixes.js';

const PREFIX_WORD = /^(a16|a32|a64|o16|o32|o64|lock|rep|repe|repne|es|cs|ss|ds|fs|gs)$/;

/** The request that says what the disassembler's line says. */
export function requestOf(i: Instruction, address: bigint): EncodeRequest {
  const words = disassemble(i, address).split(' ');
  const first = words.findIndex(word => !PREFIX_WORD.test(word));
  const prefixes = words.slice(0, first);
  const size = (letter: string): 16 | 32 | 64 | undefined =>
    sizeOf(prefixes.find(word => word.startsWith(letter) && /\d/.test(word)));
  const explicit = i.form.operandTypes[0] === 'm16:V' || i.form.operandTypes[0] === 'ptr16:Z' ? i.width : undefined;
  return {
    mnemonic: words[first] ?? '',
    operands: i.operands.map(operand => operandOf(operand, i, address, explicit)).concat(counterOf(i)),
    prefixes: {
      lock: i.prefixes.lock,
      repeat: prefixes.some(word => word.startsWith('rep')) ? i.prefixes.repeat : 'none',
      segment: prefixes.some(word => /^[c-g]s$|^[es]s$/.test(word))
        ? effectiveSegment(i.prefixes, i.codeSize)
        : undefined,
      operandSize: size('o'),
      addressSize: size('a') ?? (isEipRelative(i) ? 32 : undefined),
    },
    codeSize: i.codeSize,
    address,
  };
}

const isEipRelative = (i: Instruction): boolean =>
  i.operands.some(operand => operand.kind === 'memory' && operand.base === 'RIP' && operand.addressSize === 32);

function sizeOf(word: string | undefined): 16 | 32 | 64 | undefined {
  const size = Number(word?.slice(1));
  return size === 16 || size === 32 || size === 64 ? size : undefined;
}

/** LOOP names its counter where it is not the mode's. */
function counterOf(i: Instruction): readonly AssemblyOperand[] {
  if (!i.form.mnemonic.startsWith('LOOP') || i.addressSize === i.codeSize) return [];
  return [{kind: 'register', register: 'RCX', width: i.addressSize, high: false}];
}

function operandOf(operand: Operand, i: Instruction, address: bigint, explicit: number | undefined): AssemblyOperand {
  switch (operand.kind) {
    case 'register':
    case 'segment':
    case 'vector':
    case 'control':
    case 'debug':
      return operand;
    case 'immediate':
      return {
        kind: 'immediate',
        value: asWritten(operand),
        certainty: 'constant',
        size: undefined,
        strict: false,
        distance: undefined,
      };
    case 'far': {
      const [selector, offset] = [BigInt(operand.selector), operand.offset];
      return {
        kind: 'far',
        selector: {value: selector, certainty: 'constant'},
        offset: {value: offset, certainty: 'constant'},
        size: explicit,
      };
    }
    case 'relative': {
      // Not truncated: how far it is has to show. In 16-bit code `jmp dword x` asks for the wide form.
      const value = address + BigInt(i.bytes.length) + operand.displacement;
      const size =
        i.form.operandTypes[0] === 'relZ' && i.condition === undefined && i.width !== i.codeSize ? i.width : undefined;
      return {kind: 'immediate', value, certainty: 'local', size, strict: false, distance: undefined};
    }
    case 'memory':
      return memoryOf(operand, i, address, explicit);
  }
}

/** An assembler's numbers have 64 bits with a sign. */
const asWritten = (operand: ImmediateOperand): bigint =>
  operand.width === 64 ? BigInt.asIntN(64, operand.value) : operand.value;

function memoryOf(
  operand: MemoryOperand,
  i: Instruction,
  address: bigint,
  explicit: number | undefined,
): AssemblyMemory {
  const relative = operand.base === 'RIP';
  const displacement = relative
    ? BigInt.asUintN(64, address + BigInt(i.bytes.length) + operand.displacement)
    : operand.displacement;
  const plain = operand.base === 'RSP' || operand.base === 'RBP' ? 'SS' : 'DS';
  return {
    kind: 'memory',
    size:
      explicit ??
      (operand.width === 0 || i.form.operandTypes.some(type => type === 'm64' || type === 'm128')
        ? undefined
        : operand.width),
    distance: explicit === undefined ? undefined : 'far',
    segment: operand.segment === plain ? undefined : operand.segment,
    terms: termsOf(operand),
    displacement: {value: displacement, certainty: relative ? 'local' : 'constant'},
    displacementSize:
      operand.base === undefined && operand.index === undefined ? absoluteSize(i, operand.addressSize) : undefined,
    reference: relative ? 'relative' : 'absolute',
    split: 'forbidden',
  };
}

/** As the disassembler writes it: `[qword x]` only for the form that has 64 bits. */
function absoluteSize(i: Instruction, addressSize: 16 | 32 | 64): 16 | 32 | 64 | undefined {
  const moffs = i.form.pattern.immediates.includes('mo');
  if (i.codeSize === 64)
    return moffs && addressSize === 64 ? 64 : moffs ? undefined : addressSize === 32 ? 32 : undefined;
  return addressSize === i.codeSize ? undefined : addressSize;
}

function termsOf(operand: MemoryOperand): readonly AddressTerm[] {
  const width = operand.addressSize;
  const terms: AddressTerm[] = [];
  if (operand.base !== undefined && operand.base !== 'RIP')
    terms.push({register: operand.base, width, coefficient: 1n, multiplied: false});
  if (operand.index !== undefined) {
    const multiplied = operand.scale > 1 || terms.length === 0;
    terms.push({register: operand.index, width, coefficient: BigInt(operand.scale), multiplied});
  }
  return terms;
}
