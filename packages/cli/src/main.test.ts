import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, test} from 'vitest';

const program = fileURLToPath(new URL('../bin/hyperscope.mjs', import.meta.url));
const built = existsSync(new URL('../dist/main.js', import.meta.url));

/** The program as a user starts it, with pipes for a terminal. */
const hyperscope = (...args: readonly string[]) =>
  spawnSync(process.execPath, [program, ...args], {encoding: 'utf8', timeout: 30_000});

describe.skipIf(!built)('the built program', () => {
  test('runs a guest, prints without colours into a pipe, and ends with its status', () => {
    const {status, stdout, stderr} = hyperscope('run', 'popf');
    expect([status, stdout]).toEqual([0, 'IF 0\nPOPF 1\n']);
    expect(stderr).not.toContain('\x1b');
  });

  test('knows every command of the help', {timeout: 60_000}, () => {
    const {stdout} = hyperscope('--help');
    for (const command of ['run', 'compare', 'record', 'show', 'asm', 'disasm', 'vectors', 'guests', 'serve']) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
      const help = hyperscope(command, '--help');
      expect([help.status, help.stdout]).toEqual([0, expect.stringContaining('Examples')]);
    }
  });

  test('is quiet when its reader has seen enough', () => {
    const {stderr} = spawnSync('sh', ['-c', `"${process.execPath}" "${program}" guests popf | head -n 1`], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
  });
});
