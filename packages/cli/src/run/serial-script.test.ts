import {expect, test} from 'vitest';
import {parseSerialScript} from './serial-script.js';

test('a script waits and sends, with escapes, and skips comments', () => {
  expect(parseSerialScript('# log in\n\nwait login: \nsend root\\n\nsend \\x1b\\\\n\n')).toEqual([
    {kind: 'wait', text: 'login: '},
    {kind: 'send', text: 'root\n'},
    {kind: 'send', text: '\x1b\\n'},
  ]);
});

test('a line that is neither is named', () => {
  expect(() => parseSerialScript('wait a\ntype b\n')).toThrow(/line 2/);
});
