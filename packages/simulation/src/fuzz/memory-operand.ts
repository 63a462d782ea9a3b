// ModR/M bytes for memory operands whose address is known to be a good one: the displacement is chosen so that it is,
// whatever the registers hold. SDM vol. 2, "ModR/M and SIB Bytes".

import type {CodeSize, SegmentRegister} from '@hyperscope/isa';
import {FUZZ_LAYOUT, ODD_PAGES} from './fuzz-image.js';
import {encodeLittle} from './little-endian.js';
import type {Random} from './random.js';

/** The processor as a generator sees it between two instructions. */
export interface ProcessorView {
  readonly codeSize: CodeSize;
  /** A general register by its encoding, 0 to 15. */
  register(number: number): bigint;
  base(segment: SegmentRegister): bigint;
  /** The limit, and whether offsets lie above it (expand-down). */
  limit(segment: SegmentRegister): {readonly limit: number; readonly expandDown: boolean};
}

export interface MemoryRequest {
  readonly addressSize: 16 | 32 | 64;
  readonly override: SegmentRegister | undefined;
  /** Where the address shall be, where that matters. */
  readonly offset: bigint | undefined;
  readonly aligned: boolean;
  /** Address of the instruction's first byte, the bytes before ModR/M and those of immediates: for RIP-relative. */
  readonly rip: bigint;
  readonly before: number;
  readonly after: number;
  /** Whether R8 to R15 may be named. */
  readonly extended: boolean;
}

export interface MemoryBytes {
  /** mod and r/m, the reg field 0. */
  readonly modrm: number;
  readonly tail: readonly number[];
  /** REX.X and REX.B. */
  readonly rex: number;
}

const RIP_RELATIVE = -2;
const NONE = -1;

/** Bytes of an operand; undefined where the registers that were drawn cannot reach (64-bit addresses far away). */
export function memoryBytes(random: Random, view: ProcessorView, request: MemoryRequest): MemoryBytes | undefined {
  return request.addressSize === 16 ? bytes16(random, view, request) : bytes32(random, view, request);
}

/** An offset in `segment` where an access does not fault, in all but a few percent. */
export function goodOffset(
  random: Random,
  view: ProcessorView,
  segment: SegmentRegister,
  request: Pick<MemoryRequest, 'aligned' | 'addressSize'>,
): bigint {
  const mask = request.aligned && random.chance(95) ? ~15n : ~0n;
  if (view.codeSize === 64) return (BigInt(linearTarget(random)) & mask) - view.base(segment);
  const {limit, expandDown} = view.limit(segment);
  const last = request.addressSize === 16 ? Math.min(limit, 0xffff) : limit;
  if (expandDown) return BigInt(limit + 1 + random.below(Math.max(1, 0xfff0 - limit))) & mask;
  if (random.chance(2)) return BigInt(last - random.below(4));
  // A stack segment that begins at 0 has tables below the window.
  const first = Math.min(last, Math.max(0, FUZZ_LAYOUT.window - Number(view.base(segment))));
  return BigInt(first + random.below(Math.max(1, last - first - 16))) & mask;
}

const ODD: readonly [number, ...number[]] = [ODD_PAGES.absent, ODD_PAGES.readOnly, ODD_PAGES.supervisor];

function linearTarget(random: Random): number {
  const {window, end} = FUZZ_LAYOUT;
  if (random.chance(2)) return random.pick(ODD) + random.below(0x1000);
  if (random.chance(1)) return random.pick(ODD) - 1 - random.below(8);
  for (;;) {
    const target = window + random.below(end - window - 16);
    if (!ODD.includes(target & ~0xfff) && !ODD.includes((target + 16) & ~0xfff)) return target;
  }
}

/** r/m of 16-bit addresses: base and index. */
const PAIRS: readonly (readonly number[])[] = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]];

function bytes16(random: Random, view: ProcessorView, request: MemoryRequest): MemoryBytes {
  const rm = random.below(8);
  const absolute = rm === 6 && random.chance(40);
  const registers = absolute ? [] : (PAIRS[rm] ?? []);
  const segment = request.override ?? (registers.includes(5) ? 'SS' : 'DS');
  const offset = request.offset ?? goodOffset(random, view, segment, request);
  const sum = registers.reduce((total, number) => total + view.register(number), 0n);
  const displacement = BigInt.asIntN(16, offset - sum);
  if (absolute) return {modrm: 6, tail: encodeLittle(displacement, 2), rex: 0};
  // Everything is within reach, so short displacements are as good as exact ones when no address is asked for.
  if (request.offset === undefined && !request.aligned && random.chance(50)) {
    const mod = rm === 6 ? 1 : random.below(2);
    return {modrm: (mod << 6) | rm, tail: mod === 0 ? [] : [random.next() & 0xff], rex: 0};
  }
  return {modrm: 0x80 | rm, tail: encodeLittle(displacement, 2), rex: 0};
}

function bytes32(random: Random, view: ProcessorView, request: MemoryRequest): MemoryBytes | undefined {
  const {addressSize, extended} = request;
  const count = extended ? 16 : 8;
  const wide = view.codeSize === 64;
  const plain = random.chance(50);
  const base = random.chance(15) ? (wide && plain ? RIP_RELATIVE : NONE) : random.below(count);
  const index = plain ? NONE : pickIndex(random, count);
  const scale = index === NONE ? 0 : random.below(4);
  const segment = request.override ?? (base === 4 || base === 5 ? 'SS' : 'DS');
  const offset = request.offset ?? goodOffset(random, view, segment, request);
  const sum = baseValue(view, request, base) + (index === NONE ? 0n : view.register(index) << BigInt(scale));
  const distance = BigInt.asIntN(addressSize, offset - sum);
  if (addressSize === 64 && BigInt.asIntN(32, distance) !== distance) return undefined;
  return encoded(random, {base, index, scale, distance: BigInt.asIntN(32, distance), wide});
}

const pickIndex = (random: Random, count: number): number => {
  const index = random.below(count);
  return index === 4 ? NONE : index;
};

function baseValue(view: ProcessorView, request: MemoryRequest, base: number): bigint {
  if (base === NONE) return 0n;
  // The displacement is the only byte between ModR/M and the immediates.
  if (base === RIP_RELATIVE) return request.rip + BigInt(request.before + 1 + 4 + request.after);
  return view.register(base);
}

interface Address {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly distance: bigint;
  readonly wide: boolean;
}

function encoded(random: Random, {base, index, scale, distance, wide}: Address): MemoryBytes {
  const rex = (index >= 8 ? 2 : 0) | (base >= 8 ? 1 : 0);
  if (base === RIP_RELATIVE) return {modrm: 5, tail: encodeLittle(distance, 4), rex: 0};
  if (base === NONE && index === NONE && !wide) return {modrm: 5, tail: encodeLittle(distance, 4), rex: 0};
  const sib = (scale << 6) | ((index === NONE ? 4 : index & 7) << 3) | (base === NONE ? 5 : base & 7);
  if (base === NONE) return {modrm: 4, tail: [sib, ...encodeLittle(distance, 4)], rex};
  const isByte = BigInt.asIntN(8, distance) === distance;
  const mod = distance === 0n && (base & 7) !== 5 ? 0 : isByte && random.chance(80) ? 1 : 2;
  const displacement = encodeLittle(distance, mod === 0 ? 0 : mod === 1 ? 1 : 4);
  if (index === NONE && (base & 7) !== 4) return {modrm: (mod << 6) | (base & 7), tail: displacement, rex};
  return {modrm: (mod << 6) | 4, tail: [sib, ...displacement], rex};
}
