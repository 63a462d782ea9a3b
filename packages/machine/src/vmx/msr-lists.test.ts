// The MSR lists of a VMCS: what they load and store, and how a bad entry ends.

import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {exitOf} from './testing/exits.js';
import {HOST_RIP, VMCS_A, machineWithGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

const LIST = 0x2_0000;
const STAR = 0xc000_0081n;

function withList(
  kind: 'ENTRY_MSR_LOAD' | 'EXIT_MSR_LOAD' | 'EXIT_MSR_STORE',
  ...entries: readonly (readonly [bigint, bigint])[]
): VmxMachine {
  const made = machineWithGuest();
  made.vmcs.set(`VM_${kind}_COUNT`, BigInt(entries.length));
  made.vmcs.set(`VM_${kind}_ADDRESS`, BigInt(LIST));
  for (const [index, [msr, value]] of entries.entries()) {
    made.machine.memory.write(hpa(LIST + 16 * index), 8, msr);
    made.machine.memory.write(hpa(LIST + 16 * index + 8), 8, value);
  }
  return made;
}

test('an entry loads its list, an exit stores one and loads another', () => {
  const entry = withList('ENTRY_MSR_LOAD', [STAR, 0x1234n], [0x277n, 0x0606_0606_0606_0606n]);
  expect(exitOf(entry)).toMatchObject({reason: 12});
  expect([entry.machine.registers.get('STAR'), entry.machine.registers.get('PAT')]).toEqual([
    0x1234n,
    0x0606_0606_0606_0606n,
  ]);
  const store = withList('EXIT_MSR_STORE', [STAR, 0n]);
  store.machine.registers.set('STAR', 0x77n);
  exitOf(store);
  expect(store.machine.memory.read(hpa(LIST + 8), 8)).toBe(0x77n);
  const load = withList('EXIT_MSR_LOAD', [STAR, 0x99n]);
  exitOf(load);
  expect(load.machine.registers.get('STAR')).toBe(0x99n);
});

test.each([
  ['an MSR that does not exist', 0x1_2345n, 0n],
  ['reserved bits in the index', STAR | (1n << 32n), 0n],
  ['FS.base, which has a field of its own', 0xc000_0100n, 0n],
  ['an x2APIC register', 0x808n, 0n],
  ['a value of EFER that WRMSR refuses', 0xc000_0080n, 2n],
  ['a memory type that does not exist in PAT', 0x277n, 2n],
  ['an address that is not canonical', 0xc000_0082n, 1n << 47n],
] as const)(
  'an entry that cannot load %s ends with reason 34, the entry’s number as qualification',
  (_, msr, value) => {
    const made = withList('ENTRY_MSR_LOAD', [STAR, 1n], [msr, value]);
    exitOf(made);
    expect([made.vmcs.get('EXIT_REASON'), made.vmcs.get('EXIT_QUALIFICATION')]).toEqual([0x8000_0022n, 2n]);
    expect(made.machine.registers.get('RIP')).toBe(HOST_RIP);
    expect(made.vmcs.launchState).toBe('clear');
  },
);

test.each([
  ['stores', 'EXIT_MSR_STORE', 1n],
  ['loads', 'EXIT_MSR_LOAD', 4n],
] as const)('an exit that %s what does not exist is a VMX abort', (_, kind, indicator) => {
  const made = withList(kind, [0x1_2345n, 0n]);
  exitOf(made);
  expect(made.machine.memory.read(hpa(VMCS_A + 4), 4)).toBe(indicator);
  expect(made.machine.step()).toEqual({kind: 'shutdown'});
});
