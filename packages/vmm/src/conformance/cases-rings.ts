// Between the rings of 64-bit mode: what ring 3 may not do, and the ways in and out.
import {listing} from './listing.js';
import type {ConformanceCase} from './conformance-case.js';

export const RING_CASES: readonly ConformanceCase[] = [
  {
    title: 'SYSCALL from ring 0 goes to LSTAR with RIP in RCX and RFLAGS in R11',
    mode: 'long',
    code: listing(`
      b9 81 00 00 c0                ; mov ecx, 0xc0000081
      31 c0                         ; xor eax, eax
      ba 10 00 20 00                ; mov edx, 0x00200010
      0f 30                         ; wrmsr
      b9 82 00 00 c0                ; mov ecx, 0xc0000082
      b8 2c 80 00 00                ; mov eax, target
      31 d2                         ; xor edx, edx
      0f 30                         ; wrmsr
      b9 84 00 00 c0                ; mov ecx, 0xc0000084
      b8 01 00 00 00                ; mov eax, 1
      0f 30                         ; wrmsr
      f9                            ; stc
      0f 05                         ; syscall
      90                            ; after: nop
      8c cb                         ; target: mov rbx, cs
      f4                            ; hlt
    `),
    expect: {registers: {RCX: 0x802bn, RBX: 0x10n, R11: 0x47n}, flags: {CF: 0}},
  },
  {
    title: 'IRETQ leads to ring 3, where HLT is #GP',
    mode: 'long',
    code: listing(`
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 15 80 00 00                ; push user
      48 cf                         ; iretq
      f4                            ; user: hlt
    `),
    handlers: {
      13: listing(`
        58                            ; pop rax
        e7 80                         ; out 0x80, eax
        58                            ; pop rax
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    expect: {
      writes: [
        [0x80, 0],
        [0x80, 0x8015],
      ],
    },
  },
  {
    title: 'CLI in ring 3 with IOPL 0 is #GP',
    mode: 'long',
    code: listing(`
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 15 80 00 00                ; push user
      48 cf                         ; iretq
      fa                            ; user: cli
      f4                            ; hlt
    `),
    registers: {RAX: 0x31n},
    expect: {writes: [[0xed, 0x31]]},
  },
  {
    title: 'OUT in ring 3 without an I/O bitmap is #GP',
    mode: 'long',
    code: listing(`
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 15 80 00 00                ; push user
      48 cf                         ; iretq
      e6 80                         ; user: out 0x80, al
      f4                            ; hlt
    `),
    registers: {RAX: 0x32n},
    expect: {writes: [[0xed, 0x32]]},
  },
  {
    title: 'POPFQ in ring 3 keeps IF and does not fault',
    mode: 'long',
    code: listing(`
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 15 80 00 00                ; push user
      48 cf                         ; iretq
      6a 02                         ; user: push 2
      9d                            ; popfq
      9c                            ; pushfq
      5b                            ; pop rbx
      81 e3 00 02 00 00             ; and ebx, 0x200
      b0 33                         ; mov al, 0x33
      f4                            ; hlt
    `),
    expect: {registers: {RBX: 0x200n}, writes: [[0xed, 0x33]]},
  },
  {
    title: 'POPFQ in ring 3 cannot set IOPL',
    mode: 'long',
    code: listing(`
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 15 80 00 00                ; push user
      48 cf                         ; iretq
      68 02 32 00 00                ; user: push 0x3202
      9d                            ; popfq
      9c                            ; pushfq
      5b                            ; pop rbx
      81 e3 00 30 00 00             ; and ebx, 0x3000
      b0 34                         ; mov al, 0x34
      f4                            ; hlt
    `),
    expect: {registers: {RBX: 0n}, writes: [[0xed, 0x34]]},
  },
  {
    title: 'SYSCALL from ring 3 raises to ring 0',
    mode: 'long',
    code: listing(`
      b9 81 00 00 c0                ; mov ecx, 0xc0000081
      31 c0                         ; xor eax, eax
      ba 10 00 20 00                ; mov edx, 0x00200010
      0f 30                         ; wrmsr
      b9 82 00 00 c0                ; mov ecx, 0xc0000082
      b8 33 80 00 00                ; mov eax, kernel
      31 d2                         ; xor edx, edx
      0f 30                         ; wrmsr
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 31 80 00 00                ; push user
      48 cf                         ; iretq
      0f 05                         ; user: syscall
      8c cb                         ; kernel: mov rbx, cs
      f4                            ; hlt
    `),
    quirks: ['D3'],
    expect: {registers: {RBX: 0x10n, 'SS.selector': 0x18n}},
  },
  {
    title: 'SYSRET goes to ring 3',
    mode: 'long',
    code: listing(`
      b9 81 00 00 c0                ; mov ecx, 0xc0000081
      31 c0                         ; xor eax, eax
      ba 10 00 20 00                ; mov edx, 0x00200010
      0f 30                         ; wrmsr
      b9 1c 80 00 00                ; mov ecx, user
      41 bb 02 02 00 00             ; mov r11d, 0x202
      48 0f 07                      ; o64 sysret
      8c cb                         ; user: mov rbx, cs
      b0 35                         ; mov al, 0x35
      f4                            ; hlt
    `),
    expect: {registers: {RBX: 0x33n}, writes: [[0xed, 0x35]]},
  },
  {
    title: 'writing ring 3 pages needs the write bit: #PF with error code 7',
    mode: 'long',
    code: listing(`
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 15 80 00 00                ; push user
      48 cf                         ; iretq
      88 04 25 00 00 20 00          ; user: mov [0x200000], al
      f4                            ; hlt
    `),
    handlers: {
      14: listing(`
        58                            ; pop rax
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    memory: [{gpa: 0x3008, bytes: [0x85, 0, 0x20, 0, 0, 0, 0, 0]}],
    expect: {writes: [[0x80, 7]]},
  },
];
