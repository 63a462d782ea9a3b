// How a case of the exit table is written down, and what its guests need.

import {hpa} from '@hyperscope/base';
import type {ExitReasonName, VmcsFieldName} from '@hyperscope/isa';
import {withPin, withPrimary, withSecondary} from './exits.js';
import type {VmxMachine} from './vmx-machine.js';

export interface Told {
  readonly qualification?: bigint;
  readonly length?: number;
  readonly information?: number;
  readonly interruption?: number;
  readonly errorCode?: number;
  readonly linear?: bigint;
  readonly physical?: bigint;
  readonly rip?: bigint;
}
export interface ExitCase {
  readonly reason: ExitReasonName;
  readonly what: string;
  readonly code: readonly number[];
  readonly told: Told;
  /** Asks for the exit; without it the guest goes on to the HLT behind its code. Absent where nothing can prevent the exit. */
  readonly asks?: (made: VmxMachine) => unknown;
  /** Done in both runs. */
  readonly prepares?: (made: VmxMachine) => unknown;
  readonly mode?: 'real' | 'long';
  /** What ends the run without the control: HLT, if nothing is said. */
  readonly otherwise?: ExitReasonName;
}

export const HLT = 0xf4;
export const set =
  (name: VmcsFieldName, value: bigint) =>
  ({vmcs}: VmxMachine): void =>
    vmcs.set(name, value);
export const cells =
  (values: Readonly<Record<string, bigint>>) =>
  ({machine}: VmxMachine): void => {
    for (const name of ['RAX', 'RBX', 'RCX', 'RDX', 'RSI', 'RDI', 'R9'] as const)
      if (values[name] !== undefined) machine.registers.set(name, values[name]);
  };
export const primary =
  (...names: Parameters<typeof withPrimary> extends [VmxMachine, ...infer N] ? N : never) =>
  (made: VmxMachine): VmxMachine =>
    withPrimary(made, ...names);
export const secondary =
  (...names: Parameters<typeof withSecondary> extends [VmxMachine, ...infer N] ? N : never) =>
  (made: VmxMachine): VmxMachine =>
    withSecondary(made, ...names);
export const pin =
  (...names: Parameters<typeof withPin> extends [VmxMachine, ...infer N] ? N : never) =>
  (made: VmxMachine): VmxMachine =>
    withPin(made, ...names);
export const all =
  (...steps: readonly ((made: VmxMachine) => unknown)[]) =>
  (made: VmxMachine): void => {
    for (const step of steps) step(made);
  };
export const cr4 =
  (bit: number) =>
  ({vmcs}: VmxMachine): void =>
    vmcs.set('GUEST_CR4', vmcs.get('GUEST_CR4') | (1n << BigInt(bit)));
/** Where an exception of the guest would lead without an exit: HLT at 9000h, through the real-mode table. */
export const handler =
  (vector: number) =>
  ({machine}: VmxMachine): void => {
    machine.memory.write(hpa(4 * vector), 4, 0x9000n);
    machine.memory.load(hpa(0x9000), Uint8Array.of(HLT));
  };
export const EXCEPTIONS = (vector: number) => set('EXCEPTION_BITMAP', 1n << BigInt(vector));

/** Memory operand [RBX+RCX*4+10h] of 64-bit code: scale 4, 64-bit address, DS, index RCX, base RBX. */
export const SIB_64 = 2 | (2 << 7) | (3 << 15) | (1 << 18) | (3 << 23);
/** [1000h] with a 16-bit address: no index, no base, DS. */
export const DISP_16 = (3 << 15) | (1 << 22) | (1 << 27);
