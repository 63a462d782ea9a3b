// The strip under the stage: the addresses that decide whose memory is seen and whose VMCS counts.

import {hex} from '@hyperscope/base';
import type {Moment} from '@hyperscope/trace';
import type {StateView} from './state-view.js';

export function strip(state: StateView, engine: 'simulated' | 'kvm'): Moment['strip'] {
  if (engine === 'kvm')
    return [...tables(state, 'guest CR3'), {label: 'EPTP and VMCS', value: 'inside KVM, not shown to user space'}];
  if (state.vmcb() !== undefined) {
    return [
      ...tables(state, 'CR3'),
      {label: 'VMCB', value: hex(state.cells('CURRENT_VMCB') ?? 0n)},
      {label: 'GIF', value: String(state.cells('GIF') ?? 0n)},
    ];
  }
  const vmcs = state.vmcs();
  if (vmcs === undefined || state.vmcsAddress === undefined) {
    return [
      ...tables(state, 'CR3'),
      {label: 'VMX operation', value: state.operation === 'none' ? 'off' : `${state.operation}, no current VMCS`},
    ];
  }
  const guestCr3 = state.operation === 'non-root' ? (state.cells('CR3') ?? 0n) : vmcs.get('GUEST_CR3');
  const eptp = vmcs.get('EPT_POINTER');
  return [
    {label: 'CR3 (real)', value: hex(state.cells('CR3') ?? 0n)},
    {label: 'guest CR3', value: hex(guestCr3)},
    {label: 'EPTP', value: eptp === 0n ? 'none' : hex(eptp)},
    {label: 'current VMCS', value: `${hex(state.vmcsAddress)} · ${vmcs.launchState}`},
  ];
}

function tables(state: StateView, root: string): Moment['strip'] {
  return [
    {label: root, value: hex(state.cells('CR3') ?? 0n)},
    {label: 'GDT', value: hex(state.cells('GDTR.base') ?? 0n)},
    {label: 'IDT', value: hex(state.cells('IDTR.base') ?? 0n)},
  ];
}
