// What has been decoded and compiled, by physical page and place in it. An entry counts while its page's version is the one
// it was made under; when the page has been written, the bytes are compared before the entry is used again, so code that
// rewrites itself, or that shares a page with data, runs as written.

import type {CodeSize, Microcode} from '@hyperscope/isa';
import type {PhysicalMemory} from '../../mmu/physical-memory.js';
import type {Act} from './act.js';

const PAGE = 4096;
/** Pages of code remembered at once; beyond it everything is forgotten. */
const PAGE_LIMIT = 1024;

/** One instruction at one place. */
export class CodeEntry {
  readonly microcode: Microcode;
  readonly length: number;
  /** The page's version when the bytes were compared last. */
  version: number;
  /** What runs it; undefined while it has run too seldom, or where only the reference tier can. */
  act: Act | undefined;
  unsettles = false;
  /** Cycles beyond those that every instruction costs. */
  extraCycles = 0;
  /** Whether there is more to do when it has run than to count it: one of the two above. */
  isSpecial = false;
  /** Runs so far that the reference tier made, up to the one at which it is compiled; Infinity where that is impossible. */
  runs = 0;

  constructor(microcode: Microcode, version: number) {
    this.microcode = microcode;
    this.length = microcode.instruction.bytes.length;
    this.version = version;
  }
}

/** The instructions of a page for one code size, by the place of their first byte. */
export class CodePage {
  /** Physical page number. */
  readonly number: number;
  /** Which of the page versions is its own. */
  readonly versionAt: number;
  readonly entries: (CodeEntry | undefined)[] = Array.from({length: PAGE}, () => undefined);

  constructor(number: number, versionAt: number) {
    this.number = number;
    this.versionAt = versionAt;
  }
}

export class CodeCache {
  readonly #memory: PhysicalMemory;
  readonly #pages = new Map<number, CodePage>();

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  /** `number`: a physical page number. */
  page(number: number, codeSize: CodeSize, kind: 'RAM' | 'ROM'): CodePage {
    const key = (2 * number + (kind === 'ROM' ? 1 : 0)) * 4 + codeSize / 32;
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    if (this.#pages.size >= PAGE_LIMIT) this.#pages.clear();
    const page = new CodePage(number, kind === 'ROM' ? this.#memory.pageVersions.length - 1 : number);
    this.#pages.set(key, page);
    return page;
  }

  clear(): void {
    this.#pages.clear();
  }

  /** Whether an entry is still what the bytes say; then it is current again. */
  renew(page: CodePage, entry: CodeEntry, offset: number): boolean {
    const {bytes} = entry.microcode.instruction;
    const start = page.number * PAGE + offset;
    for (let i = 0; i < bytes.length; i++) if (this.#memory.bytes[start + i] !== bytes[i]) return false;
    entry.version = this.#memory.pageVersions[page.versionAt] ?? 0;
    return true;
  }
}
