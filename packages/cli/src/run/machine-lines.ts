// The accounts of several virtual machines, as a table: who had how much of the processor, and what brought each into its hypervisor.

import type {MachineResult} from '@hyperscope/simulation';
import {table} from '../terminal/table.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const counted = (cycles: number): string => cycles.toLocaleString('en').replaceAll(',', ' ');

/** Nothing where there are no several virtual machines. */
export function machineLines(machines: readonly MachineResult[] | undefined): readonly string[] {
  if (machines === undefined) return [];
  const accounts = table(
    [
      {title: 'user', align: 'left'},
      {title: 'ended', align: 'left'},
      {title: 'own cycles', align: 'right'},
      {title: 'CP’s for it', align: 'right'},
      {title: 'share', align: 'right'},
      {title: 'dispatched', align: 'right'},
      {title: 'slices used up', align: 'right'},
      {title: 'waits', align: 'right'},
      {title: 'DIAGNOSEs', align: 'right'},
    ],
    machines.map(machine => [
      machine.name,
      machine.outcome,
      counted(machine.virtualCycles),
      counted(machine.hypervisorCycles),
      percent(machine.share),
      String(machine.dispatches),
      String(machine.preempted),
      String(machine.waits),
      String(machine.calls),
    ]),
  );
  const names = [...new Set(machines.flatMap(({traps}) => Object.keys(traps)))].sort();
  const traps = table(
    [{title: 'into CP by', align: 'left'}, ...machines.map(({name}) => ({title: name, align: 'right' as const}))],
    names.map(name => [name, ...machines.map(machine => String(machine.traps[name] ?? 0))]),
  );
  return [...accounts, ...traps];
}
