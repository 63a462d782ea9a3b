// What an instruction means and what let it run: read from its recorded definition (isa's microcode) and from the registers
// at that step. Nothing about any instruction is written here by hand.

import {Wording, classify, explain, recordMicrocode} from '@hyperscope/isa';
import type {Instruction, Microcode, Operation} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {Check, Checks} from '@hyperscope/machine';
import {RecordedValues} from './recorded-values.js';
import type {CellSource} from '../state/processor-view.js';

export interface InstructionStory {
  /** One line a step of the instruction: `AL ← 0x48`. What a hypervisor might intercept is left out. */
  readonly meaning: readonly string[];
  /** The meaning in few words: no conditions of faults that did not happen, no flags where anything else is said. */
  readonly effects: readonly string[];
  /** What the processor asked before it let the instruction run, and the answers. */
  readonly checks: Checks;
  /** The questions about rights, which come after everything that could have kept it from running. */
  readonly rightChecks: Checks;
  /** Whether a conditional jump was taken, and why. */
  readonly jumps: readonly string[];
  /** Which flags of a flags image counted, and why: POPF's silence. */
  readonly rights: readonly string[];
  /** What would have been different with the other answer to the question about rights. */
  readonly otherwise: string | undefined;
  /** What Popek and Goldberg would say of it, where it is sensitive or privileged. */
  readonly verdict: string | undefined;
  readonly sources: readonly string[];
}

/** What an instruction means, line by line; empty where there is none. */
export function meaningOf(instruction: Instruction | undefined): readonly string[] {
  return instruction === undefined ? [] : meaningLines(recordMicrocode(instruction));
}

const meaningLines = (microcode: Microcode): readonly string[] =>
  explain(microcode).filter(line => !line.startsWith('in a guest, if “'));

export function instructionStory(instruction: Instruction, before: CellSource, after: CellSource): InstructionStory {
  const microcode = recordMicrocode(instruction);
  const meaning = meaningLines(microcode);
  const values = new RecordedValues(microcode, before);
  const rights = flagRights(microcode, values, {before, after});
  const found = classify(microcode);
  const {source} = instruction.form;
  return {
    meaning,
    effects: mainEffects(meaning).map(line => withAddresses(line, instruction, before('RIP'))),
    jumps: jumpSentences(microcode, values, after('RIP')),
    checks: passedChecks(microcode, values, source),
    rightChecks: rights.map(({check}) => ({...check, source})),
    rights: rights.map(right => right.sentence),
    otherwise: rights.at(-1)?.otherwise,
    // In real mode there are no rings, and so nothing to be privileged against.
    verdict: (found.stealth || found.privileged) && values.state('PE') === 1n ? found.sentence : undefined,
    sources: [source],
  };
}

/** `next RIP + 3` as the address that it was. */
function withAddresses(line: string, instruction: Instruction, rip: bigint | undefined): string {
  if (rip === undefined) return line;
  const next = rip + BigInt(instruction.bytes.length);
  const size = instruction.codeSize;
  return line
    .replace(/\(?next RIP ([+−]) (0x[\da-f]+|\d+)\)?(\[\d+:0\])?/g, (_, sign: string, distance: string) =>
      hex(BigInt.asUintN(size, sign === '+' ? next + BigInt(distance) : next - BigInt(distance))),
    )
    .replaceAll('next RIP', hex(BigInt.asUintN(size, next)));
}

/** For each jump under a condition: `ZF = 1 holds (ZF 1), so it jumps to 0x803d.` */
function jumpSentences(microcode: Microcode, values: RecordedValues, rip: bigint | undefined): readonly string[] {
  const wording = new Wording(microcode);
  return microcode.operations.flatMap(operation => {
    const outcome = operation.op === 'jump' && operation.when !== undefined ? values.value(operation.when) : undefined;
    if (operation.op !== 'jump' || operation.when === undefined || outcome === undefined || rip === undefined)
      return [];
    const rule = wording.condition(operation.when, outcome === 1n ? 'plain' : 'negated');
    return [
      `${rule}, so ${outcome === 1n ? `it jumps to ${hex(rip)}` : 'it does not jump: the next instruction follows'}.`,
    ];
  });
}

function mainEffects(meaning: readonly string[]): readonly string[] {
  const happened = meaning.filter(line => !/#[A-Z]{2}(\(|$)|left undefined by the manual|^where CPL > IOPL/.test(line));
  const plain = happened.filter(line => !line.includes('← from '));
  return inlined(plain.length > 0 ? plain : happened);
}

/** `t1 ← mem64[RAX]` and `RBX ← t1` are one thing to a reader; so are they where nothing lies between them. */
function inlined(lines: readonly string[]): readonly string[] {
  const out: string[] = [];
  lines.forEach((line, index) => {
    const previous = out.at(-1);
    const [, name = '', value = ''] = /^(t\d+) ← (.*?)(?:, which must be writable)?$/.exec(previous ?? '') ?? [];
    const uses = lines.filter(other => new RegExp(`\\b${name}\\b`).test(other)).length;
    if (name === '' || uses !== 2 || lines[index - 1] !== previous || !new RegExp(`\\b${name}\\b`).test(line))
      out.push(line);
    else out[out.length - 1] = line.replace(new RegExp(`\\b${name}\\b`), value);
  });
  return out;
}

/** The conditions of faults, turned round: what held, because the instruction ran. Those about memory are not known here. */
function passedChecks(microcode: Microcode, values: RecordedValues, source: string): Checks {
  const wording = new Wording(microcode);
  return microcode.operations.flatMap((operation): readonly Check[] => {
    if (operation.op === 'invoke' && operation.helper.name === 'checkPortPermission')
      return [portCheck(values, source)];
    if (operation.op !== 'faultIf' || values.value(operation.when) !== 0n) return [];
    const known = values.states(operation.when);
    return known.length === 0
      ? []
      : [{rule: wording.condition(operation.when, 'negated'), holds: true, values: known, source}];
  });
}

/** The one check that is a helper: below IOPL's privilege the TSS is asked. The instruction ran, so one of the two said yes. */
function portCheck(values: RecordedValues, source: string): Check {
  const [cpl, iopl] = [values.state('CPL') ?? 0n, values.state('IOPL') ?? 0n];
  const rule =
    cpl <= iopl ? 'CPL ≤ IOPL' : 'the I/O permission bitmap of the TSS has 0 for the port, because CPL > IOPL';
  return {
    rule,
    holds: true,
    values: [
      ['CPL', String(cpl)],
      ['IOPL', String(iopl)],
    ],
    source,
  };
}

interface Right {
  readonly check: Omit<Check, 'source'>;
  readonly sentence: string;
  readonly otherwise: string;
}

/** For an instruction that writes flags under a mask that depends on privilege: each such decision, as it went. */
function flagRights(
  microcode: Microcode,
  values: RecordedValues,
  cells: {readonly before: CellSource; readonly after: CellSource},
): readonly Right[] {
  const wording = new Wording(microcode);
  return microcode.operations
    .flatMap(operation => (operation.op === 'writeFlags' ? choices(microcode, operation.mask) : []))
    .flatMap((choice): readonly Right[] => {
      const outcome = values.value(choice.condition);
      if (outcome === undefined) return [];
      const [taken, other] = outcome === 1n ? [choice.a, choice.b] : [choice.b, choice.a];
      const [allowed, kept] = [wording.flagMask(taken), wording.flagMask(other)];
      const rule = wording.condition(choice.condition, outcome === 1n ? 'plain' : 'negated');
      const known = values.states(choice.condition);
      const may = allowed !== 'none';
      const flag = may ? allowed : kept;
      const [was, is] = [flagValue(flag, cells.before), flagValue(flag, cells.after)];
      return [
        {
          check: {rule, holds: true, values: known},
          sentence: `${withValues(rule, known)}, so ${flag} ${
            may
              ? `may change: ${flag} ${was === is ? `stays ${was}` : `${was} → ${is}`}`
              : `keeps its value ${was}, whatever the popped image says, and no fault tells the program`
          }.`,
          otherwise: may
            ? `Had “${rule}” not held, ${flag} would have kept its value ${was}, and no fault would have told the program: it would have run on.`
            : `Had “${rule}” not held, ${flag} would have been taken from the popped image.`,
        },
      ];
    });
}

function choices(microcode: Microcode, id: number): readonly (Operation & {op: 'choose'})[] {
  const operation = microcode.operations[id];
  if (operation?.op === 'choose') return [operation];
  return operation?.op === 'binary' ? [...choices(microcode, operation.a), ...choices(microcode, operation.b)] : [];
}

const FLAGS: ReadonlyMap<string, readonly [shift: bigint, mask: bigint]> = new Map([
  ['IF', [9n, 1n]],
  ['IOPL', [12n, 3n]],
]);

function flagValue(flag: string, cells: CellSource): string {
  const [shift, mask] = FLAGS.get(flag) ?? [0n, ~0n];
  return String(((cells('RFLAGS') ?? 0n) >> shift) & mask);
}

/** `CPL ≤ IOPL` with [CPL 0, IOPL 0] → `CPL 0 ≤ IOPL 0`; a comparison with a number keeps its words: `CPL = 0`. */
function withValues(rule: string, known: readonly (readonly [string, string])[]): string {
  if (known.length < 2)
    return known.length === 0 || rule.includes(' = ')
      ? rule
      : `${rule} (${known.map(([name, value]) => `${name} is ${value}`).join(', ')})`;
  return known.reduce((text, [name, value]) => text.replace(new RegExp(`\\b${name}\\b`), `${name} ${value}`), rule);
}
