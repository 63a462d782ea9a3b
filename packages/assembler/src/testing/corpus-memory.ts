// Memory operands in every way that NASM lets one write them.

import type {CodeSize} from '@hyperscope/isa';
import type {Random} from './random.js';

const DISPLACEMENTS = ['', '+0', '+1', '-1', '+127', '+128', '-128', '-129', '+0x1234', '+0x7fff', '-0x8000'] as const;
const WIDE = ['+0x12345678', '+0x7fffffff', '-0x80000000', '+0x7fffff80', '-0x7fffffff'] as const;
const ABSOLUTE = ['0', '0x50', '0x1234', '0xffff', '0x7fff', '5*8'] as const;
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
const STEMS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'] as const;

/** `[…]`, mostly encodable in this mode. */
export function memory(bits: CodeSize, random: Random): string {
  const segment = random.once(8) ? `${random.pick(SEGMENTS)}:` : '';
  if (random.once(7)) return `[${segment}${absolute(bits, random)}]`;
  const width = addressWidth(bits, random);
  const displacement =
    width === 16 || random.once(2) ? random.pick(DISPLACEMENTS) : random.pick([...DISPLACEMENTS, ...WIDE]);
  const words = random.once(15) ? random.pick(['byte ', 'nosplit ', width === 16 ? 'word ' : 'dword ']) : '';
  // A displacement that was told to be a byte must be one.
  const shown = words === 'byte ' ? random.pick(['', '+1', '-128', '+127']) : displacement;
  return `[${words}${segment}${width === 16 ? sixteen(random) : wide(width, bits, random)}${shown}]`;
}

function absolute(bits: CodeSize, random: Random): string {
  const words = bits === 64 ? random.pick(['', 'abs ', 'rel ', 'rel ']) : random.pick(['', '', 'word ', 'dword ']);
  return words + random.pick(ABSOLUTE);
}

function addressWidth(bits: CodeSize, random: Random): 16 | 32 | 64 {
  if (bits === 64) return random.once(5) ? 32 : 64;
  if (random.once(40)) return 64;
  return random.once(4) === (bits === 16) ? 32 : 16;
}

function sixteen(random: Random): string {
  const base = random.pick(['bx', 'bp']);
  const index = random.pick(['si', 'di']);
  // The last two do not exist.
  return random.pick([base, index, `${base}+${index}`, `${index}+${base}`, base, index, 'ax', `${base}+cx`]);
}

function register(width: 32 | 64, bits: CodeSize, random: Random): string {
  if (bits === 64 && random.once(3)) return `r${8 + random.below(8)}${width === 32 ? 'd' : ''}`;
  return (width === 32 ? 'e' : 'r') + random.pick(STEMS);
}

function wide(width: 32 | 64, bits: CodeSize, random: Random): string {
  const base = register(width, bits, random);
  const index = register(width, bits, random);
  const scale = random.pick([1, 2, 4, 8, 2, 4, 3, 5, 9]);
  return random.pick([
    base,
    base,
    base,
    `${base}+${index}`,
    `${base}+${index}*${random.pick([1, 2, 4, 8])}`,
    `${index}*${scale}`,
    `${index}*${random.pick([2, 4, 8])}+${base}`,
    `${base}+${random.pick([2, 4, 8])}*${index}`,
    `${base}+${base}`,
    `${index}*1+${base}`,
    `${base}*2+${base}`,
  ]);
}
