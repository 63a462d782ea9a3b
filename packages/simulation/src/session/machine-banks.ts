// The banks that belong to the machine a guest sees. Several virtual machines have the same devices, and a record keeps them apart by
// names: 'CMS2 uart'.

import type {Bank} from '@hyperscope/machine';
import type {RecordHeader} from '@hyperscope/trace';

/** Those of one virtual machine, by their own names, and those of nobody's; all of them where there is one machine. */
export function machineBanks(
  {virtualMachines}: Pick<RecordHeader, 'virtualMachines'>,
  machine: number,
  banks: readonly Bank[],
): readonly Bank[] {
  if (virtualMachines === undefined) return banks;
  return banks.flatMap(bank => {
    const owner = virtualMachines.findIndex(({name}) => bank.name.startsWith(`${name} `));
    if (owner === -1) return [bank];
    const prefix = (virtualMachines[owner]?.name ?? '').length + 1;
    return owner === machine ? [{name: bank.name.slice(prefix), bytes: bank.bytes}] : [];
  });
}
