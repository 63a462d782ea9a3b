import {expect, test} from 'vitest';
import {ExitPort, debugExitStatus} from './exit-port.js';

test('the first write ends the run with its value', () => {
  const port = new ExitPort();
  const exits: number[] = [];
  port.onExit = value => exits.push(value);
  expect(port.value).toBeUndefined();
  port.write(0, 1, 0x10);
  expect([port.value, exits, debugExitStatus(0x10)]).toEqual([0x10, [0x10], 0x21]);
});
