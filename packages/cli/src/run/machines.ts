// The machines that a command can be asked for, as its help names them: those of the registry, and the real thing.

import {SHIPPED, SimulationHost} from '@hyperscope/simulation';

const DEFAULT = 'vtx-ept';

/** 'vtx-ept (default), bare, …, or kvm for the real thing' */
export function machineNames(): string {
  const others = new SimulationHost(SHIPPED)
    .techniques()
    .map(({id}) => id)
    .filter(id => id !== DEFAULT);
  return `${[`${DEFAULT} (default)`, ...others].join(', ')}, or kvm for the real thing`;
}
