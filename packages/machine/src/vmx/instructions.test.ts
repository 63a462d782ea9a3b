import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {vmcsField} from '@hyperscope/isa';
import {vmread, vmwrite} from './instructions.js';
import {VMCS_A, VMCS_B, VMXON_REGION, machineBeforeVmxon, machineWithGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

const error = ({vmcs}: VmxMachine): number => Number(vmcs.get('VM_INSTRUCTION_ERROR'));
/** A machine in root operation with VMCS_A current. */
function root(): VmxMachine {
  const made = machineBeforeVmxon();
  made.vmx.vmxon(VMXON_REGION);
  made.vmx.vmclear(VMCS_A);
  made.vmx.vmptrld(VMCS_A);
  return made;
}

test('VMXON without CR4.VMXE is #UD', () => {
  const {machine, vmx} = machineBeforeVmxon();
  machine.registers.set('CR4', 0x6a0n);
  expect(vmx.vmxon(VMXON_REGION)).toMatchObject({kind: 'fault', vector: 6});
});

test.each([[0n], [1n], [4n]])('VMXON with IA32_FEATURE_CONTROL = %s is #GP(0)', value => {
  const {machine, vmx} = machineBeforeVmxon();
  machine.registers.set('FEATURE_CONTROL', value);
  expect(vmx.vmxon(VMXON_REGION)).toMatchObject({kind: 'fault', vector: 13, errorCode: 0});
});

test('VMXON with CR0.NE clear is #GP(0)', () => {
  const {machine, vmx} = machineBeforeVmxon();
  machine.registers.set('CR0', 0x8005_0013n);
  expect(vmx.vmxon(VMXON_REGION)).toMatchObject({kind: 'fault', vector: 13});
});

test.each([
  ['an address that is not aligned', 0x4008],
  ['an address beyond the physical-address width', 2 ** 41],
  ['a region without the revision identifier', 0x7000],
])('VMXON with %s is VMfailInvalid', (_, address) => {
  const {machine, vmx} = machineBeforeVmxon();
  expect(vmx.vmxon(address)).toBeUndefined();
  expect(vmx.outcome).toBe('VMfailInvalid');
  expect(machine.registers.get('VMX_OPERATION')).toBe(0n);
});

test('VMXON enters root operation without a current VMCS; a second one fails with 15', () => {
  const made = machineBeforeVmxon();
  made.vmx.vmxon(VMXON_REGION);
  expect(made.vmx.outcome).toBe('VMsucceed');
  expect(made.machine.registers.get('VMX_OPERATION')).toBe(1n);
  expect(made.machine.registers.get('CURRENT_VMCS')).toBe(0xffff_ffff_ffff_ffffn);
  made.vmx.vmclear(VMCS_A);
  made.vmx.vmptrld(VMCS_A);
  made.vmx.vmxon(VMXON_REGION);
  expect(made.vmx.outcome).toBe('VMfailValid');
  expect(error(made)).toBe(15);
});

test.each([
  ['VMCLEAR of an unaligned address', 2, (m: VmxMachine) => m.vmx.vmclear(VMCS_A + 4)],
  ['VMCLEAR of the VMXON region', 3, (m: VmxMachine) => m.vmx.vmclear(VMXON_REGION)],
  ['VMPTRLD of an unaligned address', 9, (m: VmxMachine) => m.vmx.vmptrld(VMCS_B + 1)],
  ['VMPTRLD of the VMXON region', 10, (m: VmxMachine) => m.vmx.vmptrld(VMXON_REGION)],
  ['VMPTRLD of a page without the revision identifier', 11, (m: VmxMachine) => m.vmx.vmptrld(0x7000)],
  ['VMWRITE to a read-only field', 13, (m: VmxMachine) => m.vmx.vmwrite('EXIT_REASON', 1n)],
])('%s fails with error %i', (_, number, act) => {
  const made = root();
  act(made);
  expect(made.vmx.outcome).toBe('VMfailValid');
  expect(error(made)).toBe(number);
});

test('VMREAD and VMWRITE of an encoding that names no field fail with 12', () => {
  const made = root();
  expect(vmread(made.machine, 0x0ffen)).toBeUndefined();
  expect(error(made)).toBe(12);
  made.vmcs.set('VM_INSTRUCTION_ERROR', 0n);
  vmwrite(made.machine, 0x1_0000n, 1n);
  expect(error(made)).toBe(12);
});

test('without a current VMCS, VMREAD is VMfailInvalid', () => {
  const made = root();
  made.vmx.vmclear(VMCS_A);
  expect(vmread(made.machine, 0x6800n)).toBeUndefined();
  expect(made.vmx.outcome).toBe('VMfailInvalid');
});

test('a 64-bit field has its high half at the odd encoding', () => {
  const {machine, vmx} = root();
  vmx.vmwrite('EPT_POINTER', 0x1122_3344_5566_7788n);
  expect(vmread(machine, BigInt(vmcsField('EPT_POINTER').encoding) | 1n)).toBe(0x1122_3344n);
  vmwrite(machine, BigInt(vmcsField('EPT_POINTER').encoding) | 1n, 0xaan);
  expect(vmx.vmread('EPT_POINTER')).toBe(0xaa_5566_7788n);
});

test('a field keeps as many bits as it has', () => {
  const {vmx} = root();
  vmx.vmwrite('VPID', 0x1_2345n);
  vmx.vmwrite('EXCEPTION_BITMAP', 0x1_0000_0001n);
  expect(vmx.vmread('VPID')).toBe(0x2345n);
  expect(vmx.vmread('EXCEPTION_BITMAP')).toBe(1n);
});

test('the fields of two VMCSs are apart, and the current one can be changed back', () => {
  const {vmx} = root();
  vmx.vmwrite('GUEST_RIP', 0xaaaan);
  vmx.vmclear(VMCS_B);
  vmx.vmptrld(VMCS_B);
  vmx.vmwrite('GUEST_RIP', 0xbbbbn);
  vmx.vmptrld(VMCS_A);
  expect(vmx.vmread('GUEST_RIP')).toBe(0xaaaan);
});

test('VMLAUNCH needs a clear VMCS (4), VMRESUME a launched one (5)', () => {
  const made = machineWithGuest();
  made.vmx.enter('VMRESUME');
  expect(error(made)).toBe(5);
  made.vmx.enter('VMLAUNCH');
  expect(made.machine.registers.get('VMX_OPERATION')).toBe(2n);
  made.machine.step();
  made.vmx.enter('VMLAUNCH');
  expect(error(made)).toBe(4);
});

test('VM entry while MOV SS blocks events fails with 26', () => {
  const made = machineWithGuest();
  made.machine.registers.set('INTERRUPT_SHADOW', 2n);
  made.vmx.enter('VMLAUNCH');
  expect(error(made)).toBe(26);
});

test('VMXOFF leaves VMX operation', () => {
  const {machine, vmx} = root();
  vmx.vmxoff();
  expect(machine.registers.get('VMX_OPERATION')).toBe(0n);
});

test('INVEPT of a type that does not exist fails with 28', () => {
  const made = machineWithGuest();
  expect(made.vmx.invept(0x5n)).toBe('VMfailValid');
  expect(error(made)).toBe(28);
  expect(made.vmx.invept(made.vmcs.get('EPT_POINTER'))).toBe('VMsucceed');
});

test('a program of bytes can switch VMX on by itself', () => {
  const {machine} = machineBeforeVmxon();
  // vmxon [9000h]; vmclear [9008h]; vmptrld [9008h]; mov edx, 681eh; mov eax, 1234h; vmwrite rdx, rax; vmread rbx, rdx
  const program = [
    [0xf3, 0x0f, 0xc7, 0x34, 0x25, 0x00, 0x90, 0, 0],
    [0x66, 0x0f, 0xc7, 0x34, 0x25, 0x08, 0x90, 0, 0],
    [0x0f, 0xc7, 0x34, 0x25, 0x08, 0x90, 0, 0],
    [0xba, 0x1e, 0x68, 0, 0],
    [0xb8, 0x34, 0x12, 0, 0],
    [0x0f, 0x79, 0xd0],
    [0x0f, 0x78, 0xd3],
  ];
  machine.memory.load(hpa(0x8000), Uint8Array.from(program.flat()));
  machine.memory.write(hpa(0x9000), 8, BigInt(VMXON_REGION));
  machine.memory.write(hpa(0x9008), 8, BigInt(VMCS_A));
  machine.memory.write(hpa(0x1_1000), 8, 0x1_2007n);
  machine.memory.write(hpa(0x1_2000), 8, 0x1_3007n);
  machine.memory.write(hpa(0x1_3000), 8, 0x87n);
  machine.registers.set('CR3', 0x1_1000n);
  machine.registers.set('RIP', 0x8000n);
  for (const instruction of program) expect(machine.step()).toEqual({kind: 'instruction', length: instruction.length});
  expect(machine.registers.get('VMX_OPERATION')).toBe(1n);
  expect(machine.registers.get('RBX')).toBe(0x1234n);
});
