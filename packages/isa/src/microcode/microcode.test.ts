import {describe, expect, test} from 'vitest';
import {AssertionError} from '@hyperscope/base';
import type {Instruction} from '../instruction.js';
import {decode} from '../interpretations/decode.js';
import type {InstructionFeature, Semantics} from '../opcodes/form.js';
import {OPCODES} from '../opcodes/table.js';
import {formSamples} from '../testing/form-samples.js';
import {Microcode, recordMicrocode} from './microcode.js';

function decoded(...bytes: number[]): Instruction {
  const result = decode(Uint8Array.from(bytes), 64);
  if (result.kind !== 'instruction') throw new Error(result.kind);
  return result.instruction;
}

const REFERENCES: ReadonlySet<string> = new Set([
  'a',
  'b',
  'value',
  'offset',
  'condition',
  'when',
  'high',
  'low',
  'image',
  'mask',
  'target',
  'errorCode',
  'result',
]);

describe('the recorder', () => {
  test('records every line of the table, in every mode and operand shape, and finds compute-then-commit kept', () => {
    const recorded = new Set<string>();
    for (const {form, codeSize, bytes} of formSamples()) {
      for (const prefix of form.attributes.has('rep') || form.attributes.has('repcc') ? [[], [0xf3], [0xf2]] : [[]]) {
        // Some encodings mean something only where no FPU is announced.
        const announced = form.attributes.has('noFpu') ? new Set<InstructionFeature>() : undefined;
        const result = decode(Uint8Array.from([...prefix, ...bytes]), codeSize, 0, announced);
        if (result.kind !== 'instruction') continue;
        recordMicrocode(result.instruction);
        recorded.add(result.instruction.form.encoding + result.instruction.form.syntax);
      }
    }
    const missing = OPCODES.filter(
      form => !form.attributes.has('alias') && !recorded.has(form.encoding + form.syntax),
    ).map(form => form.syntax);
    expect(missing).toEqual([]);
  }, 30_000);

  test('every operand that an operation names was computed before it', () => {
    const forward: string[] = [];
    for (const {form, codeSize, bytes} of formSamples()) {
      const result = decode(bytes, codeSize);
      if (result.kind !== 'instruction') continue;
      recordMicrocode(result.instruction).operations.forEach((operation, index) => {
        if (operation.op === 'register' || operation.op === 'constant') return;
        for (const [key, value] of Object.entries(operation)) {
          if (REFERENCES.has(key) && typeof value === 'number' && value >= index)
            forward.push(`${form.syntax}: ${key}`);
        }
      });
    }
    expect(forward).toEqual([]);
  }, 30_000);

  test('refuses a fault after a commit', () => {
    const bad: Semantics = (_, m) => {
      m.setGpr('RAX', m.constant(0n, 64));
      m.faultIf(m.cpl.isNot(0n), '#GP', 0n);
    };
    const nop = decoded(0x90);
    expect(() => recordMicrocode({...nop, form: {...nop.form, semantics: bad}})).toThrow(AssertionError);
  });

  test('refuses a second store that was not probed', () => {
    const m = new Microcode(decoded(0x90));
    m.store(m.stackSlot(-8n), m.constant(0n, 64));
    expect(() => m.store(m.stackSlot(-16n), m.constant(0n, 64))).toThrow(AssertionError);
  });

  test('allows two stores when both were probed', () => {
    const m = new Microcode(decoded(0x90));
    const slots = [m.stackSlot(-8n), m.stackSlot(-16n)];
    for (const slot of slots) m.probe(slot, 8);
    for (const slot of slots) m.store(slot, m.constant(0n, 64));
    expect(m.operations.filter(operation => operation.op === 'store')).toHaveLength(2);
  });

  test("computes an operand's address once, before the registers that it is made of change", () => {
    // xadd [rax], rax
    const {operations} = recordMicrocode(decoded(0x48, 0x0f, 0xc1, 0x00));
    const store = operations.find(operation => operation.op === 'store'),
      load = operations.find(operation => operation.op === 'load');
    expect(store?.op === 'store' ? store.offset : -1).toBe(load?.op === 'load' ? load.offset : -2);
  });

  test('puts the #UD of real mode before LLDT, and not in 64-bit code, where it cannot be', () => {
    const bytes = Uint8Array.of(0x0f, 0x00, 0xd0);
    const first = (codeSize: 32 | 64) => {
      const result = decode(bytes, codeSize);
      if (result.kind !== 'instruction') throw new Error(result.kind);
      return recordMicrocode(result.instruction).operations.find(operation => operation.op === 'faultIf');
    };
    expect(first(32)).toMatchObject({exception: '#UD'});
    expect(first(64)).toMatchObject({exception: '#GP'});
  });
});
