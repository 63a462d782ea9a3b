import {gpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {guestExtents} from './guest-extents.js';
import {NO_PORTS} from './session.js';
import {requireTechnique} from '../shipped.js';

const ROM = gpa(0xffff_f000);
const MEMORY = 0x10_0000;

const start = (technique: string) =>
  requireTechnique(technique).start({
    image: {memoryBytes: MEMORY, segments: [{gpa: ROM, bytes: new Uint8Array(4096).fill(0x90)}], registers: {}},
    ports: NO_PORTS,
    profile: undefined,
    costModel: undefined,
  });

test('under a hypervisor RAM and ROM lie elsewhere, and both are found', () => {
  const run = start('vtx-ept');
  const extents = guestExtents(run, MEMORY) ?? [];
  expect(extents.map(({gpa: address, length}) => [address, length])).toEqual([
    [0, MEMORY],
    [ROM, 4096],
  ]);
  expect(run.machine.memory.bytes[extents[1]?.offset ?? 0]).toBe(0x90);
});

test('on bare metal RAM is where it is', () => {
  expect(guestExtents(start('bare'), MEMORY)).toBeUndefined();
});
