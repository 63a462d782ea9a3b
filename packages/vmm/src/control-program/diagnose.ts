// DIAGNOSE: how a virtual machine asks its control program for something. On System/370 it is an instruction that means nothing in a
// program, and in a virtual machine leads to CP. Here it is VMCALL (0F 01 C1): Intel's "call to VM monitor", #UD on a processor
// that is not in VMX operation, in every ring. So it traps under the control program, and alone on a machine it tells that there is none.
//
//   EAX the code, EBX "Rx", ECX "Ry"; addresses are those that the virtual machine calls real. Only its ring 0 may: else #GP(0).
//
//   00h   store extended-identification code: up to ECX bytes at EBX; 0-7 the system's name, 16-23 the user's; the rest 0
//   08h   virtual console function: the CP command at EBX, ECX bytes; ECX ← completion code, 0 or the number of a CP message
//   0Ch   pseudo timer: 32 bytes at EBX; at 16 virtual, at 24 total processor time, both in microseconds; no date here: 0
//   100h  ours, in the range that IBM left to users: ECX bytes at EBX go to the console at once
//
// IBM, "VM/370 System Programmer's Guide", GC20-1807, "DIAGNOSE Instruction in a Virtual Machine". Codes of CP-67 itself were others.

import {gpa, hex} from '@hyperscope/base';
import {check, fault} from '@hyperscope/machine';
import type {StepResult} from '../host/host-program.js';
import {deliver} from '../trap-and-emulate/trap-routines.js';
import {placeOf} from '../trap-and-emulate/vmm.js';
import {executeCommand} from './cp-commands.js';
import type {ControlProgram} from './control-program.js';
import type {VirtualUser} from './virtual-user.js';

const VMCALL = [0x0f, 0x01, 0xc1] as const;
const SYSTEM_NAME = 'HYPERSCP';
const IDENTIFICATION_BYTES = 24;
const USER_NAME_AT = 16;
const MOST_COMMAND_BYTES = 132;
const MOST_CONSOLE_BYTES = 4096;
const MICROSECONDS = 1_000_000;
const SOURCE = 'VM/370 System Programmer’s Guide, "DIAGNOSE Instruction in a Virtual Machine"';

/** Whether the instruction at the user's CS:RIP is DIAGNOSE. A processor without VT-x does not even know its name: the bytes tell. */
export function isDiagnose({vmm}: VirtualUser): boolean {
  const {virtual, vcpu} = vmm;
  virtual.load();
  const start = vcpu.get('CS.base') + vcpu.get('RIP');
  const linear = (at: number): bigint => BigInt.asUintN(vmm.isGuestLong ? 64 : 32, start + BigInt(at));
  return VMCALL.every((byte, at) => virtual.readTable(linear(at), 1) === BigInt(byte));
}

/** Carries a DIAGNOSE of the current user out. */
export function diagnose(cp: ControlProgram): StepResult {
  const user = cp.current;
  const {vmm} = user;
  const {vcpu} = vmm;
  const code = Number(vcpu.get('RAX') & 0xffff_ffffn);
  if (vmm.virtualRing !== 0) {
    const cause = check('DIAGNOSE in ring 0', false, [['virtual CPL', String(vmm.virtualRing)]], SOURCE);
    return deliver(vmm, fault('#GP', 0, [cause]), 'DIAGNOSE is privileged, as it is on System/370');
  }
  const done = FUNCTIONS.get(code)?.(cp, user, operandsOf(user));
  if (done === undefined) {
    const cause = check('a DIAGNOSE code that this control program has', false, [['EAX', hex(code)]], SOURCE);
    return deliver(vmm, fault('#GP', 0, [cause]), `DIAGNOSE ${hex(code)}: there is no such code`);
  }
  user.block.add('diagnoses', 1);
  vcpu.set('RIP', vcpu.get('RIP') + BigInt(VMCALL.length));
  vcpu.set('INTERRUPT_SHADOW', 0n);
  const sentence = `DIAGNOSE ${hex(code)} of ${user.name}: ${done}`;
  cp.tell('diagnose', user, sentence);
  return {say: `${sentence}; next ${placeOf(vcpu)}`, go: 'vmm_return'};
}

interface Operands {
  /** Rx: a guest-physical address. */
  readonly address: number;
  /** Ry: a length in bytes. */
  readonly length: number;
}
const operandsOf = ({vmm: {vcpu}}: VirtualUser): Operands => ({
  address: Number(vcpu.get('RBX') & 0xffff_ffffn),
  length: Number(vcpu.get('RCX') & 0xffff_ffffn),
});

type DiagnoseFunction = (cp: ControlProgram, user: VirtualUser, operands: Operands) => string;

const FUNCTIONS: ReadonlyMap<number, DiagnoseFunction> = new Map([
  [0x00, storeIdentification],
  [0x08, virtualConsoleFunction],
  [0x0c, pseudoTimer],
  [0x100, consoleLine],
]);

function storeIdentification(_cp: ControlProgram, user: VirtualUser, {address, length}: Operands): string {
  const bytes = new Uint8Array(IDENTIFICATION_BYTES);
  const put = (text: string, at: number): void => bytes.set(new TextEncoder().encode(text.padEnd(8)), at);
  put(SYSTEM_NAME, 0);
  put(user.name, USER_NAME_AT);
  const stored = bytes.subarray(0, Math.min(length, bytes.length));
  store(user, address, stored);
  return `${stored.length} bytes of identification go to ${hex(address)}: this is ${SYSTEM_NAME}, and the user is ${user.name}`;
}

function virtualConsoleFunction(cp: ControlProgram, user: VirtualUser, {address, length}: Operands): string {
  const text = textAt(user, address, Math.min(length, MOST_COMMAND_BYTES));
  const {code, response} = executeCommand(cp, user, text);
  for (const line of response) user.print(`${line}\n`);
  user.vmm.vcpu.set('RCX', BigInt(code));
  return `CP command “${text}”, completion code ${code}`;
}

function pseudoTimer(cp: ControlProgram, user: VirtualUser, {address}: Operands): string {
  const {block} = user;
  const [virtual, total] = [block.get('virtualCycles'), block.get('virtualCycles') + block.get('cpCycles')];
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  const microseconds = (cycles: number): bigint =>
    BigInt(Math.floor((cycles * MICROSECONDS) / cp.machine.costModel.second.cycles));
  view.setBigUint64(16, microseconds(virtual), true);
  view.setBigUint64(24, microseconds(total), true);
  store(user, address, bytes);
  return `it has used ${microseconds(virtual)} µs by itself and ${microseconds(total)} µs in all`;
}

function consoleLine(_cp: ControlProgram, user: VirtualUser, {address, length}: Operands): string {
  const text = textAt(user, address, Math.min(length, MOST_CONSOLE_BYTES));
  user.print(text);
  return `“${text.trimEnd()}” goes to its console, ${text.length} characters for one trap`;
}

function textAt({pc: {memory}}: VirtualUser, address: number, length: number): string {
  const bytes = Array.from({length}, (_, at) => Number(memory.read(address + at, 1)));
  return String.fromCharCode(...bytes);
}

/** Into the user's RAM; what lies elsewhere is lost, as any write to a ROM or to nothing. */
function store({pc: {memory}, vmm}: VirtualUser, address: number, bytes: Uint8Array): void {
  for (const [at, byte] of bytes.entries())
    if (memory.isWritable(address + at)) memory.write(address + at, 1, BigInt(byte));
  vmm.mmu.guestWrote(gpa(address), bytes.length);
}
