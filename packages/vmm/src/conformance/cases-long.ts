// What a guest in 64-bit mode may rely on, on every executor.
import {listing} from './listing.js';
import type {ConformanceCase} from './conformance-case.js';

export const LONG_CASES: readonly ConformanceCase[] = [
  {
    title: '64-bit ADD, and a 32-bit result that clears the upper half',
    mode: 'long',
    code: listing(`
      b8 ff ff ff ff                ; mov rax, 0xffffffff
      48 83 c0 01                   ; add rax, 1
      48 c7 c3 ff ff ff ff          ; mov rbx, -1
      bb 05 00 00 00                ; mov ebx, 5
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x1_0000_0000n, RBX: 5n}},
  },
  {
    title: 'a RIP-relative load finds its data',
    mode: 'long',
    code: listing(`
      48 8b 05 01 00 00 00          ; mov rax, [rel data]
      f4                            ; hlt
      88 77 66 55 44 33 22 11       ; data: dq 0x1122334455667788
    `),
    expect: {registers: {RAX: 0x1122_3344_5566_7788n}},
  },
  {
    title: 'CR3 can be written and read back',
    mode: 'long',
    code: listing(`
      0f 20 d8                      ; mov rax, cr3
      0f 22 d8                      ; mov cr3, rax
      0f 20 db                      ; mov rbx, cr3
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x1000n, RBX: 0x1000n}, hardwareExits: ['HLT']},
  },
  {
    title: 'CR4 shows what the guest wrote, and no VMXE',
    mode: 'long',
    code: listing(`
      0f 20 e0                      ; mov rax, cr4
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x620n}},
  },
  {
    title: 'CR8 is the task priority',
    mode: 'long',
    code: listing(`
      b8 09 00 00 00                ; mov eax, 9
      44 0f 22 c0                   ; mov cr8, rax
      44 0f 20 c3                   ; mov rbx, cr8
      f4                            ; hlt
    `),
    expect: {registers: {RBX: 9n}},
  },
  {
    title: 'reading an unmapped page is #PF with error code 0 and CR2',
    mode: 'long',
    code: listing(`
      48 8b 04 25 34 12 00 40       ; mov rax, [0x40001234]
      f4                            ; hlt
    `),
    handlers: {
      14: listing(`
        58                            ; pop rax
        e7 80                         ; out 0x80, eax
        0f 20 d0                      ; mov rax, cr2
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    expect: {
      writes: [
        [0x80, 0],
        [0x80, 0x4000_1234],
      ],
    },
  },
  {
    title: 'writing an unmapped page is #PF with error code 2',
    mode: 'long',
    code: listing(`
      88 04 25 00 00 00 40          ; mov [0x40000000], al
      f4                            ; hlt
    `),
    handlers: {
      14: listing(`
        58                            ; pop rax
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    expect: {writes: [[0x80, 2]]},
  },
  {
    title: 'a non-canonical address is #GP',
    mode: 'long',
    code: listing(`
      48 b8 00 00 00 00 00 80 00 00 ; mov rax, 0x800000000000
      b0 09                         ; mov al, 9
      8a 18                         ; mov bl, [rax]
      f4                            ; hlt
    `),
    expect: {writes: [[0xed, 9]]},
  },
  {
    title: 'a fault pushes the address of the instruction',
    mode: 'long',
    code: listing(`
      31 c9                         ; xor ecx, ecx
      f7 f1                         ; div ecx
      f4                            ; hlt
    `),
    handlers: {
      0: listing(`
        58                            ; pop rax
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    expect: {writes: [[0x80, 0x8002]]},
  },
  {
    title: 'the stack of a fault is aligned to 16 bytes',
    mode: 'long',
    code: listing(`
      bc f9 7e 00 00                ; mov rsp, 0x7ef9
      0f 0b                         ; ud2
    `),
    handlers: {
      6: listing(`
        48 89 e0                      ; mov rax, rsp
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    expect: {writes: [[0x80, 0x7ec8]]},
  },
  {
    title: 'WRMSR and RDMSR of LSTAR agree',
    mode: 'long',
    code: listing(`
      b9 82 00 00 c0                ; mov ecx, 0xc0000082
      b8 00 90 00 00                ; mov eax, 0x9000
      ba 00 80 ff ff                ; mov edx, 0xffff8000
      0f 30                         ; wrmsr
      31 c0                         ; xor eax, eax
      31 d2                         ; xor edx, edx
      0f 32                         ; rdmsr
      f4                            ; hlt
    `),
    expect: {registers: {RAX: 0x9000n, RDX: 0xffff_8000n}},
  },
  {
    title: 'WRMSR of a non-canonical LSTAR is #GP',
    mode: 'long',
    code: listing(`
      b9 82 00 00 c0                ; mov ecx, 0xc0000082
      b8 03 00 00 00                ; mov eax, 3
      ba 00 80 00 00                ; mov edx, 0x8000
      0f 30                         ; wrmsr
      f4                            ; hlt
    `),
    expect: {writes: [[0xed, 3]]},
  },
  {
    title: 'RDMSR of a number that does not exist is #GP',
    mode: 'long',
    code: listing(`
      b9 45 23 01 00                ; mov ecx, 0x12345
      b0 04                         ; mov al, 4
      0f 32                         ; rdmsr
      f4                            ; hlt
    `),
    expect: {writes: [[0xed, 4]]},
  },
  {
    title: 'SWAPGS exchanges the two bases of GS',
    mode: 'long',
    code: listing(`
      b9 02 01 00 c0                ; mov ecx, 0xc0000102
      b8 00 90 00 00                ; mov eax, 0x9000
      31 d2                         ; xor edx, edx
      0f 30                         ; wrmsr
      0f 01 f8                      ; swapgs
      65 c6 04 25 04 00 00 00 77    ; mov byte [gs:4], 0x77
      8a 04 25 04 90 00 00          ; mov al, [0x9004]
      f4                            ; hlt
    `),
    expect: {memory: [{gpa: 0x9004, bytes: [0x77]}]},
  },
  {
    title: 'INT 3 returns behind itself',
    mode: 'long',
    code: listing(`
      cc                            ; int3
      b0 05                         ; mov al, 5
      e6 80                         ; out 0x80, al
      f4                            ; hlt
    `),
    handlers: {
      3: listing(`
        48 cf                         ; iretq
      `),
    },
    quirks: ['D1'],
    expect: {writes: [[0x80, 5]], registers: {RSP: 0x7f00n}},
  },
  {
    title: 'REP STOSQ fills memory',
    mode: 'long',
    code: listing(`
      fc                            ; cld
      bf 00 90 00 00                ; mov edi, 0x9000
      48 b8 08 07 06 05 04 03 02 01 ; mov rax, 0x0102030405060708
      b9 02 00 00 00                ; mov ecx, 2
      f3 48 ab                      ; rep stosq
      f4                            ; hlt
    `),
    expect: {registers: {RCX: 0n, RDI: 0x9010n}, memory: [{gpa: 0x9008, bytes: [8, 7, 6, 5, 4, 3, 2, 1, 0]}]},
  },
  {
    title: 'REP OUTSB reads through the page tables',
    mode: 'long',
    code: listing(`
      fc                            ; cld
      48 8d 35 0d 00 00 00          ; lea rsi, [rel text]
      ba 80 00 00 00                ; mov edx, 0x80
      b9 02 00 00 00                ; mov ecx, 2
      f3 6e                         ; rep outsb
      f4                            ; hlt
      6f 6b                         ; text: db "ok"
    `),
    expect: {
      writes: [
        [0x80, 0x6f],
        [0x80, 0x6b],
      ],
      registers: {RCX: 0n},
    },
  },
  {
    title: 'OUTSB from an unmapped page is #PF, and no port sees a byte',
    mode: 'long',
    code: listing(`
      be 10 00 00 40                ; mov rsi, 0x40000010
      ba 80 00 00 00                ; mov edx, 0x80
      6e                            ; outsb
      f4                            ; hlt
    `),
    handlers: {
      14: listing(`
        58                            ; pop rax
        0f 20 d0                      ; mov rax, cr2
        e7 84                         ; out 0x84, eax
        f4                            ; hlt
      `),
    },
    expect: {writes: [[0x84, 0x4000_0010]]},
  },
  {
    title: 'INSB to an unmapped page is #PF with error code 2',
    mode: 'long',
    code: listing(`
      bf 10 00 00 40                ; mov rdi, 0x40000010
      ba a2 03 00 00                ; mov edx, 0x3a2
      6c                            ; insb
      f4                            ; hlt
    `),
    handlers: {
      14: listing(`
        58                            ; pop rax
        e7 84                         ; out 0x84, eax
        f4                            ; hlt
      `),
    },
    expect: {writes: [[0x84, 2]], registers: {RDI: 0x4000_0010n}},
  },
  {
    title: 'clearing PG in 64-bit mode is #GP',
    mode: 'long',
    code: listing(`
      0f 20 c0                      ; mov rax, cr0
      48 0f ba f0 1f                ; btr rax, 31
      0f 22 c0                      ; mov cr0, rax
      f4                            ; hlt
    `),
    handlers: {
      13: listing(`
        58                            ; pop rax
        58                            ; pop rax
        e7 80                         ; out 0x80, eax
        f4                            ; hlt
      `),
    },
    expect: {writes: [[0x80, 0x8008]]},
  },
];
