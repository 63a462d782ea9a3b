// VM-entry checks on the VM-execution, VM-exit and VM-entry control fields. One that fails: VMfailValid(7).
// SDM vol. 3C, "Checks on VMX Controls".

import {bits} from '@hyperscope/base';
import type {VmcsFieldName} from '@hyperscope/isa';
import type {AllowedSettings} from './capabilities.js';
import {EPT_VPID} from './capabilities.js';
import type {CheckList} from './check-list.js';
import type {EntryContext} from './entry-context.js';
import {SECONDARY_CONTROLS} from './control-bits.js';
import type {SecondaryControl} from './control-bits.js';
import {checkInjectedEvent} from './entry-checks-injection.js';
import {virtualTaskPriority} from './virtual-apic.js';

export function checkControls(context: EntryContext, list: CheckList): void {
  checkReservedBits(context, list);
  checkAddresses(context, list);
  checkInterruptControls(context, list);
  checkVpidAndEpt(context, list);
  checkExitControls(context, list);
  checkEntryControls(context, list);
}

function checkAllowed(context: EntryContext, list: CheckList, name: VmcsFieldName, allowed: AllowedSettings): void {
  const value = context.get(name);
  list.must(
    (allowed.must & ~value) === 0n,
    `${name}: bits that the capability MSR requires are 1`,
    [name, value],
    ['missing', allowed.must & ~value],
  );
  list.must(
    (value & ~allowed.may) === 0n,
    `${name}: bits that this processor does not support are 0`,
    [name, value],
    ['unsupported', value & ~allowed.may],
  );
}

function checkReservedBits(context: EntryContext, list: CheckList): void {
  const c = context.capabilities;
  checkAllowed(context, list, 'PIN_BASED_VM_EXECUTION_CONTROLS', c.pin);
  checkAllowed(context, list, 'PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', c.primary);
  if (context.controls.primary('activate secondary controls')) {
    checkAllowed(context, list, 'SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', c.secondary);
  }
  const targets = context.get('CR3_TARGET_COUNT');
  list.must(targets <= BigInt(c.cr3Targets), `CR3-target count ≤ ${c.cr3Targets}`, ['CR3_TARGET_COUNT', targets]);
}

/** A field that holds the address of a structure: aligned to `alignment` bytes and inside the physical-address width. */
function checkAddress(context: EntryContext, list: CheckList, name: VmcsFieldName, alignment: bigint): void {
  const address = context.get(name);
  list.must(address % alignment === 0n, `${name} is aligned to ${alignment} bytes`, [name, address]);
  list.must(
    context.physical(address),
    `${name} lies inside the physical-address width`,
    [name, address],
    ['width', String(context.core.profile.physicalAddressBits)],
  );
}

function checkAddresses(context: EntryContext, list: CheckList): void {
  const {controls} = context;
  if (controls.primary('use I/O bitmaps')) {
    checkAddress(context, list, 'IO_BITMAP_A_ADDRESS', 4096n);
    checkAddress(context, list, 'IO_BITMAP_B_ADDRESS', 4096n);
  }
  if (controls.primary('use MSR bitmaps')) checkAddress(context, list, 'MSR_BITMAP_ADDRESS', 4096n);
  if (controls.primary('use TPR shadow')) checkAddress(context, list, 'VIRTUAL_APIC_ADDRESS', 4096n);
  if (controls.secondary('virtualize APIC accesses')) checkAddress(context, list, 'APIC_ACCESS_ADDRESS', 4096n);
  if (controls.secondary('VMCS shadowing')) {
    checkAddress(context, list, 'VMREAD_BITMAP_ADDRESS', 4096n);
    checkAddress(context, list, 'VMWRITE_BITMAP_ADDRESS', 4096n);
  }
  if (controls.secondary('enable PML')) checkAddress(context, list, 'PML_ADDRESS', 4096n);
  if (controls.secondary('EPT-violation #VE'))
    checkAddress(context, list, 'VIRTUALIZATION_EXCEPTION_INFORMATION_ADDRESS', 4096n);
}

function checkInterruptControls(context: EntryContext, list: CheckList): void {
  const {controls} = context;
  const pin = context.field('PIN_BASED_VM_EXECUTION_CONTROLS');
  const primary = context.field('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS');
  const secondary = context.field('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS');
  list.must(
    controls.pin('NMI exiting') || !controls.pin('virtual NMIs'),
    'virtual NMIs = 1 needs NMI exiting = 1',
    pin,
  );
  list.must(
    controls.pin('virtual NMIs') || !controls.primary('NMI-window exiting'),
    'NMI-window exiting = 1 needs virtual NMIs = 1',
    pin,
    primary,
  );
  if (!controls.primary('use TPR shadow')) {
    for (const name of [
      'virtualize x2APIC mode',
      'APIC-register virtualization',
      'virtual-interrupt delivery',
    ] as const) {
      list.must(!controls.secondary(name), `${name} = 1 needs use TPR shadow = 1`, primary, secondary);
    }
  } else if (!controls.secondary('virtual-interrupt delivery')) {
    list.must(
      context.get('TPR_THRESHOLD') >> 4n === 0n,
      'TPR threshold: bits 31:4 are 0',
      context.field('TPR_THRESHOLD'),
    );
    checkTprThreshold(context, list);
  }
  list.must(
    !controls.secondary('virtualize x2APIC mode') || !controls.secondary('virtualize APIC accesses'),
    'virtualize x2APIC mode and virtualize APIC accesses are not both 1',
    secondary,
  );
  list.must(
    !controls.secondary('virtual-interrupt delivery') || controls.pin('external-interrupt exiting'),
    'virtual-interrupt delivery = 1 needs external-interrupt exiting = 1',
    pin,
    secondary,
  );
  if (!controls.pin('process posted interrupts')) return;
  list.must(
    controls.secondary('virtual-interrupt delivery'),
    'process posted interrupts = 1 needs virtual-interrupt delivery = 1',
    pin,
    secondary,
  );
  list.must(
    controls.exit('acknowledge interrupt on exit'),
    'process posted interrupts = 1 needs acknowledge interrupt on exit = 1',
    pin,
  );
  list.must(
    context.get('POSTED_INTERRUPT_NOTIFICATION_VECTOR') <= 255n,
    'posted-interrupt notification vector ≤ 255',
    context.field('POSTED_INTERRUPT_NOTIFICATION_VECTOR'),
  );
  checkAddress(context, list, 'POSTED_INTERRUPT_DESCRIPTOR_ADDRESS', 64n);
}

/** Without virtualized APIC accesses a threshold above VTPR is refused; with them it would be an exit right after the entry. */
function checkTprThreshold(context: EntryContext, list: CheckList): void {
  const {controls} = context;
  const page = context.get('VIRTUAL_APIC_ADDRESS');
  if (controls.secondary('virtualize APIC accesses') || page % 4096n !== 0n || !context.physical(page)) return;
  const priority = virtualTaskPriority(context.core, controls);
  list.must(
    bits(context.get('TPR_THRESHOLD'), 3, 0) <= priority,
    'TPR threshold ≤ VTPR[7:4]',
    context.field('TPR_THRESHOLD'),
    context.field('VIRTUAL_APIC_ADDRESS'),
    ['VTPR[7:4]', priority],
  );
}

const NEED_EPT: readonly SecondaryControl[] = [
  'unrestricted guest',
  'enable PML',
  'mode-based execute control for EPT',
];

function checkVpidAndEpt(context: EntryContext, list: CheckList): void {
  const {controls} = context;
  const secondary = context.field('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS');
  if (controls.secondary('enable VPID'))
    list.must(context.get('VPID') !== 0n, 'VPID ≠ 0 where enable VPID = 1', context.field('VPID'));
  if (controls.usesEpt) checkEptPointer(context, list, context.get('EPT_POINTER'));
  for (const name of NEED_EPT) {
    list.must(
      controls.usesEpt || !controls.secondary(name),
      `${name} = 1 (bit ${SECONDARY_CONTROLS[name]}) needs enable EPT = 1`,
      secondary,
    );
  }
  if (controls.secondary('use TSC scaling'))
    list.must(context.get('TSC_MULTIPLIER') !== 0n, 'TSC multiplier ≠ 0', context.field('TSC_MULTIPLIER'));
}

/** SDM vol. 3C, "Extended-Page-Table Pointer (EPTP)": 2:0 memory type, 5:3 walk length − 1, 6 A/D, 11:7 reserved, N−1:12 root. */
export function checkEptPointer(
  context: Pick<EntryContext, 'capabilities' | 'physical'>,
  list: CheckList,
  pointer: bigint,
): void {
  const value = ['EPT_POINTER', pointer] as const;
  const supports = (bit: keyof typeof EPT_VPID): boolean =>
    ((context.capabilities.eptVpid >> BigInt(EPT_VPID[bit])) & 1n) === 1n;
  const type = bits(pointer, 2, 0);
  list.must(
    (type === 0n && supports('uncacheable')) || (type === 6n && supports('writeBack')),
    'EPT pointer: memory type is 0 (UC) or 6 (WB)',
    value,
  );
  list.must(bits(pointer, 5, 3) === 3n, 'EPT pointer: page-walk length − 1 is 3', value);
  list.must(
    bits(pointer, 6, 6) === 0n || supports('accessedDirty'),
    'EPT pointer: accessed and dirty flags only where supported',
    value,
  );
  list.must(bits(pointer, 11, 7) === 0n, 'EPT pointer: bits 11:7 are 0', value);
  list.must(context.physical(pointer), 'EPT pointer lies inside the physical-address width', value);
}

function checkExitControls(context: EntryContext, list: CheckList): void {
  checkAllowed(context, list, 'VM_EXIT_CONTROLS', context.capabilities.exit);
  list.must(
    context.controls.pin('activate VMX-preemption timer') || !context.controls.exit('save VMX-preemption timer value'),
    'save VMX-preemption timer value = 1 needs activate VMX-preemption timer = 1',
    context.field('VM_EXIT_CONTROLS'),
  );
  checkMsrList(context, list, 'VM_EXIT_MSR_STORE_COUNT', 'VM_EXIT_MSR_STORE_ADDRESS');
  checkMsrList(context, list, 'VM_EXIT_MSR_LOAD_COUNT', 'VM_EXIT_MSR_LOAD_ADDRESS');
}

function checkEntryControls(context: EntryContext, list: CheckList): void {
  checkAllowed(context, list, 'VM_ENTRY_CONTROLS', context.capabilities.entry);
  checkMsrList(context, list, 'VM_ENTRY_MSR_LOAD_COUNT', 'VM_ENTRY_MSR_LOAD_ADDRESS');
  list.must(
    !context.controls.entry('entry to SMM') && !context.controls.entry('deactivate dual-monitor treatment'),
    'outside SMM, entry to SMM and deactivate dual-monitor treatment are 0',
    context.field('VM_ENTRY_CONTROLS'),
  );
  checkInjectedEvent(context, list);
}

/** SDM vol. 3C, "VM-Exit Controls for MSRs": 16 bytes an entry. An empty list needs no address. */
function checkMsrList(
  context: EntryContext,
  list: CheckList,
  countName: VmcsFieldName,
  addressName: VmcsFieldName,
): void {
  const count = context.get(countName);
  if (count === 0n) return;
  checkAddress(context, list, addressName, 16n);
  const end = context.get(addressName) + count * 16n - 1n;
  list.must(
    context.physical(end),
    `${addressName}: the last byte of the list lies inside the physical-address width`,
    [countName, count],
    ['last byte', end],
  );
}
