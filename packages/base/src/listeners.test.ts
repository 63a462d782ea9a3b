import {expect, test} from 'vitest';
import {Listeners} from './listeners.js';

test('functions and objects hear each event once, in order, until they are removed', () => {
  const heard: string[] = [];
  const listeners = new Listeners<string>();
  const first = (event: string): void => {
    heard.push(`first ${event}`);
  };
  const second = {prefix: 'second', handleEvent: (event: string) => void heard.push(`second ${event}`)};
  listeners.add(first);
  listeners.add(second);
  listeners.add(first);
  listeners.tell('a');
  listeners.remove(first);
  listeners.tell('b');
  expect(heard).toEqual(['first a', 'second a', 'second b']);
});
