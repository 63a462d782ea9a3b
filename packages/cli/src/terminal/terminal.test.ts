import {describe, expect, test} from 'vitest';
import {styles, visibleLength} from './colours.js';
import {parseArguments} from './arguments.js';
import {progress, short} from './progress.js';
import {table, wrap} from './table.js';
import {processTerminal} from './terminal.js';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return {isTTY, columns: 60, written, write: (data: string | Uint8Array) => written.push(String(data)) > 0};
}

describe('colours', () => {
  test('are written to a terminal only, and NO_COLOR forbids them', () => {
    const red = (isTTY: boolean, env: Record<string, string>) =>
      processTerminal(stream(isTTY), stream(isTTY), env).style('red', 'x');
    expect(red(true, {})).toBe('\x1b[31mx\x1b[39m');
    expect(red(false, {})).toBe('x');
    expect(red(true, {NO_COLOR: '1'})).toBe('x');
    expect(red(false, {FORCE_COLOR: '1'})).toContain('\x1b');
  });

  test('take no room', () => {
    expect(visibleLength(styles('coloured')('bold', 'abc'))).toBe(3);
  });
});

describe('progress', () => {
  test('is drawn where somebody looks, and removed at the end', () => {
    let now = 0;
    const err = stream(true);
    const line = progress(processTerminal(stream(true), err, {}), {now: () => now}, 'instructions', 2_000_000);
    now = 1000;
    line.update(1_000_000);
    line.end();
    expect(err.written.join('')).toContain('50 % 1.0 M instructions, 1.0 M/s');
    expect(err.written.at(-1)).toBe('\r\x1b[2K');
  });

  test('is drawn whole on a terminal that does not know its width', () => {
    const err = {...stream(true), columns: 0};
    processTerminal(stream(true), err, {}).status('0123456789/s');
    expect(err.written).toEqual(['0123456789/s']);
  });

  test('writes nothing into a pipe', () => {
    const err = stream(false);
    const line = progress(processTerminal(stream(false), err, {}), {now: () => err.written.length}, 'exits', undefined);
    line.update(10);
    line.end();
    expect(err.written).toEqual([]);
  });

  test('shortens counts', () => {
    expect([999, 12_345, 1_234_567, 2e9].map(short)).toEqual(['999', '12 k', '1.2 M', '2.0 G']);
  });
});

test('columns line up, also when they are coloured', () => {
  const red = styles('coloured')('red', 'io');
  expect(
    table(
      [
        {title: 'reason', align: 'left'},
        {title: 'n', align: 'right'},
      ],
      [
        [red, '10'],
        ['hlt', '1'],
      ],
    ),
  ).toEqual(['reason   n', `${red}      10`, 'hlt      1']);
});

test('text is broken between words', () => {
  expect(wrap('one two three', 9, '  ')).toEqual(['  one two', '  three']);
});

describe('arguments', () => {
  const options = {json: {value: 'FILE', help: ''}, quiet: {value: undefined, short: 'q', help: ''}} as const;

  test('mix with options in any order, and end at --', () => {
    const args = parseArguments(options, ['a', '-q', '--json=x', 'b', '--', '--c']);
    expect([args.positionals, args.has('quiet'), args.value('json')]).toEqual([['a', 'b', '--c'], true, 'x']);
  });

  test('refuse a value for a switch and a name that is nowhere near', () => {
    expect(() => parseArguments(options, ['--quiet=yes'])).toThrow('takes no value');
    expect(() => parseArguments(options, ['--zzzzz'])).toThrow('There is no option --zzzzz.');
  });
});
