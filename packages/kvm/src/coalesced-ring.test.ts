// The ring of coalesced writes, as the kernel's side would fill it.

import {expect, test} from 'vitest';
import {CoalescedRing} from './coalesced-ring.js';

/** A mapping of three pages whose last is the ring, and a writer that does what Linux' coalesced_mmio_write does. */
function ring(first: number) {
  const mapping = new ArrayBuffer(3 * 4096);
  const page = new DataView(mapping, 2 * 4096);
  page.setUint32(0, first, true);
  page.setUint32(4, first, true);
  const write = (gpa: number, ...data: readonly number[]): void => {
    const last = page.getUint32(4, true);
    const at = 8 + 24 * last;
    page.setBigUint64(at, BigInt(gpa), true);
    page.setUint32(at + 8, data.length, true);
    for (const [index, byte] of data.entries()) page.setUint8(at + 16 + index, byte);
    page.setUint32(4, (last + 1) % 170, true);
  };
  return {taken: new CoalescedRing(mapping, 2), write};
}

test('writes come out in order, across the end of the page, once', () => {
  const {taken, write} = ring(169);
  write(0xb_c000, 0x41);
  write(0xb_c002, 0x42, 0x07);
  expect(taken.take().map(({gpa, data}) => [gpa, [...data]])).toEqual([
    [0xb_c000, [0x41]],
    [0xb_c002, [0x42, 0x07]],
  ]);
  expect(taken.take()).toEqual([]);
});

test('what the kernel would never write does not lead out of the page', () => {
  const {taken, write} = ring(0xffff_ff00 % 170);
  write(0xb_c000, 1);
  const mapping = new ArrayBuffer(3 * 4096);
  new DataView(mapping, 2 * 4096).setUint32(0, 0xffff_ffff, true);
  expect(taken.take()).toHaveLength(1);
  expect(new CoalescedRing(mapping, 2).take().length).toBeLessThan(170);
});
