// Every machine that is asked for has its lane, or its reason.

import {expect, test} from 'vitest';
import type {Catalogue, GuestEntry, TechniqueEntry} from '../lab-client.js';
import {USUAL_LANES, plannedLanes} from './planned-lanes.js';

const machine = (id: string, more: Partial<TechniqueEntry> = {}): TechniqueEntry => ({
  id,
  title: `${id} in full`,
  shortTitle: id,
  summary: '',
  host: 'hardware',
  ...more,
});
const guest = (id: string, more: Partial<GuestEntry> = {}): GuestEntry => ({
  id,
  title: id,
  teaches: '',
  isHypervisor: false,
  only: undefined,
  group: undefined,
  ...more,
});
const catalogue: Catalogue = {
  techniques: [
    ...USUAL_LANES.filter(id => id !== 'kvm').map(id => machine(id)),
    machine('paravirtual', {kernels: 'ported'}),
  ],
  guests: [
    guest('popf'),
    guest('tiny-vmx', {isHypervisor: true, only: 'bare'}),
    guest('mini-os-pv', {only: 'paravirtual'}),
  ],
};
const kinds = (name: string, ids = USUAL_LANES): readonly string[] =>
  plannedLanes({catalogue, guest: name, edited: undefined}, ids).map(({id, kind}) => `${id} ${kind}`);

test('an ordinary guest runs on all of them', () => {
  expect(kinds('popf')).toEqual([
    'bare machine',
    'trap-and-emulate machine',
    'binary-translation machine',
    'vtx-shadow machine',
    'vtx-ept machine',
    'svm-npt machine',
    'kvm real',
  ]);
});

test('a hypervisor runs on bare metal, and each other machine says why not', () => {
  const lanes = plannedLanes({catalogue, guest: 'tiny-vmx', edited: undefined}, USUAL_LANES);
  expect(lanes.map(({kind}) => kind)).toEqual(['machine', ...Array.from({length: 6}, () => 'absent')]);
  for (const lane of lanes) if (lane.kind === 'absent') expect(lane.why).toMatch(/hypervisor itself/);
});

test('the only machine of a ported kernel is there though nobody asked for it, before real KVM', () => {
  expect(kinds('mini-os-pv').slice(-2)).toEqual(['paravirtual machine', 'kvm absent']);
});

test('what a link invents is left out, and what it names twice stands once', () => {
  expect(kinds('popf', ['vtx-ept', 'no-such', 'vtx-ept', 'paravirtual'])).toEqual([
    'vtx-ept machine',
    'paravirtual absent',
  ]);
});
