// MOV to and from debug registers, which exit: the guest's are kept by KVM. Linux, arch/x86/kvm/x86.c: kvm_get_dr, kvm_set_dr.

import {bit, hex} from '@hyperscope/base';
import type {Cell, GeneralRegister} from '@hyperscope/isa';
import type {StepResult} from '../host/host-program.js';
import {injectException} from './guest-registers.js';
import type {Host} from './host-context.js';

const UD = 6;
const GP = 13;
const DR6_FIXED = 0xffff_0ff0n;
const DR6_DEFINED = 0xe00fn;
const DR7_ZERO = 0xd000n;
const DR7_ONE = 0x400n;
const SKIP = 'skip_emulated_instruction';

export function readDebugRegister(host: Host, number: number, general: GeneralRegister): StepResult {
  const refused = aliasFault(host, number);
  if (refused !== undefined) return refused;
  kept(host);
  const value = host.hardware.get(cellOf(number));
  host.hardware.set(general, value);
  return {say: `MOV from DR${number}: ${general} ← ${hex(value)}`, go: SKIP};
}

export function writeDebugRegister(host: Host, number: number, read: () => bigint): StepResult {
  const refused = aliasFault(host, number);
  if (refused !== undefined) return refused;
  kept(host);
  const value = read();
  const cell = cellOf(number);
  if ((cell === 'DR6' || cell === 'DR7') && value >> 32n !== 0n) {
    injectException(host, GP, 0);
    host.handled('kvm', 'the guest gets the #GP that a processor would have given it');
    return {say: `MOV to DR${number}: bits 63:32 are not 0: #GP(0) for the guest`, go: 'vcpu_enter_guest'};
  }
  host.hardware.set(cell, fixedBits(cell, value));
  return {say: `MOV to DR${number}: ${hex(value)}`, go: SKIP};
}

function fixedBits(cell: Cell, value: bigint): bigint {
  if (cell === 'DR7') return (value & ~DR7_ZERO) | DR7_ONE;
  return cell === 'DR6' ? (value & DR6_DEFINED) | DR6_FIXED : value;
}

const kept = (host: Host): void => host.handled('kvm', 'the guest’s debug registers are kept by KVM');

/** DR4 and DR5 are DR6 and DR7, unless debugging extensions are on. */
function aliasFault(host: Host, number: number): StepResult | undefined {
  if ((number !== 4 && number !== 5) || !bit(host.hardware.get('CR4'), 3)) return undefined;
  injectException(host, UD);
  host.handled('kvm', 'DR4 and DR5 do not exist while CR4.DE = 1: #UD for the guest');
  return {say: `MOV DR${number} with CR4.DE = 1: #UD`, go: 'vcpu_enter_guest'};
}

function cellOf(number: number): Extract<Cell, `DR${number}`> {
  const names = ['DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7', 'DR6', 'DR7'] as const;
  return names[number] ?? 'DR7';
}
