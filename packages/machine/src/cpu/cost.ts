// What a figure of a cost model is: cycles, where they come from, and a name by which they can be changed. Each figure is
// charged by one event of the machine or of the hypervisor in it. docs/cost-model.md says which, and what was calibrated.

import {UserError, keysOf} from '@hyperscope/base';

/**
 * A figure in cycles with its source: `measured` where somebody published it, `derived` where it was worked out from published
 * ones, `calibrated` where it was fitted so that a published table comes out, `assumed` when nobody measured it and we chose it,
 * `given` when whoever started the run did.
 */
export interface Cost {
  readonly cycles: number;
  readonly source: string;
  readonly kind: 'measured' | 'derived' | 'calibrated' | 'assumed' | 'given';
}

export const measured = (cycles: number, source: string): Cost => ({cycles, source, kind: 'measured'});
export const derived = (cycles: number, source: string): Cost => ({cycles, source, kind: 'derived'});
export const calibrated = (cycles: number, source: string): Cost => ({cycles, source, kind: 'calibrated'});
export const assumed = (cycles: number, why: string): Cost => ({
  cycles,
  source: `our assumption: ${why}`,
  kind: 'assumed',
});

/** What is charged, by the name of a cost model's field: how a reader calls it, and how the command line does. */
export const COST_NAMES = {
  vmExit: {option: 'vm-exit', title: 'VM exit'},
  exceptionExit: {option: 'exception-exit', title: 'VM exit because of an exception'},
  vmEntry: {option: 'vm-entry', title: 'VM entry'},
  vmread: {option: 'vmread', title: 'VMREAD'},
  vmwrite: {option: 'vmwrite', title: 'VMWRITE'},
  exception: {option: 'exception', title: 'exception or interrupt delivered, and the return from it'},
  pageFault: {option: 'page-fault', title: 'more for a page fault'},
  syscall: {option: 'syscall', title: 'SYSCALL or SYSRET'},
  portAccess: {option: 'port-access', title: 'port access'},
  tlbMissReference: {option: 'walk-reference', title: 'each reference of a page walk'},
  controlRegisterWrite: {option: 'cr-write', title: 'MOV to CR0, CR3 or CR4'},
  cr8Write: {option: 'cr8-write', title: 'MOV to CR8'},
  cr8WriteShadowed: {option: 'cr8-write-shadowed', title: 'MOV to CR8 that goes to a TPR shadow'},
  interruptFlag: {option: 'cli', title: 'CLI or STI'},
  nearReturn: {option: 'near-return', title: 'near CALL and RET together'},
  callGate: {option: 'call-gate', title: 'far CALL through a call gate to an inner ring, and the return'},
  hostStep: {option: 'host-step', title: 'each step of the hypervisor, beside its VMREADs and VMWRITEs'},
  vmmStep: {option: 'vmm-step', title: 'each step of a VMM without hardware for virtualization'},
  userStep: {option: 'user-step', title: 'each step of the user-space VMM'},
  instruction: {option: 'instruction', title: 'any other instruction'},
  second: {option: 'second', title: 'a second'},
} as const;
export type CostName = keyof typeof COST_NAMES;

export type CostModel = Readonly<Record<CostName, Cost>> & {
  /** `prescott-2005`, or with figures that were changed `prescott-2005,vm-entry=1000`. */
  readonly id: string;
  readonly title: string;
  /** The main source of the figures. */
  readonly source: string;
};

/** Cycles that a device's clock can still be kept by; a figure below needs no more. */
const MOST_CYCLES = 1e12;

/**
 * A model with some figures changed: ['vm-entry=1000', …]. `second` stays, because devices are timed by it.
 * @throws UserError 'unknown-cost' for a name that is not a figure's, 'bad-cost' for cycles that are no whole number.
 */
export function withCosts(model: CostModel, changes: readonly string[]): CostModel {
  return changes.reduce(withCost, model);
}

function withCost(model: CostModel, change: string): CostModel {
  const [option = '', text = '', ...rest] = change.split('=');
  const name = keysOf<CostName>(COST_NAMES).find(each => COST_NAMES[each].option === option);
  if (name === undefined) {
    const options = keysOf<CostName>(COST_NAMES).map(each => COST_NAMES[each].option);
    throw new UserError(
      'unknown-cost',
      `There is no figure "${option}" in a cost model. Choose one of: ${options.join(', ')}.`,
    );
  }
  const cycles = Number(text);
  // An instruction that takes no time would let a run of any length happen between two looks at the clock.
  const least = name === 'instruction' || name === 'second' ? 1 : 0;
  if (rest.length > 0 || !/^\d+$/.test(text) || cycles < least || cycles > MOST_CYCLES)
    throw new UserError(
      'bad-cost',
      `"${change}" gives no cycles. Write ${option}=N with a whole number from ${least} on, such as ${option}=${model[name].cycles}.`,
    );
  const cost: Cost = {cycles, kind: 'given', source: `given for this run; ${model[name].cycles} in the model`};
  return {...model, [name]: cost, id: `${model.id},${option}=${cycles}`};
}
