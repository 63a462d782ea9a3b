import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {ASM} from './asm.js';

const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
afterAll(() => rmSync(folder, {recursive: true}));

function sourceFile(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test('a source becomes the bytes that nasm gives', async () => {
  const path = sourceFile('a.asm', 'bits 16\norg 0x7c00\nstart:\n  hlt\n  jmp start\n');
  const {status, notes} = await runInProcess([ASM], ['asm', path]);
  expect(status).toBe(0);
  expect(notes).toContain('3 bytes from 0x7c00');
  expect([...readFileSync(join(folder, 'a.bin'))]).toEqual([0xf4, 0xeb, 0xfd]);
});

test('a listing shows address, bytes and text, and writes no file', async () => {
  const {out} = await runInProcess([ASM], ['asm', sourceFile('b.asm', 'org 0x100\ncli\n'), '--listing']);
  expect(out).toMatch(/^00000100 {2}fa +cli$/m);
  expect(() => readFileSync(join(folder, 'b.bin'))).toThrow();
});

test('JSON has bytes and symbols', async () => {
  const {out} = await runInProcess([ASM], ['asm', sourceFile('c.asm', 'org 0x10\nhere: nop\n'), '--json']);
  expect(JSON.parse(out)).toMatchObject({ok: true, origin: '0x10', bytes: '90', symbols: {here: '0x10'}});
});

test('an error shows the line, marks the place and gives status 2', async () => {
  const {status, notes} = await runInProcess([ASM], ['asm', sourceFile('d.asm', 'nop\n  moof eax, 1\n')]);
  expect(status).toBe(2);
  expect(notes).toMatch(/d\.asm:2:3: error: /);
  expect(notes).toContain('    ^^^^\n');
});

test('a file that is not there is a sentence', async () => {
  const {status, notes} = await runInProcess([ASM], ['asm', join(folder, 'none.asm')]);
  expect([status, notes]).toEqual([2, expect.stringContaining('there is no such file')]);
});

test('--help teaches: usage, options, examples, exit statuses', async () => {
  const {status, out} = await runInProcess([ASM], ['asm', '--help']);
  expect(status).toBe(0);
  for (const part of ['hyperscope asm FILE.asm', '--listing', 'Examples', 'Exit status']) expect(out).toContain(part);
  expect(Math.max(...out.split('\n').map(line => line.length))).toBeLessThanOrEqual(100);
});

test('a command that does not exist is answered with the nearest', async () => {
  const {status, notes} = await runInProcess([ASM], ['asn', 'x']);
  expect([status, notes]).toEqual([2, expect.stringContaining('Did you mean asm?')]);
});

test('the version is printed, and nothing at all is bad usage with help', async () => {
  expect(await runInProcess([ASM], ['--version'])).toMatchObject({status: 0, out: '1.2.3\n'});
  expect(await runInProcess([ASM], [])).toMatchObject({status: 2, out: expect.stringContaining('Commands')});
});
