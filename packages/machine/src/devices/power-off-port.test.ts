import {expect, test} from 'vitest';
import {PowerOffPort} from './power-off-port.js';

test('only SLP_EN turns the power off', () => {
  const port = new PowerOffPort();
  port.write(0, 2, 0x0001);
  expect(port.isOff).toBe(false);
  port.write(0, 2, 0x2000);
  expect(port.isOff).toBe(true);
});
