// KVM_SET_SREGS and KVM_SET_REGS: the guest's first state goes into the control block, the general registers into kvm_vcpu.
// Linux, arch/x86/kvm/x86.c: __set_sregs_common, __set_regs.

import {hex} from '@hyperscope/base';
import {DESCRIPTOR_REGISTERS, GENERAL_REGISTERS} from '@hyperscope/isa';
import type {InitialState} from './guest-initial-state.js';
import type {Host} from './host-context.js';
import {loadPointerTableEntries} from './kvm-cr.js';
import type {HostRoutine, HostStep, StepResult} from '../host/host-program.js';
import {returnToUser} from './system-calls.js';
import type {Cell} from '@hyperscope/isa';

const UNUSABLE = 0x1_0000n;
const BUSY_TSS = 0x8bn;
const ACCESSED = 1n;

const OTHERS: readonly Cell[] = [
  'PAT',
  'SYSENTER_CS',
  'SYSENTER_ESP',
  'SYSENTER_EIP',
  'DR7',
  'CR2',
  'XCR0',
  'STAR',
  'LSTAR',
  'CSTAR',
  'FMASK',
  'KERNEL_GS_BASE',
  'TSC_AUX',
  'DR0',
  'DR1',
  'DR2',
  'DR3',
  'DR6',
  'CR8',
  'APIC_BASE',
  'MISC_ENABLE',
];
const DR7_FIXED = 0x400n;

function setControlRegisters(host: Host, initial: InitialState): StepResult {
  const {hardware} = host;
  hardware.set('EFER', initial('EFER'));
  hardware.set('CR0', initial('CR0'));
  hardware.set('CR4', initial('CR4'));
  hardware.set('CR3', initial('CR3'));
  loadPointerTableEntries(host);
  for (const cell of OTHERS) hardware.set(cell, cell === 'DR7' ? initial(cell) | DR7_FIXED : initial(cell));
  host.mmu.guestChangedMode();
  return {
    say: `${hardware.writes} guest CR0 ${hex(hardware.held('CR0'))} (the guest will read ${hex(initial('CR0'))}), CR3 ${hex(hardware.held('CR3'))}, CR4 ${hex(hardware.held('CR4'))}, EFER ${hex(hardware.held('EFER'))}`,
  };
}

function setSegments(host: Host, initial: InitialState): StepResult {
  const {hardware} = host;
  for (const name of DESCRIPTOR_REGISTERS) {
    hardware.set(`${name}.selector`, initial(`${name}.selector`));
    hardware.set(`${name}.base`, initial(`${name}.base`));
    hardware.set(`${name}.limit`, initial(`${name}.limit`));
    hardware.set(`${name}.attributes`, accessRights(name, initial(`${name}.attributes`)));
  }
  for (const table of ['GDTR', 'IDTR'] as const) {
    hardware.set(`${table}.base`, initial(`${table}.base`));
    hardware.set(`${table}.limit`, initial(`${table}.limit`));
  }
  return {
    say: `${hardware.writes} the guest’s segments: CS ${hex(initial('CS.selector'))} with base ${hex(initial('CS.base'))}, access rights ${hex(initial('CS.attributes'))}; CPL will be SS.DPL`,
  };
}

/** VM entry wants a usable, busy TR, and accessed segments. */
function accessRights(name: (typeof DESCRIPTOR_REGISTERS)[number], attributes: bigint): bigint {
  if (name === 'TR')
    return (attributes & 0x1_008fn) === BUSY_TSS || (attributes & 0x1_008fn) === 0x83n ? attributes : BUSY_TSS;
  if ((attributes & UNUSABLE) !== 0n || (attributes & 0x80n) === 0n) return UNUSABLE;
  return name === 'LDTR' ? attributes : attributes | ACCESSED;
}

function setGeneral(host: Host, initial: InitialState): StepResult {
  for (const name of GENERAL_REGISTERS) host.hardware.set(name, initial(name));
  host.hardware.set('RIP', initial('RIP'));
  host.hardware.set('RFLAGS', initial('RFLAGS') | 2n);
  return {
    say: `general registers into kvm_vcpu.regs (the control block has no room for them); ${host.hardware.writes} RIP ${hex(initial('RIP'))}, RSP ${hex(initial('RSP'))}, RFLAGS ${hex(initial('RFLAGS') | 2n)}`,
  };
}

/** What both ioctls write, in one go. */
export const registerWriters = (initial: InitialState): readonly HostStep<Host>[] => [
  host => setControlRegisters(host, initial),
  host => setSegments(host, initial),
  host => setGeneral(host, initial),
];

/** `initial`: what the loader handed over. */
export function registerRoutines(initial: InitialState): readonly HostRoutine<Host>[] {
  const done =
    (ioctl: 'KVM_SET_SREGS' | 'KVM_SET_REGS') =>
    (host: Host): StepResult => {
      returnToUser(host, ioctl, 0n, '0');
      return {say: 'returns 0', go: 'processor'};
    };
  return [
    {
      name: 'kvm_arch_vcpu_ioctl_set_sregs',
      actor: 'hypervisor',
      steps: [host => setControlRegisters(host, initial), host => setSegments(host, initial), done('KVM_SET_SREGS')],
    },
    {
      name: 'kvm_arch_vcpu_ioctl_set_regs',
      actor: 'hypervisor',
      steps: [host => setGeneral(host, initial), done('KVM_SET_REGS')],
    },
  ];
}
