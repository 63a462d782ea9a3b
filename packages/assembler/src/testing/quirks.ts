// Where nasm 2.16 and ours differ on purpose, by rule. Every rule says why; a rule that nothing needs fails the test.

export interface Difference {
  readonly bits: number;
  readonly line: string;
  /** Bytes in hexadecimal, or undefined when it was refused. */
  readonly nasm: string | undefined;
  readonly ours: string | undefined;
}

export interface Quirk {
  readonly rule: string;
  readonly why: string;
  readonly covers: (difference: Difference) => boolean;
}

export const QUIRKS: readonly Quirk[] = [
  {
    rule: 'CR8 outside 64-bit mode',
    why: 'nasm writes LOCK MOV CR0, which only AMD processors read as MOV CR8; on Intel it is #UD.',
    covers: ({bits, line, nasm, ours}) =>
      bits !== 64 && /\bcr8\b/.test(line) && (nasm ?? '').includes('f0') && ours === undefined,
  },
  {
    rule: 'numbers below the signed range',
    why: 'nasm takes -129 for a byte (it allows all of -2^n) and silently makes it 127.',
    covers: ({line, nasm, ours}) => ours === undefined && nasm !== undefined && /-(129|0x8001|0x80000001)\b/.test(line),
  },
  {
    rule: 'o32 on instructions that are 64 bits wide whatever is written',
    why: 'nasm ignores the prefix in silence; ours says that PUSHFD and its like do not exist in 64-bit mode.',
    covers: ({bits, line, nasm, ours}) =>
      bits === 64 && /^o32 (push|pop)f$/.test(line) && nasm !== undefined && ours === undefined,
  },
  {
    rule: 'SALC in 64-bit mode',
    why: 'nasm writes D6 there too, where every processor answers #UD.',
    covers: ({bits, line, nasm, ours}) =>
      bits === 64 && /(^| )salc$/.test(line) && nasm !== undefined && ours === undefined,
  },
  {
    rule: 'a prefix before WAIT',
    why: 'nasm takes WAIT for a prefix itself and writes it first; ours writes prefixes where they were written.',
    covers: ({line, nasm, ours}) => /^a(16|32) wait$/.test(line) && nasm === '9b67' && ours === '679b',
  },
  {
    rule: 'negative shift counts and shuffle orders',
    why: 'they are unsigned bytes, and nasm warns of -1; ours takes both readings of a byte everywhere.',
    covers: ({line, nasm, ours}) =>
      /\bp(s[lr]l|sra|shuf)[a-z]+ .*, (strict )?(byte )?(-\d|~0)/.test(line) &&
      nasm === undefined &&
      ours !== undefined,
  },
  {
    rule: 'sizes that nasm does not take beside MMX registers',
    why: 'its table has no size for these operands, or another one than is read; ours takes what the manual says.',
    covers: ({line, nasm, ours}) =>
      nasm === undefined &&
      ours !== undefined &&
      (/\bp(s[lr]l|sra)[wdq] mm\d, (strict )?byte /.test(line) ||
        /\bpsubq mm\d, qword /.test(line) ||
        /\bpunpckl(bw|wd|dq) mm\d, dword /.test(line) ||
        /\bpshuf[wd] /.test(line)),
  },
  {
    rule: 'SKINIT outside 64-bit mode',
    why: "nasm knows it only there; AMD's manual has it in protected mode too.",
    covers: ({bits, line, nasm, ours}) =>
      bits !== 64 && /\bskinit$/.test(line) && nasm === undefined && ours !== undefined,
  },
];
