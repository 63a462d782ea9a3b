// Every VM-instruction error number: an instruction that fails with it, or why none can here.
// SDM vol. 3C, "VM Instruction Error Numbers".

import {hpa} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {VM_INSTRUCTION_ERRORS} from './instruction-errors.js';
import {invvpid, vmcall, vmread, vmwrite, vmxon} from './instructions.js';
import {VMCS_A, VMCS_B, VMXON_REGION, machineWithGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

type Act = (made: VmxMachine) => unknown;
const ACTS: readonly (readonly [error: number, what: string, act: Act])[] = [
  [1, 'VMCALL in root operation: there is no SMM-transfer monitor', ({machine}) => vmcall(machine)],
  [2, 'VMCLEAR of an address that is not aligned', ({vmx}) => vmx.vmclear(VMCS_A + 8)],
  [2, 'VMCLEAR of an address beyond the physical-address width', ({vmx}) => vmx.vmclear(2 ** 40)],
  [3, 'VMCLEAR of the VMXON region', ({vmx}) => vmx.vmclear(VMXON_REGION)],
  [4, 'VMLAUNCH of a VMCS that was launched', launchTwice],
  [5, 'VMRESUME of a VMCS that was not', ({vmx}) => vmx.enter('VMRESUME')],
  [
    7,
    'VMLAUNCH with a reserved control',
    made => entry(made, () => made.vmcs.set('PIN_BASED_VM_EXECUTION_CONTROLS', 0n)),
  ],
  [8, 'VMLAUNCH with a host CR4 that lacks VMXE', made => entry(made, () => made.vmcs.set('HOST_CR4', 0n))],
  [
    7,
    'both at once: controls are named first',
    made =>
      entry(made, () => {
        made.vmcs.set('PIN_BASED_VM_EXECUTION_CONTROLS', 0n);
        made.vmcs.set('HOST_CR4', 0n);
      }),
  ],
  [9, 'VMPTRLD of an address that is not aligned', ({vmx}) => vmx.vmptrld(VMCS_B + 1)],
  [9, 'VMPTRLD of an address beyond the physical-address width', ({vmx}) => vmx.vmptrld(2 ** 41)],
  [10, 'VMPTRLD of the VMXON region', ({vmx}) => vmx.vmptrld(VMXON_REGION)],
  [11, 'VMPTRLD of a page without the revision identifier', ({vmx}) => vmx.vmptrld(0x7000)],
  [
    11,
    'VMPTRLD of a shadow VMCS, where there are none',
    made => {
      made.machine.memory.write(hpa(VMCS_B), 4, made.machine.memory.read(hpa(VMCS_B), 4) | 0x8000_0000n);
      made.vmx.vmptrld(VMCS_B);
    },
  ],
  [12, 'VMREAD of an encoding without a field', ({machine}) => vmread(machine, 0x0ffen)],
  [12, 'VMREAD of the high half of a 32-bit field', ({machine}) => vmread(machine, 0x4003n)],
  [12, 'VMWRITE with bits 31:15 of the encoding set', ({machine}) => vmwrite(machine, 0x1_681en, 0n)],
  [13, 'VMWRITE to a read-only field', ({vmx}) => vmx.vmwrite('EXIT_QUALIFICATION', 1n)],
  [15, 'VMXON in root operation', ({machine}) => vmxon(machine, BigInt(VMXON_REGION))],
  [
    26,
    'VMLAUNCH right behind MOV SS',
    made => {
      made.machine.registers.set('INTERRUPT_SHADOW', 2n);
      made.vmx.enter('VMLAUNCH');
    },
  ],
  [28, 'INVEPT with a bad EPT pointer', ({vmx}) => vmx.invept(0x1_0005n)],
  [28, 'INVVPID of a type that does not exist', ({machine}) => invvpid(machine, 4n, 1n, 0n)],
  [28, 'INVVPID of VPID 0', ({machine}) => invvpid(machine, 1n, 0n, 0n)],
  [28, 'INVVPID with reserved bits in the descriptor', ({machine}) => invvpid(machine, 1n, 0x1_0001n, 0n)],
  [28, 'INVVPID of an address that is not canonical', ({machine}) => invvpid(machine, 0n, 1n, 1n << 47n)],
];

function entry({vmx}: VmxMachine, breaks: () => void): void {
  breaks();
  vmx.enter('VMLAUNCH');
}
function launchTwice({vmx, machine}: VmxMachine): void {
  vmx.enter('VMLAUNCH');
  machine.step();
  vmx.enter('VMLAUNCH');
}

const NOT_HERE: Readonly<Record<number, string>> = {
  0: 'no error',
  6: 'newer processors do not give it: VMXOFF leaves launch states alone, and VMRESUME asks for nothing else',
  14: 'no such number',
  16: 'entry to SMM, which needs the SMM-transfer monitor',
  17: 'the same',
  18: 'the same',
  19: 'the same: VMCALL that would call it',
  20: 'the same',
  21: 'no such number',
  22: 'the same as 16',
  23: 'the same as 16',
  24: 'the same as 16',
  25: 'entry from SMM to a guest outside SMM',
  27: 'no such number',
};

describe('VM-instruction errors', () => {
  test.each(ACTS)('%i: %s', (error, _, act) => {
    const made = machineWithGuest();
    act(made);
    expect(made.vmx.outcome).toBe('VMfailValid');
    expect(Number(made.vmcs.get('VM_INSTRUCTION_ERROR'))).toBe(error);
    const told = made.events.findLast(event => event.kind === 'vmx-instruction');
    expect(told).toMatchObject({outcome: 'VMfailValid', error});
    expect(told?.kind === 'vmx-instruction' && told.checks.some(check => !check.holds)).toBe(true);
  });

  test('every number up to the last has an act, or a reason', () => {
    const shown = new Set(ACTS.map(([error]) => error));
    for (let error = 0; error <= 28; error++)
      expect([error, shown.has(error) !== error in NOT_HERE]).toEqual([error, true]);
    expect(Object.keys(VM_INSTRUCTION_ERRORS).map(Number)).toEqual([...shown].toSorted((a, b) => a - b));
  });

  test('without a current VMCS each of them is VMfailInvalid', () => {
    for (const [, , act] of ACTS) {
      const made = machineWithGuest();
      made.vmx.vmclear(VMCS_A);
      act(made);
      expect(made.vmx.outcome).toBe('VMfailInvalid');
    }
  });
});
