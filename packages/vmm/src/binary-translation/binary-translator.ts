// The translator: guest kernel code, block by block and on demand, into the translation cache, where it runs deprivileged.
// Adams and Agesen 2006, section 3.2: "binary, dynamic, on demand, system level, subsetting". A block has up to twelve
// instructions, to the first that goes elsewhere or calls out. Direct jumps are chained; all others look their target up.

import {hex} from '@hyperscope/base';
import {NO_FAULTS} from '../deliberate-faults.js';
import type {DeliberateFaults} from '../deliberate-faults.js';
import {disassemble} from '@hyperscope/isa';
import type {Microcode, SegmentRegister} from '@hyperscope/isa';
import {virtualSegment} from '../trap-and-emulate/shadow-descriptors.js';
import type {KernelCode} from '../trap-and-emulate/kernel-code.js';
import type {Vmm} from '../trap-and-emulate/vmm.js';
import {CALL_GATE_64, VIRTUAL_CPU, linearOf} from '../trap-and-emulate/vmm-layout.js';
import type {Piece} from './cache-sequence.js';
import {flagTables} from './flag-sequences.js';
import {LookUpTable} from './look-up-table.js';
import {Suspects} from './suspects.js';
import type {Verdict} from './suspects.js';
import {taskPriorityTable} from './task-priority.js';
import {STUB, callout, nextRip, translateInstruction} from './translate-instruction.js';
import type {CodeContext, TranslatedInstruction} from './translate-instruction.js';
import {chainedEvent, invalidatedEvent, translationEvent} from './translation-events.js';
import type {BlockCode} from './translation-events.js';
import {TranslationCache, codeSizeOf} from './translation-cache.js';
import type {Fragment, FragmentKey} from './translation-cache.js';
import {FIXUP, cacheOffset} from './translated-frame.js';
import {
  CACHE,
  CACHE_BYTES,
  CR8_TABLE,
  GATE_POINTER,
  POPF_TABLE,
  PUSHF_TABLE,
  VIRTUAL_CPU_LIMIT,
} from './translation-layout.js';

/** Adams and Agesen 2006, section 3.2: a translation unit. */
const MOST_INSTRUCTIONS = 12;
const DEFAULT_BIG = 0x4000;
const LONG_CODE = 0x2000;
const CODE_64 = 0x209b;
const CODE_32 = 0x409b;
const CODE_16 = 0x9b;
const DATA_32 = 0x4093;
const PAGE = 4096;
const RFLAGS_VIF_VIP = 3n << 19n;
const DR7_ENABLES = 0xffn;

/**
 * Where a linear address of the guest's lies in its memory, by its own tables; undefined where it is not mapped. A fetch sets
 * Accessed there, as the processor would that never fetches from this page; a look does not.
 */
export type Translate = (linear: bigint, purpose: 'fetch' | 'look') => number | undefined;

interface Block {
  readonly source: Uint8Array;
  readonly code: BlockCode;
}

export class BinaryTranslator implements KernelCode {
  readonly #vmm: Vmm;
  readonly #translate: Translate;
  readonly #faults: DeliberateFaults;
  readonly #cache: TranslationCache;
  readonly #lookUp: LookUpTable;
  readonly #suspects: Suspects;

  /** `faults`: what is left out on purpose. */
  constructor(vmm: Vmm, translate: Translate, faults: DeliberateFaults = NO_FAULTS) {
    this.#vmm = vmm;
    this.#faults = faults;
    this.#translate = translate;
    this.#cache = new TranslationCache(vmm.machine);
    this.#lookUp = new LookUpTable(this.#cache);
    this.#suspects = new Suspects(this.#cache);
    this.#writeTables();
  }

  /** What code of the cache reads, and never writes. */
  #writeTables(): void {
    const {pushf, popf} = flagTables();
    for (const [entry, value] of pushf.entries()) this.#cache.write(PUSHF_TABLE + 8 * entry, 8, value);
    for (const [entry, value] of popf.entries()) this.#cache.write(POPF_TABLE + 8 * entry, 8, value);
    for (const [entry, value] of taskPriorityTable().entries()) this.#cache.write(CR8_TABLE + 8 * entry, 8, value);
    this.#cache.write(GATE_POINTER + 4, 2, BigInt(CALL_GATE_64));
    this.#lookUp.empty();
  }

  /** User code runs as it is; all else, real mode too, is translated. */
  get covers(): boolean {
    return this.#vmm.virtualRing < 3;
  }
  get #context(): CodeContext {
    const {vcpu, isGuestLong, guestRing} = this.#vmm;
    const {attributes, limit} = virtualSegment(this.#vmm, 'CS');
    const isLongCode = isGuestLong && (attributes & LONG_CODE) !== 0;
    const codeSize = isLongCode ? 64 : (attributes & DEFAULT_BIG) === 0 ? 16 : 32;
    const iopl = Number((vcpu.get('RFLAGS') >> 12n) & 3n);
    const isBigStack = (virtualSegment(this.#vmm, 'SS').attributes & DEFAULT_BIG) !== 0;
    const wrongReturn = this.#faults.has('cache-return-address') ? linearOf(CACHE + this.#cache.bytesInUse) : undefined;
    return {
      wrongReturn,
      codeSize,
      stackSize: isLongCode ? 64 : isBigStack ? 32 : 16,
      isLongMode: isGuestLong,
      ring: this.#vmm.virtualRing,
      realRing: guestRing,
      iopl,
      limit,
      isWatched: (vcpu.get('DR7') & DR7_ENABLES) !== 0n,
    };
  }
  #key(rip: bigint, context: CodeContext): FragmentKey {
    const {codeSize, stackSize, isLongMode, ring, realRing, iopl, limit, isWatched} = context;
    const linear =
      codeSize === 64 ? rip : BigInt.asUintN(32, virtualSegment(this.#vmm, 'CS').base + BigInt.asUintN(32, rip));
    const rings = (ring << 8) | (iopl << 10) | (realRing << 12);
    const modes = (isLongMode ? 1 << 14 : 0) | (isWatched ? 1 << 15 : 0) | (stackSize << 16);
    return {rip, linear, context: BigInt(codeSize | rings | modes) | (BigInt(codeSize === 64 ? 0 : limit) << 32n)};
  }

  // ── on the way to the guest ─────────────────────────────────────────────────────────────────────────────────────
  prepare(): string | undefined {
    const {vcpu} = this.#vmm;
    if ((vcpu.get('RFLAGS') & RFLAGS_VIF_VIP) !== 0n)
      return 'VIF or VIP is set, which the processor’s flags do not have';
    const context = this.#context;
    const key = this.#key(vcpu.get('RIP'), context);
    const isMiss = vcpu.slot('missed') !== 0;
    vcpu.setSlot('missed', 0);
    const found = this.#cache.find(key);
    if (found === undefined && this.#cache.makeRoom()) {
      this.#lookUp.empty();
      this.#vmm.tell(invalidatedEvent(undefined, 'the translation cache is full, and is emptied'));
    }
    this.#lookUp.holdFor(key);
    const stub = this.#takeStub(key.rip);
    if (found === undefined) {
      const obstacle = this.#translateBlock(key, context, stub);
      if (obstacle !== undefined) return obstacle;
    } else if (stub !== undefined) this.#chain(stub, found, context);
    if (isMiss) this.#enterInTable(key);
    return undefined;
  }

  /** Where a look-up of the cache found nothing it finds something the next time. */
  #enterInTable(key: FragmentKey): void {
    const fragment = this.#cache.find(key);
    if (fragment !== undefined) this.#lookUp.add(fragment);
  }

  /** The stub by which the cache was left, if it was for this address. It counts once. */
  #takeStub(rip: bigint): number | undefined {
    const {vcpu} = this.#vmm;
    const stub = vcpu.slot('stub') - 1;
    vcpu.setSlot('stub', 0);
    if (stub < 0) return undefined;
    const entry = this.#cache.entryAt(stub);
    return entry?.kind === 'stub' && entry.guestRip === rip ? stub : undefined;
  }

  entry(): bigint {
    const context = this.#context;
    const at = this.#cache.find(this.#key(this.#vmm.vcpu.get('RIP'), context))?.at ?? 0;
    return context.codeSize === 64 ? linearOf(CACHE + at) : BigInt(at);
  }

  segment(register: SegmentRegister): number | undefined {
    const {descriptors} = this.#vmm;
    const {codeSize, realRing} = this.#context;
    const rights = (attributes: number): number => attributes | (realRing << 5);
    if (register === 'CS') {
      const attributes = codeSize === 64 ? CODE_64 : codeSize === 32 ? CODE_32 : CODE_16;
      const values = {base: linearOf(CACHE), limit: CACHE_BYTES - 1, attributes: rights(attributes)};
      return descriptors.own(register, {selector: 0, ...values}, realRing);
    }
    if (register !== 'GS' || this.#vmm.isGuestLong) return undefined;
    const values = {selector: 0, base: linearOf(VIRTUAL_CPU), limit: VIRTUAL_CPU_LIMIT, attributes: rights(DATA_32)};
    return descriptors.own(register, values, realRing);
  }

  leftFrom(rip: bigint): boolean {
    const entry = this.#cache.entryAt(cacheOffset(rip));
    const isStub = entry?.kind === 'stub';
    this.#vmm.vcpu.setSlot('stub', isStub ? entry.at + 1 : 0);
    return isStub;
  }

  calledFrom(rip: bigint): void {
    if (this.#cache.entryAt(cacheOffset(rip - 1n))?.kind === 'miss') this.#vmm.vcpu.setSlot('missed', 1);
  }

  // ── adaptive retranslation ──────────────────────────────────────────────────────────────────────────────────────
  trappedOnWatchedPage(): void {
    if (this.#vmm.vcpu.slot('translated') === 0) return;
    const linear = this.#linearNow();
    this.#judge(linear, this.#suspects.trapped(linear));
  }
  calledOut(linear: bigint, hit: 'watched' | 'nothing watched'): void {
    this.#judge(linear, this.#suspects.calledOut(linear, hit));
  }
  suspectAt(): bigint | undefined {
    const linear = this.#linearNow();
    return this.#suspects.isGuilty(linear) ? linear : undefined;
  }
  #linearNow(): bigint {
    return this.#key(this.#vmm.vcpu.get('RIP'), this.#context).linear;
  }

  /** Another verdict, another translation: the old one leads to it. */
  #judge(linear: bigint, verdict: Verdict): void {
    if (verdict === 'unchanged') return;
    const why =
      verdict === 'guilty'
        ? 'it has written to a page that the VMM watches, and trapped, for the third time: from now on it is called out'
        : 'sixteen times it was called out and hit no page that the VMM watches: it is copied again';
    this.#vmm.tell({kind: 'translation-adapted', rip: linear, to: verdict === 'guilty' ? 'callout' : 'ident', why});
    for (const fragment of this.#cache.containing(linear)) {
      this.#cache.invalidate(fragment);
      this.#vmm.tell(invalidatedEvent(fragment, `the instruction at ${hex(linear)} is translated anew`));
    }
  }

  // ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Reads the guest's code by the guest's own tables, as its processor would fetch it. Empty where that would fault. */
  #read(start: bigint, context: CodeContext): Block {
    const code: BlockCode[number][] = [];
    this.#vmm.virtual.load();
    const source: number[] = [];
    let rip = start;
    while (code.length < MOST_INSTRUCTIONS) {
      const microcode = this.#vmm.virtual.fetchAt(rip);
      if (microcode === undefined) break;
      const made = this.#made(microcode, rip, context);
      code.push({rip, text: disassemble(microcode.instruction, rip), made});
      source.push(...microcode.instruction.bytes);
      if (made.isLast) break;
      rip = nextRip(microcode.instruction, rip, context);
    }
    const end = code.at(-1);
    if (end?.made.holdsInterrupts !== true) return {source: Uint8Array.from(source), code};
    // No block ends with STI: what is in its shadow must come behind it, or the VMM must do it.
    if (code.length === 1) {
      const made = callout(end.rip, 'the block ends in the shadow of STI', context);
      return {source: Uint8Array.from(source), code: [{...end, made}]};
    }
    return {source: Uint8Array.from(source.slice(0, Number(end.rip - start))), code: code.slice(0, -1)};
  }
  #made(microcode: Microcode, rip: bigint, context: CodeContext): TranslatedInstruction {
    const {linear} = this.#key(rip, context);
    if (this.#suspects.isGuilty(linear))
      return callout(
        rip,
        'it keeps writing to pages that the VMM watches, and a callout is cheaper than a trap',
        context,
      );
    const made = translateInstruction(microcode, rip, context);
    const isBeyond =
      context.codeSize !== 64 && rip + BigInt(microcode.instruction.bytes.length) > BigInt(context.limit);
    return isBeyond && !made.isLast ? callout(rip, 'the code segment ends here', context) : made;
  }

  #translateBlock(key: FragmentKey, context: CodeContext, stub: number | undefined): string | undefined {
    const {source, code} = this.#read(key.rip, context);
    const end = code.at(-1);
    if (end === undefined) return 'the instruction cannot be fetched';
    const first = this.#translate(key.linear, 'fetch');
    const last = this.#translate(lastByte(key, source.length, context.codeSize), 'fetch');
    if (first === undefined || last === undefined) return 'the guest’s code lies on no page';
    const pieces = code.flatMap(({rip, made}, index) =>
      code[index - 1]?.made.holdsInterrupts === true ? made.pieces.map(piece => inShadow(piece, rip)) : made.pieces,
    );
    if (!end.made.isLast)
      pieces.push({bytes: STUB, rip: behind(key, source.length, context.codeSize), kind: 'stub', fixups: 0});
    // Where the stub that asked for the block is the last in the cache, the block takes its place: no jump at all.
    const {bytesInUse} = this.#cache;
    const isElided = stub !== undefined && stub + STUB.length === bytesInUse;
    const fragment = this.#cache.add(
      isElided ? stub : bytesInUse,
      {...key, length: source.length, first, last},
      pieces,
    );
    this.#vmm.tell(translationEvent(fragment, source, code, pieces));
    for (const address of [first, last]) this.#track(address);
    if (isElided)
      this.#vmm.tell(chainedEvent(stub, fragment, 'the fragment takes the place of the stub: it is simply next'));
    else if (stub !== undefined) this.#chain(stub, fragment, context);
    return undefined;
  }

  #chain(stub: number, to: Fragment, {codeSize}: CodeContext): void {
    this.#cache.patch(stub, to.at, codeSize);
    this.#vmm.tell(chainedEvent(stub, to, 'the stub becomes a jump: from now on nobody looks anything up here'));
  }

  #track(address: number): void {
    const gfn = Math.floor(address / PAGE);
    if (this.#cache.track(gfn)) this.#vmm.mmu.track(gfn);
  }

  // ── what makes a translation wrong ──────────────────────────────────────────────────────────────────────────────
  isTracked(gfn: number): boolean {
    return this.#cache.isTracked(gfn);
  }
  guestWrote(gpa: number, bytes: number): void {
    if (this.#faults.has('no-retranslation')) return;
    for (const fragment of this.#cache.madeFrom(gpa, bytes)) {
      this.#cache.invalidate(fragment);
      const why = `the guest wrote ${bytes} bytes at GPA ${hex(gpa)}, into the code it was made from`;
      this.#vmm.tell(invalidatedEvent(fragment, why));
    }
  }
  guestChangedPaging(): void {
    for (const fragment of this.#cache.fragments()) {
      const end = lastByte(fragment, fragment.length, codeSizeOf(fragment));
      const isThere =
        this.#translate(fragment.linear, 'look') === fragment.first && this.#translate(end, 'look') === fragment.last;
      if (isThere) continue;
      this.#cache.invalidate(fragment);
      this.#vmm.tell(invalidatedEvent(fragment, `linear ${hex(fragment.linear)} means other memory now`));
    }
  }
}

/** The instruction behind STI: until it is done interrupts are held back. */
const inShadow = (piece: Piece, rip: bigint): Piece =>
  piece.rip === rip ? {...piece, fixups: piece.fixups | FIXUP.shadow} : piece;

const wrapped = (address: bigint, codeSize: number): bigint => BigInt.asUintN(codeSize === 64 ? 64 : 32, address);
const behind = ({rip}: FragmentKey, length: number, codeSize: number): bigint =>
  wrapped(rip + BigInt(length), codeSize);
const lastByte = ({linear}: FragmentKey, length: number, codeSize: number): bigint =>
  wrapped(linear + BigInt(length - 1), codeSize);
