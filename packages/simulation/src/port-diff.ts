// A port laid beside its original: which lines differ, in which parts of the program, which sensitive instructions are gone and which
// hypercalls are there instead. The parts are those of the texts' own headings: `; ---- 4: the timer ----`.

import {assembleGuest} from '@hyperscope/guests';
import type {Guest} from '@hyperscope/guests';
import {classify, decode, disassemble, recordMicrocode} from '@hyperscope/isa';
import type {Instruction} from '@hyperscope/isa';

import {diffLines} from '@hyperscope/trace';
import type {DiffLine} from '@hyperscope/trace';

/** A name and how often it occurs. */
export type Counted = readonly [name: string, count: number];

export interface PortPart {
  /** 0: before the first heading. */
  readonly number: number;
  readonly title: string;
  /** The port's title, where it is another. */
  readonly newTitle: string | undefined;
  readonly kept: number;
  readonly removed: number;
  readonly added: number;
  /** Privileged or sensitive instructions of the original that the port has no more. */
  readonly replaced: readonly Counted[];
  /** Hypercalls in the port's new lines. */
  readonly hypercalls: readonly Counted[];
}

export interface PortDiff {
  readonly lines: readonly DiffLine[];
  readonly parts: readonly PortPart[];
}

const HEADING = /^; -{4} (\d+): (.+?) -+$/;
const HYPERCALL = /^\s+(?:hypercall|jmp hypercalls \+) (\w+)/;

export function portDiff(original: Guest, port: Guest): PortDiff {
  const lines = diffLines(original.source.split('\n'), port.source.split('\n'));
  const sensitive = sensitiveLines(original);
  const parts = new Map<number, Part>();
  const partOf = (number: number): Part => {
    const known = parts.get(number) ?? new Part(number);
    parts.set(number, known);
    return known;
  };
  let [line, before, after] = [0, 0, 0];
  for (const {kind, text} of lines) {
    const [, number, title = ''] = HEADING.exec(text) ?? [];
    if (number !== undefined && kind !== 'added') {
      before = Number(number);
      partOf(before).title = title;
    }
    if (number !== undefined && kind !== 'removed') {
      after = Number(number);
      partOf(after).newTitle = title;
    }
    if (kind !== 'added') line++;
    const part = partOf(kind === 'removed' ? before : after);
    part.counts[kind]++;
    if (kind === 'removed') for (const mnemonic of sensitive.get(line) ?? []) add(part.replaced, mnemonic);
    const call = kind === 'added' ? HYPERCALL.exec(text)?.[1] : undefined;
    if (call !== undefined) add(part.hypercalls, call.toLowerCase().replace(/_call$/, ''));
  }
  return {lines, parts: [...parts.values()].sort((a, b) => a.number - b.number).map(part => part.told())};
}

class Part {
  readonly number: number;
  title = '';
  newTitle = '';
  readonly counts = {common: 0, removed: 0, added: 0};
  readonly replaced = new Map<string, number>();
  readonly hypercalls = new Map<string, number>();

  constructor(number: number) {
    this.number = number;
  }
  told(): PortPart {
    const {number, title, newTitle, counts} = this;
    return {
      number,
      title: number === 0 ? 'what the kernel is, and its names' : title,
      newTitle: newTitle === title ? undefined : newTitle,
      kept: counts.common,
      removed: counts.removed,
      added: counts.added,
      replaced: [...this.replaced],
      hypercalls: [...this.hypercalls],
    };
  }
}

const add = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

/** The mnemonics of privileged and sensitive instructions, by the line that makes them; a macro's are at the line that uses it. */
function sensitiveLines(guest: Guest): ReadonlyMap<number, readonly string[]> {
  const {bytes, lines} = assembleGuest(guest);
  const found = new Map<number, string[]>();
  for (const {line, offset, bits, kind} of lines) {
    if (kind !== 'instruction') continue;
    const decoded = decode(bytes, bits, offset);
    if (decoded.kind !== 'instruction') continue;
    const {privileged, sensitive, systemCall} = classify(recordMicrocode(decoded.instruction));
    if ((!privileged && !sensitive) || systemCall) continue;
    found.set(line, [...(found.get(line) ?? []), nameOf(decoded.instruction)]);
  }
  return found;
}

/** 'CLI'; of the many MOVs the register that makes them what they are: 'MOV CR3', 'MOV DS'. */
function nameOf(instruction: Instruction): string {
  const {mnemonic} = instruction;
  const register = mnemonic.startsWith('MOV')
    ? /\b(cr\d|[cdefgs]s)\b/.exec(disassemble(instruction, 0n))?.[1]
    : undefined;
  return register === undefined ? mnemonic.replaceAll('_', ' ') : `MOV ${register.toUpperCase()}`;
}
