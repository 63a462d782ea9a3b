import {expect, test} from 'vitest';
import {SEL, longMode} from '../machine-fixture.js';

test('IRETQ to ring 3 makes a data segment of ring 0 null, and leaves its base where it was', () => {
  // push 23h / push 48000h / push 202h / push 2bh / push 20000h / iretq
  const t = longMode({}, '6a 23', '68 00 80 04 00', '68 02 02 00 00', '6a 2b', '68 00 00 02 00', '48 cf');
  const {registers} = t.machine;
  registers.setSegment('GS', {selector: SEL.data, base: 0x40_0000n, limit: 0xffff_ffff, attributes: 0xc093});
  for (let step = 0; step < 6; step++) t.machine.step();
  const unusable = (registers.get('GS.attributes') >> 16n) & 1n;
  expect([registers.get('CPL'), registers.get('GS.selector'), unusable]).toEqual([3n, 0n, 1n]);
  expect(registers.get('GS.base')).toBe(0x40_0000n);
});
