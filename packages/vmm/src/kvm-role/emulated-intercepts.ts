// Instructions that KVM answers when they exit, and that its emulator met instead: in real mode, where they fault in
// virtual-8086 mode, and while the guest's state is not valid for VM entry. Each goes where its exit would have gone.
// Linux, arch/x86/kvm/x86.c: emulate_ops (emulator_set_cr, emulator_get_msr, emulator_halt, …).

import type {GeneralRegister, Instruction, Intercept, Operand} from '@hyperscope/isa';
import type {StepResult} from '../host/host-program.js';
import {emulatedIo} from './emulated-io.js';
import type {HandedOver} from './guest-emulator.js';
import {CR0_PE} from './guest-registers.js';
import type {Host} from './host-context.js';
import {readControlRegister, writeControlRegister} from './kvm-cr.js';
import {readDebugRegister, writeDebugRegister} from './kvm-dr.js';
import {cannotEmulate} from './kvm-emulation-failure.js';
import {invalidatePage} from './kvm-exit-handlers.js';
import {handleIo} from './kvm-io.js';

/** Routines that need nothing of the exit. */
const ROUTINES: ReadonlyMap<Intercept, string> = new Map<Intercept, string>([
  ['CPUID', 'kvm_emulate_cpuid'],
  ['HLT', 'kvm_emulate_halt'],
  ['INVD', 'kvm_emulate_invd'],
  ['WBINVD', 'kvm_emulate_wbinvd'],
  ['RDPMC', 'kvm_emulate_rdpmc'],
  ['RDTSC', 'handle_rdtsc'],
  ['RDMSR', 'kvm_emulate_rdmsr'],
  ['WRMSR', 'kvm_emulate_wrmsr'],
  ['XSETBV', 'kvm_emulate_xsetbv'],
  ['MONITOR', 'kvm_emulate_mwait'],
  ['MWAIT', 'kvm_emulate_mwait'],
]);
const CONTROL_REGISTERS: ReadonlyMap<Intercept, number> = new Map<Intercept, number>([
  ['MOV to CR0', 0],
  ['MOV to CR3', 3],
  ['MOV to CR4', 4],
  ['MOV to CR8', 8],
  ['MOV from CR3', 3],
  ['MOV from CR8', 8],
]);
/** INS and OUTS the emulator carries out itself: they touch memory. */
const PORTS: ReadonlySet<Intercept> = new Set<Intercept>(['IN', 'OUT']);
const OTHERS: ReadonlySet<Intercept> = new Set<Intercept>(['CLTS', 'LMSW', 'MOV DR', 'INVLPG']);
const CR0_TS = 8n;

export const isHandedOver = (intercept: Intercept): boolean =>
  ROUTINES.has(intercept) || CONTROL_REGISTERS.has(intercept) || PORTS.has(intercept) || OTHERS.has(intercept);

/** `text`: the instruction. What skips it later learns its length here. */
export function answerHandedOver(host: Host, {intercept, args, instruction}: HandedOver, text: string): StepResult {
  host.vcpu.set('emulated_length', BigInt(instruction.bytes.length));
  const say = `${text}, in the instruction emulator`;
  const routine = ROUTINES.get(intercept);
  if (routine !== undefined) return {say: `${say}: KVM answers it as it does where it exits`, go: routine};
  if (PORTS.has(intercept)) return handleIo(host, say, emulatedIo(host, intercept, instruction));
  const register = CONTROL_REGISTERS.get(intercept);
  if (register !== undefined) return moveControlRegister(host, register, args[0], instruction, say);
  return answerOther(host, {intercept, args, instruction}, say);
}

function moveControlRegister(
  host: Host,
  register: number,
  value: bigint | undefined,
  instruction: Instruction,
  say: string,
): StepResult {
  if (value !== undefined) return writeControlRegister(host, register, value, say);
  const general = registerOf(instruction.operands);
  return general === undefined
    ? cannotEmulate(host, `${say}: no general register among its operands`)
    : readControlRegister(host, register, general, say);
}

function answerOther(host: Host, {intercept, args, instruction}: HandedOver, say: string): StepResult {
  const cr0 = host.hardware.get('CR0');
  const [value = 0n] = args;
  switch (intercept) {
    case 'CLTS':
      return writeControlRegister(host, 0, cr0 & ~CR0_TS, say);
    case 'LMSW':
      return writeControlRegister(host, 0, (cr0 & ~0xen) | (cr0 & CR0_PE) | (value & 0xfn), say);
    case 'INVLPG':
      return invalidatePage(host, value);
    default:
      return moveDebugRegister(host, instruction, say);
  }
}

function moveDebugRegister(host: Host, {operands}: Instruction, say: string): StepResult {
  const [to, from] = operands;
  const general = registerOf(operands);
  if (to === undefined || from === undefined || general === undefined)
    return cannotEmulate(host, `${say}: its operands are no debug register and a general one`);
  if (to.kind === 'debug') return writeDebugRegister(host, to.number, () => host.hardware.get(general));
  return from.kind === 'debug'
    ? readDebugRegister(host, from.number, general)
    : cannotEmulate(host, `${say}: no debug register among its operands`);
}

function registerOf(operands: readonly Operand[]): GeneralRegister | undefined {
  for (const operand of operands) if (operand.kind === 'register') return operand.register;
  return undefined;
}
