import {expect, test} from 'vitest';
import {CODE, longMode} from '../machine-fixture.js';

const LGDT_RAX = '0f 01 10';
const LIDT_RAX = '0f 01 18';
const POINTER = CODE + 0x100;

test.each([
  ['LGDT', LGDT_RAX, 'GDTR.base'],
  ['LIDT', LIDT_RAX, 'IDTR.base'],
] as const)('%s refuses a base that is not canonical, and loads one that is', (_, code, cell) => {
  const t = longMode({}, code, code).set({RAX: BigInt(POINTER)});
  const before = t.machine.registers.get(cell);
  t.quad(POINTER + 2, 0xffaa_aaaa_aaaa_aaaan);
  t.machine.step();
  expect([t.machine.registers.get(cell), t.events.find(event => event.kind === 'exception')]).toMatchObject([
    before,
    {vector: 13, errorCode: 0},
  ]);
  const u = longMode({}, code)
    .set({RAX: BigInt(POINTER)})
    .quad(POINTER + 2, 0xffff_8000_0000_0000n);
  u.machine.step();
  expect(u.machine.registers.get(cell)).toBe(0xffff_8000_0000_0000n);
});
