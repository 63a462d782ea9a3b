// What a guest may rely on of a PC's devices: interrupts that arrive when they may, registers in memory, a disk. Results are
// in registers and memory; of the ports only those of the exception handlers are compared, because an interrupt controller
// in the kernel keeps its ports to itself.

import {listing} from './listing.js';
import type {ConformanceCase} from './conformance-case.js';

/** IRQ 0 to 7 at vectors 18h to 1Fh, of which `mask` stay off; interrupts off. */
const pic = (mask: string): string => `
  fa                              ; cli
  b0 11 e6 20 b0 18 e6 21         ; ICW1, ICW2: vectors from 18h
  b0 04 e6 21 b0 01 e6 21         ; ICW3, ICW4
  b0 ${mask} e6 21                ; OCW1
`;
/** The PIT's counter 0 in mode 0: one interrupt, after `low` + 256 × `high` ticks. */
const once = (low: string, high: string): string => `
  b0 30 e6 43 b0 ${low} e6 40 b0 ${high} e6 40
`;
/** Until IRQ 0 is in the request register of the first 8259. */
const WAIT_FOR_REQUEST = `
  b0 0a e6 20                     ; mov al, 0ah / out 20h, al      OCW3: read IRR
  e4 20 a8 01 74 fa               ; again: in al, 20h / test al, 1 / jz again
`;
/** Some time for an interrupt to come: mov dx, 1000h / again: dec dx / jnz again. Some executors look only now and then. */
const SPIN = 'ba 00 10 4a 75 fd';
const SPIN_32 = 'ba 00 10 00 00 4a 75 fd';

export const DEVICE_CASES: readonly ConformanceCase[] = [
  {
    title: 'HLT sleeps until the timer interrupts, and goes on behind it',
    mode: 'real',
    devices: 'irqchip',
    code: listing(`${pic('fe')} ${once('a9', '04')}
      31 db fb f4                 ; xor bx, bx / sti / hlt
      80 c7 01 fa f4              ; add bh, 1 / cli / hlt
    `),
    handlers: {0x18: listing('43 cf')}, // inc bx / iret
    expect: {registers: {RBX: 0x101n}},
  },
  {
    title: 'HLT sleeps until the timer interrupts, and goes on behind it',
    mode: 'long',
    devices: 'irqchip',
    code: listing(`${pic('fe')} ${once('a9', '04')}
      31 db fb f4                 ; xor ebx, ebx / sti / hlt
      80 c7 01 fa f4              ; add bh, 1 / cli / hlt
    `),
    handlers: {0x18: listing('ff c3 48 cf')}, // inc ebx / iretq
    expect: {registers: {RBX: 0x101n}},
  },
  {
    title: 'an interrupt waits while IF = 0',
    mode: 'real',
    devices: 'irqchip',
    code: listing(`${pic('fe')} ${once('10', '00')} ${WAIT_FOR_REQUEST}
      31 c9 bb 07 00              ; xor cx, cx / mov bx, 7
      90 90 90 43                 ; nop / nop / nop / inc bx
      fb ${SPIN}                  ; sti
      43 fa f4                    ; inc bx / cli / hlt
    `),
    handlers: {0x18: listing('89 d9 cf')}, // mov cx, bx / iret
    expect: {registers: {RBX: 9n, RCX: 8n}},
  },
  {
    title: 'a line that is masked interrupts nobody; its request is kept until it is unmasked',
    mode: 'real',
    devices: 'irqchip',
    code: listing(`${pic('ff')} ${once('10', '00')} ${WAIT_FOR_REQUEST}
      31 c9 bb 01 00              ; xor cx, cx / mov bx, 1
      fb ${SPIN}                  ; sti
      43 b0 fe e6 21              ; inc bx / mov al, feh / out 21h, al
      ${SPIN} 43 fa f4            ; inc bx / cli / hlt
    `),
    handlers: {0x18: listing('89 d9 cf')}, // mov cx, bx / iret
    expect: {registers: {RBX: 3n, RCX: 2n}},
  },
  {
    title: 'the registers of the local APIC are in memory: identifier 0, and a task priority that stays',
    mode: 'protected',
    devices: 'irqchip',
    code: listing(`
      a1 20 00 e0 fe              ; mov eax, [fee00020h]
      c7 05 80 00 e0 fe 20 00 00 00 ; mov dword [fee00080h], 20h
      8b 1d 80 00 e0 fe           ; mov ebx, [fee00080h]
      f4                          ; hlt
    `),
    expect: {registers: {RAX: 0n, RBX: 0x20n}},
  },
  {
    title: 'an NMI that comes while one is handled waits for IRET',
    mode: 'protected',
    devices: 'irqchip',
    quirks: ['D1'],
    impossible: {
      'vtx-shadow':
        'the processor of 2005 has no virtual NMIs, so nothing tells KVM of the IRET; it waits until the guest takes interrupts again, which this one never does',
    },
    code: listing(`
      c7 05 f0 00 e0 fe ff 01 00 00 ; mov dword [fee000f0h], 1ffh     the local APIC is enabled
      bb 01 00 00 00              ; mov ebx, 1
      c7 05 00 03 e0 fe 00 44 00 00 ; mov dword [fee00300h], 4400h    an NMI to APIC 0
      ${SPIN_32} f4               ; hlt
    `),
    // dec ebx / js done / mov dword [fee00300h], 4400h / done: iret
    handlers: {2: listing('4b 78 0a c7 05 00 03 e0 fe 00 44 00 00 cf')},
    expect: {registers: {RBX: 0xffff_ffffn}},
  },
  {
    title: 'text-mode video memory keeps what is written, whole words and single bytes',
    mode: 'real',
    code: listing(`
      b8 00 b8 8e d8              ; mov ax, b800h / mov ds, ax
      c7 06 00 00 48 1f           ; mov word [0], 1f48h
      c6 06 02 00 69              ; mov byte [2], 69h
      80 06 00 00 01              ; add byte [0], 1
      a1 00 00 f4                 ; mov ax, [0] / hlt
    `),
    expect: {registers: {RAX: 0x1f49n}, memory: [{gpa: 0xb_8000, bytes: [0x49, 0x1f, 0x69]}]},
  },
  {
    title: 'device memory is reached through PAE paging',
    mode: 'protected',
    devices: 'board',
    memory: [{gpa: 0x2000, bytes: [0x01, 0x30, 0, 0, 0, 0, 0, 0]}], // PDPTE 0: the page directory, present
    code: listing(`
      b8 00 20 00 00 0f 22 d8     ; mov eax, 2000h / mov cr3, eax
      0f 20 e0 83 c8 20 0f 22 e0  ; CR4.PAE
      0f 20 c0 0d 00 00 00 80 0f 22 c0 ; CR0.PG
      c6 05 00 80 0b 00 41        ; mov byte [b8000h], 41h
      80 05 00 80 0b 00 01        ; add byte [b8000h], 1
      a0 00 80 0b 00 f4           ; mov al, [b8000h] / hlt
    `),
    expect: {registers: {RAX: 0x8000_0042n}},
  },
  {
    title: 'a write to read-only memory is lost',
    mode: 'protected',
    devices: 'board',
    memory: [{gpa: 0xffff_0000, bytes: [0x11, 0x22, 0x33, 0x44]}],
    code: listing(`
      c6 05 01 00 ff ff 99        ; mov byte [ffff0001h], 99h
      83 05 00 00 ff ff 01        ; add dword [ffff0000h], 1
      a1 00 00 ff ff f4           ; mov eax, [ffff0000h] / hlt
    `),
    expect: {registers: {RAX: 0x4433_2211n}},
  },
  {
    title: 'where nothing answers, memory reads all ones and writes are lost',
    mode: 'protected',
    code: listing(`
      c7 05 00 00 00 f0 78 56 34 12 ; mov dword [f0000000h], 12345678h
      a1 00 00 00 f0 f4           ; mov eax, [f0000000h] / hlt
    `),
    expect: {registers: {RAX: 0xffff_ffffn}},
  },
  {
    title: 'a key interrupts, and its scan code is read at 60h',
    mode: 'real',
    devices: 'board',
    code: listing(`${pic('fd')}
      31 db                       ; xor bx, bx
      b0 d2 e6 64 b0 1e e6 60     ; the keyboard controller gives 1eh as if it had been typed
      fb f4 fa f4                 ; sti / hlt / cli / hlt
    `),
    handlers: {0x19: listing('e4 60 88 c3 b0 20 e6 20 cf')}, // in al, 60h / mov bl, al / EOI / iret
    expect: {registers: {RBX: 0x1en}},
  },
  {
    title: 'a sector of the disk is read by PIO',
    mode: 'real',
    devices: 'board',
    disk: Uint8Array.from({length: 1024}, (_, at) => (at < 512 ? 0 : at & 0xff)),
    code: listing(`
      ba f2 01 b0 01 ee           ; one sector
      42 b0 01 ee                 ; number 1
      42 b0 00 ee 42 ee 42 b0 e0 ee ; LBA, first drive
      42 b0 20 ee                 ; READ SECTORS
      ec a8 08 74 fb              ; wait for DRQ
      fc bf 00 90 b9 00 01 ba f0 01 f3 6d ; cld / rep insw to 9000h
      f4
    `),
    expect: {
      registers: {RCX: 0n},
      memory: [
        {gpa: 0x9000, bytes: [0, 1, 2, 3]},
        {gpa: 0x91fc, bytes: [0xfc, 0xfd, 0xfe, 0xff]},
      ],
    },
  },
];
