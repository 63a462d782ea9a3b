import {expect, test} from 'vitest';
import {DebugPort} from './debug-port.js';

test('keeps every byte, and reads its own number', () => {
  const port = new DebugPort();
  for (let i = 0; i < 600; i++) port.write(0, 1, i & 0xff);
  expect(port.output).toHaveLength(600);
  expect(port.output[599]).toBe(599 & 0xff);
  expect(port.read()).toBe(0xe9);
});
