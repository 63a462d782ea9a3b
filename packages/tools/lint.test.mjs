import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {ROOT} from './sources.mjs';

// Inside the repository, so that rules with types find a tsconfig.json; removed at the end.
mkdirSync(`${ROOT}node_modules/.cache`, {recursive: true});
const folder = mkdtempSync(`${ROOT}node_modules/.cache/lint-`);
afterAll(() => rmSync(folder, {recursive: true}));

/** The rules that `text` breaks, under the project's own configuration. */
function brokenBy(text, name = 'planted.ts') {
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({extends: `${ROOT}tsconfig.base.json`, include: ['*.ts']}),
  );
  writeFileSync(join(folder, name), text);
  const args = ['-c', `${ROOT}.oxlintrc.json`, '--type-aware', '--no-ignore', '--format', 'json', name];
  const {stdout} = spawnSync(process.execPath, [`${ROOT}node_modules/oxlint/bin/oxlint`, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return JSON.parse(stdout).diagnostics.map(item => item.code);
}

describe('the linter knows the house rules', () => {
  test.each([
    ['any', 'export const a: any = 1;', 'no-explicit-any'],
    ['a non-null assertion', 'export const f = (a: number | undefined): number => a!;', 'no-non-null-assertion'],
    ['a type assertion', 'export const f = (a: unknown): number => a as number;', 'consistent-type-assertions'],
    ['a default export', 'export default 1;', 'no-default-export'],
    ['console in a library', 'console.log(1);', 'no-console'],
    ['a namespace', 'export namespace A { export const b = 1; }', 'no-namespace'],
    ['an empty catch', 'export const f = () => { try { f(); } catch {} };', 'no-empty'],
    ['a promise nobody waits for', 'export const f = () => { Promise.resolve(1); };', 'no-floating-promises'],
    [
      'a switch that forgets a case',
      `export const f = (a: 'x' | 'y') => { switch (a) { case 'x': return 1; } return 2; };`,
      'switch-exhaustiveness-check',
    ],
  ])('%s is refused', (_what, text, rule) => {
    expect(brokenBy(text)).toContainEqual(expect.stringContaining(rule));
  });

  test('what is allowed passes: `as const`, `satisfies`, named exports', () => {
    expect(brokenBy(`export const A = ['x', 'y'] as const satisfies readonly string[];\n`)).toEqual([]);
  });
});
