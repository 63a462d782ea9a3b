// Operand samples: every line of the opcode table as machine code, with registers, an operand in memory and a stack under it.
// The definitions say "there is a state"; these are the states that are looked at. Selectors are the operands that matter
// most, so there are several: of code and data, of ring 0 and ring 3, of tasks, tables and gates.

import {decode} from '@hyperscope/isa';
import type {Cell, Instruction, InstructionFeature, OpcodeForm} from '@hyperscope/isa';
import {encodeLittle} from '../fuzz/little-endian.js';
import {LAYOUT, SELECTOR} from './state-layout.js';
import type {ClassifiedMode} from './state-layout.js';

export interface Patch {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface InstructionSample {
  readonly form: OpcodeForm;
  readonly instruction: Instruction;
  readonly registers: Readonly<Partial<Record<Cell, bigint>>>;
  readonly patches: readonly Patch[];
  /** Whether its operands are selectors: then what concerns tables is tried as well. */
  readonly operands: 'numbers' | 'selectors';
}

/** What the operands hold. */
interface Inputs {
  readonly registers: Readonly<Partial<Record<Cell, bigint>>>;
  /** Also the first word on the stack and of the operand in memory, and the selector of a far pointer. */
  readonly selector: number | undefined;
  /** The code and stack segment of a far return's frame. */
  readonly frame: readonly [code: number, stack: number];
}

const registers = (rax: bigint, rcx: bigint, rdx: bigint): Inputs['registers'] => ({
  RAX: rax,
  RCX: rcx,
  RDX: rdx,
  RBX: 5n,
});
/** CF PF AF ZF SF OF. */
const STATUS_FLAGS = 0x8d7n;
const USER_FRAME = [SELECTOR.userCode, SELECTOR.userData] as const;

const NUMBERS: readonly Inputs[] = [
  // Low bits all set, as a mask of state components; ECX an MSR.
  {registers: registers(0x1237n, 0x175n, 0n), selector: undefined, frame: USER_FRAME},
  // CPUID leaf 1; ECX 0: XCR0, the first performance counter, a condition that ends loops.
  {registers: registers(1n, 0n, 0n), selector: undefined, frame: [SELECTOR.kernelCode, SELECTOR.kernelData]},
  // RAX a control block of SVM; RDX the type of an invalidation, or (VMREAD) a VMCS field: GUEST_RIP is 681Eh.
  {registers: registers(BigInt(LAYOUT.controlBlock), 0n, 2n), selector: undefined, frame: USER_FRAME},
  {registers: {...registers(0x77n, 0n, 0x681en), RFLAGS: STATUS_FLAGS}, selector: undefined, frame: USER_FRAME},
  // SYSRET goes to RCX; SYSEXIT to RDX, with the stack in RCX.
  {
    registers: registers(2n, BigInt(LAYOUT.target), BigInt(LAYOUT.target)),
    selector: undefined,
    frame: [SELECTOR.otherUserCode, SELECTOR.userData],
  },
];

const FRAMES: readonly Inputs['frame'][] = [
  [SELECTOR.userCode, SELECTOR.userData],
  [SELECTOR.kernelCode, SELECTOR.kernelData],
  [SELECTOR.otherUserCode, SELECTOR.otherUserData],
  [SELECTOR.conformingCode | 3, SELECTOR.userData],
];

const withSelector = (selector: number, index: number): Inputs => {
  const value = BigInt(selector);
  return {
    registers: {RAX: value, RCX: value, RDX: value, RBX: value},
    selector,
    frame: FRAMES[index % FRAMES.length] ?? USER_FRAME,
  };
};

const SELECTORS: readonly Inputs[] = [
  SELECTOR.kernelData,
  SELECTOR.userData,
  SELECTOR.otherUserData,
  SELECTOR.conformingCode,
  SELECTOR.userCode,
  SELECTOR.otherUserCode,
  SELECTOR.otherTss,
  SELECTOR.otherLdt,
  SELECTOR.callGate,
  SELECTOR.ringGate,
  SELECTOR.kernelCode,
  0,
].map(withSelector);

const SELECTOR_TYPES: ReadonlySet<string> = new Set(['sreg', 'm16:V', 'ptr16:Z', 'r/m16', 'rV/m16', 'ES', 'CS', 'SS']);
const takesSelectors = ({mnemonic, operandTypes}: OpcodeForm): boolean =>
  /^(RETF|IRET|[LV](AR|SL|ERR|ERW))/.test(mnemonic) ||
  operandTypes.some(type => SELECTOR_TYPES.has(type) || type === 'DS' || type === 'FS' || type === 'GS');

/** All samples of a line of the table in a mode, on a processor with these instructions. */
export function samplesOf(
  form: OpcodeForm,
  mode: ClassifiedMode,
  announced: ReadonlySet<InstructionFeature>,
): readonly InstructionSample[] {
  const inputs = takesSelectors(form) ? [...NUMBERS, ...SELECTORS] : NUMBERS;
  // A prefix that changes nothing gives the same instruction again.
  const seen = new Set<string>();
  return encodings(form, mode).flatMap(({key, encode}) => {
    const found = inputs.flatMap(each => {
      const decoded = decode(encode(each), mode, 0, announced);
      if (decoded.kind !== 'instruction' || decoded.instruction.form !== form) return [];
      return [sample(form, decoded.instruction, each)];
    });
    const shape = `${key} ${found[0]?.instruction.width ?? ''}`;
    if (seen.has(shape)) return [];
    seen.add(shape);
    return found;
  });
}

function sample(form: OpcodeForm, instruction: Instruction, inputs: Inputs): InstructionSample {
  const control = instruction.operands.find(operand => operand.kind === 'control');
  const value = control === undefined ? undefined : CONTROL_VALUES.get(control.number);
  return {
    form,
    instruction,
    registers: value === undefined ? inputs.registers : {...inputs.registers, RAX: value},
    patches: [
      {address: LAYOUT.code, bytes: instruction.bytes},
      {address: LAYOUT.data, bytes: operandBytes(form, instruction, inputs)},
      {address: LAYOUT.stack, bytes: stackBytes(instruction, inputs)},
    ],
    operands: inputs.selector === undefined ? 'numbers' : 'selectors',
  };
}

/** Values that MOV to a control register takes, each other than the one that is there; CR4 is left with what VMX needs. */
const CONTROL_VALUES: ReadonlyMap<number, bigint> = new Map([
  [0, 0x8000_003bn],
  [2, 0x5678n],
  [3, BigInt(LAYOUT.otherPages)],
  [4, 0x4_2678n],
  [8, 3n],
]);

// ── machine code ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** None, operand size, REX.W, address size (which some lines need: JCXZ, JECXZ). */
const PREFIXES: readonly (readonly number[])[] = [[], [0x66], [0x48], [0x67]];
const RAX = 0,
  RDX = 2;

interface Encoding {
  /** The operands, whatever the prefixes. */
  readonly key: string;
  readonly encode: (inputs: Inputs) => Uint8Array;
}

/** The encodings of a line: operand-size prefixes, an operand in RAX or at LAYOUT.data, every segment and control register. */
function encodings(form: OpcodeForm, mode: ClassifiedMode): readonly Encoding[] {
  const {pattern} = form;
  const needsAddressSize = form.attributes.has('as16') || form.attributes.has('as32');
  const isUseful = ([first]: readonly number[]): boolean =>
    first === 0x67 ? needsAddressSize : first !== 0x48 || mode === 64;
  const prefixes = pattern.vex !== undefined ? [[]] : PREFIXES.filter(isUseful);
  return prefixes.flatMap(prefix => {
    const rex = prefix[0] === 0x48 ? prefix : [];
    const legacy = prefix[0] === 0x48 ? [] : prefix;
    const mandatory = typeof pattern.mandatory === 'number' && pattern.vex === undefined ? [pattern.mandatory] : [];
    const head = [...legacy, ...mandatory, ...rex, ...opcodeBytes(form)];
    const size = rex.length > 0 ? 64 : legacy[0] === 0x66 ? 16 : 32;
    return operandEncodings(form, mode).map(modrm => ({
      key: modrm.join(' '),
      encode: (inputs: Inputs) => Uint8Array.from([...head, ...modrm, ...immediates(form, mode, size, inputs)]),
    }));
  });
}

const VEX_PREFIXES = ['NP', 0x66, 0xf3, 0xf2];

function opcodeBytes({pattern, operandTypes}: OpcodeForm): readonly number[] {
  if (pattern.vex === undefined) {
    const low = pattern.low === 'cc' ? 4 : 0;
    return [...pattern.opcode.slice(0, -1), (pattern.opcode.at(-1) ?? 0) | low];
  }
  const map = pattern.opcode[1] === 0x38 ? 2 : 3;
  const register = operandTypes.some(type => type === 'r32v' || type === 'r64v') ? 0x60 : 0x78;
  const pp = VEX_PREFIXES.indexOf(pattern.mandatory ?? 'NP');
  return [0xc4, 0xe0 | map, (pattern.vex << 7) | register | pp, pattern.opcode[2] ?? 0];
}

/** ModR/M and what follows it; one empty encoding where there is none. */
function operandEncodings({pattern, operandTypes}: OpcodeForm, mode: ClassifiedMode): readonly (readonly number[])[] {
  if (pattern.modrm === undefined) return [[]];
  const regs = typeof pattern.modrm === 'number' ? [pattern.modrm] : registersOf(operandTypes);
  const address = encodeLittle(BigInt(LAYOUT.data), 4);
  return regs.flatMap(reg => {
    const field = (reg & 7) << 3;
    const register = [0xc0 | field | RAX];
    if (pattern.registerOnly) return [register];
    return [register, mode === 64 ? [4 | field, 0x25, ...address] : [5 | field, ...address]];
  });
}

function registersOf(types: OpcodeForm['operandTypes']): readonly number[] {
  if (types.includes('sreg')) return [0, 1, 2, 3, 4, 5];
  if (types.includes('cr')) return [0, 2, 3, 4];
  if (types.includes('dr')) return [0, 6, 7];
  return [RDX];
}

function immediates(form: OpcodeForm, mode: ClassifiedMode, size: 16 | 32 | 64, {selector}: Inputs): readonly number[] {
  const half = size === 16 && !(mode === 64 && form.attributes.has('f64')) ? 2 : 4;
  return form.pattern.immediates.flatMap(token => {
    switch (token) {
      // INT 80h is there for every ring; as a distance it leads backwards, as a count it is 0.
      case 'ib':
      case 'cb':
        return [0x80];
      case 'iw':
        return [0x10, 0];
      case 'iz':
      case 'cz':
        return encodeLittle(0x40n, half);
      case 'iq':
        return encodeLittle(0x40n, size / 8);
      case 'ap':
        return [...encodeLittle(BigInt(LAYOUT.target), half), ...encodeLittle(BigInt(selector ?? 0), 2)];
      case 'mo':
        return encodeLittle(BigInt(LAYOUT.data), mode / 8);
    }
  });
}

// ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where an FXSAVE image has MXCSR, and an XSAVE area its header. */
const MXCSR_AT = 24,
  XSAVE_HEADER_AT = 512;
const OPERAND_BYTES = 576;

/** The operand in memory: a number, a selector, a far pointer, a VMCS's address; read as an XSAVE area it is a valid one. */
function operandBytes({operandTypes, mnemonic}: OpcodeForm, {width}: Instruction, {selector}: Inputs): Uint8Array {
  const bytes = new Uint8Array(OPERAND_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, selector ?? 0xf80, true);
  view.setUint32(MXCSR_AT, 0xf80, true);
  view.setUint32(XSAVE_HEADER_AT, 1, true);
  if (operandTypes.includes('m16:V')) {
    bytes.set(encodeLittle(BigInt(LAYOUT.target), width / 8));
    view.setUint16(width / 8, selector ?? 0, true);
  }
  // BOUND: an array as large as memory.
  if (mnemonic === 'BOUND') view.setUint32(width / 8, 0x7fff_7fff, true);
  if (mnemonic === 'VMXON') view.setBigUint64(0, BigInt(LAYOUT.vmxon), true);
  else if (mnemonic === 'VMPTRLD') view.setBigUint64(0, BigInt(LAYOUT.otherVmcs), true);
  else if (mnemonic === 'VMCLEAR') view.setBigUint64(0, BigInt(LAYOUT.vmcs), true);
  return bytes;
}

/** What IRET finds: RIP, CS, RFLAGS, RSP, SS. RETF finds RIP, CS, RSP, SS; POP a selector or a flags image. */
function stackBytes({width, form}: Instruction, {selector, frame}: Inputs): Uint8Array {
  const [code, stack] = frame;
  const top = 0x3_0400;
  const words = form.mnemonic.startsWith('RETF')
    ? [LAYOUT.target, code, top, stack]
    : form.mnemonic.startsWith('IRET')
      ? [LAYOUT.target, code, 0x3202, top, stack]
      : [selector ?? LAYOUT.target, LAYOUT.target, 0x3202, top, stack];
  const bytes = width === 8 ? 4 : width / 8;
  return Uint8Array.from(
    words.flatMap(word => encodeLittle(BigInt.asUintN(width === 8 ? 32 : width, BigInt(word)), bytes)),
  );
}
