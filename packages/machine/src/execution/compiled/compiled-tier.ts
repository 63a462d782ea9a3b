// The fast tier: instructions whose recording has been compiled into acts (lowering.ts), found by where they lie in memory
// (code-cache.ts), on memory that is known to be fine (data-path.ts). It decides nothing by itself. Where an instruction
// is not trivially fine it refuses before anything has changed, and the reference tier runs that instruction.
//
// A block compiler, which would make one Wasm function of the instructions up to a branch, belongs here: as another kind of
// CodeEntry, whose `act` runs several instructions and says how many. What it needs is ready: entries that are dropped when
// their bytes change, a data path without BigInt, values as words of one array, and acts that refuse without a trace.
//
// Nothing is allocated for an instruction.

import type {CodeSize} from '@hyperscope/isa';
import {hpa} from '@hyperscope/base';
import {breakpointsEnabled} from '../../cpu/breakpoints.js';
import {
  ACTIVITY,
  CPL,
  CR0,
  CR3,
  CR4,
  CYCLES,
  EFER,
  INSTRUCTIONS,
  INTERRUPT_SHADOW,
  RFLAGS,
  RIP,
  SEGMENT,
  TSC,
  VMX_OPERATION,
} from '../../cpu/cell-indexes.js';
import {CR0_AM, RFLAGS_AC, RFLAGS_RF, RFLAGS_TF, RFLAGS_VM, codeSizeOf} from '../../cpu/modes.js';
import type {Processor} from '../../cpu/processor.js';
import {ownCost} from '../../cpu/instruction-cost.js';
import type {InstructionFetch} from '../instruction-fetch.js';
import {NEXT, REFUSED, REPEAT} from './act.js';
import type {ActContext} from './act.js';
import {CodeCache, CodeEntry} from './code-cache.js';
import type {CodePage} from './code-cache.js';
import {DataPath} from './data-path.js';
import {Frame} from './frame.js';
import {compileMicrocode} from './lowering.js';

const NEXT_RIP = 2 * RIP;
const FLAGS = 2 * RFLAGS;
/** From this run of an instruction on it is compiled: code that runs once is not worth it. */
const RUNS_BEFORE_COMPILING = 2;
/** RFLAGS.VM and AC take part in what memory answers. */
const FLAGS_OF_CONTEXT = RFLAGS_VM | RFLAGS_AC;
/** The words whose change makes everything forgotten that memory was asked. */
const CONTEXT_WORDS = [CPL, CR0, CR4, EFER, VMX_OPERATION].map(cell => 2 * cell);
/** And those that only decide where instructions come from. */
const CODE_WORDS = [SEGMENT.CS.base, SEGMENT.CS.limit, SEGMENT.CS.attributes].map(cell => 2 * cell);
const CR3_LOW = 2 * CR3;
/** The highest page of each 4 GiB is left to the reference tier: addresses wrap there. */
const LAST_PAGE = -4096;

export class CompiledTier {
  readonly #cpu: Processor;
  readonly #frame: Frame;
  readonly #words: Int32Array;
  readonly #versions: Uint32Array;
  readonly #data: DataPath;
  readonly #context: ActContext;
  readonly #code: CodeCache;
  readonly #fetch: InstructionFetch;
  readonly #cost: number;
  readonly #remembered = new Int32Array(CONTEXT_WORDS.length);
  readonly #rememberedCode = new Int32Array(CODE_WORDS.length);
  #flags = 0;
  #cr3Low = 0;
  #cr3High = 0;
  #layout = -1;
  #a20 = true;
  #codeSize: CodeSize = 16;
  #codeBase = 0;

  /** The page that instructions come from now: its linear address (NO_PAGE where there is none), and what lies there. */
  #linear = NO_PAGE;
  #linearHigh = 0;
  #page: CodePage | undefined;
  /** The length of the last instruction, in bytes. */
  lastLength = 0;

  constructor(cpu: Processor, fetch: InstructionFetch) {
    this.#cpu = cpu;
    this.#fetch = fetch;
    this.#frame = new Frame(cpu.registers);
    this.#words = this.#frame.words;
    this.#versions = cpu.memory.pageVersions;
    this.#data = new DataPath(cpu);
    this.#context = {words: this.#words, data: this.#data, absentFlags: Number(BigInt.asIntN(32, cpu.absentFlags))};
    this.#code = new CodeCache(cpu.memory);
    this.#cost = cpu.costModel.instruction.cycles;
  }

  /**
   * Whether the next instruction has nothing to look at but itself: no breakpoints, no single step, no shadow of STI or
   * MOV SS. Then also makes sure that what was remembered still holds. Interrupts are the caller's business.
   */
  isReady(): boolean {
    const f = this.#words;
    const flags = f[FLAGS] ?? 0;
    if ((flags & (RFLAGS_TF | RFLAGS_RF)) !== 0 || f[2 * INTERRUPT_SHADOW] !== 0 || f[2 * ACTIVITY] !== 0) return false;
    if (breakpointsEnabled(this.#cpu)) return false;
    if (((f[2 * CR0] ?? 0) & CR0_AM) !== 0 && (flags & RFLAGS_AC) !== 0 && f[2 * CPL] === 3) return false;
    this.#checkContext(flags);
    return true;
  }

  #checkContext(flags: number): void {
    const f = this.#words;
    const {memory} = this.#cpu;
    const a20 = memory.addressLine20?.isA20Enabled ?? true;
    let changed =
      (flags & FLAGS_OF_CONTEXT) !== this.#flags ||
      f[CR3_LOW] !== this.#cr3Low ||
      f[CR3_LOW + 1] !== this.#cr3High ||
      memory.layoutVersion !== this.#layout ||
      a20 !== this.#a20;
    for (let i = 0; i < CONTEXT_WORDS.length; i++) {
      const word = f[CONTEXT_WORDS[i] ?? 0] ?? 0;
      if (word !== this.#remembered[i]) {
        changed = true;
        this.#remembered[i] = word;
      }
    }
    if (changed) {
      this.#flags = flags & FLAGS_OF_CONTEXT;
      this.#cr3Low = f[CR3_LOW] ?? 0;
      this.#cr3High = f[CR3_LOW + 1] ?? 0;
      this.#layout = memory.layoutVersion;
      this.#a20 = a20;
      this.#data.forgetContext();
    }
    for (let i = 0; i < CODE_WORDS.length; i++) {
      const word = f[CODE_WORDS[i] ?? 0] ?? 0;
      if (word !== this.#rememberedCode[i]) {
        this.#data.codeForgotten = true;
        this.#rememberedCode[i] = word;
      }
    }
    const observer = memory.observer;
    this.#data.observer = observer?.ignoresWrites === true ? undefined : observer;
    if (this.#data.codeForgotten) {
      this.#codeSize = codeSizeOf(this.#cpu.registers);
      this.#codeBase = this.#codeSize === 64 ? 0 : (f[2 * SEGMENT.CS.base] ?? 0);
      this.#linear = NO_PAGE;
    }
  }

  /** Runs one instruction. False where it is the reference tier's; then nothing has changed. Only after `isReady`. */
  step(): boolean {
    const f = this.#words;
    const rip = f[NEXT_RIP] ?? 0;
    const entry = this.#find(rip);
    const act = entry?.act;
    if (entry === undefined || act === undefined) return false;
    f[NEXT_RIP] = (rip + entry.length) | 0;
    const end = act();
    if (end === REFUSED) {
      f[NEXT_RIP] = rip;
      return false;
    }
    if (end === REPEAT) f[NEXT_RIP] = rip;
    else add(f, 2 * INSTRUCTIONS, 1);
    const cycles = this.#cost + entry.extraCycles;
    add(f, 2 * CYCLES, cycles);
    add(f, 2 * TSC, cycles);
    this.lastLength = entry.length;
    return true;
  }

  /**
   * Runs up to `most` instructions (iterations of repeated ones count), none that would begin `budget` cycles from now or
   * later, and stops before one that is the reference tier's and after one that may have changed IF, TF, RF or AC. Gives how
   * many it ran. Only after `isReady`. Cycles and retired instructions are counted when it stops: nothing that it runs can
   * look at them.
   */
  run(most: number, budget: number): number {
    const f = this.#words;
    const versions = this.#versions;
    const base = this.#codeBase;
    let limit = Math.min(most, Math.ceil(budget / this.#cost));
    let extra = 0;
    let ran = 0;
    let retired = 0;
    let linearPage = this.#linear;
    let page = this.#page;
    for (; ran < limit; ran++) {
      const rip = f[NEXT_RIP] ?? 0;
      const linear = (rip + base) | 0;
      let entry;
      if ((linear & -4096) === linearPage && page !== undefined && f[NEXT_RIP + 1] === this.#linearHigh) {
        entry = page.entries[linear & 0xfff];
        if (entry === undefined || entry.version !== versions[page.versionAt]) entry = this.#find(rip);
      } else {
        entry = this.#find(rip);
        linearPage = this.#linear;
        page = this.#page;
      }
      const act = entry?.act;
      if (entry === undefined || act === undefined) break;
      f[NEXT_RIP] = (rip + entry.length) | 0;
      const end = act();
      if (end === NEXT) {
        retired++;
        if (!entry.isSpecial) continue;
        extra += entry.extraCycles;
        if (entry.unsettles) {
          ran++;
          break;
        }
        limit = Math.min(most, Math.ceil((budget - extra) / this.#cost));
        continue;
      }
      if (end === REFUSED) {
        f[NEXT_RIP] = rip;
        break;
      }
      if (end === REPEAT) f[NEXT_RIP] = rip;
      else retired++;
    }
    add(f, 2 * INSTRUCTIONS, retired);
    add(f, 2 * CYCLES, ran * this.#cost + extra);
    add(f, 2 * TSC, ran * this.#cost + extra);
    return ran;
  }

  // ── finding ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The entry at CS:RIP, decoded and compiled where it is worth it; undefined where only the reference tier can say. */
  #find(rip: number): CodeEntry | undefined {
    const f = this.#words;
    const linear = (rip + this.#codeBase) | 0;
    if ((linear & -4096) !== this.#linear || f[NEXT_RIP + 1] !== this.#linearHigh || this.#data.codeForgotten) {
      if (!this.#enterPage(rip, linear)) return undefined;
    }
    const page = this.#page;
    if (page === undefined) return undefined;
    const offset = linear & 0xfff;
    const known = page.entries[offset];
    const entry =
      known !== undefined && (known.version === this.#versions[page.versionAt] || this.#code.renew(page, known, offset))
        ? known
        : this.#decodeAt(page, offset);
    if (entry !== undefined && entry.act === undefined && entry.runs !== Infinity) this.#warm(entry);
    return entry;
  }

  /** Where the linear address lies in a page of RAM or ROM that may be executed from, all of it within CS. */
  #enterPage(rip: number, linear: number): boolean {
    const f = this.#words;
    const high = f[NEXT_RIP + 1] ?? 0;
    const start = linear & -4096;
    this.#linear = NO_PAGE;
    this.#page = undefined;
    this.#data.codeForgotten = false;
    if (start === LAST_PAGE) return false;
    if (this.#codeSize !== 64) {
      // The offset of the page's last byte; where it wraps, or lies beyond the limit, bytes have to be looked at one by one.
      const last = (rip >>> 0) + (0xfff - (linear & 0xfff));
      if (high !== 0 || last > (f[2 * SEGMENT.CS.limit] ?? 0) >>> 0) return false;
    } else if (high >> 15 !== 0 && high >> 15 !== -1) return false;
    const {mmu, memory, privilege} = this.#cpu;
    const physical = mmu.known((BigInt(high >>> 0) << 32n) | BigInt(start >>> 0), 'execute', privilege);
    if (physical === undefined) return false;
    const isRam = memory.isRam(hpa(physical), 4096);
    if (!isRam && !memory.isUnchangingPage(physical)) return false;
    this.#linear = start;
    this.#linearHigh = high;
    this.#page = this.#code.page(physical / 4096, this.#codeSize, isRam ? 'RAM' : 'ROM');
    return true;
  }

  #decodeAt(page: CodePage, offset: number): CodeEntry | undefined {
    page.entries[offset] = undefined;
    const microcode = this.#fetch.within(page.number * 4096 + offset, this.#codeSize);
    if (microcode === undefined) return undefined;
    const entry = new CodeEntry(microcode, this.#versions[page.versionAt] ?? 0);
    page.entries[offset] = entry;
    return entry;
  }

  #warm(entry: CodeEntry): void {
    if (++entry.runs < RUNS_BEFORE_COMPILING) return;
    entry.runs = Infinity;
    if (this.#frame.isFull) {
      this.#code.clear();
      this.#frame.clear();
      this.#data.codeForgotten = true;
    }
    const compiled = compileMicrocode(entry.microcode, this.#frame, this.#context);
    entry.act = compiled?.act;
    entry.unsettles = compiled?.unsettles ?? false;
    entry.extraCycles = ownCost(this.#cpu.costModel, entry.microcode.instruction);
    entry.isSpecial = entry.unsettles || entry.extraCycles !== 0;
  }
}

/** A linear address that no page has. */
const NO_PAGE = 1;

/** Adds to a 64-bit cell in two words; the amount is below 2^53. */
function add(f: Int32Array, low: number, amount: number): void {
  const sum = ((f[low] ?? 0) >>> 0) + amount;
  f[low] = sum;
  if (sum >= 0x1_0000_0000) f[low + 1] = (f[low + 1] ?? 0) + Math.floor(sum / 0x1_0000_0000);
}
