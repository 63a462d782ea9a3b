// CPUID: the guest sees the processor that KVM lets it see. Linux, arch/x86/kvm/cpuid.c: kvm_emulate_cpuid, kvm_cpuid.

import {hex} from '@hyperscope/base';
import {cpuidEntry} from '@hyperscope/machine';
import type {Host} from './host-context.js';
import type {StepResult} from '../host/host-program.js';

const VMX = 1 << 5;
const MONITOR = 1 << 3;
const MONITOR_LEAF = 5;
const SVM_ANNOUNCED_LEAF = 0x8000_0001;
const SVM = 1 << 2;
const SVM_LEAF = 0x8000_000a;
const EXTENDED_FEATURES = 7;
/** Ways to keep translations apart that a shadow would have to follow. */
const PCID = 1 << 17;
const INVPCID = 1 << 10;
const OSXSAVE = 1 << 27;
const HYPERVISOR = 1 << 31;
/** This KVM’s local APIC has neither: they would come as MSRs. */
const X2APIC_TSC_DEADLINE = (1 << 21) | (1 << 24);
const CR4_OSXSAVE = 1n << 18n;
const SIGNATURE_LEAF = 0x4000_0000;
/** "KVMKVMKVM\0\0\0" in EBX, ECX, EDX; Documentation/virt/kvm/x86/cpuid.rst. */
const SIGNATURE = [0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d] as const;

/**
 * "Hyperscope\0\0", 100h behind KVM's signature, where a hypervisor announces a second family of calls, as Xen and KVM do when
 * they look like Hyper-V too. Leaf +1, EAX: 0 the hypercall of machine/devices/paravirtual-console.
 */
const OWN_LEAF = 0x4000_0100;
const OWN_SIGNATURE = [0x4000_0101, 0x6570_7948, 0x6f63_7372, 0x6570] as const;
const CONSOLE_HYPERCALL = 1;

type CpuidAnswer = readonly [eax: number, ebx: number, ecx: number, edx: number];

/** What the guest is told: VMX, SVM and MONITOR hidden (a guest that waits should exit), the hypervisor bit set, KVM's signature at 40000000h. */
function guestCpuid(host: Host, leaf: number, subleaf: number): CpuidAnswer {
  if (leaf === SIGNATURE_LEAF) return SIGNATURE;
  if (leaf === OWN_LEAF) return OWN_SIGNATURE;
  if (leaf === OWN_LEAF + 1) return [CONSOLE_HYPERCALL, 0, 0, 0];
  if (leaf === SIGNATURE_LEAF + 1 || leaf === MONITOR_LEAF || leaf === SVM_LEAF) return [0, 0, 0, 0];
  const [eax, ebx, ecx, edx] = cpuidEntry(host.machine.profile, leaf, subleaf);
  const shadow = host.mmu.kind === 'shadow';
  if (leaf === EXTENDED_FEATURES) return [eax, shadow ? ebx & ~INVPCID : ebx, ecx, edx];
  if (leaf === SVM_ANNOUNCED_LEAF) return [eax, ebx, ecx & ~SVM, edx];
  if (leaf !== 1) return [eax, ebx, ecx, edx];
  const osxsave = (host.hardware.get('CR4') & CR4_OSXSAVE) === 0n ? 0 : OSXSAVE;
  return [
    eax,
    ebx,
    (ecx & ~(VMX | MONITOR | OSXSAVE | X2APIC_TSC_DEADLINE | (shadow ? PCID : 0))) | osxsave | HYPERVISOR,
    edx,
  ];
}

export function handleCpuid(host: Host): StepResult {
  const leaf = Number(host.vcpu.register('RAX') & 0xffff_ffffn);
  const subleaf = Number(host.vcpu.register('RCX') & 0xffff_ffffn);
  const [eax, ebx, ecx, edx] = guestCpuid(host, leaf, subleaf);
  host.vcpu.setRegister('RAX', BigInt(eax >>> 0));
  host.vcpu.setRegister('RBX', BigInt(ebx >>> 0));
  host.vcpu.setRegister('RCX', BigInt(ecx >>> 0));
  host.vcpu.setRegister('RDX', BigInt(edx >>> 0));
  host.handled('kvm', 'KVM answers from the table that user space gave it');
  const values = [
    ['EAX', eax],
    ['EBX', ebx],
    ['ECX', ecx],
    ['EDX', edx],
  ] as const;
  return {
    say: `kvm_emulate_cpuid: leaf ${hex(leaf)}: ${values.map(([name, value]) => `${name} ← ${hex(value >>> 0)}`).join(', ')}`,
    go: 'skip_emulated_instruction',
  };
}
