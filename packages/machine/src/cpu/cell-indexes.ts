// Where the cells that every step touches lie in the register bank, looked up once.

import {DESCRIPTOR_REGISTERS, GENERAL_REGISTERS, cellIndex} from '@hyperscope/isa';
import type {DescriptorRegister, GeneralRegister} from '@hyperscope/isa';
import {recordOf} from '@hyperscope/base';

export const RIP = cellIndex('RIP');
export const RFLAGS = cellIndex('RFLAGS');
export const RSP = cellIndex('RSP');
export const CPL = cellIndex('CPL');
export const CR0 = cellIndex('CR0');
export const CR3 = cellIndex('CR3');
export const CR4 = cellIndex('CR4');
export const DR7 = cellIndex('DR7');
export const EFER = cellIndex('EFER');
export const ACTIVITY = cellIndex('ACTIVITY');
export const INTERRUPT_SHADOW = cellIndex('INTERRUPT_SHADOW');
export const VMX_OPERATION = cellIndex('VMX_OPERATION');
export const CYCLES = cellIndex('CYCLES');
export const TSC = cellIndex('TSC');
export const INSTRUCTIONS = cellIndex('INSTRUCTIONS');

export interface SegmentCells {
  readonly selector: number;
  readonly base: number;
  readonly limit: number;
  readonly attributes: number;
}

export const GENERAL: Readonly<Record<GeneralRegister, number>> = recordOf(GENERAL_REGISTERS, cellIndex);
export const SEGMENT: Readonly<Record<DescriptorRegister, SegmentCells>> = recordOf(DESCRIPTOR_REGISTERS, register => ({
  selector: cellIndex(`${register}.selector`),
  base: cellIndex(`${register}.base`),
  limit: cellIndex(`${register}.limit`),
  attributes: cellIndex(`${register}.attributes`),
}));
