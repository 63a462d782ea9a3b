// What people type into the search means what they meant.

import {expect, test} from 'vitest';
import {searchQuery} from './search-query.js';

const CELLS = ['RAX', 'CR3', 'CS.base'];

test.each([
  ['0x8006', {kind: 'address', address: 0x8006n}],
  ['rax = 0x10', {kind: 'register', register: 'RAX', value: 16n}],
  ['cs.base=256', {kind: 'register', register: 'CS.base', value: 256n}],
  ['out dx, al', {kind: 'text', text: 'out dx, al'}],
  ['rxx = 3', {kind: 'text', text: 'rxx = 3'}],
  ['rax = many', {kind: 'text', text: 'rax = many'}],
])('%s', (text, query) => {
  expect(searchQuery(text, CELLS)).toEqual(query);
});
