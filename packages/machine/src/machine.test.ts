import {expect, test} from 'vitest';
import {hpa} from '@hyperscope/base';
import {Machine} from './machine.js';
import {NEHALEM_COSTS} from './cpu/cost-model.js';
import {NEHALEM} from './cpu/profiles.js';
test('smoke', () => {
  const m = new Machine({memoryBytes: 1 << 20, profile: NEHALEM, costModel: NEHALEM_COSTS});
  m.memory.load(hpa(0x1000), Uint8Array.from([0xb8, 0x34, 0x12, 0x05, 1, 0, 0xba, 0xf8, 0x03, 0xee, 0x50, 0x5b, 0xf4]));
  m.registers.setSegment('CS', {selector: 0, base: 0n, limit: 0xffff, attributes: 0x9b});
  m.registers.set('RIP', 0x1000n);
  m.registers.set('RSP', 0x8000n);
  for (let i = 0; i < 10; i++) console.log(m.step(), m.registers.get('RAX').toString(16), m.registers.get('RBX').toString(16));
  const t0 = performance.now();
  m.memory.load(hpa(0x1000), Uint8Array.from([0x01, 0xd8, 0x11, 0xd1, 0x31, 0xc2, 0x89, 0x16, 0x00, 0x20, 0x21, 0xd8, 0x29, 0xc8, 0xeb, 0xf0]));
  m.registers.set('RIP', 0x1000n); m.registers.set('ACTIVITY', 0n);
  for (let i = 0; i < 400000; i++) m.step();
  console.log('kIPS', 400000 / (performance.now() - t0));
  expect(m.registers.get('RIP')).toBeGreaterThan(0n);
});
