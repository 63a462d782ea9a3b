// Operands with their expressions evaluated: what the encoder of isa takes.

import {assertUnreachable} from '@hyperscope/base';
import type {AssemblyOperand, AssemblyValue, Certainty} from '@hyperscope/isa';
import {SourceError} from './diagnostics.js';
import {evaluate, type Scope, type Value} from './evaluation.js';
import type {Place} from './expression.js';
import type {OperandSyntax} from './operand.js';

/** Where a line stands: what names mean, and what addresses default to. */
export interface Setting {
  readonly scope: Scope;
  readonly section: string;
  readonly reference: 'relative' | 'absolute';
}

/** How far a value is known. Throws SourceError where addresses were added or negated. */
export function certaintyOf(value: Value, section: string, place: Place): Certainty {
  if (value.forward) return 'forward';
  const [term, another] = value.sections;
  if (term === undefined) return 'constant';
  if (another !== undefined || term.coefficient !== 1n) {
    throw new SourceError(
      place,
      'Addresses can be subtracted from each other, but not added, negated or scaled.',
      'Work with a distance instead, for instance label - $$.',
    );
  }
  return term.section === section ? 'local' : 'elsewhere';
}

function plain(value: Value, setting: Setting, place: Place): AssemblyValue {
  if (value.registers.length > 0)
    throw new SourceError(
      place,
      'Registers can be added and scaled only inside [ ].',
      'Put the address into brackets, or use LEA.',
    );
  return {value: value.number, certainty: certaintyOf(value, setting.section, place)};
}

/** Evaluates one operand. */
export function operandValue(syntax: OperandSyntax, setting: Setting): AssemblyOperand {
  switch (syntax.kind) {
    case 'register':
      return registerOperand(syntax);
    case 'immediate': {
      const value = plain(evaluate(syntax.value, setting.scope), setting, syntax.place);
      return {kind: 'immediate', ...value, size: syntax.size, strict: syntax.strict, distance: syntax.distance};
    }
    case 'far': {
      const selector = plain(evaluate(syntax.selector, setting.scope), setting, syntax.place);
      return {
        kind: 'far',
        selector,
        offset: plain(evaluate(syntax.offset, setting.scope), setting, syntax.place),
        size: syntax.size,
      };
    }
    case 'memory':
      return memoryOperand(syntax, setting);
    default:
      return assertUnreachable(syntax);
  }
}

function registerOperand(syntax: Extract<OperandSyntax, {readonly kind: 'register'}>): AssemblyOperand {
  const {register, size, place} = syntax;
  if (register.kind === 'register' && size !== undefined && size !== register.width) {
    throw new SourceError(
      place,
      'The size keyword contradicts the size of the register.',
      'Leave the keyword out: a register has a size of its own.',
    );
  }
  return register;
}

function memoryOperand(syntax: Extract<OperandSyntax, {readonly kind: 'memory'}>, setting: Setting): AssemblyOperand {
  const value = evaluate(syntax.address, setting.scope);
  const displacement: AssemblyValue = {
    value: value.number,
    certainty: certaintyOf(value, setting.section, syntax.place),
  };
  const {size, distance, segment, displacementSize, split} = syntax;
  // FS and GS have bases of their own, which make no sense beside RIP: `default rel` leaves them alone.
  const usual = segment === 'FS' || segment === 'GS' ? 'absolute' : setting.reference;
  return {
    kind: 'memory',
    size,
    distance,
    segment,
    displacementSize,
    split,
    terms: value.registers,
    displacement,
    reference: syntax.reference ?? usual,
  };
}
