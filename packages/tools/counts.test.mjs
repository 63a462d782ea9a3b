import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {add, fromPlaywright, fromVitest, lastLine, NONE, settle} from './counts.mjs';
import {findProgram, missingPackages} from './system-packages.mjs';

const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
afterAll(() => rmSync(folder, {recursive: true}));

const json = (name, value) => {
  writeFileSync(join(folder, name), JSON.stringify(value));
  return join(folder, name);
};

test('the last line says passed and failed, and skipped only when something was', () => {
  expect(lastLine({passed: 3, failed: 0, skipped: 0})).toBe('3 passed, 0 failed');
  expect(lastLine(add({passed: 3, failed: 1, skipped: 0}, {passed: 1, failed: 0, skipped: 2}))).toBe(
    '4 passed, 1 failed, 2 skipped',
  );
});

test('a runner that crashed without a failed test is one failure', () => {
  expect(settle({passed: 5, failed: 0, skipped: 0}, 1)).toEqual({passed: 5, failed: 1, skipped: 0});
  expect(settle({passed: 5, failed: 2, skipped: 0}, 1).failed).toBe(2);
  expect(settle(fromVitest(join(folder, 'absent')), 137)).toEqual({...NONE, failed: 1});
});

test('a Playwright test that passed at its second attempt failed', () => {
  const stats = {expected: 4, unexpected: 1, flaky: 1, skipped: 2};
  expect(fromPlaywright(json('e2e.json', {stats, errors: []}))).toEqual({passed: 4, failed: 2, skipped: 2});
});

test('what is missing is found by looking along PATH', () => {
  expect(findProgram(['no-such-program', 'node'], `/nowhere:${join(process.execPath, '..')}`)).toBe(process.execPath);
  const missing = missingPackages('run', '/nowhere').map(item => item.name);
  expect(missing).toEqual(['g++', 'make', 'python3']);
});
