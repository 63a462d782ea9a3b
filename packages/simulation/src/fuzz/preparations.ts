// What an instruction needs before it so that it does something worth comparing: a target for a return, a small count
// for REP, a selector that exists. Most instructions need nothing.

import type {OpcodeForm, SegmentRegister} from '@hyperscope/isa';
import {SELECTORS} from './fuzz-image.js';
import type {Wishes} from './form-encoder.js';
import {goodOffset} from './memory-operand.js';
import type {ProgramDraft} from './program-draft.js';

/** Emits what is needed and says what the instruction should look like. */
type Preparation = (draft: ProgramDraft, form: OpcodeForm) => Wishes;

const STATUS = 0x8d5n;
/** Far enough behind the frontier for what is emitted in between. */
const AHEAD = 80;
const MOST_GAP = 24;

const target = (draft: ProgramDraft): bigint => BigInt(draft.frontier + AHEAD + draft.random.below(MOST_GAP));
const selectorOf = (draft: ProgramDraft, segment: SegmentRegister): bigint =>
  draft.processor.machine.registers.segment(segment, 'selector');

/** A place in `segment` for something that is stored and then used. */
function placeIn(draft: ProgramDraft, segment: SegmentRegister): bigint {
  for (;;) {
    const offset = goodOffset(draft.random, draft.processor, segment, {aligned: true, addressSize: 32});
    if (draft.codeSize !== 64 || offset < 0x7fff_0000n) return offset & ~15n;
  }
}

/** Items from the top of the stack upwards, each of `bytes` bytes. */
function onStack(draft: ProgramDraft, bytes: number, ...items: readonly bigint[]): void {
  draft.keepStack();
  const top = draft.processor.register(4);
  const pointer = draft.mode === 'real' ? top & 0xffffn : top;
  for (const [i, item] of items.entries()) draft.store('SS', pointer + BigInt(i * bytes), item, bytes);
}

const branch: Preparation = draft => ({immediate: BigInt(draft.random.below(MOST_GAP))});

const indirectBranch: Preparation = (draft, form) => {
  const to = target(draft);
  if (form.operandTypes.includes('r/mV') && draft.random.chance(50)) {
    const register = [0, 1, 2, 3, 6, 7][draft.random.below(6)] ?? 0;
    draft.load(register, to);
    return {operand: 'register', rm: register, plain: true};
  }
  const offset = placeIn(draft, 'DS');
  if (form.operandTypes.includes('m16:V')) {
    const bytes = draft.codeSize === 16 ? 2 : 4;
    draft.store('DS', offset, to, bytes);
    draft.store('DS', offset + BigInt(bytes), selectorOf(draft, 'CS'), 2);
  } else draft.store('DS', offset, to, draft.codeSize === 64 ? 8 : 4);
  return {operand: 'memory', offset, override: 'DS', plain: true};
};

const farBranch: Preparation = draft => ({
  immediate: target(draft),
  selector: Number(selectorOf(draft, 'CS')),
  plain: true,
});

const stackBytes = (draft: ProgramDraft): number => draft.codeSize / 8;

const nearReturn: Preparation = draft => {
  onStack(draft, stackBytes(draft), target(draft));
  return {plain: true, immediate: BigInt(draft.random.below(32) * 2)};
};

const farReturn: Preparation = draft => {
  onStack(draft, draft.codeSize === 16 ? 2 : 4, target(draft), selectorOf(draft, 'CS'));
  return {plain: true, immediate: BigInt(draft.random.below(32) * 2)};
};

const interruptReturn: Preparation = (draft, form) => {
  const bytes = form.attributes.has('os16') ? 2 : form.attributes.has('os32') ? 4 : 8;
  const frame = [target(draft), selectorOf(draft, 'CS'), randomFlags(draft)];
  draft.keepStack();
  if (draft.codeSize === 64) frame.push(draft.processor.register(4) + 0x40n, selectorOf(draft, 'SS'));
  onStack(draft, bytes, ...frame);
  return {plain: true};
};

/** Flags for POPF and IRET: status, direction, now and then AC, ID, TF (a trap after the next instruction). */
function randomFlags({random, mode}: ProgramDraft): bigint {
  let flags = (random.word() & STATUS) | 2n | (mode === 'ring3' ? 0x200n : 0n);
  if (random.chance(20)) flags |= 0x400n;
  if (random.chance(10)) flags |= 0x4_0000n;
  if (random.chance(10)) flags |= 0x20_0000n;
  if (random.chance(4)) flags |= 0x100n;
  return flags;
}

const popFlags: Preparation = draft => {
  onStack(draft, draft.codeSize === 16 ? 2 : 4, randomFlags(draft), 0n);
  return {plain: true};
};

const stack: Preparation = draft => {
  draft.keepStack();
  return {};
};

/** ENTER and LEAVE: a frame pointer into the stack. Without one ENTER faults in the middle, its first push done. */
const frame: Preparation = draft => {
  draft.keepStack();
  draft.load(5, draft.processor.register(4) + BigInt(draft.random.below(0x100) * 4));
  return {immediate: BigInt(draft.random.below(0x80))};
};

const stringOperation: Preparation = draft => {
  const {random, processor} = draft;
  for (const [register, segment] of [
    [6, 'DS'],
    [7, 'ES'],
  ] as const) {
    const here = processor.register(register) + processor.base(segment);
    if (draft.mode === 'real' || here < 0x2_1000n || here > 0x2_3800n || random.chance(30))
      draft.load(register, goodOffset(random, processor, segment, {aligned: false, addressSize: 16}));
  }
  if (processor.register(1) > 60n || random.chance(30)) draft.load(1, BigInt(random.below(12)));
  return {};
};

const translate: Preparation = draft => {
  draft.load(3, goodOffset(draft.random, draft.processor, 'DS', {aligned: false, addressSize: 16}));
  return {};
};

/** A bit offset in a register reaches far: keep some registers small. */
const bitString: Preparation = (draft, form) => {
  if (!form.operandTypes.includes('rV')) return {};
  draft.load(2, draft.random.value(11) - 0x300n);
  return draft.random.chance(70) ? {reg: 2} : {operand: 'register'};
};

/** A dividend whose quotient mostly fits. */
const division: Preparation = (draft, form) => {
  const {random} = draft;
  if (random.chance(70)) {
    if (form.attributes.has('byte')) draft.load(0, random.value(16) >> BigInt(random.below(9)));
    else
      draft.load(2, random.chance(70) ? BigInt(random.below(4)) : BigInt.asUintN(draft.codeSize === 64 ? 64 : 32, -1n));
  }
  return {};
};

/** Half the time the comparison succeeds. */
const compareAndExchange: Preparation = draft => {
  if (draft.random.chance(50)) return {};
  const register = 3 + draft.random.below(5);
  if (register === 4) return {};
  draft.load(0, draft.processor.register(register));
  return {operand: 'register', rm: register};
};

const GOOD_DATA: readonly [number, ...number[]] = [SELECTORS.data, SELECTORS.smallData, SELECTORS.stack];
const ANY_SELECTOR: readonly [number, ...number[]] = [
  0,
  3,
  SELECTORS.code,
  SELECTORS.userData,
  SELECTORS.tss,
  SELECTORS.readOnly,
  SELECTORS.expandDown,
  SELECTORS.absent,
  SELECTORS.conforming,
  SELECTORS.executeOnly,
  SELECTORS.code16,
  SELECTORS.data | 1,
  0x88,
  0x14,
];

/** For SS outside real mode only the stack that frames can be pushed to. */
function selector({random, mode}: ProgramDraft, isStack: boolean): bigint {
  if (mode === 'real') return BigInt(0x2000 + random.below(0x2001));
  if (isStack) return BigInt(SELECTORS.stack);
  return BigInt(random.chance(75) ? random.pick(GOOD_DATA) : random.pick(ANY_SELECTOR));
}

const loadSegment: Preparation = draft => {
  const {random} = draft;
  // CS cannot be loaded so: #UD, once in a while.
  const reg = random.chance(3) ? 1 : ([0, 2, 3, 4, 5][random.below(5)] ?? 0);
  const value = selector(draft, reg === 2);
  if (random.chance(60)) {
    const register = [0, 1, 2, 3, 6, 7][random.below(6)] ?? 0;
    draft.load(register, value);
    return {operand: 'register', rm: register, reg, plain: true};
  }
  const offset = placeIn(draft, 'DS');
  draft.store('DS', offset, value, 2);
  return {operand: 'memory', offset, override: 'DS', reg, plain: true};
};

const popSegment: Preparation = (draft, form) => {
  onStack(draft, draft.codeSize === 16 ? 2 : 4, selector(draft, form.operandTypes.includes('SS')), 0n);
  return {plain: true};
};

const loadFarPointer: Preparation = (draft, form) => {
  const offset = placeIn(draft, 'DS');
  const bytes = draft.codeSize === 16 ? 2 : 4;
  draft.store('DS', offset, BigInt(draft.random.below(0x1_0000)), bytes);
  draft.store('DS', offset + BigInt(bytes), selector(draft, form.mnemonic === 'LSS'), 2);
  return {offset, override: 'DS', plain: true};
};

/** CR0 and CR4 keep what the comparison stands on; CR3 keeps its value. */
const loadControl: Preparation = draft => {
  const {random, codeSize} = draft;
  const {registers} = draft.processor.machine;
  const number = [0, 2, 3, 4, 8][random.below(codeSize === 64 ? 5 : 4)] ?? 0;
  const value = {
    0: registers.get('CR0') ^ (random.word() & 0x4_002an),
    2: random.value(codeSize === 64 ? 64 : 32),
    3: registers.get('CR3'),
    4: registers.get('CR4') ^ (random.word() & 0x4n),
    8: BigInt(random.below(18)),
  }[number];
  if (draft.mode === 'ring3') return {reg: number, plain: true};
  draft.load(3, value ?? 0n);
  return {reg: number, rm: 3, plain: true};
};

const machineStatusWord: Preparation = draft => {
  const value = BigInt(draft.random.below(8) * 2) | (draft.mode === 'real' ? 0n : 1n);
  draft.load(3, value);
  return {operand: 'register', rm: 3, plain: true};
};

const softwareInterrupt: Preparation = draft => ({immediate: BigInt(draft.random.below(0x30))});
const decimalBase: Preparation = ({random}) => (random.chance(60) ? {immediate: BigInt(1 + random.below(20))} : {});

const BY_MNEMONIC: Readonly<Record<string, Preparation>> = {
  Jcc: branch,
  JCXZ: branch,
  JECXZ: branch,
  JRCXZ: branch,
  LOOP: branch,
  LOOPE: branch,
  LOOPNE: branch,
  RET: nearReturn,
  RETF: farReturn,
  IRET: interruptReturn,
  IRETD: interruptReturn,
  IRETQ: interruptReturn,
  POPF: popFlags,
  POPFD: popFlags,
  POPFQ: popFlags,
  PUSH: stack,
  PUSHA: stack,
  PUSHAD: stack,
  POPA: stack,
  POPAD: stack,
  PUSHF: stack,
  PUSHFD: stack,
  PUSHFQ: stack,
  ENTER: frame,
  LEAVE: frame,
  XLATB: translate,
  BT: bitString,
  BTS: bitString,
  BTR: bitString,
  BTC: bitString,
  DIV: division,
  IDIV: division,
  CMPXCHG: compareAndExchange,
  LDS: loadFarPointer,
  LES: loadFarPointer,
  LSS: loadFarPointer,
  LFS: loadFarPointer,
  LGS: loadFarPointer,
  LMSW: machineStatusWord,
  INT: softwareInterrupt,
  AAM: decimalBase,
};

/** Makes ready for an instruction of this line. */
export function prepare(draft: ProgramDraft, form: OpcodeForm): Wishes {
  return (preparationOf(form) ?? (() => ({})))(draft, form);
}

function preparationOf(form: OpcodeForm): Preparation | undefined {
  const [first] = form.operandTypes;
  if (form.mnemonic === 'JMP' || form.mnemonic === 'CALL') {
    if (first === 'ptr16:Z') return farBranch;
    return form.pattern.modrm === undefined ? both(stack, branch) : both(stack, indirectBranch);
  }
  if (form.syntax === 'MOV sreg, r/m16') return loadSegment;
  if (form.syntax === 'MOV cr, rmM') return loadControl;
  if (form.mnemonic === 'POP') return form.operandTypes.some(type => SEGMENT_NAMES.has(type)) ? popSegment : stack;
  if (form.attributes.has('rep') || form.attributes.has('repcc')) return stringOperation;
  return Object.hasOwn(BY_MNEMONIC, form.mnemonic) ? BY_MNEMONIC[form.mnemonic] : undefined;
}

const SEGMENT_NAMES: ReadonlySet<string> = new Set(['ES', 'SS', 'DS', 'FS', 'GS']);

const both =
  (first: Preparation, second: Preparation): Preparation =>
  (draft, form) => {
    first(draft, form);
    return second(draft, form);
  };
