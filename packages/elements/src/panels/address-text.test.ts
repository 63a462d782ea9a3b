// Addresses as people write them.

import {expect, test} from 'vitest';
import {readAddress} from './address-text.js';

const registers = new Map([
  ['RSP', 0x7ff0n],
  ['CS', 8n],
]);

test.each([
  ['0x8000', 0x8000n],
  ['8000', 0x8000n],
  [' FEE0_0000h ', 0xfee0_0000n],
  ['rsp', 0x7ff0n],
  ['RSP + 10', 0x8000n],
  ['rsp-f0', 0x7f00n],
  ['ffffffffffffffff', 0xffff_ffff_ffff_ffffn],
  ['cs - 9', 0xffff_ffff_ffff_ffffn],
])('%s is an address', (text, address) => {
  expect(readAddress(text, registers)).toEqual({kind: 'address', address});
});

test.each([
  ['', 'Write an address'],
  ['rbq', '“rbq” is no address'],
  ['0x1ffffffffffffffff', 'at most 64 bits'],
  ['rsp + zz', '“zz” is no offset'],
])('%j is told what is wrong', (text, why) => {
  expect(readAddress(text, registers)).toMatchObject({kind: 'trouble', why: expect.stringContaining(why)});
});
