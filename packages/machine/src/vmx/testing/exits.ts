// Running a guest of the tests until it is left, and changing single bits of its controls.

import type {VmcsFieldName} from '@hyperscope/isa';
import type {MachineEvent, VmExitInformation} from '../../observer.js';
import {PIN_CONTROLS, PRIMARY_CONTROLS, SECONDARY_CONTROLS} from '../control-bits.js';
import type {PinControl, PrimaryControl, SecondaryControl} from '../control-bits.js';
import type {VmxMachine} from './vmx-machine.js';

/** Launches, runs at most `steps` steps of the guest, and gives the exit if there was one. */
export function exitOf(made: VmxMachine, steps = 20): VmExitInformation | undefined {
  made.vmx.enter('VMLAUNCH');
  return runUntilExit(made, steps);
}

/** The same without an entry: for a guest that is running. */
export function runUntilExit(made: VmxMachine, steps = 20): VmExitInformation | undefined {
  for (let step = 0; step < steps && made.machine.registers.get('VMX_OPERATION') === 2n; step++) made.machine.step();
  const exits = made.events.filter((each): each is Extract<MachineEvent, {kind: 'vm-exit'}> => each.kind === 'vm-exit');
  return exits.at(-1)?.exit;
}

const turnOn = ({vmcs}: VmxMachine, field: VmcsFieldName, bit: number): void =>
  vmcs.set(field, vmcs.get(field) | (1n << BigInt(bit)));

/** Sets controls by name. */
export function withPin(made: VmxMachine, ...names: readonly PinControl[]): VmxMachine {
  for (const name of names) turnOn(made, 'PIN_BASED_VM_EXECUTION_CONTROLS', PIN_CONTROLS[name]);
  return made;
}
export function withPrimary(made: VmxMachine, ...names: readonly PrimaryControl[]): VmxMachine {
  for (const name of names) turnOn(made, 'PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', PRIMARY_CONTROLS[name]);
  return made;
}
export function withSecondary(made: VmxMachine, ...names: readonly SecondaryControl[]): VmxMachine {
  for (const name of names) turnOn(made, 'SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', SECONDARY_CONTROLS[name]);
  return made;
}
