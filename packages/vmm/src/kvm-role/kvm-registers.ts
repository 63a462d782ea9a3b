// KVM_SET_SREGS and KVM_SET_REGS: the guest's first state goes into the VMCS, the general registers into kvm_vcpu.
// Linux, arch/x86/kvm/x86.c: __set_sregs_common, __set_regs.

import {hex} from '@hyperscope/base';
import {DESCRIPTOR_REGISTERS, GENERAL_REGISTERS} from '@hyperscope/isa';
import {setCr0, setCr4, setEfer, CR0_PG} from './guest-registers.js';
import type {InitialState} from './guest-initial-state.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {returnToUser} from './system-calls.js';
import type {VcpuSlot} from './kvm-vcpu.js';
import type {Cell} from '@hyperscope/isa';

const UNUSABLE = 0x1_0000n;
const BUSY_TSS = 0x8bn;
const ACCESSED = 1n;

const KEPT_BY_KVM: readonly (readonly [VcpuSlot, Cell])[] = [
  ['cr2', 'CR2'],
  ['xcr0', 'XCR0'],
  ['star', 'STAR'],
  ['lstar', 'LSTAR'],
  ['cstar', 'CSTAR'],
  ['fmask', 'FMASK'],
  ['kernel_gs_base', 'KERNEL_GS_BASE'],
  ['tsc_aux', 'TSC_AUX'],
  ['dr0', 'DR0'],
  ['dr1', 'DR1'],
  ['dr2', 'DR2'],
  ['dr3', 'DR3'],
  ['dr6', 'DR6'],
  ['cr8', 'CR8'],
  ['apic_base', 'APIC_BASE'],
  ['misc_enable', 'MISC_ENABLE'],
];

function setControlRegisters(host: Host, initial: InitialState): StepResult {
  const {vmx} = host;
  setEfer(host, initial('EFER'));
  vmx.vmwrite('CR0_READ_SHADOW', initial('CR0'));
  setCr4(host, initial('CR4'), (initial('CR0') & CR0_PG) === 0n ? 'no paging' : 'paging');
  setCr0(host, initial('CR0'));
  vmx.vmwrite('GUEST_CR3', initial('CR3'));
  vmx.vmwrite('GUEST_IA32_PAT', initial('PAT'));
  vmx.vmwrite('GUEST_IA32_SYSENTER_CS', initial('SYSENTER_CS'));
  vmx.vmwrite('GUEST_IA32_SYSENTER_ESP', initial('SYSENTER_ESP'));
  vmx.vmwrite('GUEST_IA32_SYSENTER_EIP', initial('SYSENTER_EIP'));
  vmx.vmwrite('GUEST_DR7', initial('DR7') | 0x400n);
  for (const [slot, cell] of KEPT_BY_KVM) host.vcpu.set(slot, initial(cell));
  return {
    say: `VMWRITE guest CR0 ${hex(vmx.vmread('GUEST_CR0'))} (the guest will read ${hex(initial('CR0'))}), CR3 ${hex(initial('CR3'))}, CR4 ${hex(vmx.vmread('GUEST_CR4'))}, EFER ${hex(initial('EFER'))}`,
  };
}

function setSegments(host: Host, initial: InitialState): StepResult {
  const {vmx} = host;
  for (const name of DESCRIPTOR_REGISTERS) {
    vmx.vmwrite(`GUEST_${name}_SELECTOR`, initial(`${name}.selector`));
    vmx.vmwrite(`GUEST_${name}_BASE`, initial(`${name}.base`));
    vmx.vmwrite(`GUEST_${name}_LIMIT`, initial(`${name}.limit`));
    vmx.vmwrite(`GUEST_${name}_ACCESS_RIGHTS`, accessRights(name, initial(`${name}.attributes`)));
  }
  for (const table of ['GDTR', 'IDTR'] as const) {
    vmx.vmwrite(`GUEST_${table}_BASE`, initial(`${table}.base`));
    vmx.vmwrite(`GUEST_${table}_LIMIT`, initial(`${table}.limit`));
  }
  return {
    say: `VMWRITE the guest’s segments: CS ${hex(initial('CS.selector'))} with base ${hex(initial('CS.base'))}, access rights ${hex(initial('CS.attributes'))}; CPL will be SS.DPL`,
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
  for (const name of GENERAL_REGISTERS) host.vcpu.setRegister(name, initial(name));
  host.vmx.vmwrite('GUEST_RSP', initial('RSP'));
  host.vmx.vmwrite('GUEST_RIP', initial('RIP'));
  host.vmx.vmwrite('GUEST_RFLAGS', initial('RFLAGS') | 2n);
  return {
    say: `general registers into kvm_vcpu.regs (the VMCS has no room for them); VMWRITE RIP ${hex(initial('RIP'))}, RSP ${hex(initial('RSP'))}, RFLAGS ${hex(initial('RFLAGS') | 2n)}`,
  };
}

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
