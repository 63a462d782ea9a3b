// What a guest in real mode may rely on, on every executor.
import {listing} from './listing.js';
import type {ConformanceCase} from './conformance-case.js';

export const REAL_CASES: readonly ConformanceCase[] = [
  {
    title: 'ADD of 8 bits carries out into CF',
    mode: 'real',
    code: listing(`
      b0 ff                         ; mov al, 0xff
      04 01                         ; add al, 1
      f4                            ; hlt
    `),
    registers: {RAX: 0n},
    expect: {registers: {RAX: 0n}, flags: {CF: 1, ZF: 1, AF: 1, PF: 1, SF: 0, OF: 0}},
  },
  {
    title: 'ADC takes the carry of the low half into the high half',
    mode: 'real',
    code: listing(`
      b8 ff ff                      ; mov ax, 0xffff
      ba 01 00                      ; mov dx, 0x0001
      83 c0 01                      ; add ax, 1
      83 d2 00                      ; adc dx, 0
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0n, RDX: 2n}, flags: {CF: 0, ZF: 0}},
  },
  {
    title: 'INC leaves CF alone',
    mode: 'real',
    code: listing(`
      f9                            ; stc
      b9 ff 7f                      ; mov cx, 0x7fff
      41                            ; inc cx
      f4                            ; hlt
    `),
    expect: {registers: {RCX: 0x8000n}, flags: {CF: 1, OF: 1, SF: 1, ZF: 0}},
  },
  {
    title: 'SUB of signed values overflows',
    mode: 'real',
    code: listing(`
      b8 00 80                      ; mov ax, 0x8000
      83 e8 01                      ; sub ax, 1
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x7fffn}, flags: {OF: 1, SF: 0, CF: 0}},
  },
  {
    title: 'PUSH and POP move the stack pointer by two and back',
    mode: 'real',
    code: listing(`
      68 34 12                      ; push word 0x1234
      89 e3                         ; mov bx, sp
      59                            ; pop cx
      f4                            ; hlt
    `),
    expect: {registers: {RBX: 0x7efen, RCX: 0x1234n, RSP: 0x7f00n}},
  },
  {
    title: 'REP MOVSB copies until CX is 0',
    mode: 'real',
    code: listing(`
      fc                            ; cld
      be 0d 80                      ; mov si, text
      bf 00 90                      ; mov di, 0x9000
      b9 04 00                      ; mov cx, 4
      f3 a4                         ; rep movsb
      f4                            ; hlt
      61 62 63 64                   ; text: db "abcd"
    `),
    expect: {registers: {RCX: 0n, RDI: 0x9004n}, memory: [{gpa: 0x9000, bytes: [0x61, 0x62, 0x63, 0x64, 0]}]},
  },
  {
    title: 'STOSW goes downwards while DF is 1',
    mode: 'real',
    code: listing(`
      fd                            ; std
      bf 02 90                      ; mov di, 0x9002
      b8 ef be                      ; mov ax, 0xbeef
      ab                            ; stosw
      ab                            ; stosw
      f4                            ; hlt
    `),
    expect: {registers: {RDI: 0x8ffen}, memory: [{gpa: 0x9000, bytes: [0xef, 0xbe, 0xef, 0xbe]}], flags: {DF: 1}},
  },
  {
    title: 'LODSB and LOOP add up a table',
    mode: 'real',
    code: listing(`
      fc                            ; cld
      be 10 80                      ; mov si, table
      b9 03 00                      ; mov cx, 3
      31 db                         ; xor bx, bx
      ac                            ; next: lodsb
      98                            ; cbw
      01 c3                         ; add bx, ax
      e2 fa                         ; loop next
      f4                            ; hlt
      01 02 ff                      ; table: db 1, 2, 0xff
    `),
    expect: {registers: {RBX: 2n, RCX: 0n}},
  },
  {
    title: 'OUT of 8 and 16 bits reaches its port in order',
    mode: 'real',
    code: listing(`
      b0 41                         ; mov al, 0x41
      e6 80                         ; out 0x80, al
      b8 34 12                      ; mov ax, 0x1234
      ba a0 03                      ; mov dx, 0x3a0
      ef                            ; out dx, ax
      f4                            ; hlt
    `),
    expect: {
      writes: [
        [0x80, 0x41],
        [0x3a0, 0x1234],
      ],
      hardwareExits: ['IO_INSTRUCTION', 'IO_INSTRUCTION', 'HLT'],
    },
  },
  {
    title: 'IN from a port at which nothing answers gives all ones',
    mode: 'real',
    code: listing(`
      b8 00 00                      ; mov ax, 0
      e4 84                         ; in al, 0x84
      89 c3                         ; mov bx, ax
      ba a2 03                      ; mov dx, 0x3a2
      ed                            ; in ax, dx
      f4                            ; hlt
    `),
    registers: {RAX: 0n, RBX: 0n},
    expect: {registers: {RAX: 0xffffn, RBX: 0xffn}},
  },
  {
    title: 'REP OUTSB puts out a string',
    mode: 'real',
    code: listing(`
      fc                            ; cld
      be 0d 80                      ; mov si, text
      ba 80 00                      ; mov dx, 0x80
      b9 03 00                      ; mov cx, 3
      f3 6e                         ; rep outsb
      f4                            ; hlt
      78 79 7a                      ; text: db "xyz"
    `),
    expect: {
      registers: {RCX: 0n},
      writes: [
        [0x80, 0x78],
        [0x80, 0x79],
        [0x80, 0x7a],
      ],
    },
  },
  {
    title: 'INSW stores what the port gives',
    mode: 'real',
    code: listing(`
      fc                            ; cld
      bf 00 90                      ; mov di, 0x9000
      ba a2 03                      ; mov dx, 0x3a2
      6d                            ; insw
      f4                            ; hlt
    `),
    expect: {registers: {RDI: 0x9002n}, memory: [{gpa: 0x9000, bytes: [0xff, 0xff, 0]}]},
  },
  {
    title: 'DIV by zero goes to vector 0',
    mode: 'real',
    code: listing(`
      30 db                         ; xor bl, bl
      f6 f3                         ; div bl
      f4                            ; hlt
    `),
    registers: {RAX: 0n},
    expect: {writes: [[0xe0, 0]]},
  },
  {
    title: 'INT goes through the vector table and IRET returns',
    mode: 'real',
    code: listing(`
      b0 01                         ; mov al, 1
      cd 1f                         ; int 0x1f
      b0 03                         ; mov al, 3
      e6 80                         ; out 0x80, al
      f4                            ; hlt
    `),
    handlers: {
      31: listing(`
        b0 02                         ; mov al, 2
        e6 80                         ; out 0x80, al
        cf                            ; iret
      `),
    },
    expect: {
      writes: [
        [0x80, 2],
        [0x80, 3],
      ],
      registers: {RSP: 0x7f00n},
    },
  },
  {
    title: 'POPF sets IF in real mode',
    mode: 'real',
    code: listing(`
      68 02 02                      ; push word 0x0202
      9d                            ; popf
      9c                            ; pushf
      58                            ; pop ax
      fa                            ; cli
      25 00 02                      ; and ax, 0x0200
      f4                            ; hlt
    `),
    registers: {RAX: 0n},
    expect: {registers: {RAX: 0x200n}},
  },
  {
    title: 'a far jump loads CS with selector and base',
    mode: 'real',
    code: listing(`
      ea 05 00 00 08                ; jmp 0x0800:0x0005
      8c c8                         ; mov ax, cs
      f4                            ; hlt
    `),
    registers: {RAX: 0n},
    expect: {registers: {RAX: 0x800n, 'CS.selector': 0x800n, 'CS.base': 0x8000n}},
  },
  {
    title: 'CALL and RET nest',
    mode: 'real',
    code: listing(`
      e8 01 00                      ; call outer
      f4                            ; hlt
      e8 04 00                      ; outer: call inner
      83 c0 01                      ; add ax, 1
      c3                            ; ret
      b8 10 00                      ; inner: mov ax, 0x10
      c3                            ; ret
    `),
    expect: {registers: {RAX: 0x11n, RSP: 0x7f00n}},
  },
  {
    title: 'MUL of 8 bits fills AX and says so in CF and OF',
    mode: 'real',
    code: listing(`
      b0 c8                         ; mov al, 200
      b3 c8                         ; mov bl, 200
      f6 e3                         ; mul bl
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 40000n}, flags: {CF: 1, OF: 1}},
  },
  {
    title: 'SHL puts the last bit out into CF',
    mode: 'real',
    code: listing(`
      b8 01 40                      ; mov ax, 0x4001
      c1 e0 02                      ; shl ax, 2
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x0004n}, flags: {CF: 1, ZF: 0}},
  },
  {
    title: 'a word at offset FFFFh is beyond the segment: #GP',
    mode: 'real',
    code: listing(`
      a1 ff ff                      ; mov ax, [0xffff]
      f4                            ; hlt
    `),
    registers: {RAX: 0x55n},
    expect: {writes: [[0xed, 0x55]]},
  },
  {
    title: 'UD2 is #UD',
    mode: 'real',
    code: listing(`
      0f 0b                         ; ud2
      f4                            ; hlt
    `),
    registers: {RAX: 0x66n},
    expect: {writes: [[0xe6, 0x66]]},
  },
];
