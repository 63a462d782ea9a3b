// What assemble() returns beside the bytes: addresses, symbols, the source map; and how fast.

import {expect, test} from 'vitest';
import {assemble, type AssembleOptions, type Assembly} from './assembler.js';

type Assembled = Extract<Assembly, {readonly ok: true}>;

function assembled(source: string, options?: AssembleOptions): Assembled {
  const result = assemble(source, options);
  if (!result.ok) throw new Error(result.diagnostics.map(({line, message}) => `${line}: ${message}`).join('\n'));
  return result;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a source without directives is 16-bit code at address 0, as for nasm -f bin', () => {
  const result = assembled('mov ax, 1\nhlt');
  expect(hex(result.bytes)).toBe('b80100f4');
  expect(result.origin).toBe(0n);
});

test('the options set the code size and the address where the source does not', () => {
  const result = assembled('here: mov rax, [rel here]', {bits: 64, org: 0x1000n});
  expect(hex(result.bytes)).toBe('488b05f9ffffff');
  expect(result.symbols.get('here')).toBe(0x1000n);
});

test('the source map says for each line its address, offset, length, code size and kind', () => {
  const {lines} = assembled(
    'org 0x7c00\nstart:\n  nop\n  mov ax, 5\nbits 32\n  mov eax, 5\ntext: db 1, 2, 3\n  align 8\n  resb 2\n',
  );
  const shown = lines.map(({line, address, offset, length, bits, kind}) => [
    line,
    Number(address),
    offset,
    length,
    bits,
    kind,
  ]);
  expect(shown).toEqual([
    [3, 0x7c00, 0, 1, 16, 'instruction'],
    [4, 0x7c01, 1, 3, 16, 'instruction'],
    [6, 0x7c04, 4, 5, 32, 'instruction'],
    [7, 0x7c09, 9, 3, 32, 'data'],
    [8, 0x7c0c, 12, 4, 32, 'padding'],
    [9, 0x7c10, 16, 2, 32, 'reserved'],
  ]);
});

test('bytes that a macro made belong to the line that called it, and say where they were written', () => {
  const {lines} = assembled('%macro twice 1\n  db %1\n  db %1\n%endmacro\n  nop\n  twice 7\n');
  expect(lines.map(({line, within}) => [line, within])).toEqual([
    [5, undefined],
    [6, "in macro 'twice', line 1 of its body"],
    [6, "in macro 'twice', line 2 of its body"],
  ]);
});

test('symbols hold labels, local labels under the label above them, and equ constants', () => {
  const {symbols} = assembled('org 0x100\nSIZE equ 3 * 4\nstart: nop\n.loop: jmp .loop\nother: nop\n.loop: nop\n');
  expect(Object.fromEntries(symbols)).toEqual({
    SIZE: 12n,
    start: 0x100n,
    'start.loop': 0x101n,
    other: 0x103n,
    'other.loop': 0x104n,
  });
});

test('an included file comes from the callback, and its bytes belong to the line that includes it', () => {
  const files: Readonly<Record<string, string>> = {'port.inc': '%define PORT 0x3f8\nmov dx, PORT\n'};
  const {bytes, lines} = assembled('nop\n%include "port.inc"\nout dx, al\n', {include: path => files[path]});
  expect(hex(bytes)).toBe('90baf803ee');
  expect(lines[1]).toMatchObject({line: 2, within: 'in port.inc, line 2'});
});

test('a jump to a label just within reach is short, and one byte further it is near', () => {
  expect(hex(assembled('jmp there\ntimes 127 nop\nthere:').bytes).startsWith('eb7f')).toBe(true);
  expect(hex(assembled('jmp there\ntimes 128 nop\nthere:').bytes).startsWith('e98000')).toBe(true);
});

test('a number too large for its data is cut as nasm cuts it, with a warning', () => {
  const {bytes, warnings} = assembled('db 0x1ff');
  expect(hex(bytes)).toBe('ff');
  expect(warnings).toMatchObject([
    {severity: 'warning', line: 1, column: 4, message: '511 does not fit into a byte and was cut.'},
  ]);
});

test('LOCK where the processor refuses it is assembled, with a warning', () => {
  const {bytes, warnings} = assembled('bits 32\nlock mov [eax], ebx');
  expect(hex(bytes)).toBe('f08918');
  expect(warnings).toMatchObject([{line: 2, severity: 'warning'}]);
});

test('20,000 lines take a couple of seconds', () => {
  const lines = ['bits 64', 'org 0x100000'];
  for (let index = 0; index < 5000; index++) {
    lines.push(
      `label${index}:`,
      `  mov eax, [rbx+rcx*4+${index % 300}]`,
      `  add rax, ${index}`,
      `  jnz label${Math.max(0, index - (index % 40))}`,
    );
  }
  // Processor time, so that a busy machine does not make it fail.
  const start = process.cpuUsage();
  const {bytes} = assembled(lines.join('\n'));
  const milliseconds = process.cpuUsage(start).user / 1000;
  process.stdout.write(`${lines.length} lines, ${bytes.length} bytes: ${milliseconds.toFixed(0)} ms\n`);
  expect(milliseconds).toBeLessThan(10_000);
}, 60_000);
