// Every class of mistake: what is said, where, and what to do. Columns and lines count from 1.

import {expect, test} from 'vitest';
import {assemble} from './assembler.js';
import type {Diagnostic} from './diagnostics.js';

function errorsOf(source: string): readonly Diagnostic[] {
  const result = assemble(source);
  return result.ok ? [] : result.diagnostics;
}

/** [source, line, column, length, message, advice] */
const MISTAKES: readonly (readonly [string, number, number, number, RegExp, RegExp])[] = [
  ['nop\nmvo ax, 5', 2, 1, 3, /'mvo' is not an instruction/, /Did you mean mov\?/],
  ['  nopx', 1, 3, 4, /'nopx' is not an instruction/, /Did you mean nop\?.*'nopx:'/],
  ['bits 32\n  inc [eax]', 2, 7, 5, /size of this operand is not specified/, /byte, word or dword before the bracket/],
  ['mov eax, bx', 1, 1, 3, /MOV does not take these operands/, /It is written: MOV r\/m8, r8/],
  ['mov al, 256', 1, 9, 3, /256 \(0x100\) does not fit.*-128 to 255/, /smaller number/],
  ['bits 64\nadd rax, 0xffffffff', 2, 10, 10, /does not fit.*-2147483648 to 2147483647/, /larger size/],
  [
    'jmp short far_away\ntimes 200 nop\nfar_away:',
    1,
    5,
    14,
    /target is 200 bytes away.*reaches 127/,
    /Leave out `short`/,
  ],
  ['loop there\ntimes 128 nop\nthere:', 1, 6, 5, /128 bytes away/, /no longer form/],
  ['bits 64\npusha', 2, 1, 5, /does not exist in 64-bit code/, /exists in 16 or 32-bit code/],
  ['mov rax, 1', 1, 5, 3, /only in 64-bit code/, /bits 64/],
  ['mov ax, [bx+bp]', 1, 9, 7, /cannot be an address: a 16-bit address is BX or BP/, /LEA or ADD/],
  ['bits 32\nmov eax, [ebx*7]', 2, 10, 7, /multiplied by 1, 2, 4 or 8/, /other registers/],
  ['bits 32\nmov eax, [esp*2]', 2, 10, 7, /cannot be an index/, /LEA or ADD/],
  ['bits 32\nmov eax, [eax+ebx+ecx]', 2, 10, 13, /at most two registers/, /LEA or ADD/],
  ['bits 32\nmov eax, [bx+eax]', 2, 10, 8, /different widths/, /LEA or ADD/],
  ['bits 64\nmov ah, r8b', 2, 5, 2, /cannot be used together with/, /through AL, BL, CL or DL/],
  ['mov dword [bx], word 5', 1, 17, 6, /written as word, but must be dword/, /Write dword/],
  ['lgdt dword [bx]', 1, 6, 10, /takes no size/, /Leave out dword/],
  ['o64 ret', 1, 5, 3, /prefix o64 does not fit: 64-bit operands/, /Leave it out/],
  ['fs mov ax, [es:bx]', 1, 4, 3, /already has a segment/, /Leave it out/],
  ['jmp nowhere', 1, 5, 7, /'nowhere' is not defined/, /as a label with a colon/],
  ['start:\njmp strat', 2, 5, 5, /'strat' is not defined/, /Did you mean start\?/],
  ['a: nop\na: nop', 2, 1, 1, /'a' is already defined on line 1/, /another name/],
  ['mov ax, [bx', 1, 12, 1, /Expected '\]'/, /Every \[ needs a \]/],
  ['mov ax, (1 + 2', 1, 15, 1, /Expected '\)'/, /Every \( needs a \)/],
  ['mov ax,', 1, 8, 1, /value is missing/, /number, a label/],
  ['mov ax, 5 6', 1, 11, 1, /Unexpected '6'/, /comma between operands/],
  ['db 0x1g', 1, 4, 4, /not a hexadecimal number/, /0x1f or 1fh/],
  ['db 1.5', 1, 4, 3, /floating-point/, /bit pattern/],
  ["db 'abc", 1, 4, 4, /string has no end/, /Close it/],
  ['db 1 / 0', 1, 4, 5, /Division by zero/, /divisor/],
  ['x: db x >> 4', 1, 7, 6, /address is not a plain number/, /label - \$\$/],
  ['x: dw x + x', 1, 7, 5, /subtracted from each other, but not added/, /distance/],
  ['times -1 nop', 1, 7, 2, /negative count: -1/, /1 bytes too long/],
  [
    'times 510 - ($ - $$) db 0\ntimes 511 db 1\ntimes 510 - ($ - $$) db 0',
    3,
    7,
    14,
    /negative count: -511/,
    /511 bytes too long/,
  ],
  ['align 3', 1, 7, 1, /power of two/, /2, 4, 8/],
  ['mov ax, word ptr [bx]', 1, 14, 3, /NASM has no PTR/, /word \[x\]/],
  ['mov ax, offset x', 1, 9, 6, /NASM has no OFFSET/, /without brackets/],
  ['mov ax, es:[bx]', 1, 9, 2, /belongs inside the brackets/, /\[es:…\]/],
  ['extern printf', 1, 1, 6, /needs a linker/, /%include/],
  ['incbin "x"', 1, 1, 6, /not supported/, /db/],
  ['bits 8', 1, 6, 1, /16, 32 or 64 bits/, /bits 16/],
  ['section .text start=5', 1, 15, 5, /attribute 'start' is not supported/, /align=/],
  ['%if 1\nnop', 1, 1, 1, /%if has no end/, /%endif/],
  ['%endif', 1, 1, 6, /%endif has no %if/, /Remove it/],
  ['%macro m 1\nnop', 1, 1, 9, /%macro has no end/, /%endmacro/],
  ['%macro m 2\n%endmacro\n  m 1', 3, 3, 1, /takes 2 arguments, not 1/, /commas/],
  ['%include "none.inc"', 1, 1, 8, /'none.inc' cannot be included/, /Check its name/],
  ['%if later\n%endif\nlater:', 1, 1, 5, /not known while macros are expanded/, /%define or %assign/],
  ['  %frobnicate', 1, 3, 11, /%frobnicate is not supported/, /Supported: %define/],
  ['%error "no way"', 1, 1, 6, /no way/, /source itself/],
  ['section .bss\ndb 5', 2, 1, 1, /no bytes in the file/, /resb/],
  ['v equ ax', 1, 3, 3, /equ cannot name a register/, /%define/],
];

test.each(MISTAKES)('%j is answered at its place, with advice', (source, line, column, length, message, advice) => {
  const [first, ...others] = errorsOf(source);
  expect(first).toMatchObject({severity: 'error', line, column, length});
  expect(first?.message).toMatch(message);
  expect(first?.advice).toMatch(advice);
  expect(others).toEqual([]);
});

test('all mistakes of a file are reported, in the order of lines', () => {
  const found = errorsOf('mvo ax, 1\nnop\nmov ax, [bx+bp]\njmp nowhere\ndb 1.5\nbadlabel: mov al, 300\njmp badlabel\n');
  expect(found.map(({line}) => line)).toEqual([1, 3, 4, 5, 6]);
});

test('a mistake in a macro is shown where the macro was called, and says where it stands', () => {
  const [first] = errorsOf('%macro bad 1\n  nop\n  mvo ax, %1\n%endmacro\n\n  bad 5\n');
  expect(first).toMatchObject({line: 6, column: 3, length: 3, within: "in macro 'bad', line 2 of its body"});
});

test('a mistake in a line that %rep repeats is reported once, on that line', () => {
  const found = errorsOf('%rep 5\n  mvo ax, 1\n%endrep\n');
  expect(found).toMatchObject([{line: 2, column: 3}]);
});

test('a macro that calls itself without end is refused, not followed', () => {
  const found = errorsOf('%macro again 0\n  again\n%endmacro\nagain\n');
  expect(found.map(({message}) => message)).toEqual(["The macro 'again' is nested too deeply."]);
});

const doubling = (steps: number, first: string, next: (last: string, name: string) => string): string =>
  Array.from({length: steps}, (_, step) => (step === 0 ? first : next(`m${step - 1}`, `m${step}`))).join('\n');

test.each<[string, string, RegExp]>([
  ['%rep of a thousand million', '%rep 1000000000\nnop\n%endrep\n', /more than 500000 lines/],
  ['%rep of nothing', '%rep 1000000000\n%endrep\n', /more than 500000 lines/],
  ['%rep in %rep', '%rep 100000\n%rep 100000\nnop\n%endrep\n%endrep\n', /more than 500000 lines/],
  ['a macro that calls itself twice', '%macro a 0\na\na\n%endmacro\na\n', /nested too deeply/],
  ['a macro that doubles its argument', '%macro a 1\na {%1,%1}\n%endmacro\na x\n', /longer than 100000 characters/],
  [
    'macros that call the one before twice',
    `${doubling(40, '%macro m0 0\nnop\n%endmacro', (last, name) => `%macro ${name} 0\n${last}\n${last}\n%endmacro`)}\nm39\n`,
    /more than 500000 lines/,
  ],
  [
    'names that become two of the one before',
    `${doubling(60, '%define m0 1', (last, name) => `%define ${name} ${last} ${last}`)}\ndb m59\n`,
    /more than 100000 words/,
  ],
  ['parentheses', `db ${'('.repeat(100_000)}1${')'.repeat(100_000)}\n`, /more than 1000 parts/],
  ['signs', `mov ax, [${'-'.repeat(100_000)}1]\n`, /more than 1000 parts/],
  ['a long sum', `db 1${'+1'.repeat(100_000)}\n`, /more than 1000 parts/],
  ['%if in %if', '%if 1\n'.repeat(50_000), /nested too deeply/],
  ['times', 'times 1000000000 db 0\n', /larger than 64 MiB/],
  ['align', 'nop\nalign 0x80000000\n', /larger than 64 MiB/],
])('what grows without bound is refused, with a sentence: %s', (_name, source, message) => {
  expect(errorsOf(source)[0]?.message).toMatch(message);
});

test('after a thousand messages reading ends, and says so', () => {
  const found = errorsOf('mvo ax, 1\n'.repeat(50_000));
  expect(found.length).toBeLessThan(1010);
  expect(found.at(-1)?.message).toMatch(/more than 1000 messages/);
});
