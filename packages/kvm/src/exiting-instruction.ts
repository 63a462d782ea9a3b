// Which instruction led to an exit. Emulating KVMs report an exit with RIP already behind it, so it is found by looking
// back from where RIP stands when the access is complete.

import {PORT_PREFIXES, endsWithPortInstruction} from './port-instruction.js';
import type {VmExit} from '@hyperscope/vmm';

export interface InstructionPlace {
  /** RIP of the instruction. */
  readonly rip: bigint;
  /** Its length in bytes; 0 when it is not known. */
  readonly length: number;
}

/** Bytes of guest memory behind linear addresses, as far as they are mapped. */
export type CodeReader = (rip: bigint, length: number) => Uint8Array;

/**
 * @param exit what KVM_RUN came back with
 * @param before RIP when KVM_RUN was called
 * @param after RIP when the access was complete
 */
export function exitingInstruction(exit: VmExit, before: bigint, after: bigint, code: CodeReader): InstructionPlace {
  switch (exit.reason) {
    case 'hlt':
      return {rip: after - 1n, length: 1};
    case 'io':
      return portInstruction(exit.port, after, code);
    case 'internal-error':
      return {rip: after, length: 0}; // the bytes that KVM gives are a window, not the instruction
    // Between KVM_RUN and the exit any number of instructions ran; where the last one began is not told.
    default:
      return {rip: exit.reason === 'debug' ? before : after, length: 0};
  }
}

/** Up to six bytes before RIP; fewer at the start of a page whose predecessor is not mapped. */
function codeBefore(rip: bigint, code: CodeReader): Uint8Array {
  for (const size of [6, 2, 1]) {
    const window = code(rip - BigInt(size), size);
    if (window.length === size) return window;
  }
  return new Uint8Array();
}

/** IN and OUT are EC-EF, or E4-E7 and a port number; string I/O is 6C-6F. Prefixes come before. */
function portInstruction(port: number, after: bigint, code: CodeReader): InstructionPlace {
  const window = codeBefore(after, code);
  let length = endsWithPortInstruction(window, port);
  if (length === 0) return {rip: after, length: 0};
  while (length < window.length && PORT_PREFIXES.has(window[window.length - length - 1] ?? 0)) length++;
  return {rip: after - BigInt(length), length};
}
