// An edited program survives the trip in a link; a hostile one becomes nothing.

import fc from 'fast-check';
import {expect, test, vi} from 'vitest';
import {GUESTS} from '@hyperscope/simulation';
import {PackedText, packText, unpackText} from './linked-text.js';

async function packed(content: Uint8Array<ArrayBuffer> | string): Promise<string> {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

test('any text comes back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({minLength: 1, unit: 'grapheme'}), async text => {
      const link = await packText(text);
      expect(link).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(await unpackText(link ?? '')).toBe(text);
    }),
    {numRuns: 40},
  );
});

test('every program that ships fits into a link', async () => {
  for (const {id, source} of GUESTS) expect((await packText(source))?.length, id).toBeLessThan(20_000);
});

test('what is too long for a link is not packed', async () => {
  const noise = Array.from({length: 40_000}, (_, i) => String.fromCharCode(0x4e00 + ((i * 7919) % 20_000))).join('');
  expect(await packText(noise)).toBeUndefined();
});

const BOMB = packed('A'.repeat(10_000_000));

test.each([
  ['damaged', 'AAAA'],
  ['not base64', '****'],
  ['not UTF-8', packed(Uint8Array.of(0xff, 0xfe, 0xfd))],
  ['no text', packed('mov\0')],
  ['empty', packed('')],
  ['a bomb', BOMB],
  ['cut off', packed('section .text '.repeat(50)).then(link => link.slice(0, -8))],
])('a text that is %s becomes nothing', async (_, link) => {
  expect(await unpackText(await link)).toBeUndefined();
});

test('the bomb is short enough to be tried', async () => {
  expect((await BOMB).length).toBeLessThan(20_000);
});

test('a text is packed once, and what was overtaken is dropped', async () => {
  const ready = vi.fn<() => void>();
  const kept = new PackedText();
  expect(kept.of('cli', ready)).toBeUndefined();
  expect(kept.of('hlt', ready)).toBeUndefined();
  await vi.waitFor(() => expect(ready).toHaveBeenCalledTimes(1));
  expect(await unpackText(kept.of('hlt', ready) ?? '')).toBe('hlt');
  expect(kept.of(undefined, ready)).toBeUndefined();
});
