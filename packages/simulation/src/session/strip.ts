// The strip under the stage: the addresses that decide whose memory is seen and whose VMCS or VMCB counts.

import {hex} from '@hyperscope/base';
import {vmcbField} from '@hyperscope/isa';
import {isDeprivileged} from '@hyperscope/trace';
import {domainFacts} from '@hyperscope/vmm';
import type {Moment} from '@hyperscope/trace';
import type {StateView} from './state-view.js';

const NP_ENABLE = 1n;

type Item = Moment['strip'][number];
type Space = NonNullable<Item['at']>['space'];
/** A table starts at an address without the flags below it. */
const TABLE = ~0xfffn;

/** An address as it stands in its register, and where it points. */
const pointing = (label: string, value: bigint, space: Space): Item => ({
  label,
  value: hex(value),
  at: {space, address: space === 'GVA' ? value : BigInt.asUintN(52, value & TABLE)},
});

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
    pointing('CR3 (real)', state.cells('CR3') ?? 0n, state.operation === 'non-root' && !isShadow ? 'GPA' : 'HPA'),
    pointing('guest CR3', guestCr3, 'GPA'),
    isShadow ? orNone('shadow root', walked) : orNone('EPTP', eptp),
    {
      ...pointing('current VMCS', BigInt(state.vmcsAddress), 'HPA'),
      value: `${hex(state.vmcsAddress)} · ${vmcs.launchState}`,
    },
  ];
}

/** A root of the hypervisor's. */
const orNone = (label: string, root: bigint): Item =>
  root === 0n ? {label, value: 'none'} : pointing(label, root, 'HPA');

/** Without hardware for it there are two of everything: what the processor has, and what the guest believes. */
function deprivilegedStrip(state: StateView): Moment['strip'] {
  const guest = state.guestCells();
  const both = (['CR3', 'GDTR.base', 'IDTR.base'] as const).flatMap(cell => [
    cell === 'CR3'
      ? pointing('CR3 (real)', state.cells(cell) ?? 0n, 'HPA')
      : {label: `${cell.replace('R.base', '')} (real)`, value: hex(state.cells(cell) ?? 0n)},
    pointing(`guest ${cell.replace('R.base', '')}`, guest(cell) ?? 0n, cell === 'CR3' ? 'GPA' : 'GVA'),
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
    orNone('nCR3', root === 0n ? 0n : read(vmcb, 'N_CR3')),
    pointing('VMCB', BigInt(state.vmcbAddress ?? 0), 'HPA'),
    {label: 'GIF', value: String(state.cells('GIF') ?? 0n)},
  ];
  if (state.header.technique === 'bare') return [...tables(state, 'CR3'), ...block];
  const real = pointing(
    'CR3 (real)',
    state.cells('CR3') ?? 0n,
    state.operation === 'non-root' && root !== 0n ? 'GPA' : 'HPA',
  );
  return [real, pointing('guest CR3', state.guestCells()('CR3') ?? 0n, 'GPA'), ...block];
}

/** A field of 8 bytes. */
function read(page: Uint8Array, name: 'NESTED_CONTROL' | 'N_CR3'): bigint {
  return new DataView(page.buffer, page.byteOffset + vmcbField(name).offset, 8).getBigUint64(0, true);
}

function tables(state: StateView, root: string): Moment['strip'] {
  return [
    pointing(root, state.cells('CR3') ?? 0n, 'GPA'),
    pointing('GDT', state.cells('GDTR.base') ?? 0n, 'GVA'),
    pointing('IDT', state.cells('IDTR.base') ?? 0n, 'GVA'),
  ];
}
