// The strip under the stage: the addresses that decide whose memory is seen and whose VMCS or VMCB counts.

import {hex} from '@hyperscope/base';
import {vmcbField} from '@hyperscope/isa';
import {isDeprivileged} from '@hyperscope/trace';
import {domainFacts} from '@hyperscope/vmm';
import type {Moment} from '@hyperscope/trace';
import type {StateView} from './state-view.js';

const NP_ENABLE = 1n;

export function strip(state: StateView, engine: 'simulated' | 'kvm'): Moment['strip'] {
  if (engine === 'kvm')
    return [...tables(state, 'guest CR3'), {label: 'EPTP and VMCS', value: 'inside KVM, not shown to user space'}];
  if (state.header.technique === 'paravirtual') return domainStrip(state);
  if (isDeprivileged(state.header.technique)) return deprivilegedStrip(state);
  const vmcb = state.vmcb();
  if (vmcb !== undefined) return svmStrip(state, vmcb);
  const vmcs = state.vmcs();
  if (vmcs === undefined || state.vmcsAddress === undefined) {
    return [
      ...tables(state, 'CR3'),
      state.header.technique.startsWith('svm-')
        ? {label: 'SVM', value: 'off'}
        : {label: 'VMX operation', value: state.operation === 'none' ? 'off' : `${state.operation}, no current VMCS`},
    ];
  }
  const walked = state.operation === 'non-root' ? (state.cells('CR3') ?? 0n) : vmcs.get('GUEST_CR3');
  const eptp = vmcs.get('EPT_POINTER');
  // Without EPT the processor walks KVM's tables while the guest runs, and the guest's own root is nowhere in it.
  const isShadow = eptp === 0n && state.header.technique !== 'bare';
  const guestCr3 = isShadow ? (state.guestCells()('CR3') ?? 0n) : walked;
  return [
    {label: 'CR3 (real)', value: hex(state.cells('CR3') ?? 0n)},
    {label: 'guest CR3', value: hex(guestCr3)},
    isShadow
      ? {label: 'shadow root', value: walked === 0n ? 'none' : hex(walked)}
      : {label: 'EPTP', value: eptp === 0n ? 'none' : hex(eptp)},
    {label: 'current VMCS', value: `${hex(state.vmcsAddress)} · ${vmcs.launchState}`},
  ];
}

/** Without hardware for it there are two of everything: what the processor has, and what the guest believes. */
function deprivilegedStrip(state: StateView): Moment['strip'] {
  const guest = state.guestCells();
  const both = (['CR3', 'GDTR.base', 'IDTR.base'] as const).flatMap(cell => [
    {label: `${cell.replace('R.base', '')} (real)`, value: hex(state.cells(cell) ?? 0n)},
    {label: `guest ${cell.replace('R.base', '')}`, value: hex(guest(cell) ?? 0n)},
  ]);
  const name = state.header.virtualMachines?.[state.machine]?.name;
  return name === undefined ? both : [{label: 'virtual machine', value: name}, ...both];
}

/** Under Xen nothing is there twice: CR3 holds one of the guest's own two roots, and its interrupt flag is a byte that it shares. */
function domainStrip(state: StateView): Moment['strip'] {
  const {kernelRoot, userRoot, upcallPending, upcallMask} = domainFacts(state.memory);
  const root = (at: number): string => (at === 0 ? 'none' : hex(at));
  return [
    {label: 'CR3', value: hex(state.cells('CR3') ?? 0n)},
    {label: 'kernel root', value: root(kernelRoot)},
    {label: 'programs’ root', value: root(userRoot)},
    {label: 'events', value: `${upcallMask ? 'masked' : 'open'}, ${upcallPending ? 'pending' : 'none pending'}`},
  ];
}

/** On bare metal the host is the program itself; under KVM its tables are the host's affair, and the guest's root is apart. */
function svmStrip(state: StateView, vmcb: Uint8Array): Moment['strip'] {
  const root = read(vmcb, 'NESTED_CONTROL') & NP_ENABLE;
  const block = [
    {label: 'nCR3', value: root === 0n ? 'none' : hex(read(vmcb, 'N_CR3'))},
    {label: 'VMCB', value: hex(state.vmcbAddress ?? 0)},
    {label: 'GIF', value: String(state.cells('GIF') ?? 0n)},
  ];
  if (state.header.technique === 'bare') return [...tables(state, 'CR3'), ...block];
  const guestCr3 = {label: 'guest CR3', value: hex(state.guestCells()('CR3') ?? 0n)};
  return [{label: 'CR3 (real)', value: hex(state.cells('CR3') ?? 0n)}, guestCr3, ...block];
}

/** A field of 8 bytes. */
function read(page: Uint8Array, name: 'NESTED_CONTROL' | 'N_CR3'): bigint {
  return new DataView(page.buffer, page.byteOffset + vmcbField(name).offset, 8).getBigUint64(0, true);
}

function tables(state: StateView, root: string): Moment['strip'] {
  return [
    {label: root, value: hex(state.cells('CR3') ?? 0n)},
    {label: 'GDT', value: hex(state.cells('GDTR.base') ?? 0n)},
    {label: 'IDT', value: hex(state.cells('IDTR.base') ?? 0n)},
  ];
}
