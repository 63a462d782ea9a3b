import {expect, test} from 'vitest';
import {TEST_PORTS, realModeImage, runToEnd} from '../../testing/run-guest.js';
import {HypervisorRun} from '../hypervisor-run.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {vtxEpt} from './vtx-ept.js';
import {vtxShadow} from './vtx-shadow.js';

const start = (profile: string, definition: HypervisorDefinition = vtxEpt()): HypervisorRun =>
  new HypervisorRun({image: realModeImage([0xf4]), ports: TEST_PORTS, profile, costModel: undefined}, definition);

test.each([
  ['pentium-iii', 'no VMX'],
  ['amd-svm', 'no VMX'],
  ['westmere,-vmx', 'no VMX'],
  ['prescott', 'VMX without EPT'],
  ['nehalem', 'EPT without "unrestricted guest"'],
])('%s is refused: it has %s; the processors that will do are named', (profile, lack) => {
  expect(() => start(profile)).toThrow(lack);
  expect(() => start(profile)).toThrow('Choose one of: westmere, modern-intel');
});

test.each(['westmere', 'modern-intel', 'westmere,+strict'])('%s runs a guest', profile => {
  expect(runToEnd(start(profile)).outcome).toEqual({kind: 'halted'});
});

test.each(['pentium-iii', 'amd-svm', 'westmere,-vmx'])('without EPT, %s is refused too: it has no VMX', profile => {
  expect(() => start(profile, vtxShadow())).toThrow('shadow page tables cannot run');
  expect(() => start(profile, vtxShadow())).toThrow('Choose one of: prescott, nehalem, westmere, modern-intel');
});

test.each(['prescott', 'nehalem', 'westmere', 'modern-intel'])('without EPT, %s runs a guest', profile => {
  expect(runToEnd(start(profile, vtxShadow())).outcome).toEqual({kind: 'halted'});
});
