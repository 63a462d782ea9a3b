// What an instruction costs beyond the cycle that every one has, where nothing but its name decides. What depends on what
// happened (ports, SYSCALL, deliveries, control registers) is charged where it happens.

import type {Instruction} from '@hyperscope/isa';
import type {CostModel, CostName} from './cost.js';

const OWN_COSTS: ReadonlyMap<string, CostName> = new Map([
  ['VMLAUNCH', 'vmEntry'],
  ['VMRESUME', 'vmEntry'],
  ['VMRUN', 'vmEntry'],
  ['VMREAD', 'vmread'],
  ['VMWRITE', 'vmwrite'],
  ['RET', 'nearReturn'],
  ['CLI', 'interruptFlag'],
  ['STI', 'interruptFlag'],
]);

/** In cycles. */
export function ownCost(model: CostModel, {mnemonic}: Instruction): number {
  const own = OWN_COSTS.get(mnemonic);
  return own === undefined ? 0 : model[own].cycles;
}
