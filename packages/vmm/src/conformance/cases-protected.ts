// What a guest in 32-bit protected mode without paging may rely on, on every executor.
import {listing} from './listing.js';
import type {ConformanceCase} from './conformance-case.js';

export const PROTECTED_CASES: readonly ConformanceCase[] = [
  {
    title: '32-bit arithmetic in protected mode',
    mode: 'protected',
    code: listing(`
      b8 ff ff ff 7f                ; mov eax, 0x7fffffff
      83 c0 01                      ; add eax, 1
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x8000_0000n}, flags: {OF: 1, SF: 1, CF: 0}},
  },
  {
    title: 'MOV from CR0 shows the guest its own CR0',
    mode: 'protected',
    code: listing(`
      0f 20 c0                      ; mov eax, cr0
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x11n}},
  },
  {
    title: 'SMSW shows the low half of CR0',
    mode: 'protected',
    code: listing(`
      31 c0                         ; xor eax, eax
      66 0f 01 e0                   ; smsw ax
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x11n}},
  },
  {
    title: 'a null selector can be loaded, but not used: #GP',
    mode: 'protected',
    code: listing(`
      31 c0                         ; xor eax, eax
      8e d8                         ; mov ds, ax
      b0 07                         ; mov al, 7
      a0 00 00 00 00                ; mov al, [0]
      f4                            ; hlt
    `),
    expect: {writes: [[0xed, 7]]},
  },
  {
    title: 'a segment that is not present gives #NP with its selector',
    mode: 'protected',
    code: listing(`
      b8 38 00 00 00                ; mov eax, 0x38
      8e d8                         ; mov ds, ax
      f4                            ; hlt
    `),
    handlers: {
      11: listing(`
        58                            ; pop eax
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    expect: {writes: [[0x80, 0x38]]},
  },
  {
    title: 'a selector beyond the GDT gives #GP with the selector',
    mode: 'protected',
    code: listing(`
      b8 f8 0f 00 00                ; mov eax, 0xff8
      8e d8                         ; mov ds, ax
      f4                            ; hlt
    `),
    handlers: {
      13: listing(`
        58                            ; pop eax
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    expect: {writes: [[0x80, 0xff8]]},
  },
  {
    title: 'a far jump reloads CS from its descriptor',
    mode: 'protected',
    code: listing(`
      ea 07 80 00 00 08 00          ; jmp 0x08:next
      8c c8                         ; next: mov eax, cs
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 8n, 'CS.base': 0n}},
  },
  {
    title: 'PUSHFD and POPFD can turn the ID flag',
    mode: 'protected',
    code: listing(`
      9c                            ; pushfd
      58                            ; pop eax
      35 00 00 20 00                ; xor eax, 0x200000
      50                            ; push eax
      9d                            ; popfd
      9c                            ; pushfd
      5b                            ; pop ebx
      81 e3 00 00 20 00             ; and ebx, 0x200000
      f4                            ; hlt
    `),
    expect: {registers: {RBX: 0x20_0000n}},
  },
  {
    title: 'CPUID leaf 0 names a vendor in ASCII',
    mode: 'protected',
    code: listing(`
      31 c0                         ; xor eax, eax
      0f a2                         ; cpuid
      09 cb                         ; or ebx, ecx
      09 d3                         ; or ebx, edx
      81 e3 80 80 80 80             ; and ebx, 0x80808080
      f4                            ; hlt
    `),
    expect: {registers: {RBX: 0n}, hardwareExits: ['CPUID', 'HLT']},
  },
  {
    title: 'LGDT and SGDT agree',
    mode: 'protected',
    code: listing(`
      0f 01 05 00 90 00 00          ; sgdt [0x9000]
      0f 01 15 00 90 00 00          ; lgdt [0x9000]
      0f 01 05 10 90 00 00          ; sgdt [0x9010]
      66 a1 10 90 00 00             ; mov ax, [0x9010]
      8b 1d 12 90 00 00             ; mov ebx, [0x9012]
      f4                            ; hlt
    `),
    registers: {RAX: 0n},
    expect: {registers: {RAX: 0x4fn, RBX: 0x500n}},
  },
  {
    title: 'CLTS clears CR0.TS',
    mode: 'protected',
    code: listing(`
      0f 20 c0                      ; mov eax, cr0
      83 c8 08                      ; or eax, 8
      0f 22 c0                      ; mov cr0, eax
      0f 06                         ; clts
      0f 20 c0                      ; mov eax, cr0
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x11n}},
  },
  {
    title: 'a guest goes to 64-bit mode by itself',
    mode: 'protected',
    code: listing(`
      b8 20 00 00 00                ; mov eax, 0x20
      0f 22 e0                      ; mov cr4, eax
      b8 00 10 00 00                ; mov eax, 0x1000
      0f 22 d8                      ; mov cr3, eax
      b9 80 00 00 c0                ; mov ecx, 0xc0000080
      0f 32                         ; rdmsr
      0d 00 01 00 00                ; or eax, 0x100
      0f 30                         ; wrmsr
      0f 20 c0                      ; mov eax, cr0
      0d 00 00 00 80                ; or eax, 0x80000000
      0f 22 c0                      ; mov cr0, eax
      ea 30 80 00 00 10 00          ; jmp 0x10:there
                                    ; bits 64
      48 b8 f0 de bc 9a 78 56 34 12 ; there: mov rax, 0x123456789abcdef0
      b9 80 00 00 c0                ; mov ecx, 0xc0000080
      48 89 c3                      ; mov rbx, rax
      0f 32                         ; rdmsr
      25 00 05 00 00                ; and eax, 0x500
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x500n, RBX: 0x1234_5678_9abc_def0n, 'CS.selector': 0x10n}},
  },
  {
    title: 'a fault without a table to go through shuts the processor down',
    mode: 'protected',
    code: listing(`
      0f 01 1d 09 80 00 00          ; lidt [none]
      0f 0b                         ; ud2
      00 00                         ; none: dw 0
      00 00 00 00                   ; dd 0
    `),
    expect: {ending: 'shutdown'},
  },
];
