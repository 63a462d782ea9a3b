import {expect, test} from 'vitest';
import type {GuestEntry} from './lab-client.js';
import {machineFor, whyNotOn} from './guest-machines.js';

const entry = (title: string, more: Partial<GuestEntry> = {}): GuestEntry => ({
  id: title,
  title,
  teaches: '',
  isHypervisor: false,
  only: undefined,
  group: undefined,
  ...more,
});
const PLAIN = entry('mini-os');
const PORTED = entry('mini-os, ported to Xen', {only: 'paravirtual'});
const HYPERVISOR = entry('tiny-vmx', {only: 'bare', isHypervisor: true});
const GUESTS = [PLAIN, PORTED, HYPERVISOR];
const MACHINES = [
  {id: 'bare', title: 'No hypervisor'},
  {id: 'vtx-ept', title: 'VT-x with EPT'},
  {id: 'paravirtual', title: 'Paravirtualization', kernels: 'ported'},
] as const;
const why = (guest: GuestEntry) => MACHINES.map(machine => whyNotOn(guest, machine, GUESTS) ?? 'runs');

test('an ordinary guest runs everywhere but where kernels are ported, and is told of one that does', () => {
  expect(why(PLAIN)).toEqual([
    'runs',
    'runs',
    expect.stringMatching(/needs a kernel that is ported.*“mini-os, ported to Xen”/),
  ]);
});

test('a port and a hypervisor run on one machine each', () => {
  expect(why(PORTED)).toEqual([expect.stringMatching(/hypercalls/), expect.stringMatching(/hypercalls/), 'runs']);
  expect(why(HYPERVISOR)).toEqual([
    'runs',
    expect.stringMatching(/bare metal only/),
    expect.stringMatching(/bare metal/),
  ]);
});

test('where the choice does not fit, a guest is opened on its only machine, or on the usual one', () => {
  const opened = (guest: GuestEntry, wanted: string) => machineFor(guest, wanted, MACHINES, 'vtx-ept');
  expect(opened(PORTED, 'bare')).toBe('paravirtual');
  expect(opened(HYPERVISOR, 'vtx-ept')).toBe('bare');
  expect(opened(PLAIN, 'paravirtual')).toBe('vtx-ept');
  expect(opened(PLAIN, 'bare')).toBe('bare');
});
