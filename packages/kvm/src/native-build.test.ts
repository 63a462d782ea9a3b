// The build script and the loader of the addon, in a copy of native/ where nothing has been built yet.

import {spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';

const NATIVE = fileURLToPath(new URL('../../../native/', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
  for (const name of ['scripts', 'kvm', 'index.js', 'package.json', 'binding.gyp'])
    cpSync(join(NATIVE, name), join(folder, name), {recursive: true});
});
afterEach(() => {
  rmSync(folder, {recursive: true});
});

function build(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): {readonly status: number | null; readonly text: string} {
  const {status, stdout, stderr} = spawnSync(process.execPath, ['scripts/build.mjs', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: {...process.env, ...env},
  });
  return {status, text: stdout + stderr};
}
const recorded = (): unknown => JSON.parse(readFileSync(join(folder, 'build/reason.json'), 'utf8'));
function loaded(): unknown {
  const program = `import {native, reason} from ${JSON.stringify(join(folder, 'index.js'))}; console.log(JSON.stringify({there: native !== undefined, reason}))`;
  return JSON.parse(spawnSync(process.execPath, ['--input-type=module', '-e', program], {encoding: 'utf8'}).stdout);
}

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('building the addon', {timeout: 30_000}, () => {
  test('is skipped by HYPERSCOPE_SKIP_NATIVE; an install passes, a build fails, and the loader says why', () => {
    const skip = {HYPERSCOPE_SKIP_NATIVE: '1'};
    expect([build(skip, '--optional').status, build(skip).status]).toEqual([0, 1]);
    expect(recorded()).toMatchObject({code: 'SKIPPED', message: expect.stringContaining('HYPERSCOPE_SKIP_NATIVE')});
    expect(loaded()).toMatchObject({there: false, reason: {code: 'SKIPPED'}});
  });

  test('passes an install without a compiler and says which package to install', () => {
    const result = build({CXX: '/nowhere/g++'}, '--optional');
    expect([result.status, result.text]).toEqual([0, expect.stringContaining('apt-get install g++')]);
    expect(loaded()).toMatchObject({there: false, reason: {code: 'ENOCOMPILER'}});
  });

  test('passes an install whose compiler fails', () => {
    const result = build({CXX: 'true', HYPERSCOPE_NATIVE_PLAIN: '1'}, '--optional');
    expect([result.status, recorded()]).toEqual([0, expect.objectContaining({code: 'EBUILD'})]);
  });

  test('before any attempt the loader names the command', () =>
    expect(loaded()).toMatchObject({
      there: false,
      reason: {code: 'ENOADDON', message: expect.stringContaining('node native/scripts/build.mjs')},
    }));

  test('a file that is no addon does not break the import', () => {
    mkdirSync(join(folder, 'build/Release'), {recursive: true});
    cpSync(join(NATIVE, 'package.json'), join(folder, 'build/Release/hyperscope_kvm.node'));
    expect(loaded()).toMatchObject({
      there: false,
      reason: {code: 'ENOADDON', message: expect.stringContaining('--force')},
    });
    expect(existsSync(join(folder, 'build/reason.json'))).toBe(false);
  });
});
