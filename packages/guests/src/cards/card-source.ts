// The kernel of a card, from its data: 32-bit protected mode without paging, segments and an interrupt table of its own.
// It runs the instruction once and prints the name and a number.

import type {StealthCard} from './stealth-card.js';

const LINE = 116;

/** The assembly of a card's kernel. */
export function cardSource(card: StealthCard): string {
  const name = `${card.id}: ${card.mnemonic} (${card.encoding}).`;
  return [
    ...comment(name),
    ';',
    ...comment(card.story),
    ';',
    ...comment(`Outside ring 0: ${card.belief}`),
    '',
    '        bits 32',
    '        org 0x8000',
    '',
    HEAD,
    ...card.preparation.map(line => `        ${line}`),
    '',
    '; The instruction in question stands between these two labels. What it gave ends up in EAX.',
    ...card.sequence.map(line => (line.endsWith(':') ? line : `        ${line}`)),
    '',
    tail(card.mnemonic),
  ].join('\n');
}

function comment(text: string): readonly string[] {
  const lines: string[] = [];
  let line = ';';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > LINE) {
      lines.push(line);
      line = ';';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

const HEAD = `COM1    equ 0x3f8
CODE    equ 0x08                ; selectors in the table below
DATA    equ 0x10
FRESH   equ 0x18                ; code and data that nobody has loaded yet: not marked accessed
FRESH_DATA equ 0x20
TASK    equ 0x28
LOCAL   equ 0x30

start:
        mov esp, stack_top
        cli
        lgdt [gdt_register]     ; from here on the kernel has tables of its own
        lidt [idt_register]
        xor ebx, ebx`;

const tail = (
  mnemonic: string,
): string => `; ---- print the name and EAX -----------------------------------------------------------------------------------------

report:
        mov edi, eax
        mov esi, name
        mov dx, COM1
.text:  lodsb
        test al, al
        jz .number
        out dx, al
        jmp .text
.number:
        mov ecx, 8              ; digits, the highest first
.digit: rol edi, 4
        mov eax, edi
        and al, 15
        cmp al, 10
        jb .print
        add al, 'a' - '0' - 10
.print: add al, '0'
        out dx, al
        loop .digit
        mov al, 10
        out dx, al
        cli
        hlt

; An exception that this kernel did not ask for.
fault:  mov eax, 0xbad
        jmp report

; ---- tables ---------------------------------------------------------------------------------------------------------

name:   db '${mnemonic} ', 0

        align 8
gdt:    dq 0
        dq 0x00cf9b000000ffff   ; 08 code, ring 0
        dq 0x00cf93000000ffff   ; 10 data, ring 0
fresh:  dq 0x00cf9a000000ffff   ; 18 code, ring 0, not accessed: the processor sets bit 0 of the type when it is loaded
fresh_data:
        dq 0x00cf92000000ffff   ; 20 data, the same
        dw 103, task, 0x8900, 0 ; 28 task state segment
        dw 7, local, 0x8200, 0  ; 30 local descriptor table
gdt_end:

gdt_register:
        dw gdt_end - gdt - 1
        dd gdt

        align 8
idt:    times 128 dw fault, CODE, 0x8e00, 0
        dw handler, CODE, 0x8e00, 0     ; INT 80h
idt_end:

idt_register:
        dw idt_end - idt - 1
        dd idt

; INT 80h arrives here; EBX is the stack pointer as it was before.
handler:
        sub ebx, esp
        mov eax, ebx
        jmp report

        align 8
local:  dq 0
task:   times 104 db 0
scratch:
        dq 0
        align 16
        times 512 db 0
stack_top:
`;
