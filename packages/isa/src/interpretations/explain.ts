// Explain: what an instruction does, as sentences made from the same recording that executes it.

import {assertUnreachable} from '@hyperscope/base';
import type {Effect, FlagRule, Microcode, Operation} from '../microcode/microcode.js';
import {SEGMENT_REGISTERS} from '../registers/cells.js';
import {Wording, cellName, number, registerName} from './wording.js';

/** One sentence a step, in the order in which the processor takes them. A load has a name (t1), because it happens once. */
export function explain(microcode: Microcode): readonly string[] {
  const lines = explainOperations(microcode).map(({line}) => line);
  return lines.length === 0 ? ['nothing'] : lines;
}

/** The same with the operations that each sentence is about, as places in the recording; none for an instruction that does nothing. */
export function explainOperations(
  microcode: Microcode,
): readonly {readonly line: string; readonly operations: readonly number[]}[] {
  const wording = new Wording(microcode);
  const lines: {line: string; operations: number[]}[] = [];
  microcode.operations.forEach((operation, id) => {
    const line = sentence(operation, id, microcode, wording);
    if (line === undefined) return;
    const previous = lines.at(-1);
    const merged =
      previous === undefined ? undefined : (mergeWritable(previous.line, line) ?? mergeUndefined(previous.line, line));
    if (merged === undefined || previous === undefined) lines.push({line, operations: [id]});
    else {
      previous.line = merged;
      previous.operations.push(id);
    }
  });
  return lines;
}

function sentence(operation: Operation, id: number, microcode: Microcode, wording: Wording): string | undefined {
  switch (operation.op) {
    case 'load': {
      const memory = wording.memory(operation.segment, operation.offset, operation.width);
      return `${wording.name(id)} ← ${memory}${operation.access === 'read' ? '' : ', which must be writable'}`;
    }
    case 'call': {
      const summary = withArguments(operation.helper.summary, operation.args, wording);
      return `${wording.name(id)} ← ${summary}`;
    }
    case 'constant':
    case 'register':
    case 'flag':
    case 'state':
    case 'nextRip':
    case 'binary':
    case 'unary':
    case 'concat':
    case 'choose':
    case 'stackTop':
    case 'vector':
    case 'lanes':
      return undefined;
    default:
      return effect(operation, id, microcode, wording);
  }
}

function effect(operation: Effect, id: number, microcode: Microcode, wording: Wording): string {
  switch (operation.op) {
    case 'setRegister': {
      const name = registerName(operation.register, operation.width, operation.high);
      const line = `${name} ← ${wording.value(operation.value)}`;
      wording.hold(name, operation.register, operation.value, id);
      return line;
    }
    case 'setVector': {
      const name = cellName(operation.cell, operation.width);
      const line = `${name} ← ${wording.value(operation.value)}`;
      wording.hold(name, operation.cell, operation.value, id);
      return line;
    }
    case 'probe':
      return `${wording.memory(operation.segment, operation.offset, operation.bytes * 8)} must be writable`;
    case 'store':
      return `${wording.memory(operation.segment, operation.offset, operation.width)} ← ${wording.value(operation.value)}`;
    case 'setFlags':
      return flagsLine(operation, wording);
    case 'moveStack': {
      wording.overwrite('RSP', id);
      const {delta} = operation;
      return `${wording.stackPointer} ← ${wording.stackPointer} ${delta < 0n ? '−' : '+'} ${number(delta < 0n ? -delta : delta)}`;
    }
    case 'setFlag':
      return flagLine(operation, id, wording);
    case 'writeFlags':
      return `RFLAGS ← ${wording.value(operation.image)}, but only the bits in ${wording.flagMask(operation.mask)}`;
    case 'faultIf':
      return faultLine(operation, wording);
    case 'intercept':
      return `in a guest, if “${operation.intercept}” is intercepted: VM exit`;
    case 'checkTarget':
      return targetLine(operation, microcode, wording);
    case 'jump':
      return `${whenPrefix(operation.when, wording)}RIP ← ${wording.value(operation.target)}`;
    case 'finishIf':
      return `if ${wording.condition(operation.when)}: nothing more happens`;
    case 'repeatIf':
      return `if ${wording.condition(operation.when)}: RIP stays, the instruction runs again`;
    case 'invoke':
      return withArguments(operation.helper.summary, operation.args, wording);
    default:
      return assertUnreachable(operation);
  }
}

const whenPrefix = (when: number | undefined, wording: Wording): string =>
  when === undefined ? '' : `if ${wording.condition(when)}: `;

/** A helper's sentence with its arguments in place. */
function withArguments(summary: string, args: readonly number[], wording: Wording): string {
  return summary.replace(/\{(\d)(:segment)?\}/g, (_, index: string, segment: string | undefined) => {
    const id = args[Number(index)];
    if (id === undefined) return '';
    const argument = wording.at(id);
    const register =
      segment !== undefined && argument.op === 'constant' ? SEGMENT_REGISTERS[Number(argument.value)] : undefined;
    return register ?? wording.value(id);
  });
}

const RULE_FLAGS: Readonly<Record<FlagRule, string>> = {
  add: 'OF SF ZF AF PF CF',
  adc: 'OF SF ZF AF PF CF',
  sub: 'OF SF ZF AF PF CF',
  sbb: 'OF SF ZF AF PF CF',
  logic: 'SF ZF PF',
  inc: 'OF SF ZF AF PF',
  dec: 'OF SF ZF AF PF',
};

/** Flags come from the values before: what was overwritten meanwhile needs no "old" here. */
function flagsLine(operation: Effect & {op: 'setFlags'}, wording: Wording): string {
  const from = `${RULE_FLAGS[operation.rule]} ← from ${wording.original(operation.result)}`;
  return operation.rule === 'logic' ? `${from}; OF CF ← 0` : from;
}

function flagLine(operation: Effect & {op: 'setFlag'}, id: number, wording: Wording): string {
  const {flag, value, when} = operation;
  const source = wording.at(value);
  const stays = source.op === 'flag' && source.flag === flag;
  const shown =
    source.op === 'binary' || (source.op === 'unary' && source.operation === 'not')
      ? `(${wording.condition(value)})`
      : wording.value(value);
  const prefix = whenPrefix(when, wording);
  wording.overwrite(flag, id);
  if (!operation.isUndefined) return `${prefix}${flag} ← ${shown}`;
  return `${prefix}${flag} ${UNDEFINED} ${stays ? 'as before' : shown}`;
}

const UNDEFINED = '← left undefined by the manual; here';

const WRITABLE = ' must be writable';

/** Neighbouring probes share a line. */
function mergeWritable(previous: string, line: string): string | undefined {
  if (!previous.endsWith(WRITABLE) || !line.endsWith(WRITABLE) || previous.includes('←')) return undefined;
  return `${previous.slice(0, -WRITABLE.length)}, ${line}`;
}

/** Neighbouring flags that are undefined in the same way share a line. */
function mergeUndefined(previous: string, line: string): string | undefined {
  const [flags, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' '))];
  const start = previous.indexOf(` ${UNDEFINED}`);
  if (start < 0 || !rest.startsWith(` ${UNDEFINED}`) || previous.slice(start) !== rest || previous.includes(':'))
    return undefined;
  return `${previous.slice(0, start)} ${flags}${rest}`;
}

function faultLine(operation: Effect & {op: 'faultIf'}, wording: Wording): string {
  const code = operation.errorCode === undefined ? '' : `(${wording.value(operation.errorCode)})`;
  const condition = wording.condition(operation.when);
  return `${condition === 'always' ? '' : `if ${condition}: `}${operation.exception}${code}`;
}

function targetLine(operation: Effect & {op: 'checkTarget'}, microcode: Microcode, wording: Wording): string {
  const limit = microcode.instruction.codeSize === 64 ? 'is not canonical' : 'is outside the limit of CS';
  const when = operation.when === undefined ? '' : `${wording.condition(operation.when)} and `;
  return `if ${when}${wording.value(operation.target)} ${limit}: #GP(0)`;
}
