// Every bit of the intercept vector: set, its guest is left with exactly its EXITCODE, EXITINFO1 and EXITINFO2; clear, it is not.

import {SVM_INTERCEPT_BITS} from '@hyperscope/isa';
import {describe, expect, test} from 'vitest';
import {withFeature} from '../cpu/features.js';
import {HLT_EXIT, INTERCEPT_CASES, VECTORS_WITHOUT_A_CASE, WITHOUT_A_CASE} from './testing/intercept-cases.js';
import type {InterceptCase} from './testing/intercept-cases.js';
import {GUEST_CODE, SVM_PROFILE, svmLongMachine, svmMachine} from './testing/svm-machine.js';
import type {SvmMachine} from './testing/svm-machine.js';

const PROFILE = withFeature(withFeature(SVM_PROFILE, 'xsave', 'on'), 'invpcid', 'on');

function build(each: InterceptCase, wanted: 'asked' | 'not asked'): SvmMachine {
  const code = [...each.code, 0xf4];
  const made = each.mode === 'long' ? svmLongMachine(code, PROFILE) : svmMachine(code, undefined, PROFILE);
  each.prepares?.(made);
  const {vmcb} = made;
  const mask = 1n << BigInt(each.bit);
  vmcb.set(each.field, wanted === 'asked' ? vmcb.get(each.field) | mask : vmcb.get(each.field) & ~mask);
  return made;
}

const named = INTERCEPT_CASES.map(each => [`${each.exitCode.toString(16)}h ${each.what}`, each] as const);

describe('set', () => {
  test.each(named)('%s', (_, each) => {
    const made = build(each, 'asked');
    made.run();
    const rip = BigInt(GUEST_CODE + (each.at ?? 0));
    const {vmcb} = made;
    expect(made.machine.registers.get('VMX_OPERATION')).toBe(1n);
    expect({
      code: Number(vmcb.get('EXITCODE')),
      info1: vmcb.get('EXITINFO1'),
      info2: vmcb.get('EXITINFO2'),
      rip: vmcb.get('RIP'),
      nrip: vmcb.get('NRIP'),
    }).toEqual({
      code: each.exitCode,
      info1: each.info1 ?? 0n,
      info2: each.info2 ?? 0n,
      rip,
      nrip: (each.length ?? 0) === 0 ? 0n : rip + BigInt(each.length ?? 0),
    });
  });
});

describe('clear', () => {
  test.each(named)('%s', (_, each) => {
    const made = build(each, 'not asked');
    made.run();
    if (each.otherwise === 'none') return expect(made.vmcb.get('EXITCODE')).toBe(0n);
    expect(Number(made.vmcb.get('EXITCODE'))).toBe(each.otherwise ?? HLT_EXIT);
  });
});

test('every bit of the intercept words has a case, or a reason why it has none', () => {
  const isShown = (word: number, bit: number): boolean =>
    INTERCEPT_CASES.some(each => each.field === `INTERCEPT_WORD_${word}` && each.bit === bit);
  for (const {word, bit, name} of SVM_INTERCEPT_BITS)
    expect([name, isShown(word, bit) !== (WITHOUT_A_CASE[name] !== undefined)]).toEqual([name, true]);
  for (let vector = 0; vector < 20; vector++) {
    const shown = INTERCEPT_CASES.some(each => each.field === 'INTERCEPT_EXCEPTION' && each.bit === vector);
    const reserved = vector === 15;
    expect([vector, reserved || shown !== vector in VECTORS_WITHOUT_A_CASE]).toEqual([vector, true]);
  }
});
