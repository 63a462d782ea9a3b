// What a comparison wants to know of an instruction: what it reads and writes, and which flags it leaves undefined.

import {FLAG_BITS, decode, footprint, recordMicrocode} from '@hyperscope/isa';
import type {CodeSize, GeneralRegister, Instruction, Operation} from '@hyperscope/isa';

export interface InstructionFacts {
  readonly instruction: Instruction;
  readonly mnemonic: string;
  readonly reads: readonly GeneralRegister[];
  readonly writes: readonly GeneralRegister[];
  readonly readFlags: bigint;
  /** Flags that it sets as the manual says, and flags that the manual leaves undefined: bits of RFLAGS. */
  readonly definedFlags: bigint;
  readonly undefinedFlags: bigint;
  readonly readsMemory: boolean;
}

const STATUS = (1n << 0n) | (1n << 2n) | (1n << 4n) | (1n << 6n) | (1n << 7n) | (1n << 11n);

export function instructionFacts(bytes: Uint8Array, codeSize: CodeSize): InstructionFacts | undefined {
  const decoded = decode(bytes, codeSize);
  if (decoded.kind !== 'instruction') return undefined;
  const {instruction} = decoded;
  const microcode = recordMicrocode(instruction);
  const touched = footprint(microcode);
  let definedFlags = 0n;
  let undefinedFlags = 0n;
  for (const operation of microcode.operations) {
    if (operation.op === 'setFlag' && operation.isUndefined) undefinedFlags |= 1n << BigInt(FLAG_BITS[operation.flag]);
    else definedFlags |= flagsSet(operation);
  }
  return {
    instruction,
    mnemonic: instruction.mnemonic,
    reads: touched.reads.registers,
    writes: touched.writes.registers,
    readFlags: touched.reads.flags.reduce(
      (bits, flag) => bits | (1n << BigInt(FLAG_BITS[flag])),
      touched.reads.states.includes('RFLAGS') ? STATUS : 0n,
    ),
    definedFlags: definedFlags & ~undefinedFlags,
    undefinedFlags,
    readsMemory: touched.reads.memory.length > 0,
  };
}

function flagsSet(operation: Operation): bigint {
  switch (operation.op) {
    // INC and DEC leave CF alone; so does what follows from it: an undefined CF stays undefined.
    case 'setFlags':
      return operation.rule === 'inc' || operation.rule === 'dec' ? STATUS & ~1n : STATUS;
    case 'setFlag':
      return operation.when === undefined ? 1n << BigInt(FLAG_BITS[operation.flag]) : 0n;
    case 'writeFlags':
      return STATUS;
    default:
      return 0n;
  }
}
