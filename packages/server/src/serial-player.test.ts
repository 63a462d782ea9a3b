import {expect, test} from 'vitest';
import {SerialPlayer} from './serial-player.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (sent: Uint8Array): string => new TextDecoder().decode(sent);

test('what is waited for may come in pieces, and each output is used once', () => {
  const player = new SerialPlayer({
    stop: undefined,
    steps: [
      {kind: 'wait', text: 'login:'},
      {kind: 'send', text: 'root\n'},
      {kind: 'wait', text: '$'},
      {kind: 'send', text: 'ls\n'},
    ],
  });
  expect(text(player.begin())).toBe('');
  expect(text(player.hear(bytes('$ log')).send)).toBe('');
  expect(text(player.hear(bytes('in: ')).send)).toBe('root\n');
  expect(text(player.hear(bytes('$ ')).send)).toBe('ls\n');
});

test('a script may begin by typing', () => {
  expect(text(new SerialPlayer({stop: undefined, steps: [{kind: 'send', text: 'x'}]}).begin())).toBe('x');
});

test('the run stops when the whole output matches, also across pieces', () => {
  const player = new SerialPlayer({stop: 'o.k', steps: []});
  expect(player.hear(bytes('no')).stop).toBe(false);
  expect(player.hear(bytes('-k')).stop).toBe(true);
});
