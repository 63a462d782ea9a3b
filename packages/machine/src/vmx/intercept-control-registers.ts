// MOV to and from control registers, CLTS, LMSW. CR0 and CR4 exit by their guest/host masks and read shadows, CR3 and CR8
// by controls. SDM vol. 3C, "Instructions That Cause VM Exits Conditionally"; qualification: "Exit Qualification for
// Control-Register Accesses":
//
//   3:0 register · 5:4 0 MOV to, 1 MOV from, 2 CLTS, 3 LMSW · 6 LMSW from memory · 11:8 general register · 31:16 LMSW source

import {hex} from '@hyperscope/base';
import type {Field} from '@hyperscope/base';
import {CR0_FIELDS, CR4_FIELDS, GENERAL_REGISTERS} from '@hyperscope/isa';
import {check} from '../cpu/faults.js';
import type {Check} from '../observer.js';
import {CONDITIONAL, memoryOperand, primaryCheck} from './intercept-context.js';
import type {InterceptDecision, InterceptRule, Intercepted} from './intercept-context.js';
import type {PrimaryControl} from './control-bits.js';
import {registerOperand} from './instruction-information.js';

const MOV_TO = 0;
const MOV_FROM = 1;
const CLTS = 2;
const LMSW = 3;
const TS = 1n << 3n;

function qualification(intercepted: Intercepted, register: number, type: number): bigint {
  const general = registerOperand(intercepted.instruction);
  const number = general === undefined ? 0 : GENERAL_REGISTERS.indexOf(general);
  return BigInt(register | (type << 4) | (number << 8));
}

const access = (
  intercepted: Intercepted,
  register: number,
  type: number,
  checks: readonly Check[],
): InterceptDecision => ({
  reason: 'CR_ACCESS',
  checks,
  details: {qualification: qualification(intercepted, register, type)},
});

/** The names of the bits that are set: 'PE, PG'. */
function bitNames(fields: readonly Field[], value: bigint): string {
  const named = fields.filter(field => ((value >> BigInt(field.low)) & 1n) === 1n).map(field => field.name);
  return named.length > 0 ? named.join(', ') : hex(value);
}

function maskedWrite(register: 'CR0' | 'CR4'): InterceptRule {
  return intercepted => {
    const {controls} = intercepted;
    const value = intercepted.args[0] ?? 0n;
    const [mask, shadow, fields] =
      register === 'CR0'
        ? ([controls.cr0Mask, controls.cr0Shadow, CR0_FIELDS] as const)
        : ([controls.cr4Mask, controls.cr4Shadow, CR4_FIELDS] as const);
    const differs = mask & (shadow ^ value);
    if (differs === 0n) return undefined;
    const rule = `the write changes bits that the host owns (mask bit = 1, value ≠ read shadow): ${register}.${bitNames(fields, differs)}`;
    const values = [
      ['value', hex(value)],
      [`${register} guest/host mask`, hex(mask)],
      [`${register} read shadow`, hex(shadow)],
    ] as const;
    return access(intercepted, register === 'CR0' ? 0 : 4, MOV_TO, [check(rule, true, values, CONDITIONAL)]);
  };
}

function controlled(register: 3 | 8, type: number, control: PrimaryControl): InterceptRule {
  return intercepted => {
    const asked = primaryCheck(intercepted.controls, control);
    return asked.holds ? access(intercepted, register, type, [asked]) : undefined;
  };
}

const interceptMovToCr3: InterceptRule = intercepted => {
  const {controls} = intercepted;
  const asked = primaryCheck(controls, 'CR3-load exiting');
  if (!asked.holds) return undefined;
  const value = intercepted.args[0] ?? 0n;
  const count = Number(controls.vmcs.get('CR3_TARGET_COUNT'));
  const targets = (['CR3_TARGET_VALUE_0', 'CR3_TARGET_VALUE_1', 'CR3_TARGET_VALUE_2', 'CR3_TARGET_VALUE_3'] as const)
    .slice(0, count)
    .map(name => controls.vmcs.get(name));
  if (targets.includes(value)) return undefined;
  const values = [
    ['value', hex(value)],
    ['CR3-target count', String(count)],
  ] as const;
  return access(intercepted, 3, MOV_TO, [
    asked,
    check('the value is none of the CR3-target values', true, values, CONDITIONAL),
  ]);
};

const interceptClts: InterceptRule = intercepted => {
  const {controls} = intercepted;
  if ((controls.cr0Mask & controls.cr0Shadow & TS) === 0n) return undefined;
  const values = [
    ['CR0 guest/host mask', hex(controls.cr0Mask)],
    ['CR0 read shadow', hex(controls.cr0Shadow)],
  ] as const;
  return access(intercepted, 0, CLTS, [
    check('the host owns CR0.TS and the guest sees it as 1', true, values, CONDITIONAL),
  ]);
};

const interceptLmsw: InterceptRule = intercepted => {
  const {controls, instruction} = intercepted;
  const source = (intercepted.args[0] ?? 0n) & 0xffffn;
  const {cr0Mask: mask, cr0Shadow: shadow} = controls;
  // PE can only be set; MP, EM and TS can go both ways.
  const pe = mask & source & ~shadow & 1n;
  const others = mask & (source ^ shadow) & 0xen;
  if ((pe | others) === 0n) return undefined;
  const rule = `LMSW changes bits that the host owns: CR0.${bitNames(CR0_FIELDS, pe | others)}`;
  const values = [
    ['source', hex(source)],
    ['CR0 guest/host mask', hex(mask)],
    ['CR0 read shadow', hex(shadow)],
  ] as const;
  const memory = memoryOperand(instruction) === undefined ? 0n : 1n << 6n;
  // The general register is not told: the source's value is.
  const details = {
    qualification: BigInt(LMSW << 4) | memory | (source << 16n),
    guestLinearAddress: intercepted.args[1] ?? 0n,
  };
  return {reason: 'CR_ACCESS', checks: [check(rule, true, values, CONDITIONAL)], details};
};

export const CONTROL_REGISTER_RULES = {
  'MOV to CR0': maskedWrite('CR0'),
  'MOV to CR4': maskedWrite('CR4'),
  'MOV to CR3': interceptMovToCr3,
  'MOV from CR3': controlled(3, MOV_FROM, 'CR3-store exiting'),
  'MOV to CR8': controlled(8, MOV_TO, 'CR8-load exiting'),
  'MOV from CR8': controlled(8, MOV_FROM, 'CR8-store exiting'),
  CLTS: interceptClts,
  LMSW: interceptLmsw,
} as const;
