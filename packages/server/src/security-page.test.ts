// docs/security.md names a test for each threat. Here: that there is one by that name, so that page and tests cannot drift apart.

import {existsSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {DEFAULT_LIMITS} from './limits.js';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/security.md', root), 'utf8');

const section = (title: string): string => page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
/** The cells of a section's table, its two head lines left out. */
const rows = (title: string): readonly (readonly string[])[] =>
  section(title)
    .split('\n')
    .filter(line => line.startsWith('|'))
    .slice(2)
    .map(line =>
      line
        .slice(1, -1)
        .split('|')
        .map(cell => cell.trim()),
    );

/** `server/src/app.test.ts` is written out once; after that its name is enough. */
function fileOf(name: string): URL {
  const inPackage = new URL(`packages/${name}`, root);
  return existsSync(inPackage) ? inPackage : new URL(`packages/server/src/${name}`, root);
}

const threats = rows('Threats');

test('there are threats, each with what is done and a test', () => {
  expect(threats.length).toBeGreaterThan(15);
  for (const row of threats) expect(row.map(cell => cell.length > 3)).toEqual([true, true, true]);
});

describe.each(threats.map(([threat = '', , where = '']) => [threat, where] as const))('%s', (_threat, where) => {
  const named = [...where.matchAll(/`([\w./-]+\.(?:kvm)?test\.ts)`((?: "[^"]+")*)/g)];
  const other = /`npm (test|run \w+)`(?:, stage "([^"]+)")?/.exec(where);

  test('names a test that exists', () => {
    expect(named.length + (other === null ? 0 : 1)).toBeGreaterThan(0);
    for (const [, file = '', quoted = ''] of named) {
      const code = codeOf(fileOf(file));
      for (const [, title = ''] of quoted.matchAll(/"([^"]+)"/g)) expect(code, file).toContain(title);
    }
    const [, script, stage] = other ?? [];
    const scripts: Readonly<Record<string, string>> = JSON.parse(
      readFileSync(new URL('package.json', root), 'utf8'),
    ).scripts;
    if (script !== undefined) expect(Object.keys(scripts)).toContain(script.replace('run ', ''));
    if (stage !== undefined) expect(readFileSync(new URL('packages/tools/check.mjs', root), 'utf8')).toContain(stage);
  });
});

/** Titles stand in the code: in test(), describe() or one of their tables, not in a comment. */
const codeOf = (file: URL): string =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => !/^\s*(\/\/|\/?\*)/.test(line))
    .join('\n');

test('its table of limits has every limit, with its default', () => {
  const listed = rows('Limits').flatMap(([names = '', values = '']) => {
    const numbers = values.split(' and ').map(text => Number(text.replaceAll(',', '')));
    return [...names.matchAll(/`(\w+)`/g)].map((found, index) => [found[1] ?? '', numbers[index]] as const);
  });
  expect(Object.fromEntries(listed)).toEqual(DEFAULT_LIMITS);
});
