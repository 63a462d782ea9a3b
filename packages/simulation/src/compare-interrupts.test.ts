// What a comparison makes of interrupts: when they come and how many is timing; everything else still has to match.

import {expect, test} from 'vitest';
import {compareRecords} from '@hyperscope/trace';
import type {RunRecord} from '@hyperscope/trace';
import {assembleGuest} from '@hyperscope/guests';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED} from './shipped.js';

const LONG_MODE = {
  id: 'test',
  title: 'test',
  teaches: '',
  loadAddress: 0x8000,
  mode: 'long',
  memoryMiB: 2,
  programs: [],
  expectedSerial: '',
} as const;

/** Waits for `ticks` interrupts of the timer, and runs `rest`. The handler keeps what it found in RBX at 9000h. */
function waiting(ticks: number, rest: string): RunRecord {
  const source = `bits 64
        org 0x8000
        mov rsp, 0xb000
        mov ax, cs
        mov [0xa202], ax
        mov word [0xa200], handler
        mov byte [0xa205], 0x8e
        lidt [idtr]
        mov al, 0x11
        out 0x20, al
        mov al, 0x20
        out 0x21, al
        mov al, 4
        out 0x21, al
        mov al, 1
        out 0x21, al
        mov al, 0xfe
        out 0x21, al
        mov al, 0x34
        out 0x43, al
        mov al, 16
        out 0x40, al
        mov al, 0
        out 0x40, al
        sti
again:  inc rbx
        mov rax, [0x9008]
        cmp eax, ${ticks}
        jb again
        cli
        xor eax, eax
        xor ebx, ebx
        ${rest}
        hlt
handler:
        push rax
        mov [0x9000], rbx
        inc qword [0x9008]
        mov al, 0x20
        out 0x20, al
        pop rax
        iretq
idtr:   dw 0x20f
        dq 0xa000
`;
  const assembly = assembleGuest({...LONG_MODE, source});
  const session = new SimulationHost(SHIPPED).open({
    guest: {...LONG_MODE, bytes: assembly.bytes, lines: assembly.lines},
    technique: 'bare',
  });
  session.run(200_000);
  return session.record;
}

test('more interrupts on one side are timing: what the handler does and what it writes', () => {
  const {differences, sentences} = compareRecords(waiting(1, 'out 0x80, al'), waiting(3, 'out 0x80, al'));
  const found = differences.filter(({what}) => what.startsWith('out')).map(each => [each.what, each.a, each.class]);
  expect(found).toEqual([
    ['out 0x20, port 0x20', 'nothing', 'timing'],
    ['out 0x20, port 0x20', 'nothing', 'timing'],
  ]);
  const memory = differences.filter(({where}) => where === 'memory').map(each => [each.what, each.class]);
  expect(memory).toContainEqual(['memory 0x9000', 'timing']);
  // The two programs differ in one byte, the number that they wait for: no interrupt wrote that.
  expect(memory.filter(([, name]) => name === 'unexplained')).toHaveLength(1);
  expect(sentences.at(-1)).toBe('1 difference is unexplained.');
});

test('what the program itself does after interrupts still has to match', () => {
  const comparison = compareRecords(
    waiting(1, 'mov esi, 1\nout 0x80, al\nmov esi, 0'),
    waiting(1, 'mov esi, 2\nout 0x80, al\nmov esi, 0'),
  );
  expect(comparison.differences.filter(each => each.where === 'registers')).toEqual([
    expect.objectContaining({what: 'RSI', a: '0x1', b: '0x2', class: 'unexplained'}),
  ]);
});
