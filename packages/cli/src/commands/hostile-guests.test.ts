// Guests and files that do their worst: every run ends by itself or at its limit, with the status of the contract and a
// sentence; nothing is thrown, and no message is a stack.

import {afterAll, describe, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {ASM} from './asm.js';
import {RECORD} from './record.js';
import {RUN} from './run.js';
import {SHOW} from './show.js';

const files = scratch();
afterAll(() => files.remove());

const hyperscope = (...args: readonly string[]) => runInProcess([RUN, RECORD, SHOW, ASM], args);

let count = 0;
const bootSector = (source: string): string =>
  files.program(`boot-${count++}.img`, `bits 16\norg 0x7c00\n${source}\ntimes 510-($-$$) db 0\ndw 0xaa55\n`);

/** The way to flat 32-bit code, which follows; paging as `cr0` says. */
const flat = (code: string, cr0 = '1'): string => `cli
  lgdt [pointer]
  mov eax, cr0
  or eax, ${cr0}
  mov cr0, eax
  jmp dword 8:begin
table: dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
pointer: dw 23
  dd table
bits 32
begin: mov ax, 16
  mov ds, ax
  mov es, ax
  ${code}`;

/** Page tables at 0x10000 that map the first 4 MiB onto themselves, built in real mode. */
const PAGED = `mov ax, 0x1000
  mov es, ax
  mov dword [es:0], 0x11003
  mov di, 0x1000
  mov eax, 3
fill: stosd
  add eax, 0x1000
  cmp di, 0x2000
  jne fill
  mov eax, 0x10000
  mov cr3, eax
  `;

/** Name, program, the status of its run on bare metal, and what the run says. */
const GUESTS: readonly (readonly [string, string, number, RegExp])[] = [
  ['a jump to where no memory is', flat('jmp 0xd0000000'), 3, /0xd0000000, where no memory is mapped\. #UD could not/],
  // 64 KiB below the end of its 4 MiB, and on.
  ['writes past the end of memory', flat('mov edi, 0x3f0000\nmov ecx, -1\nrep stosd\njmp begin'), 4, /limit of 60000/],
  ['reads past the end of memory', flat('mov esi, 0x3f0000\nmov ecx, -1\nrep lodsd\njmp begin'), 4, /limit of 60000/],
  ['writes over all memory, itself too', flat('xor edi, edi\nmov ecx, -1\nrep stosd\njmp begin'), 3, /Triple fault/],
  [
    'page tables written over themselves',
    PAGED +
      flat(
        `mov edi, 0x10000\nmov ecx, 0x800\nmov eax, 0x10003\nrep stosd
  mov eax, cr3\nmov cr3, eax\njmp 0x300000`,
        '0x80000001',
      ),
    3,
    /Triple fault/,
  ],
  ['a stack that never stops growing', 'again: push ax\ncall again', 4, /limit of 60000/],
  [
    'a handler that faults in itself',
    'lidt [pointer]\nint3\npointer: dw 0x3ff\ndd vectors\nvectors: times 8 dw handler, 0\nhandler: int3',
    4,
    /limit of 60000/,
  ],
  ['no IDT at all', 'lidt [nothing]\nud2\nnothing: dw 0\ndd 0', 3, /Triple fault/],
  ['code that rewrites itself', 'again: inc byte [changed+1]\nchanged: mov al, 0\njmp again', 4, /limit of 60000/],
  [
    'every port, read and written',
    'again: in al, dx\nout dx, al\ninc dx\ncmp dx, 0x60\njb again\nmov dx, 0x500\njmp again',
    4,
    /limit of 60000/,
  ],
  ['printing without end', 'mov dx, 0x3f8\nmov al, 65\nagain: out dx, al\njmp again', 4, /limit of 60000/],
  ['HLT that the timer wakes, for ever', 'sti\nagain: hlt\njmp again', 4, /limit of/],
  ['HLT that nothing can wake', 'cli\nhlt', 0, /^halted/m],
];

test.each(GUESTS)('%s: the run ends, with its status and a sentence', async (_name, source, status, sentence) => {
  const limits = ['--max-instructions', '60000', '--timeout', '20', '--memory', '4'];
  const run = await hyperscope('run', bootSector(source), '--on', 'bare', ...limits);
  expect(run.notes).toMatch(sentence);
  expect(run.notes).not.toMatch(/bug in Hyperscope|\n +at /);
  expect(run.status).toBe(status);
});

test('under a hypervisor a jump to where no memory is stops the run, and names the address', async () => {
  const run = await hyperscope('run', bootSector(flat('jmp 0xd0000000')), '--on', 'vtx-ept', '--timeout', '20');
  expect(run.notes).toMatch(/0xd0000000 lies outside the guest’s memory/);
  expect(run.status).toBe(5);
});

test('the record of an endless loop stops at its limit, and can be shown', async () => {
  const output = files.path('endless.hsr');
  const image = bootSector('again: push ax\ncall again');
  const recorded = await hyperscope('record', image, '--on', 'bare', '--max-instructions', '50000', '-o', output);
  expect(recorded.notes).toMatch(/limit of 50000 guest instructions/);
  expect(recorded.status).toBe(4);
  const shown = await hyperscope('show', output);
  expect([shown.status, shown.out]).toEqual([0, expect.stringContaining('up to a limit')]);
  const cut = files.file('cut.hsr', files.read('endless.hsr').subarray(0, 5000));
  expect(await hyperscope('show', cut)).toMatchObject({status: 2, notes: expect.stringContaining('cut off')});
});

describe('files that are no programs are refused with status 2', () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ['nothing', '', /is empty: there is nothing to run/],
    ['half of an ELF header', new Uint8Array([0x7f, 0x45, 0x4c, 0x46]), /neither a boot sector/],
    ['half of a multiboot header', new Uint8Array([2, 0xb0, 0xad, 0x1b]), /neither a boot sector/],
    ['text', 'hello, world\n', /neither a boot sector/],
  ])('%s', async (name, contents, sentence) => {
    const run = await hyperscope('run', files.file(name.replaceAll(' ', '-'), contents), '--timeout', '5');
    expect(run.notes).toMatch(sentence);
    expect(run.status).toBe(2);
  });
});

describe('source text that is not what it should be', () => {
  const asm = (name: string, source: string | Uint8Array) =>
    hyperscope('asm', files.file(name, source), '-o', files.path(`${name}.bin`));

  test.each<[string, string]>([
    ['crlf.asm', 'bits 16\r\nmov al, 1\r\nhlt\r\n'],
    ['bom.asm', '\uFEFFbits 16\nmov al, 1\nhlt\n'],
  ])('%s assembles all the same', async (name, source) => {
    expect((await asm(name, source)).status).toBe(0);
    expect([...files.read(`${name}.bin`)]).toEqual([0xb0, 1, 0xf4]);
  });

  test.each<[string, string, RegExp]>([
    ['zeros.asm', 'mov ax, 1\0\0\nnop\n', /zeros\.asm:1:10: error: /],
    ['large.asm', 'times 1000000000 db 0\n', /larger than 64 MiB/],
    ['again.asm', '%macro a 0\na\na\n%endmacro\na\n', /nested too deeply/],
    ['foreign.asm', 'extern printf\n%include "nothing.inc"\n', /nothing\.inc' cannot be included/],
  ])('%s is refused with a sentence', async (name, source, sentence) => {
    const {status, notes} = await asm(name, source);
    expect(notes).toMatch(sentence);
    expect(status).toBe(2);
  });

  test('of a line of thousands of characters, a message shows those around the place', async () => {
    const {notes, status} = await asm('wide.asm', `db ${'1, '.repeat(20_000)}nowhere\n`);
    expect(status).toBe(2);
    expect(notes).toMatch(/^ {2}[ 1,]{1,200}nowhere$/m);
    expect(notes.length).toBeLessThan(1000);
  });
});
