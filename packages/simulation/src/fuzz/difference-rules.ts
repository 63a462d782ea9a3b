// Differences between the simulator and a host that the host's own fingerprint explains, or that the manual leaves open.
// What no rule here explains is a fault of the simulator, or news of the host: either way somebody has to look.

import type {Instruction} from '@hyperscope/isa';
import type {Difference} from './compare-outcomes.js';
import {isUnknownToEmulator, isVector} from './form-rules.js';
import type {FuzzMode} from './fuzz-image.js';
import type {FuzzEnding, FuzzOutcome} from './fuzz-program.js';

/** What a rule may look at. */
export interface Divergence {
  readonly difference: Difference;
  readonly simulated: FuzzOutcome;
  readonly other: FuzzEnding;
  /** CR2 on the simulator. */
  readonly cr2: bigint;
  /** The instruction that the exception at the end is about, where there is one. */
  readonly faulting: Instruction | undefined;
  /** Where that exception pushed the flags; −2 where there is none. */
  readonly flagsAt: number;
}

export interface DifferenceRule {
  readonly id: string;
  /** The quirk that the fingerprint must show; undefined: the manual leaves it open on every host. */
  readonly quirk: string | undefined;
  readonly reason: string;
  readonly modes: readonly FuzzMode[];
  excuses(divergence: Divergence): boolean;
}

const INVALID_OPCODE = 6;
const STACK_FAULT = 12;
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;
/** The widest store of an integer instruction. */
const WIDEST = 16n;
const AC = 1n << 18n;

const endsAt = (ending: FuzzEnding, ...vectors: readonly number[]): boolean =>
  ending.kind === 'handler' && vectors.includes(ending.vector);
const number = (hex: string): bigint => BigInt(`0x${hex}`);

export const DIFFERENCE_RULES: readonly DifferenceRule[] = [
  {
    id: 'torn-store',
    quirk: 'stores-are-torn',
    reason:
      'A store across two pages, the second of which faults: the emulator has written the bytes on the first page; a ' +
      'processor writes none.',
    modes: ['long'],
    excuses: ({difference: {what}, simulated, cr2}) => {
      if (!endsAt(simulated.ending, PAGE_FAULT) || !what.startsWith('[')) return false;
      const address = number(what.slice(1, -1));
      return (cr2 & 0xfffn) === 0n && address < cr2 && address >= cr2 - WIDEST;
    },
  },
  {
    id: 'ac-in-handler',
    quirk: 'delivery-clears-ac',
    reason: 'Delivering an exception clears RFLAGS.AC on this host; by the manual only real mode does.',
    modes: ['protected', 'long', 'ring3'],
    excuses: ({difference: {what, simulated, other}, simulated: {ending}}) =>
      ending.kind === 'handler' &&
      what === 'RFLAGS' &&
      (number(simulated) ^ number(other)) === AC &&
      (number(other) & AC) === 0n,
  },
  {
    id: 'esp-in-handler',
    quirk: 'delivery-truncates-esp',
    reason: 'Delivering an exception in real mode clears bits 31:16 of ESP on this host; a 16-bit stack moves SP only.',
    modes: ['real'],
    excuses: ({difference: {what, simulated, other}, simulated: {ending}}) =>
      ending.kind === 'handler' && what === 'RSP' && (number(simulated) & 0xffffn) === number(other),
  },
  {
    id: 'which-operand-first',
    quirk: undefined,
    reason: 'CMPS and MOVS with two operands that fault: the manual does not say which comes first.',
    modes: ['real', 'protected', 'long', 'ring3'],
    excuses: ({simulated, other, faulting}) =>
      /^(CMPS|MOVS)[BWDQ]$/.test(faulting?.mnemonic ?? '') &&
      endsAt(simulated.ending, STACK_FAULT, GENERAL_PROTECTION, PAGE_FAULT) &&
      endsAt(other, STACK_FAULT, GENERAL_PROTECTION, PAGE_FAULT),
  },
  {
    id: 'repeated-comparison',
    quirk: 'ring-0-sse',
    reason:
      'REP CMPS and REP SCAS that fault after some elements: the emulator puts the flags back to those before the first ' +
      'one, as SDM vol. 2, "REP/REPE/REPZ/REPNE/REPNZ" says; the processor itself, in ring 3, keeps those of the last.',
    modes: ['real', 'protected', 'long'],
    excuses: ({difference: {what}, faulting, flagsAt}) =>
      faulting?.form.attributes.has('repcc') === true &&
      faulting.prefixes.repeat !== 'none' &&
      (what === 'RFLAGS' || what === `[${flagsAt.toString(16)}]` || what === `[${(flagsAt + 1).toString(16)}]`),
  },
  {
    id: 'emulated-after-fault',
    quirk: 'ring-3-host-selectors',
    reason: "What raises #GP in ring 3 is given to KVM's emulator, which raises #UD for an instruction that it lacks.",
    modes: ['ring3'],
    excuses: ({simulated, other, faulting}) =>
      faulting !== undefined &&
      (isUnknownToEmulator(faulting.form) || isVector(faulting.form)) &&
      endsAt(simulated.ending, GENERAL_PROTECTION, STACK_FAULT) &&
      endsAt(other, INVALID_OPCODE),
  },
];
