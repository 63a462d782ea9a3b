import {expect, test} from 'vitest';
import {ClientBudget} from './client-budget.js';

/** A budget and its clock. */
function budget(rate: number, perClient: number) {
  let now = 0;
  const clients = new ClientBudget({rate, perClient}, {now: () => now});
  return {clients, wait: (milliseconds: number) => (now += milliseconds)};
}

test('a client may start so many runs a minute, and gets them back with time', () => {
  const {clients, wait} = budget(2, 10);
  clients.begin('a')();
  clients.begin('a')();
  expect(() => clients.begin('a')).toThrow('2 runs a minute');
  wait(30_000);
  clients.begin('a')();
  expect(() => clients.begin('a')).toThrow('a minute');
});

test('what one client uses up is not missing to another', () => {
  const {clients} = budget(1, 10);
  clients.begin('a')();
  clients.begin('b')();
  expect(() => clients.begin('a')).toThrow('minute');
});

test('a client has only so many going on; giving back twice gives one', () => {
  const {clients} = budget(100, 2);
  const over = clients.begin('a');
  clients.begin('a');
  expect(() => clients.begin('a')).toThrow('2 runs going on');
  over();
  over();
  clients.begin('a');
  expect(() => clients.begin('a')).toThrow('going on');
});

test('however many clients there were, only so many are remembered', () => {
  const {clients} = budget(1, 1);
  for (let client = 0; client < 10_001; client++) clients.begin(`client ${client}`)();
  expect(() => clients.begin('client 10000')).toThrow('minute');
  clients.begin('client 0'); // long forgotten, so it may begin anew
});
