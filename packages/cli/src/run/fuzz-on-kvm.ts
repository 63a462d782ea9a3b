// Programs of the fuzzer on this machine's KVM.

import {assertUnreachable, hex, hexBytes} from '@hyperscope/base';
import {KvmProgramRunner} from '@hyperscope/kvm';
import type {ShortProgramResult} from '@hyperscope/kvm';
import {FUZZ_LAYOUT, FuzzStarts, hostProfile, stateOf, vectorAt} from '@hyperscope/simulation';
import type {FuzzEnding, FuzzOutcome, FuzzProgram, FuzzTarget} from '@hyperscope/simulation';
import {CELLS, cellIndex} from '@hyperscope/isa';

const RIP = cellIndex('RIP');

export class KvmFuzzTarget implements FuzzTarget {
  readonly #runner = new KvmProgramRunner(FUZZ_LAYOUT.memoryBytes);
  readonly #starts = new FuzzStarts();

  run(program: FuzzProgram): FuzzOutcome {
    const result = this.#runner.run(stateOf(program, this.#starts));
    return {ending: endingOf(result), cells: result.cells.subarray(0, CELLS.length), memory: result.memory};
  }

  /** A simulated processor that has what KVM's has. */
  profile(): ReturnType<typeof hostProfile> {
    return hostProfile(this.#runner.cpuid());
  }

  close(): void {
    this.#runner.close();
  }
}

function endingOf({exit, cells}: ShortProgramResult): FuzzEnding {
  switch (exit.reason) {
    case 'hlt': {
      const vector = vectorAt(cells[RIP] ?? 0n);
      return vector === undefined ? {kind: 'halted'} : {kind: 'handler', vector};
    }
    case 'shutdown':
      return {kind: 'shutdown'};
    case 'interrupted':
      return {kind: 'endless'};
    case 'internal-error':
      return {kind: 'stopped', why: `KVM_EXIT_INTERNAL_ERROR at ${bytesOf(exit.instruction)}`};
    case 'io':
      return {kind: 'stopped', why: `KVM_EXIT_IO, port ${hex(exit.port)}`};
    case 'mmio':
      return {kind: 'stopped', why: `KVM_EXIT_MMIO, address ${hex(exit.gpa)}`};
    case 'debug':
    case 'rdmsr':
    case 'wrmsr':
    case 'irq-window-open':
    case 'set-tpr':
    case 'hypercall':
    case 'fail-entry':
    case 'unknown':
      return {kind: 'stopped', why: exit.reason};
    default:
      return assertUnreachable(exit);
  }
}

const bytesOf = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? 'an unknown instruction' : hexBytes(bytes);
