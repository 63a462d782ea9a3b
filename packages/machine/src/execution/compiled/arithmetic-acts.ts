// Acts of arithmetic with its flags: operand, operation, result and RFLAGS at once, which most instructions are.
// Operands and result are words of the frame, so register, constant and memory operand need no variants of their own.

import {RFLAGS} from '../../cpu/cell-indexes.js';
import type {FlagRule} from '@hyperscope/isa';
import {NEXT} from './act.js';
import type {Act} from './act.js';
import {
  CF,
  PF,
  SF,
  STATUS,
  ZF,
  additionFlags,
  longAdditionFlags,
  longResultFlags,
  longSubtractionFlags,
  resultFlags,
  subtractionFlags,
} from './flag-arithmetic.js';
import {maskOf} from './value-acts.js';
import type {Place} from './value-acts.js';

const FLAGS = 2 * RFLAGS;
const KEPT_BY_ALL = ~STATUS;
const KEPT_BY_COUNTING = ~(STATUS & ~CF);

/** What is computed before the flags are. `adc` and `sbb` also use CF. */
export type Computation = 'add' | 'sub' | 'and' | 'or' | 'xor' | 'adc' | 'sbb';

/** Where 8 or 16 bits lie in a word: at `shift`; `keep` are the other bits of the word, where they must stay. */
export interface Field {
  readonly word: number;
  readonly shift: number;
  readonly keep: number;
}

/** 32 bits. The word after the result's is cleared, as a 32-bit result does in a register. */
export function wordArithmetic(
  f: Int32Array,
  computation: Computation,
  to: number,
  a: number,
  b: number,
  rule: FlagRule,
): Act {
  switch (computation) {
    case 'add':
      return rule === 'inc' ? wordCount(f, to, a, b, 'up') : wordAdd(f, to, a, b);
    case 'sub':
      return rule === 'dec' ? wordCount(f, to, a, b, 'down') : wordSubtract(f, to, a, b);
    case 'adc':
      return () => {
        const x = f[a] ?? 0,
          y = f[b] ?? 0,
          flags = f[FLAGS] ?? 0;
        const r = (x + y + (flags & CF)) | 0;
        f[to] = r;
        f[to + 1] = 0;
        f[FLAGS] = (flags & KEPT_BY_ALL) | additionFlags(x, y, r, 31);
        return NEXT;
      };
    case 'sbb':
      return () => {
        const x = f[a] ?? 0,
          y = f[b] ?? 0,
          flags = f[FLAGS] ?? 0;
        const r = (x - y - (flags & CF)) | 0;
        f[to] = r;
        f[to + 1] = 0;
        f[FLAGS] = (flags & KEPT_BY_ALL) | subtractionFlags(x, y, r, 31);
        return NEXT;
      };
    default:
      return wordLogic(f, computation, to, a, b);
  }
}

function wordAdd(f: Int32Array, to: number, a: number, b: number): Act {
  return () => {
    const x = f[a] ?? 0,
      y = f[b] ?? 0;
    const r = (x + y) | 0;
    f[to] = r;
    f[to + 1] = 0;
    f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_ALL) | additionFlags(x, y, r, 31);
    return NEXT;
  };
}
function wordSubtract(f: Int32Array, to: number, a: number, b: number): Act {
  return () => {
    const x = f[a] ?? 0,
      y = f[b] ?? 0;
    const r = (x - y) | 0;
    f[to] = r;
    f[to + 1] = 0;
    f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_ALL) | subtractionFlags(x, y, r, 31);
    return NEXT;
  };
}
/** INC and DEC leave CF alone. */
function wordCount(f: Int32Array, to: number, a: number, b: number, way: 'up' | 'down'): Act {
  if (way === 'up')
    return () => {
      const x = f[a] ?? 0,
        y = f[b] ?? 0;
      const r = (x + y) | 0;
      f[to] = r;
      f[to + 1] = 0;
      f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_COUNTING) | (additionFlags(x, y, r, 31) & ~CF);
      return NEXT;
    };
  return () => {
    const x = f[a] ?? 0,
      y = f[b] ?? 0;
    const r = (x - y) | 0;
    f[to] = r;
    f[to + 1] = 0;
    f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_COUNTING) | (subtractionFlags(x, y, r, 31) & ~CF);
    return NEXT;
  };
}
function wordLogic(f: Int32Array, computation: 'and' | 'or' | 'xor', to: number, a: number, b: number): Act {
  if (computation === 'and')
    return () => {
      const r = (f[a] ?? 0) & (f[b] ?? 0);
      f[to] = r;
      f[to + 1] = 0;
      f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_ALL) | resultFlags(r, 31);
      return NEXT;
    };
  if (computation === 'or')
    return () => {
      const r = (f[a] ?? 0) | (f[b] ?? 0);
      f[to] = r;
      f[to + 1] = 0;
      f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_ALL) | resultFlags(r, 31);
      return NEXT;
    };
  return () => {
    const r = (f[a] ?? 0) ^ (f[b] ?? 0);
    f[to] = r;
    f[to + 1] = 0;
    f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_ALL) | resultFlags(r, 31);
    return NEXT;
  };
}

/** 8 and 16 bits, which may lie inside a register. */
export function fieldArithmetic(
  f: Int32Array,
  computation: Computation,
  to: Field,
  a: Field,
  b: Field,
  shape: {readonly width: number; readonly rule: FlagRule},
): Act {
  const mask = maskOf(shape.width);
  const top = shape.width - 1;
  const kept = shape.rule === 'inc' || shape.rule === 'dec' ? KEPT_BY_COUNTING : KEPT_BY_ALL;
  const {word: aw, shift: as} = a;
  const {word: bw, shift: bs} = b;
  const {word, shift, keep} = to;
  const isSubtraction = computation === 'sub' || computation === 'sbb';
  const carry = computation === 'adc' || computation === 'sbb' ? CF : 0;
  switch (computation) {
    case 'add':
    case 'sub':
    case 'adc':
    case 'sbb':
      return () => {
        const x = ((f[aw] ?? 0) >>> as) & mask,
          y = ((f[bw] ?? 0) >>> bs) & mask,
          flags = f[FLAGS] ?? 0;
        const r = (isSubtraction ? x - y - (flags & carry) : x + y + (flags & carry)) & mask;
        f[word] = ((f[word] ?? 0) & keep) | (r << shift);
        const set = isSubtraction ? subtractionFlags(x, y, r, top) : additionFlags(x, y, r, top);
        f[FLAGS] = (flags & kept) | (set & ~kept);
        return NEXT;
      };
    default:
      return () => {
        const x = ((f[aw] ?? 0) >>> as) & mask,
          y = ((f[bw] ?? 0) >>> bs) & mask;
        const r = computation === 'and' ? x & y : computation === 'or' ? x | y : x ^ y;
        f[word] = ((f[word] ?? 0) & keep) | (r << shift);
        f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_ALL) | resultFlags(r, top);
        return NEXT;
      };
  }
}

/** 64 bits. */
export function longArithmetic(
  f: Int32Array,
  computation: Computation,
  to: number,
  a: Place,
  b: Place,
  rule: FlagRule,
): Act {
  const {low: al, high: ah} = a;
  const {low: bl, high: bh} = b;
  const kept = rule === 'inc' || rule === 'dec' ? KEPT_BY_COUNTING : KEPT_BY_ALL;
  switch (computation) {
    case 'add':
    case 'adc': {
      const used = computation === 'adc' ? CF : 0;
      return () => {
        const x = f[al] ?? 0,
          y = f[bl] ?? 0,
          xh = f[ah] ?? 0,
          yh = f[bh] ?? 0,
          flags = f[FLAGS] ?? 0;
        const low = (x + y + (flags & used)) | 0;
        const high = (xh + yh + (((x & y) | ((x | y) & ~low)) >>> 31)) | 0;
        f[to] = low;
        f[to + 1] = high;
        f[FLAGS] = (flags & kept) | (longAdditionFlags(xh, yh, low, high, x ^ y ^ low) & ~kept);
        return NEXT;
      };
    }
    case 'sub':
    case 'sbb': {
      const used = computation === 'sbb' ? CF : 0;
      return () => {
        const x = f[al] ?? 0,
          y = f[bl] ?? 0,
          xh = f[ah] ?? 0,
          yh = f[bh] ?? 0,
          flags = f[FLAGS] ?? 0;
        const low = (x - y - (flags & used)) | 0;
        const high = (xh - yh - (((~x & y) | ((~x | y) & low)) >>> 31)) | 0;
        f[to] = low;
        f[to + 1] = high;
        f[FLAGS] = (flags & kept) | (longSubtractionFlags(xh, yh, low, high, x ^ y ^ low) & ~kept);
        return NEXT;
      };
    }
    default:
      return longLogic(f, computation, to, a, b);
  }
}

function longLogic(f: Int32Array, computation: 'and' | 'or' | 'xor', to: number, a: Place, b: Place): Act {
  const {low: al, high: ah} = a;
  const {low: bl, high: bh} = b;
  return () => {
    const x = f[al] ?? 0,
      y = f[bl] ?? 0,
      xh = f[ah] ?? 0,
      yh = f[bh] ?? 0;
    const low = computation === 'and' ? x & y : computation === 'or' ? x | y : x ^ y;
    const high = computation === 'and' ? xh & yh : computation === 'or' ? xh | yh : xh ^ yh;
    f[to] = low;
    f[to + 1] = high;
    f[FLAGS] = ((f[FLAGS] ?? 0) & KEPT_BY_ALL) | longResultFlags(low, high);
    return NEXT;
  };
}

/** Flags alone, from operands and a result that are there already. */
export function flagsOf(f: Int32Array, rule: FlagRule, a: Place, b: Place, r: Place, width: number): Act {
  const isSubtraction = rule === 'sub' || rule === 'sbb' || rule === 'dec';
  const kept = rule === 'inc' || rule === 'dec' ? KEPT_BY_COUNTING : KEPT_BY_ALL;
  const top = width - 1;
  return () => {
    const x = f[a.low] ?? 0,
      y = f[b.low] ?? 0,
      low = f[r.low] ?? 0;
    let set;
    if (width === 64) {
      const xh = f[a.high] ?? 0,
        yh = f[b.high] ?? 0,
        high = f[r.high] ?? 0;
      if (rule === 'logic') set = longResultFlags(low, high);
      else if (isSubtraction) set = longSubtractionFlags(xh, yh, low, high, x ^ y ^ low);
      else set = longAdditionFlags(xh, yh, low, high, x ^ y ^ low);
    } else if (rule === 'logic') set = resultFlags(low, top);
    else if (isSubtraction) set = subtractionFlags(x, y, low, top);
    else set = additionFlags(x, y, low, top);
    f[FLAGS] = ((f[FLAGS] ?? 0) & kept) | (set & ~kept);
    return NEXT;
  };
}

// ── single flags ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Where a flag comes from: bit 0 of a word, to bit `bit` of RFLAGS. */
export interface FlagSource {
  readonly word: number;
  readonly bit: number;
}

/** Flags that are set together. */
export interface FlagGroup {
  readonly sources: readonly FlagSource[];
  /** SF, ZF and PF by a value of so many bits. */
  readonly result: (Place & {readonly width: number}) | undefined;
}

/** Sets several flags at once; where `when` is given, only if that word is 1. `zero` is a word that holds 0. */
export function flagWrites(f: Int32Array, {sources, result}: FlagGroup, when: number | undefined, zero: number): Act {
  const byResult = result === undefined ? 0 : SF | ZF | PF;
  const kept = ~sources.reduce((mask, {bit}) => mask | (1 << bit), byResult);
  const [first, second, third] = sources;
  const condition = when ?? -1;
  if (result !== undefined && sources.length <= 3) {
    const {low, high, width} = result;
    const {word: one, bit: oneBit} = first ?? {word: zero, bit: 0};
    const {word: two, bit: twoBit} = second ?? {word: zero, bit: 0};
    const {word: three, bit: threeBit} = third ?? {word: zero, bit: 0};
    const top = width - 1;
    return () => {
      if (condition >= 0 && f[condition] !== 1) return NEXT;
      const set = width === 64 ? longResultFlags(f[low] ?? 0, f[high] ?? 0) : resultFlags(f[low] ?? 0, top);
      f[FLAGS] =
        ((f[FLAGS] ?? 0) & kept) |
        ((f[one] ?? 0) << oneBit) |
        ((f[two] ?? 0) << twoBit) |
        ((f[three] ?? 0) << threeBit) |
        set;
      return NEXT;
    };
  }
  if (result === undefined && sources.length === 1 && first !== undefined && when === undefined) {
    const {word, bit} = first;
    return () => {
      f[FLAGS] = ((f[FLAGS] ?? 0) & kept) | ((f[word] ?? 0) << bit);
      return NEXT;
    };
  }
  return () => {
    if (condition >= 0 && f[condition] !== 1) return NEXT;
    let flags = (f[FLAGS] ?? 0) & kept;
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i];
      if (source !== undefined) flags |= (f[source.word] ?? 0) << source.bit;
    }
    if (result !== undefined)
      flags |=
        result.width === 64
          ? longResultFlags(f[result.low] ?? 0, f[result.high] ?? 0)
          : resultFlags(f[result.low] ?? 0, result.width - 1);
    f[FLAGS] = flags;
    return NEXT;
  };
}

/** RFLAGS ← image in the bits of mask. Bit 1 is always 1; `absent`, in the low half, are bits that this processor lacks. */
export function flagImage(f: Int32Array, image: Place, mask: Place, absent: number): Act {
  return () => {
    const low = f[mask.low] ?? 0,
      high = f[mask.high] ?? 0;
    f[FLAGS] = ((f[FLAGS] ?? 0) & ~low) | ((f[image.low] ?? 0) & low & ~absent) | 2;
    f[FLAGS + 1] = ((f[FLAGS + 1] ?? 0) & ~high) | ((f[image.high] ?? 0) & high);
    return NEXT;
  };
}
