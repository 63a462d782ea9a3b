// Between a machine and whoever watches its run: passes everything on, and remembers the one thing that a run's outcome
// needs whether or not somebody watches, the faults behind a triple fault.

import type {FaultLink, MachineEvent, Observer} from '@hyperscope/machine';
import type {RunObserver} from './technique.js';
import type {HypervisorEvent} from './virtual-machine.js';

export class RunObservation implements Observer {
  watcher: RunObserver | undefined;
  lastFaultChain: readonly FaultLink[] = [];

  get ignoresEvents(): boolean {
    return this.watcher === undefined;
  }
  get ignoresWrites(): boolean {
    return this.watcher === undefined || this.watcher.ignoresWrites === true;
  }

  willWrite(bank: string, offset: number, length: number): void {
    this.watcher?.willWrite(bank, offset, length);
  }
  event(event: MachineEvent): void {
    if (event.kind === 'triple-fault') this.lastFaultChain = event.chain;
    this.watcher?.event(event);
  }
  hypervisorEvent(event: HypervisorEvent): void {
    this.watcher?.hypervisorEvent(event);
  }
}
