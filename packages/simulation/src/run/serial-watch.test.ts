import {expect, test} from 'vitest';
import {SerialWatch} from './serial-watch.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a pattern is found at its last byte', () => {
  const watch = new SerialWatch(/log.n:$/, []);
  const heard = Array.from('login: ', letter => {
    watch.hear(bytes(letter));
    return watch.enough() !== undefined;
  });
  expect(heard).toEqual([false, false, false, false, false, true, false]);
});

test('^ means the beginning of everything that was printed, however long ago', () => {
  const late = new SerialWatch(/^ready/, []);
  late.hear(bytes('x'.repeat(8190)));
  expect(late.enough()).toBeUndefined();
  for (const letter of 'ready') late.hear(bytes(letter));
  late.hear(bytes('ready'.repeat(2000)));
  expect(late.enough()).toBeUndefined();
});

test('a match that spans much text is found in time', () => {
  const watch = new SerialWatch(/begin[^]*end/, []);
  watch.hear(bytes('begin'));
  expect(watch.enough()).toBeUndefined();
  watch.hear(bytes('.'.repeat(20_000)));
  expect(watch.enough()).toBeUndefined();
  watch.hear(bytes('end'));
  watch.hear(bytes('.'.repeat(4096)));
  expect(watch.enough()).toBe('The guest printed what was waited for: begin[^]*end');
});

test('a script answers each text once, and then nobody listens', () => {
  const watch = new SerialWatch(undefined, [
    {kind: 'send', text: 'a'},
    {kind: 'wait', text: '?'},
    {kind: 'send', text: 'b'},
  ]);
  expect(watch.replies()).toEqual([{device: 'serial', bytes: bytes('a')}]);
  expect(watch.isListening).toBe(true);
  watch.hear(bytes('what?'));
  expect(watch.replies()).toEqual([{device: 'serial', bytes: bytes('b')}]);
  expect([watch.isListening, watch.replies()]).toEqual([false, []]);
});
