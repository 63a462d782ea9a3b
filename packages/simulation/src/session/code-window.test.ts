// The lines of code around the playhead: they stand still while the guest goes on among them, and they are always what memory
// holds, also where a line was made before.

import {expect, test} from 'vitest';
import {SHIPPED} from '../shipped.js';
import {SimulationHost} from '../simulation-host.js';
import type {Session} from './session.js';

const host = new SimulationHost(SHIPPED);
const opened = (source: string): Session => host.open({technique: 'bare', guest: {of: 'hello-kvm', source}});

test('the lines stand still while the guest goes on among them, with eight before the current one', () => {
  const session = opened(`bits 64\norg 0x8000\n${'add rax, 1\nmov [0x9000], rax\n'.repeat(30)}hlt\n`);
  let changes = 0;
  let shown = session.seek(session.start).code;
  for (let step = 0; step < 60; step++) {
    const {code, next} = session.step('forward', 'instruction');
    const current = code.findIndex(line => line.address === next?.rip);
    expect(current).toBeGreaterThanOrEqual(Math.min(8, step + 1));
    if (code[0]?.address !== shown[0]?.address) changes++;
    shown = code;
  }
  expect(changes).toBeGreaterThan(1);
  expect(changes).toBeLessThan(10);
});

test('a line whose bytes the guest has written is made anew; before that, it is as it was', () => {
  const session = opened('bits 64\norg 0x8000\nmov byte [later], 0xf8\nnop\nlater: nop\nhlt\n');
  const texts = (): readonly string[] => session.moment().code.map(line => line.text);
  session.seek(session.start);
  expect(texts().filter(text => text === 'nop')).toHaveLength(2);
  session.step('forward', 'instruction');
  expect(texts()).toContain('clc');
  session.step('back', 'instruction');
  expect(texts()).not.toContain('clc');
});
