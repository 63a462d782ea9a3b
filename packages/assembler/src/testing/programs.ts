// Whole programs with labels: jumps in both directions over distances around the reach of a short jump.

import {Random} from './random.js';

const FILLERS = [
  'nop',
  'mov ax, 0x1234',
  'add bx, 5',
  'times 40 nop',
  'times 125 nop',
  'db "text", 0',
  'align 16',
  'dd 1, 2',
  'times 60 cld',
] as const;
const FILLERS_64 = ['mov rax, 0x123456789', 'lea rax, [rel $+100]', 'mov r9, [rsp+8]', 'cmp qword [rbp-8], 1'] as const;

/** A label, and the things that one may do with a label. */
function reference(label: string, bits: 16 | 32 | 64, random: Random): string {
  const jumps = [
    `jmp ${label}`,
    `jc ${label}`,
    `jnle ${label}`,
    `call ${label}`,
    `jmp near ${label}`,
    `jz near ${label}`,
  ] as const;
  const uses = [
    `mov ebx, ${label}`,
    `push word ${label}`,
    `dw ${label} - $$`,
    `dd ${label}`,
    `mov ax, [${label}]`,
    `cmp byte [${label}+1], 5`,
  ] as const;
  const wide = [
    `mov rax, ${label}`,
    `mov eax, [rel ${label}]`,
    `lea rsi, [rel ${label}+4]`,
    `mov dword [rel ${label}], 7`,
    `dq ${label}`,
    `push ${label}`,
  ] as const;
  if (random.once(3)) return bits === 64 && random.once(2) ? random.pick(wide) : random.pick(uses);
  return random.pick(jumps);
}

function program(random: Random): string {
  const bits = random.pick([16, 32, 64] as const);
  const lines = [`bits ${bits}`, `org ${random.pick(['0', '0x7c00', '0x8000'])}`, 'size equ finish - first', 'first:'];
  const labels = 60 + random.below(60);
  for (let index = 0; index < labels; index++) {
    lines.push(random.once(4) ? `label${index}` + ': dw size' : `label${index}:`);
    for (let count = random.below(4); count >= 0; count--) {
      const fillers = bits === 64 ? ([...FILLERS, ...FILLERS_64] as const) : FILLERS;
      lines.push(
        random.once(2) ? `  ${random.pick(fillers)}` : `  ${reference(near(index, labels, random), bits, random)}`,
      );
    }
    if (random.once(5))
      lines.push('.again:', `  ${random.pick(['loop', 'jmp', 'jc'])} .again`, '  jmp short .over', '.over:');
  }
  return [...lines, 'finish:', 'times (64 - ($ - $$) % 64) % 64 db 0', 'dw size, 0xaa55', ''].join('\n');
}

/** Mostly a neighbour, sometimes any label, so that both lengths of a jump are needed and some are just out of reach. */
function near(index: number, labels: number, random: Random): string {
  const any = random.once(5) ? random.below(labels) : index - 5 + random.below(11);
  return `label${Math.min(labels - 1, Math.max(0, any))}`;
}

/** `count` programs. */
export function programs(seed: number, count: number): readonly string[] {
  const random = new Random(seed);
  return Array.from({length: count}, () => program(random));
}
