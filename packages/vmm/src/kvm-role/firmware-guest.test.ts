// A program that starts after a PC's firmware finds the same under a hypervisor as on bare metal: the timer runs.

import {describe, expect, test} from 'vitest';
import {listing} from '../conformance/listing.js';
import {TEST_PORTS, realModeImage, runToEnd} from '../testing/run-guest.js';
import {HypervisorRun} from './hypervisor-run.js';
import {vtxEpt} from './vmx/vtx-ept.js';
import {vtxShadow} from './vmx/vtx-shadow.js';

const PLACES = ['kernel', undefined] as const;

describe.each([
  ['vtx-ept', vtxEpt],
  ['vtx-shadow', vtxShadow],
] as const)('%s', (_, definition) => {
  test.each(PLACES)('HLT wakes and the ticks count, with controllers in %s', irqchip => {
    const code = listing(`
    fb f4 f4 f4                   ; sti / hlt / hlt / hlt
    a1 6c 04                      ; mov ax, [46ch]
    fa f4                         ; cli / hlt
  `);
    const image = {...realModeImage([...code]), startedBy: 'firmware', irqchip} as const;
    const run = new HypervisorRun({image, ports: TEST_PORTS, profile: undefined, costModel: undefined}, definition());
    expect(runToEnd(run, 60_000).outcome?.kind).toBe('halted');
    expect(run.guestRegisters().RAX).toBe(3n);
  });
});
