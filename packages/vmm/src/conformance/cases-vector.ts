// What compilers emit to copy and search memory: SSE moves and packed integers, in ring 3, where a hypervisor lets them run.
import {listing} from './listing.js';
import type {ConformanceCase} from './conformance-case.js';

const TEXT = [0, 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 0] as const;

export const VECTOR_CASES: readonly ConformanceCase[] = [
  {
    title: 'XMM registers copy memory and find its zeros; FNSTCW and STMXCSR show the initial state',
    mode: 'long',
    code: listing(`
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 15 80 00 00                ; push user
      48 cf                         ; iretq
      f3 0f 6f 04 25 01 90 00 00    ; user: movdqu xmm0, [0x9001]
      66 0f ef c9                   ; pxor xmm1, xmm1
      66 0f 74 c8                   ; pcmpeqb xmm1, xmm0
      66 0f d7 c1                   ; pmovmskb eax, xmm1
      66 0f 7f 04 25 20 90 00 00    ; movdqa [0x9020], xmm0
      0f 12 d0                      ; movhlps xmm2, xmm0
      66 0f d6 14 25 30 90 00 00    ; movq [0x9030], xmm2
      db e3                         ; fninit
      d9 3c 25 38 90 00 00          ; fnstcw [0x9038]
      0f ae 1c 25 3c 90 00 00       ; stmxcsr [0x903c]
      f4                            ; hlt
    `),
    memory: [{gpa: 0x9001, bytes: TEXT}],
    expect: {
      registers: {RAX: 0x8101n},
      writes: [[0xed, 1]],
      memory: [
        {gpa: 0x9020, bytes: TEXT},
        {gpa: 0x9030, bytes: TEXT.slice(8)},
        {gpa: 0x9038, bytes: [0x7f, 3, 0, 0, 0x80, 0x1f, 0, 0]},
      ],
    },
  },
  {
    title: 'MOVAPS at an address that is no multiple of 16 is #GP(0)',
    mode: 'long',
    code: listing(`
      6a 2b                         ; push 0x2b
      68 00 f0 01 00                ; push 0x1f000
      68 02 02 00 00                ; push 0x202
      6a 33                         ; push 0x33
      68 15 80 00 00                ; push user
      48 cf                         ; iretq
      0f 28 04 25 08 90 00 00       ; user: movaps xmm0, [0x9008]
      f4                            ; hlt
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
];
