import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import type {VmcsFieldName} from '@hyperscope/isa';
import {VMX_CAPABILITIES} from './capabilities.js';
import {entryChecks} from './entry-checks.js';
import {EntryContext} from './entry-context.js';
import {HOST_RIP, machineWithGuest} from './testing/vmx-machine.js';
import {usualCause} from './usual-causes.js';

type Change = readonly [field: VmcsFieldName, value: bigint];

/** The rules that a VMCS with these changes breaks. */
function broken(...changes: readonly Change[]): readonly string[] {
  const {machine, vmcs} = machineWithGuest();
  for (const [field, value] of changes) vmcs.set(field, value);
  const {controls, host, guest} = entryChecks(new EntryContext(machine, vmcs, VMX_CAPABILITIES), 'failures');
  return [...controls, ...host, ...guest].map(check => check.rule);
}

test('the VMCS of these tests passes every check, and there are more than a hundred', () => {
  expect(broken()).toEqual([]);
  const {machine, vmcs} = machineWithGuest();
  const {controls, host, guest} = entryChecks(new EntryContext(machine, vmcs, VMX_CAPABILITIES), 'all');
  const all = [...controls, ...host, ...guest];
  expect(all.every(check => check.holds)).toBe(true);
  expect(all.length).toBeGreaterThan(100);
});

const PRIMARY = 0x0400_6172n | (1n << 7n) | (1n << 31n);

test.each<[rule: string, ...changes: Change[]]>([
  [
    'PIN_BASED_VM_EXECUTION_CONTROLS: bits that the capability MSR requires are 1',
    ['PIN_BASED_VM_EXECUTION_CONTROLS', 0n],
  ],
  [
    'PIN_BASED_VM_EXECUTION_CONTROLS: bits that this processor does not support are 0',
    ['PIN_BASED_VM_EXECUTION_CONTROLS', 0x16n | 0x80n],
  ],
  ['virtual NMIs = 1 needs NMI exiting = 1', ['PIN_BASED_VM_EXECUTION_CONTROLS', 0x16n | 0x20n]],
  ['CR3-target count ≤ 4', ['CR3_TARGET_COUNT', 5n]],
  [
    'IO_BITMAP_A_ADDRESS is aligned to 4096 bytes',
    ['PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', PRIMARY | (1n << 25n)],
    ['IO_BITMAP_A_ADDRESS', 8n],
  ],
  [
    'MSR_BITMAP_ADDRESS lies inside the physical-address width',
    ['PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', PRIMARY | (1n << 28n)],
    ['MSR_BITMAP_ADDRESS', 1n << 45n],
  ],
  ['VPID ≠ 0 where enable VPID = 1', ['SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', 0xa2n]],
  ['EPT pointer: memory type is 0 (UC) or 6 (WB)', ['EPT_POINTER', 0x1_001fn]],
  ['EPT pointer: page-walk length − 1 is 3', ['EPT_POINTER', 0x1_0016n]],
  [
    'VM_EXIT_MSR_LOAD_ADDRESS is aligned to 16 bytes',
    ['VM_EXIT_MSR_LOAD_COUNT', 1n],
    ['VM_EXIT_MSR_LOAD_ADDRESS', 0x8001n],
  ],
  ['an injected NMI has vector 2', ['VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0203n]],
  [
    'a software event is injected with an instruction length of 1 to 15',
    ['VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0420n],
  ],
  ['host CR4: VMXE is 1, as IA32_VMX_CR4_FIXED0 asks', ['HOST_CR4', 0x6a0n]],
  ['host CS selector ≠ 0', ['HOST_CS_SELECTOR', 0n]],
  ['HOST_CS_SELECTOR: RPL and TI are 0', ['HOST_CS_SELECTOR', 0x13n]],
  ['HOST_RIP is canonical', ['HOST_RIP', 1n << 47n]],
  ['host address-space size equals IA32_EFER.LMA of the processor that enters', ['VM_EXIT_CONTROLS', 0x3_6dfbn]],
  ['guest CR0.PG = 1 needs CR0.PE = 1', ['GUEST_CR0', 0x8000_0030n]],
  ['guest CR4.VMXE = 1', ['GUEST_CR4', 0n]],
  ['guest IA32_EFER.LMA equals IA-32e mode guest', ['GUEST_IA32_EFER', 0x500n]],
  ['guest CS type is 3 or 9, 11, 13 or 15 (accessed code)', ['GUEST_CS_ACCESS_RIGHTS', 0x9an]],
  ['guest CS: present', ['GUEST_CS_ACCESS_RIGHTS', 0x1bn]],
  ['guest TR is usable', ['GUEST_TR_ACCESS_RIGHTS', 0x1_008bn]],
  ['guest DS: G = 0 needs limit[31:20] all zeros', ['GUEST_DS_LIMIT', 0xffff_ffffn]],
  ['guest RFLAGS: bit 1 is 1', ['GUEST_RFLAGS', 0n]],
  ['guest RIP: bits 63:32 are 0 outside 64-bit mode', ['GUEST_RIP', 1n << 33n]],
  ['not both blocking by STI and blocking by MOV SS', ['GUEST_INTERRUPTIBILITY_STATE', 3n]],
  ['an external interrupt is injected with RFLAGS.IF = 1', ['VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0020n]],
  ['the VMCS link pointer is not the current VMCS', ['VMCS_LINK_POINTER', 0x5000n]],
  [
    'NMI-window exiting = 1 needs virtual NMIs = 1',
    ['PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', PRIMARY | (1n << 22n)],
  ],
  ['unrestricted guest = 1 (bit 7) needs enable EPT = 1', ['SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', 0x80n]],
  ['an injected hardware exception has a vector of at most 31', ['VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0320n]],
  ['the injected event does not have the reserved type 1', ['VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0120n]],
  ['host TR selector ≠ 0', ['HOST_TR_SELECTOR', 0n]],
  ['host CR3 lies inside the physical-address width', ['HOST_CR3', 1n << 45n]],
  ['host CR4.PAE = 1 for a 64-bit host', ['HOST_CR4', 0x2680n]],
  ['guest SS type is 3 or 7 (accessed, writable)', ['GUEST_SS_ACCESS_RIGHTS', 0x91n]],
  ['guest ES: reserved access-rights bits are 0', ['GUEST_ES_ACCESS_RIGHTS', 0x193n]],
  ['guest LDTR type is 2', ['GUEST_LDTR_ACCESS_RIGHTS', 0x83n]],
  ['guest CS: G = 1 needs limit[11:0] all ones', ['GUEST_CS_ACCESS_RIGHTS', 0x809bn], ['GUEST_CS_LIMIT', 0xf000n]],
  ['GUEST_GDTR_LIMIT: bits 31:16 are 0', ['GUEST_GDTR_LIMIT', 0x1_0000n]],
  ['the activity state is one that IA32_VMX_MISC announces', ['GUEST_ACTIVITY_STATE', 4n]],
  ['pending debug exceptions: reserved bits are 0', ['GUEST_PENDING_DEBUG_EXCEPTIONS', 0x20n]],
  ['IA-32e mode guest = 1 needs guest CR0.PG = 1', ['VM_ENTRY_CONTROLS', 0x13fbn]],
])('broken: %s', (rule, ...changes) => {
  expect(broken(...changes)).toContain(rule);
});

test('every rule of a VM entry has a usual cause', () => {
  const {machine, vmcs} = machineWithGuest();
  const {controls, host, guest} = entryChecks(new EntryContext(machine, vmcs, VMX_CAPABILITIES), 'all');
  const without = [...controls, ...host, ...guest].map(({rule}) => rule).filter(rule => usualCause(rule) === undefined);
  expect(without).toEqual([]);
});

test('all failing checks are reported, with the values that went into them', () => {
  const rules = broken(['GUEST_CR4', 0n], ['GUEST_RFLAGS', 0n], ['HOST_RIP', 1n << 47n]);
  expect(rules).toEqual(
    expect.arrayContaining(['guest CR4.VMXE = 1', 'guest RFLAGS: bit 1 is 1', 'HOST_RIP is canonical']),
  );
  const {machine, vmcs} = machineWithGuest();
  vmcs.set('GUEST_CR4', 0n);
  const failed = entryChecks(new EntryContext(machine, vmcs, VMX_CAPABILITIES), 'failures').guest[0];
  expect(failed).toMatchObject({holds: false, values: [['GUEST_CR4', '0x0']]});
});

test.each<[group: string, error: bigint, change: Change]>([
  ['control', 7n, ['PIN_BASED_VM_EXECUTION_CONTROLS', 0n]],
  ['host-state', 8n, ['HOST_CR4', 0n]],
])('a bad %s field is VMfailValid(%s) and the guest is not entered', (_, error, [field, value]) => {
  const {machine, vmx, vmcs} = machineWithGuest();
  vmcs.set(field, value);
  vmx.enter('VMLAUNCH');
  expect(vmx.outcome).toBe('VMfailValid');
  expect(vmcs.get('VM_INSTRUCTION_ERROR')).toBe(error);
  expect(machine.registers.get('VMX_OPERATION')).toBe(1n);
  expect(vmcs.launchState).toBe('clear');
});

test('bad guest state leaves by exit reason 33 with bit 31, the host loaded and the launch state clear', () => {
  const {machine, vmx, vmcs, events} = machineWithGuest();
  vmcs.set('GUEST_RFLAGS', 0n);
  vmx.enter('VMLAUNCH');
  expect(vmcs.get('EXIT_REASON')).toBe(0x8000_0021n);
  expect(machine.registers.get('RIP')).toBe(HOST_RIP);
  expect(vmcs.launchState).toBe('clear');
  expect(events.at(-1)).toMatchObject({kind: 'vm-entry-failure', reason: 33});
});

test.each([
  ['a reserved bit in a present entry', 0x1007n, 'refused'],
  ['an address beyond the physical-address width', (1n << 40n) | 1n, 'refused'],
  ['an entry that is not present, whatever it holds', 0x1006n, 'fine'],
] as const)('without EPT the PDPTEs that guest CR3 points to are checked: %s', (_, entry, expected) => {
  const {machine, vmx, vmcs} = machineWithGuest();
  vmcs.set('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', 0n);
  vmcs.set('GUEST_CR0', 0x8000_0031n);
  vmcs.set('GUEST_CR3', 0x2_0020n);
  vmcs.set('GUEST_CR4', 0x2020n);
  for (const index of [0, 1, 2]) machine.memory.write(hpa(0x2_0020 + 8 * index), 8, 0x1001n);
  machine.memory.write(hpa(0x2_0038), 8, entry);
  vmx.enter('VMLAUNCH');
  if (expected === 'fine') {
    expect(machine.registers.get('VMX_OPERATION')).toBe(2n);
    expect([machine.registers.get('PDPTE0'), machine.registers.get('PDPTE3')]).toEqual([0x1001n, entry]);
    return;
  }
  expect(vmcs.get('EXIT_REASON')).toBe(0x8000_0021n);
  expect(vmcs.get('EXIT_QUALIFICATION')).toBe(2n);
  expect(machine.registers.get('RIP')).toBe(HOST_RIP);
});
