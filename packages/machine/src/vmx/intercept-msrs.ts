// RDMSR and WRMSR, by the MSR bitmaps: 400h bytes each for reading low, reading high, writing low, writing high numbers.
// SDM vol. 3C, "MSR-Bitmap Address".

import {hex, hpa} from '@hyperscope/base';
import {msrAt} from '@hyperscope/isa';
import {check} from '../cpu/faults.js';
import {CONDITIONAL, primaryCheck} from './intercept-context.js';
import type {InterceptRule} from './intercept-context.js';

const HIGH = 0xc000_0000;
const BITS = 0x2000;

function decide(access: 'read' | 'write'): InterceptRule {
  return ({core, controls}) => {
    const reason = access === 'read' ? 'RDMSR' : 'WRMSR';
    const bitmaps = primaryCheck(controls, 'use MSR bitmaps');
    if (!bitmaps.holds) return {reason, checks: [bitmaps]};
    const index = Number(core.registers.get('RCX') & 0xffff_ffffn);
    const name = [['MSR', `${hex(index)}${named(index)}`]] as const;
    const high = index >= HIGH && index < HIGH + BITS;
    if (!high && index >= BITS) {
      return {
        reason,
        checks: [
          bitmaps,
          check('the MSR lies in neither of the ranges that the bitmaps cover', true, name, CONDITIONAL),
        ],
      };
    }
    const base = Number(controls.vmcs.get('MSR_BITMAP_ADDRESS'));
    const bit = high ? index - HIGH : index;
    const area = (access === 'write' ? 0x800 : 0) + (high ? 0x400 : 0);
    const byte = Number(core.memory.read(hpa(base + area + (bit >> 3)), 1));
    if (((byte >> (bit & 7)) & 1) === 0) return undefined;
    const rule = `bit ${hex(bit)} of the ${access} bitmap for ${high ? 'high' : 'low'} MSRs = 1`;
    return {reason, checks: [bitmaps, check(rule, true, name, CONDITIONAL)]};
  };
}

function named(index: number): string {
  const msr = msrAt(index);
  return msr === undefined ? '' : ` (${msr.name})`;
}

export const interceptRdmsr = decide('read');
export const interceptWrmsr = decide('write');
