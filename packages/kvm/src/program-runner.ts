// Runs many short programs on one virtual machine: memory and registers are put back before each, which costs some tens
// of microseconds where a new machine would cost milliseconds. For comparing a simulator with the processor.

import {CELLS} from '@hyperscope/isa';
import type {RegisterValues, VmExit} from '@hyperscope/vmm';
import {explained} from './kvm-error.js';
import {KvmVirtualMachine} from './kvm-virtual-machine.js';

export interface ShortProgram {
  /** All of the memory that programs use, from address 0. */
  readonly memory: Uint8Array;
  readonly registers: RegisterValues;
}

export interface ShortProgramResult {
  /** HLT is the end that a program should have. */
  readonly exit: VmExit;
  /** In the order of isa's CELLS; reused by the next run. */
  readonly cells: BigUint64Array;
  /** The memory that programs use, live. */
  readonly memory: Uint8Array;
}

/** Milliseconds after which a program counts as endless. */
const DEADLINE = 1000;

export class KvmProgramRunner {
  readonly #machine: KvmVirtualMachine;
  readonly #cells = new BigUint64Array(CELLS.length);

  /** @throws UserError when /dev/kvm cannot be opened, or KVM refuses. */
  constructor(memoryBytes: number) {
    this.#machine = new KvmVirtualMachine({memoryBytes, deadline: DEADLINE});
  }

  /** Runs a program to its first exit. @throws UserError when KVM refuses its registers. */
  run({memory, registers}: ShortProgram): ShortProgramResult {
    const {vcpu} = this.#machine;
    this.#machine.memory.set(memory);
    vcpu.setRegisters(registers);
    const exit = vcpu.run();
    vcpu.readCells(this.#cells);
    return {exit, cells: this.#cells, memory: this.#machine.memory.subarray(0, memory.length)};
  }

  /**
   * KVM_GET_CPUID2: what the processor has for the programs, as kvm_cpuid_entry2 after another, ten words each. Some hosts
   * give a guest more than KVM_GET_SUPPORTED_CPUID admits.
   */
  cpuid(): Uint32Array {
    return explained(() => this.#machine.vcpu.native.getCpuid2());
  }

  close(): void {
    this.#machine.close();
  }
}
