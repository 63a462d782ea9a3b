// The virtual CPU beside the real one: what the guest believes to be in its registers, and what the processor holds (or will load)
// in their place. Every difference is the hypervisor's work, and has a reason.

import {bit} from '@hyperscope/base';
import {fieldsOf} from '@hyperscope/isa';
import type {VmcbFieldName} from '@hyperscope/isa';
import {isDeprivileged} from '@hyperscope/trace';
import type {CellSource, VcpuContent} from '@hyperscope/trace';
import type {StateView} from '../state-view.js';
import {guestContext, vmcbValue} from './translation-context.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';

/** The registers that a VMM without hardware keeps two of, with why. Adams and Agesen 2006, "primary" and "shadow" structures. */
const REGISTERS: readonly (readonly [cell: string, label: string, why: string])[] = [
  ['CPL', 'CPL', 'ring compression: the guest’s kernel runs in ring 1 or 3'],
  ['RFLAGS', 'RFLAGS', 'IF is virtual: the real one stays set, so that interrupts reach the VMM; IOPL is the VMM’s'],
  ['CR0', 'CR0', 'paging and write protection are the VMM’s'],
  ['CR3', 'CR3', 'the processor walks shadow page tables'],
  ['CR4', 'CR4', 'what the VMM needs of the processor'],
  ['EFER', 'EFER', 'what the VMM needs of the processor'],
  ['GDTR.base', 'GDTR', 'the processor uses a shadow GDT with compressed descriptors'],
  ['IDTR.base', 'IDTR', 'every exception must reach the VMM first'],
  ['LDTR.selector', 'LDTR', 'the processor uses a shadow LDT'],
  ['TR.selector', 'TR', 'the VMM’s TSS says on which stack traps arrive'],
  ['CS.selector', 'CS', 'its RPL tells the real ring to whoever pushes it'],
  ['SS.selector', 'SS', 'its RPL tells the real ring to whoever pushes it'],
  ['LSTAR', 'LSTAR', 'system calls must reach the VMM first'],
  ['STAR', 'STAR', 'system calls must reach the VMM first'],
];

export function vcpuContent({record, state, before}: LookedAt): Found<VcpuContent> {
  const {technique, engine} = record.header;
  if (engine === 'kvm')
    return nothing(
      'What the processor held inside KVM is not in a recording of real KVM: these are the guest’s registers.',
    );
  if (technique === 'bare') return nothing('No hypervisor is here: the guest’s registers are the processor’s.');
  if (technique === 'paravirtual')
    return nothing(
      'There is no virtual CPU: the guest knows that it runs in ring 3 and whose tables those are. Its registers are the processor’s, or on Xen’s stack while Xen has it.',
    );
  if (!isDeprivileged(technique)) return hardware(state, before, record.header);
  const [guest, was] = [state.guestCells(), before.guestCells()];
  const rows = REGISTERS.map(([cell, register, why]) =>
    rowOf(
      {cell, register, why},
      {guest: guest(cell) ?? 0n, processor: state.cells(cell) ?? 0n},
      (was(cell) ?? 0n) !== (guest(cell) ?? 0n),
    ),
  );
  const differing = rows.filter(row => row.differs).length;
  const isVmm = (state.cells('CPL') ?? 0n) === 0n;
  return found({
    rows,
    holder: 'The processor holds',
    sentence: `${isVmm ? 'The VMM runs, so CPL, flags and segments are its own now. ' : ''}${differing} of ${rows.length} are not what the guest believes. The VMM keeps the left column in its virtual CPU and shows it to every instruction that traps or is translated.`,
  });
}

interface Named {
  readonly cell: string;
  readonly register: string;
  readonly why: string;
}

function rowOf(
  {cell, register, why}: Named,
  {guest, processor}: {readonly guest: bigint; readonly processor: bigint},
  changed: boolean,
): VcpuContent['rows'][number] {
  const difference = fieldsOf(cell)
    .filter(field => field.high === field.low && bit(guest, field.low) !== bit(processor, field.low))
    .map(field => `${bit(processor, field.low) ? '+' : '−'}${field.name}`);
  const differs = guest !== processor;
  return {register, guest, processor, difference, differs, why: differs ? why : '', changed};
}

/** With hardware only the control registers can differ: read shadows, and a root of KVM's under shadow paging. */
function hardware(state: StateView, before: StateView, header: LookedAt['record']['header']): Found<VcpuContent> {
  const context = guestContext(header, state);
  if (context === undefined) return nothing('There is no control block with a guest in it yet.');
  const guest = state.guestCells();
  const was = before.guestCells();
  const held = heldByHardware(state);
  const rows = (
    [
      ['CR0', 'the guest/host mask: bits that KVM owns are read from the read shadow'],
      ['CR3', 'the processor walks KVM’s shadow page tables'],
      ['CR4', 'VMX needs CR4.VMXE, and KVM owns some bits: reads come from the read shadow'],
      ['RFLAGS', 'a real mode that runs in virtual-8086 mode'],
      ['EFER', 'SVM needs EFER.SVME, of which the guest knows nothing'],
      ['GDTR.base', ''],
      ['IDTR.base', ''],
      ['TR.selector', ''],
      ['CPL', ''],
    ] as const
  ).map(([cell, why]) =>
    rowOf(
      {cell, register: cell.replace('.base', '').replace('.selector', ''), why},
      {guest: guest(cell) ?? 0n, processor: held(cell) ?? guest(cell) ?? 0n},
      (was(cell) ?? 0n) !== (guest(cell) ?? 0n),
    ),
  );
  const differing = rows.filter(row => row.differs).length;
  const block = state.vmcb() === undefined ? 'VMCS' : 'VMCB';
  return found({
    rows,
    holder: state.operation === 'non-root' ? 'The processor holds' : `The ${block} holds`,
    sentence: `Hardware gives the guest registers of its own: ${differing === 0 ? 'all are what it believes' : `${differing} of ${rows.length} differ`}. While the host runs they lie in the ${block}.`,
  });
}

/** What the processor loads at the next entry, or has while the guest runs. */
function heldByHardware(state: StateView): CellSource {
  if (state.operation === 'non-root') return state.cells;
  const vmcs = state.vmcs();
  if (vmcs === undefined) return vmcbCells(state);
  return cell => {
    switch (cell) {
      case 'CR0':
        return vmcs.get('GUEST_CR0');
      case 'CR3':
        return vmcs.get('GUEST_CR3');
      case 'CR4':
        return vmcs.get('GUEST_CR4');
      case 'RFLAGS':
        return vmcs.get('GUEST_RFLAGS');
      case 'GDTR.base':
        return vmcs.get('GUEST_GDTR_BASE');
      case 'IDTR.base':
        return vmcs.get('GUEST_IDTR_BASE');
      case 'TR.selector':
        return vmcs.get('GUEST_TR_SELECTOR');
      default:
        return undefined;
    }
  };
}

function vmcbCells(state: StateView): CellSource {
  const field = (name: VmcbFieldName): bigint => vmcbValue(state, name);
  return cell => {
    switch (cell) {
      case 'CR0':
      case 'CR3':
      case 'CR4':
      case 'RFLAGS':
      case 'EFER':
        return field(cell);
      case 'GDTR.base':
        return field('GDTR_BASE');
      case 'IDTR.base':
        return field('IDTR_BASE');
      case 'TR.selector':
        return field('TR_SELECTOR');
      default:
        return undefined;
    }
  };
}
