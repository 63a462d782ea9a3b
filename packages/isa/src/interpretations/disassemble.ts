// Disassemble: an Instruction as a line of NASM, in lower case. What is written assembles to the same meaning; where NASM
// has several encodings for it, not always to the same bytes.

import {hex} from '@hyperscope/base';
import type {Condition, Instruction, MemoryOperand, Operand, RegisterOperand} from '../instruction.js';
import {effectiveSegment} from './prefixes.js';

/**
 * The instruction as text. With `rip`, the address of its first byte, branch targets and RIP-relative addresses are
 * absolute; without, they are written relative to `$`.
 */
export function disassemble(instruction: Instruction, rip: bigint | undefined): string {
  const shown = isTenImplied(instruction) ? [] : instruction.operands;
  const operands = shown.map(operand => operandText(operand, instruction, rip));
  if (isLoop(instruction) && instruction.addressSize !== instruction.codeSize) {
    operands.push(registerText({register: 'RCX', width: instruction.addressSize, high: false}));
  }
  const words = [...prefixWords(instruction), mnemonicText(instruction), ...sizeWords(instruction)];
  return words.join(' ') + (operands.length > 0 ? ` ${operands.join(', ')}` : '');
}

/** The usual spellings of conditions; JNB is written JAE. */
const CONDITION_TEXT: Readonly<Record<Condition, string>> = {
  O: 'o',
  NO: 'no',
  B: 'b',
  NB: 'ae',
  Z: 'z',
  NZ: 'nz',
  BE: 'be',
  NBE: 'a',
  S: 's',
  NS: 'ns',
  P: 'p',
  NP: 'np',
  L: 'l',
  NL: 'ge',
  LE: 'le',
  NLE: 'g',
};

/** NASM reads PUSHF as the mode's own size, and has names of its own for the 16-bit forms. */
const NASM_NAMES: ReadonlyMap<string, string> = new Map([
  ['PUSHF', 'pushfw'],
  ['POPF', 'popfw'],
  ['PUSHA', 'pushaw'],
  ['POPA', 'popaw'],
  ['IRET', 'iretw'],
]);

/** AAM and AAD without a number mean ten. */
function isTenImplied({form, operands: [first]}: Instruction): boolean {
  return /^AA[MD]$/.test(form.mnemonic) && first?.kind === 'immediate' && first.value === 10n;
}

function mnemonicText(i: Instruction): string {
  if (i.condition !== undefined) return i.form.mnemonic.replace('cc', '').toLowerCase() + CONDITION_TEXT[i.condition];
  const name = NASM_NAMES.get(i.form.mnemonic) ?? i.form.mnemonic.toLowerCase();
  return isReturn(i) && i.width !== silentSize(i) ? name + (SIZE_LETTERS.get(i.width) ?? '') : name;
}

/** RETW, RETFQ: the names of returns whose operand size is not the mode's. */
const SIZE_LETTERS: ReadonlyMap<number, string> = new Map([
  [16, 'w'],
  [32, 'd'],
  [64, 'q'],
]);
const isReturn = (i: Instruction): boolean => i.form.mnemonic === 'RET' || i.form.mnemonic === 'RETF';
const isLoop = (i: Instruction): boolean => i.form.mnemonic.startsWith('LOOP');

function prefixWords(i: Instruction): readonly string[] {
  const words: string[] = [];
  const {attributes} = i.form;
  const implicitMemory = attributes.has('rep') || attributes.has('repcc') || /^(XLATB|MONITOR)$/.test(i.form.mnemonic);
  const implicitAddress = implicitMemory || namesVmcb(i) || (isMoffs(i) && i.codeSize === 64);
  if (implicitAddress && i.addressSize !== i.codeSize) words.push(`a${i.addressSize}`);
  if (sizeIsSilent(i) && i.width !== silentSize(i)) words.push(`o${i.width}`);
  const segment = effectiveSegment(i.prefixes, i.codeSize);
  if (implicitMemory && segment !== undefined && segment !== 'DS' && usesSource(i)) words.push(segment.toLowerCase());
  if (i.prefixes.lock) words.push('lock');
  if (attributes.has('rep') && i.prefixes.repeat !== 'none') words.push(i.prefixes.repeat === 'rep' ? 'rep' : 'repne');
  if (attributes.has('repcc') && i.prefixes.repeat !== 'none')
    words.push(i.prefixes.repeat === 'rep' ? 'repe' : 'repne');
  return words;
}

/** rAX, whose width is the address size. */
const namesVmcb = (i: Instruction): boolean => /^(VMRUN|VMLOAD|VMSAVE|INVLPGA)$/.test(i.form.mnemonic);

/** An address without ModR/M: the only one that can have 64 bits. */
const isMoffs = (i: Instruction): boolean => i.form.pattern.immediates.includes('mo');

/** Whether a string instruction reads DS:rSI (or XLATB DS:rBX), which a prefix may move to another segment. */
const usesSource = (i: Instruction): boolean => /^(MOVS|CMPS|LODS|OUTS|XLAT|MONITOR)/.test(i.form.mnemonic);

/** Instructions whose operand size nothing in the text would show. */
function sizeIsSilent(i: Instruction): boolean {
  if (i.form.mnemonic === 'SYSRET' || i.form.mnemonic === 'SYSEXIT') return i.width === 64;
  if (i.form.operandTypes.includes('rel8') || i.condition !== undefined) return i.operands[0]?.kind === 'relative';
  return (
    /^(ENTER|LEAVE|PUSH|POP|LGDT|LIDT|SGDT|SIDT|FLDENV|FNSTENV|FRSTOR|FNSAVE)$/.test(i.form.mnemonic) &&
    !i.operands.some(operand => operand.kind === 'register' || (operand.kind === 'memory' && operand.width > 0))
  );
}

function silentSize(i: Instruction): number {
  if (i.codeSize !== 64) return i.codeSize;
  return i.form.attributes.has('d64') || i.form.attributes.has('f64') ? 64 : 32;
}

/** Words between mnemonic and operands. */
function sizeWords(i: Instruction): readonly string[] {
  const [first] = i.operands;
  if (first?.kind === 'memory' && i.form.operandTypes[0] === 'm16:V') {
    return i.width === i.codeSize ? ['far'] : [SIZE_NAMES.get(i.width) ?? '', 'far'];
  }
  if (first?.kind === 'relative' && first.width !== 8 && i.condition === undefined && i.width !== i.codeSize)
    return [SIZE_NAMES.get(i.width) ?? ''];
  if (first?.kind === 'far' && first.width !== i.codeSize) return [SIZE_NAMES.get(first.width) ?? ''];
  return [];
}

const SIZE_NAMES: ReadonlyMap<number, string> = new Map([
  [8, 'byte'],
  [16, 'word'],
  [32, 'dword'],
  [64, 'qword'],
  [128, 'oword'],
]);

function operandText(operand: Operand, i: Instruction, rip: bigint | undefined): string {
  switch (operand.kind) {
    case 'register':
      return registerText(operand);
    case 'immediate':
      return number(operand.value);
    case 'segment':
      return operand.register.toLowerCase();
    case 'vector':
      return operand.register.toLowerCase();
    case 'control':
      return `cr${operand.number}`;
    case 'debug':
      return `dr${operand.number}`;
    case 'far':
      return `${hex(operand.selector)}:${hex(operand.offset)}`;
    case 'relative':
      return relativeText(operand.displacement, i, rip);
    case 'memory':
      return (needsSize(operand, i) ? `${SIZE_NAMES.get(operand.width) ?? ''} ` : '') + memoryText(operand, i, rip);
  }
}

/** A number as people write it: one digit in decimal, more in hexadecimal. */
const number = (value: bigint): string => (value < 10n ? String(value) : hex(value));

const LOW_NAMES = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];

/** The name of a register of a width: RAX, 32 gives eax; R8, 16 gives r8w. */
function registerText({register, width, high}: Pick<RegisterOperand, 'register' | 'width' | 'high'>): string {
  const name = register.toLowerCase();
  if (/\d/.test(name)) return name + (width === 64 ? '' : width === 32 ? 'd' : width === 16 ? 'w' : 'b');
  const low = name.slice(1);
  if (width === 64) return name;
  if (width === 32) return `e${low}`;
  if (width === 16) return low;
  if (high) return `${low.charAt(0)}h`;
  return LOW_NAMES.indexOf(low) < 4 ? `${low.charAt(0)}l` : `${low}l`;
}

/** A memory operand says its size where no register beside it does. */
function needsSize(operand: MemoryOperand, i: Instruction): boolean {
  if (operand.width === 0) return false;
  if (/^(MOVZX|MOVSX|CRC32)$/.test(i.form.mnemonic)) return true;
  if (i.form.operandTypes[0] === 'm8') return false;
  if (i.form.mnemonic === 'SETcc') return false;
  if (['m16', 'm32', 'm64', 'm128', 'r/m16', 'rV/m16'].some(type => i.form.operandTypes.some(each => each === type)))
    return false;
  const beside = i.operands.filter((_, index) => i.form.operandTypes[index] !== 'CL');
  return !beside.some(other => other.kind === 'register' || other.kind === 'vector');
}

function memoryText(operand: MemoryOperand, i: Instruction, rip: bigint | undefined): string {
  const segment = operand.segment === plainSegment(operand) ? '' : `${operand.segment.toLowerCase()}:`;
  if (operand.base === 'RIP') return ripRelativeText(operand, segment, i, rip);
  const parts = addressTerms(operand);
  if (parts === '') {
    return `[${absoluteSize(operand, i)}${segment}${number(BigInt.asUintN(operand.addressSize, operand.displacement))}]`;
  }
  const {displacement} = operand;
  const tail = displacement === 0n ? '' : displacement < 0n ? `-${number(-displacement)}` : `+${number(displacement)}`;
  return `[${segment}${parts}${tail}]`;
}

/** The size of an absolute address, where it is not the one that NASM would choose. */
function absoluteSize(operand: MemoryOperand, i: Instruction): string {
  if (isMoffs(i) && i.codeSize === 64) return operand.addressSize === 64 ? 'qword ' : '';
  return operand.addressSize === i.codeSize ? '' : `${SIZE_NAMES.get(operand.addressSize) ?? ''} `;
}

function addressTerms(operand: MemoryOperand): string {
  const width = operand.addressSize;
  const terms: string[] = [];
  if (operand.base !== undefined && operand.base !== 'RIP')
    terms.push(registerText({register: operand.base, width, high: false}));
  if (operand.index !== undefined) {
    const index = registerText({register: operand.index, width, high: false});
    // Without a base, NASM would turn index*2 into base+index: `nosplit` is implied by writing the scale 1 out.
    terms.push(operand.scale === 1 && terms.length > 0 ? index : `${index}*${operand.scale}`);
  }
  return terms.join('+');
}

const plainSegment = (operand: MemoryOperand) => (operand.base === 'RSP' || operand.base === 'RBP' ? 'SS' : 'DS');

function ripRelativeText(operand: MemoryOperand, segment: string, i: Instruction, rip: bigint | undefined): string {
  if (rip === undefined)
    return `[${segment}${operand.addressSize === 64 ? 'rip' : 'eip'}${offsetText(operand.displacement)}]`;
  const target = BigInt.asUintN(operand.addressSize, rip + BigInt(i.bytes.length) + operand.displacement);
  return `[${operand.addressSize === 64 ? '' : 'dword '}rel ${segment}${hex(target)}]`;
}

function relativeText(displacement: bigint, i: Instruction, rip: bigint | undefined): string {
  if (rip === undefined) return `$${offsetText(displacement + BigInt(i.bytes.length))}`;
  return hex(BigInt.asUintN(i.width, rip + BigInt(i.bytes.length) + displacement));
}

const offsetText = (offset: bigint): string => (offset < 0n ? `-${number(-offset)}` : `+${number(offset)}`);
