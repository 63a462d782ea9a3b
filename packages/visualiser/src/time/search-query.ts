// What was typed into the search, understood: an address, a register's value, or text.

import type {SearchQuery} from '@hyperscope/trace';

const NUMBER = /^(?:0x[\da-f]+|\d+)$/i;

/** `0x8006` is an address, `rax = 0x10` a value that a register gets, everything else text. `cells`: the registers there are. */
export function searchQuery(text: string, cells: readonly string[]): SearchQuery {
  const typed = text.trim();
  if (/^0x[\da-f]+$/i.test(typed)) return {kind: 'address', address: BigInt(typed)};
  const [, name = '', value = ''] = /^([\w.]+)\s*=\s*(\S+)$/.exec(typed) ?? [];
  const register = cells.find(cell => cell.toLowerCase() === name.toLowerCase());
  return register !== undefined && NUMBER.test(value)
    ? {kind: 'register', register, value: BigInt(value)}
    : {kind: 'text', text: typed};
}
