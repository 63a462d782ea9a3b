// What MOV to a control register costs, once it has changed something. CR8 of a guest with a TPR shadow is a byte in memory:
// another place, and another price.

import type {CostName} from './cost.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';

/** Charges for a write that went well, and hands on what came of it. */
export function charged(
  cpu: Processor,
  register: 'CR0' | 'CR3' | 'CR4' | 'CR8',
  trouble: Trouble | undefined,
): Trouble | undefined {
  if (trouble === undefined) cpu.charge(cpu.costModel[costName(cpu, register)].cycles);
  return trouble;
}

function costName(cpu: Processor, register: 'CR0' | 'CR3' | 'CR4' | 'CR8'): CostName {
  if (register !== 'CR8') return 'controlRegisterWrite';
  return cpu.isGuest && cpu.unit?.readTaskPriority?.(cpu) !== undefined ? 'cr8WriteShadowed' : 'cr8Write';
}
