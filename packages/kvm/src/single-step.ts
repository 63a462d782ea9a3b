// Where KVM can stop after each instruction, and where asking for it would disturb the guest. What is possible was found
// by the fingerprint's probe; a wrong answer here would show as a #DB inside the guest.

import {cellIndex} from '@hyperscope/isa';

/** 'where-possible': every instruction that this KVM can step is a step of the record. */
export type SingleStep = 'off' | 'where-possible';

const HLT = 0xf4;
const LMA = 1n << 10n;

/** Answers of the fingerprint that matter here. */
export interface SteppingQuirks {
  /** 'ok' where KVM_GUESTDBG_SINGLESTEP works in 64-bit ring 3; elsewhere the guest itself would get the #DB. */
  readonly cpl3_step: string | number | boolean | undefined;
}

/** Whether the next KVM_RUN may single-step, given the registers before it and the next instruction's first byte. */
export function maySingleStep(cells: BigUint64Array, nextByte: number | undefined, quirks: SteppingQuirks): boolean {
  const inRing3 = (cells[cellIndex('CPL')] ?? 0n) === 3n;
  const long =
    ((cells[cellIndex('EFER')] ?? 0n) & LMA) !== 0n && (((cells[cellIndex('CS.attributes')] ?? 0n) >> 13n) & 1n) === 1n;
  if (inRing3 && long && quirks.cpl3_step !== 'ok') return false;
  // A stepped HLT is reported as a step and the guest goes on behind it: the halt would be lost.
  return nextByte !== HLT;
}
