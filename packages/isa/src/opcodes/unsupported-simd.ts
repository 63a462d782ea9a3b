// MMX and SSE instructions that the project does not execute: mostly arithmetic in floating point and conversions.
// SDM vol. 2, "Opcode Map". Patterns are those of unsupported.ts.

import type {InstructionFeature} from './form.js';

/** The unit is the one whose checks of CR0 and CR4 come first: that of the registers it uses. */
export interface SimdInstruction {
  readonly pattern: string;
  readonly name: string;
  readonly feature: InstructionFeature;
  readonly unit: 'MMX' | 'SSE';
}

/** Opcode after 0F, then names for no prefix, F3, 66 and F2; a name may say what announces it. */
const BY_PREFIX: readonly (readonly [opcode: string, feature: InstructionFeature, names: string])[] = [
  ['12', 'sse3', '- MOVSLDUP - MOVDDUP'],
  ['16', 'sse3', '- MOVSHDUP - -'],
  ['2A', 'sse', 'CVTPI2PS CVTSI2SS CVTPI2PD:sse2 CVTSI2SD:sse2'],
  ['2C', 'sse', 'CVTTPS2PI CVTTSS2SI CVTTPD2PI:sse2 CVTTSD2SI:sse2'],
  ['2D', 'sse', 'CVTPS2PI CVTSS2SI CVTPD2PI:sse2 CVTSD2SI:sse2'],
  ['2E', 'sse', 'UCOMISS - UCOMISD:sse2 -'],
  ['2F', 'sse', 'COMISS - COMISD:sse2 -'],
  ['51', 'sse', 'SQRTPS SQRTSS SQRTPD:sse2 SQRTSD:sse2'],
  ['52', 'sse', 'RSQRTPS RSQRTSS - -'],
  ['53', 'sse', 'RCPPS RCPSS - -'],
  ['58', 'sse', 'ADDPS ADDSS ADDPD:sse2 ADDSD:sse2'],
  ['59', 'sse', 'MULPS MULSS MULPD:sse2 MULSD:sse2'],
  ['5A', 'sse2', 'CVTPS2PD CVTSS2SD CVTPD2PS CVTSD2SS'],
  ['5B', 'sse2', 'CVTDQ2PS CVTTPS2DQ CVTPS2DQ -'],
  ['5C', 'sse', 'SUBPS SUBSS SUBPD:sse2 SUBSD:sse2'],
  ['5D', 'sse', 'MINPS MINSS MINPD:sse2 MINSD:sse2'],
  ['5E', 'sse', 'DIVPS DIVSS DIVPD:sse2 DIVSD:sse2'],
  ['5F', 'sse', 'MAXPS MAXSS MAXPD:sse2 MAXSD:sse2'],
  ['63', 'mmx', 'PACKSSWB - PACKSSWB:sse2 -'],
  ['67', 'mmx', 'PACKUSWB - PACKUSWB:sse2 -'],
  ['6B', 'mmx', 'PACKSSDW - PACKSSDW:sse2 -'],
  ['70', 'sse2', '- PSHUFHW - PSHUFLW'],
  ['7C', 'sse3', '- - HADDPD HADDPS'],
  ['7D', 'sse3', '- - HSUBPD HSUBPS'],
  ['C2', 'sse', 'CMPPS CMPSS CMPPD:sse2 CMPSD:sse2'],
  ['C4', 'sse', 'PINSRW - PINSRW:sse2 -'],
  ['C5', 'sse', 'PEXTRW - PEXTRW:sse2 -'],
  ['C6', 'sse', 'SHUFPS - SHUFPD:sse2 -'],
  ['D0', 'sse3', '- - ADDSUBPD ADDSUBPS'],
  ['E6', 'sse2', '- CVTDQ2PD CVTTPD2DQ CVTPD2DQ'],
  ['F4', 'sse2', 'PMULUDQ - PMULUDQ -'],
  ['F5', 'mmx', 'PMADDWD - PMADDWD:sse2 -'],
  ['F6', 'sse', 'PSADBW - PSADBW:sse2 -'],
  ['F7', 'sse', 'MASKMOVQ - MASKMOVDQU:sse2 -'],
];

/** Without prefix these work on MMX registers. */
const MMX_FORMS = /^(PACK|PINSRW|PEXTRW|PMULUDQ|PMADDWD|PSADBW|MASKMOVQ|P[SHAM])/;
const PREFIXES = ['NP', 'F3', '66', 'F2'] as const;

const byPrefix = BY_PREFIX.flatMap(([opcode, usual, names]) =>
  names.split(' ').flatMap((text, n): readonly SimdInstruction[] => {
    const [name = '', own] = text.split(':');
    if (name === '-') return [];
    const feature = own === 'sse2' ? own : usual;
    const unit = n === 0 && MMX_FORMS.test(name) ? 'MMX' : 'SSE';
    return [{pattern: `${PREFIXES[n] ?? ''} 0F ${opcode}`, name, feature, unit}];
  }),
);

/** Opcodes after 0F 38, one name after the other from the first on; no prefix is the MMX form where `both`. */
const SSSE3 =
  '00 PSHUFB PHADDW PHADDD PHADDSW PMADDUBSW PHSUBW PHSUBD PHSUBSW PSIGNB PSIGNW PSIGND PMULHRSW\n1C PABSB PABSW PABSD';
const SSE41 =
  '10 PBLENDVB\n14 BLENDVPS BLENDVPD\n17 PTEST\n20 PMOVSXBW PMOVSXBD PMOVSXBQ PMOVSXWD PMOVSXWQ PMOVSXDQ\n' +
  '28 PMULDQ PCMPEQQ MOVNTDQA PACKUSDW\n30 PMOVZXBW PMOVZXBD PMOVZXBQ PMOVZXWD PMOVZXWQ PMOVZXDQ\n' +
  '38 PMINSB PMINSD PMINUW PMINUD PMAXSB PMAXSD PMAXUW PMAXUD PMULLD PHMINPOSUW';
const SSE41_IMMEDIATE =
  '08 ROUNDPS ROUNDPD ROUNDSS ROUNDSD BLENDPS BLENDPD PBLENDW\n14 PEXTRB PEXTRW PEXTRD/Q EXTRACTPS\n' +
  '20 PINSRB INSERTPS PINSRD/Q\n40 DPPS DPPD MPSADBW';

const inMap = (
  prefix: 'NP' | '66',
  map: '38' | '3A',
  feature: InstructionFeature,
  runs: string,
): readonly SimdInstruction[] =>
  runs.split('\n').flatMap(run => {
    const [first = '', ...names] = run.split(' ');
    return names.map((name, n): SimdInstruction => {
      const opcode = (parseInt(first, 16) + n).toString(16).toUpperCase().padStart(2, '0');
      const unit = prefix === 'NP' && feature === 'ssse3' ? 'MMX' : 'SSE';
      return {pattern: `${prefix} 0F ${map} ${opcode}`, name, feature, unit};
    });
  });

export const UNSUPPORTED_SIMD: readonly SimdInstruction[] = [
  ...byPrefix,
  ...inMap('NP', '38', 'ssse3', SSSE3),
  ...inMap('66', '38', 'ssse3', SSSE3),
  ...inMap('66', '38', 'sse41', SSE41),
  ...inMap('66', '38', 'sse42', '37 PCMPGTQ'),
  ...inMap('NP', '38', 'sha', 'C8 SHA1NEXTE SHA1MSG1 SHA1MSG2 SHA256RNDS2 SHA256MSG1 SHA256MSG2'),
  ...inMap('66', '38', 'gfni', 'CF GF2P8MULB'),
  ...inMap('66', '38', 'aes', 'DB AESIMC AESENC AESENCLAST AESDEC AESDECLAST'),
  ...inMap('NP', '3A', 'ssse3', '0F PALIGNR'),
  ...inMap('66', '3A', 'ssse3', '0F PALIGNR'),
  ...inMap('66', '3A', 'sse41', SSE41_IMMEDIATE),
  ...inMap('66', '3A', 'pclmulqdq', '44 PCLMULQDQ'),
  ...inMap('66', '3A', 'sse42', '60 PCMPESTRM PCMPESTRI PCMPISTRM PCMPISTRI'),
  ...inMap('NP', '3A', 'sha', 'CC SHA1RNDS4'),
  ...inMap('66', '3A', 'gfni', 'CE GF2P8AFFINEQB GF2P8AFFINEINVQB'),
  ...inMap('66', '3A', 'aes', 'DF AESKEYGENASSIST'),
  {pattern: '66 0F 78', name: 'EXTRQ', feature: 'sse4a', unit: 'SSE'},
  {pattern: 'F2 0F 78', name: 'INSERTQ', feature: 'sse4a', unit: 'SSE'},
  {pattern: '66 0F 79', name: 'EXTRQ', feature: 'sse4a', unit: 'SSE'},
  {pattern: 'F2 0F 79', name: 'INSERTQ', feature: 'sse4a', unit: 'SSE'},
  {pattern: 'F3 0F 2B', name: 'MOVNTSS', feature: 'sse4a', unit: 'SSE'},
  {pattern: 'F2 0F 2B', name: 'MOVNTSD', feature: 'sse4a', unit: 'SSE'},
  {pattern: '0F 0E', name: 'FEMMS', feature: 'amd3dnow', unit: 'MMX'},
  {pattern: '0F 0F', name: '3DNow! instruction', feature: 'amd3dnow', unit: 'MMX'},
];
