// A walk of page tables for an onlooker: the rules of the processor's own walk, but nothing is marked accessed or dirty, no TLB is
// asked or told, and nothing leaves the guest. Each entry of the guest's tables is found through EPT or nested tables first, where
// there are any, so that the references come in the order in which a processor reads them.

import {gpa, hex} from '@hyperscope/base';
import {walkPageTables} from '@hyperscope/machine';
import type {PagingRules, Translation, WalkReference} from '@hyperscope/machine';
import type {TraceEvent} from '@hyperscope/trace';
import type {NestedTables, TranslationContext} from './translation-context.js';

const RWX = 7n;
const R = 1n;
const W = 2n;
const X = 4n;
const LEAF = 1n << 7n;
const ADDRESS = 0x000f_ffff_ffff_f000n;
const PERMISSION = {read: R, write: W, execute: X} as const;

type Access = 'read' | 'write' | 'execute';
type Outcome = Extract<TraceEvent, {kind: 'page-walk'}>['outcome'];

/** Host-physical memory; all ones where there is none, as on a bus. */
export type PhysicalReader = (address: number, bytes: 4 | 8) => bigint;

export interface LookingWalk {
  readonly references: readonly WalkReference[];
  readonly outcome: Outcome;
  /** Where the guest's tables lead; the address itself while paging is off. Undefined where they end in a fault. */
  readonly guestPhysical: number | undefined;
  /** Host-physical, after EPT or nested paging; the guest-physical address where neither is in use. */
  readonly hostPhysical: number | undefined;
  /** What the guest's tables say of the page. */
  readonly translation: Translation | undefined;
  /** Host-physical addresses of the entries that were read, in the order of the references. */
  readonly places: readonly number[];
  /** The check that ended it, or why the nested tables did. */
  readonly why: string | undefined;
}

export function lookingWalk(
  linear: bigint,
  access: Access,
  {rules, nested}: TranslationContext,
  read: PhysicalReader,
): LookingWalk {
  const walk = new Walk(access, nested, read);
  return walk.of(linear, rules);
}

class Walk {
  readonly #references: WalkReference[] = [];
  readonly #access: Access;
  readonly #nested: NestedTables | undefined;
  readonly #read: PhysicalReader;
  /** Where the guest's entries were found, by their own addresses. */
  readonly #found = new Map<number, number>();
  #trouble: {readonly outcome: Outcome; readonly why: string} | undefined;

  constructor(access: Access, nested: NestedTables | undefined, read: PhysicalReader) {
    this.#access = access;
    this.#nested = nested;
    this.#read = read;
  }

  of(linear: bigint, rules: PagingRules | undefined): LookingWalk {
    if (rules === undefined) return this.#finish(Number(BigInt.asUintN(32, linear)), undefined);
    const ended = walkPageTables(linear, this.#access, 'supervisor', rules, this.#tables, this.#references);
    if (this.#trouble !== undefined) return this.#ended(this.#trouble.outcome, this.#trouble.why);
    if (ended.kind === 'translation') return this.#finish(ended.address, ended);
    const rule = ended.kind === 'fault' ? ended.checks.at(-1)?.rule : undefined;
    return this.#ended('page-fault', `“${rule ?? 'present'}” does not hold`);
  }

  get #tables(): Parameters<typeof walkPageTables>[4] {
    return {
      read: (address, bytes) => {
        const at = this.#host(address, this.#nested?.tableReads ?? 'read');
        // A read that EPT refuses ends the walk: an entry that is not present does, and the trouble is told instead.
        if (at === undefined) return 0n;
        this.#found.set(address, at);
        return this.#read(at, bytes);
      },
      write: () => undefined,
    };
  }

  #finish(guestPhysical: number, translation: Translation | undefined): LookingWalk {
    const hostPhysical = this.#host(guestPhysical, this.#access);
    if (hostPhysical === undefined)
      return {
        ...this.#ended(this.#trouble?.outcome ?? 'ept-violation', this.#trouble?.why ?? ''),
        guestPhysical,
        translation,
      };
    return {...this.#ended('mapped', undefined), guestPhysical, hostPhysical, translation};
  }

  #ended(outcome: Outcome, why: string | undefined): LookingWalk {
    // The entry that could not be read is no reference: nobody read it.
    const references = this.#references.filter(each => each.table !== 'guest' || !this.#unread.has(each.address));
    return {
      references,
      outcome,
      guestPhysical: undefined,
      hostPhysical: undefined,
      translation: undefined,
      places: references.map(each =>
        each.table === 'guest' ? (this.#found.get(each.address) ?? each.address) : each.address,
      ),
      why,
    };
  }

  readonly #unread = new Set<number>();

  /** Host-physical for guest-physical; undefined where the nested tables end in trouble. */
  #host(address: number, access: Access): number | undefined {
    if (this.#nested === undefined) return address;
    const found = this.#nested.kind === 'ept' ? this.#throughEpt(address, access) : this.#throughNpt(address, access);
    if (found === undefined) this.#unread.add(address);
    return found;
  }

  /** SDM vol. 3C, "The Extended Page Table Mechanism (EPT)". */
  #throughEpt(address: number, access: Access): number | undefined {
    let table = this.#nested?.root ?? 0;
    for (let level = 4; level >= 1; level--) {
      const size = 2 ** (12 + 9 * (level - 1));
      const at = table + (Math.floor(address / size) % 512) * 8;
      const entry = this.#reference('ept', level, at);
      const needed = PERMISSION[access];
      if ((entry & RWX) === 0n) return this.#stop('ept-violation', `the EPT entry at HPA ${hex(at)} is not present`);
      if ((entry & R) === 0n && (entry & W) !== 0n)
        return this.#stop('ept-misconfiguration', `the EPT entry at HPA ${hex(at)} allows writing without reading`);
      if ((entry & needed) === 0n)
        return this.#stop('ept-violation', `the EPT entry at HPA ${hex(at)} does not allow to ${access}`);
      if (level === 1 || (level <= 3 && (entry & LEAF) !== 0n)) return leafAddress(entry, size, address);
      table = Number(entry & ADDRESS);
    }
    return undefined;
  }

  /** Nested tables are ordinary ones, and every access is a user's there. APM vol. 2, "Nested Paging". */
  #throughNpt(address: number, access: Access): number | undefined {
    let table = this.#nested?.root ?? 0;
    for (let level = 4; level >= 1; level--) {
      const size = 2 ** (12 + 9 * (level - 1));
      const at = table + (Math.floor(address / size) % 512) * 8;
      const entry = this.#reference('npt', level, at);
      if ((entry & 1n) === 0n) return this.#stop('ept-violation', `the nested entry at HPA ${hex(at)} is not present`);
      if ((entry & 4n) === 0n) return this.#stop('ept-violation', `the nested entry at HPA ${hex(at)} is no user page`);
      if (access === 'write' && (entry & 2n) === 0n)
        return this.#stop('ept-violation', `the nested entry at HPA ${hex(at)} is read-only`);
      if (access === 'execute' && entry >> 63n === 1n)
        return this.#stop('ept-violation', `the nested entry at HPA ${hex(at)} forbids execution`);
      if (level === 1 || (level <= 3 && (entry & LEAF) !== 0n)) return leafAddress(entry, size, address);
      table = Number(entry & ADDRESS);
    }
    return undefined;
  }

  #reference(table: 'ept' | 'npt', level: number, address: number): bigint {
    const entry = this.#read(address, 8);
    this.#references.push({table, level, address: gpa(address), entry});
    return entry;
  }

  #stop(outcome: Outcome, why: string): undefined {
    this.#trouble ??= {outcome, why};
    return undefined;
  }
}

function leafAddress(entry: bigint, size: number, address: number): number {
  const base = Number(entry & ADDRESS);
  return base - (base % size) + (address % size);
}
