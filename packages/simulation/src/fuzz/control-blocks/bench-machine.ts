// A small machine that is put back to where it was before each attempt, control block and all.

import {hpa} from '@hyperscope/base';
import {Machine, WESTMERE_COSTS, virtualizationOf} from '@hyperscope/machine';
import type {MachineEvent, ProcessorProfile} from '@hyperscope/machine';

const MEMORY_BYTES = 0x4_0000;
const STEPS = 4;
const GUEST = 2n;

export class BenchMachine {
  readonly machine: Machine;
  readonly events: MachineEvent[] = [];

  constructor(profile: ProcessorProfile) {
    this.machine = new Machine({
      memoryBytes: MEMORY_BYTES,
      profile,
      costModel: WESTMERE_COSTS,
      virtualization: virtualizationOf(profile),
      executor: 'reference',
    });
    this.machine.observe({willWrite: () => undefined, event: event => void this.events.push(event)});
  }

  /** State to come back to. */
  save(): {readonly memory: Uint8Array; readonly registers: Uint8Array} {
    return {memory: this.machine.memory.bytes.slice(), registers: this.machine.registers.bytes.slice()};
  }
  restore(saved: ReturnType<BenchMachine['save']>): void {
    const {memory, registers, tlb, pins} = this.machine;
    memory.bytes.set(saved.memory);
    memory.invalidate(0, saved.memory.length);
    registers.bytes.set(saved.registers);
    tlb.reset();
    pins.reset();
    this.events.length = 0;
  }

  /** Lets the guest run: whatever it does, the machine must stand it. */
  runGuest(): void {
    for (let step = 0; step < STEPS && this.machine.registers.get('VMX_OPERATION') === GUEST; step++)
      this.machine.step();
  }
  read(address: bigint, bytes: number): bigint {
    return this.machine.memory.read(hpa(Number(address)), bytes);
  }
}
