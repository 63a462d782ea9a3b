// The answer to a hypercall: what was asked, what was looked at, what the guest gets in RAX. Every call ends here, so every call is
// told in the same way.

import {hex} from '@hyperscope/base';
import {check} from '@hyperscope/machine';
import type {Check, Checks} from '@hyperscope/machine';
import type {HostStep, StepResult} from '../host/host-program.js';
import {ERRNO, hypercallName} from './xen-interface.js';
import type {Errno} from './xen-interface.js';
import type {Xen} from './xen.js';

/** Where the rules of an argument stand. */
export const ABI = 'Xen, xen/include/public/xen.h';

export interface Answer {
  readonly args: readonly (readonly [name: string, value: string])[];
  readonly checks: Checks;
  readonly result: bigint | Errno;
  readonly why: string;
  /** Where Xen goes on: to the events that wait, unless said otherwise. */
  readonly go?: string | undefined;
}

/** The arguments of a call, in RDI, RSI, RDX, R10 and R8. */
export function argumentsOf({regs}: Xen): readonly [bigint, bigint, bigint, bigint, bigint] {
  return [regs.get('RDI'), regs.get('RSI'), regs.get('RDX'), regs.get('R10'), regs.get('R8')];
}

/** The answer to a call whose arguments must hold `rule`. */
export function refused(args: Answer['args'], errno: Errno, checks: Checks, why: string): Answer {
  return {args, checks, result: errno, why};
}
/** A check of an argument that can only fail: the answer where it did. */
export const failing = (rule: string, values: Check['values'], source = ABI): Check =>
  check(rule, false, values, source);

/** A pointer of the guest's that leads nowhere. */
export const badPointer = (what: string, linear: bigint): Check =>
  failing(
    `the guest can reach ${what} by its own tables, in ring 3`,
    [['address', hex(linear)]],
    'Xen, xen/arch/x86/usercopy.c',
  );

/** A hypercall that is answered in one step. */
export const answering =
  (handler: (xen: Xen) => Answer): HostStep<Xen> =>
  xen =>
    finishCall(xen, handler(xen));

/** Puts the result into RAX, and tells. */
export function finishCall(xen: Xen, {args, checks, result, why, go}: Answer): StepResult {
  const number = xen.vcpu.number('hypercall');
  const name = hypercallName(number);
  const value = typeof result === 'bigint' ? result : -BigInt(ERRNO[result].value);
  xen.regs.set('RAX', BigInt.asUintN(64, value));
  xen.tell({kind: 'hypercall', number, name, args, checks, result: value, why});
  return {say: `${name ?? `hypercall ${number}`}: ${why}; RAX ← ${resultWords(result)}`, go: go ?? 'test_all_events'};
}

/** '0', '−22, EINVAL: invalid argument' */
function resultWords(result: bigint | Errno): string {
  if (typeof result === 'bigint') return result < 10n ? String(result) : hex(result);
  const {value, words} = ERRNO[result];
  return `−${value}, ${result}: ${words}`;
}

export const asFrame = (mfn: number): string => `frame ${hex(mfn)}`;
