import {describe, expect, test} from 'vitest';
import type {CodeSize} from '../instruction.js';
import {formSamples} from '../testing/form-samples.js';
import {microcodeOf} from '../testing/instructions.js';
import {recordMicrocode} from '../microcode/microcode.js';
import {decode} from './decode.js';
import {explain} from './explain.js';

const told = (text: string, codeSize: CodeSize = 64): readonly string[] => explain(microcodeOf(text, codeSize));

describe('an explanation', () => {
  test('of ADD tells the result and the flags', () =>
    expect(told('48 01 c8')).toEqual(['RAX ← RAX + RCX', 'OF SF ZF AF PF CF ← from RAX + RCX']));

  test('of POPF shows that IF changes only where CPL is not above IOPL', () =>
    expect(told('9d')).toEqual([
      'in a guest, if “POPF” is intercepted: VM exit',
      't1 ← mem64[RSP]',
      'RSP ← RSP + 8',
      'RFLAGS ← t1 without RF, but only the bits in (CPL = 0 ? IOPL : none) ∪ (CPL > IOPL ? none : IF) ∪ CF PF AF ZF SF TF DF OF NT RF AC ID',
    ]));

  test('of AND with a mask does not take its bits for flags', () =>
    expect(told('48 81 e3 00 f0 ff ff')[0]).toBe('RBX ← RBX and 0xfffffffffffff000'));

  test('of PUSHF names the flags that are left out', () =>
    expect(told('9c')).toContain('mem64[RSP − 8] ← RFLAGS without RF VM'));

  test('of MOV CR3 gives the order of its checks', () =>
    expect(told('0f 22 d8')).toEqual([
      'if CPL ≠ 0: #GP(0)',
      'in a guest, if “MOV to CR3” is intercepted: VM exit',
      'CR3 ← RAX; forget every non-global translation',
    ]));

  test('of Jcc states its condition', () =>
    expect(told('75 10')).toEqual([
      'if ZF = 0 and next RIP + 0x10 is not canonical: #GP(0)',
      'if ZF = 0: RIP ← next RIP + 0x10',
    ]));

  test('of JG states a condition of three flags', () =>
    expect(told('7f 10').at(-1)).toBe('if ZF = 0 and SF = OF: RIP ← next RIP + 0x10'));

  test('of XCHG tells old values from new ones', () =>
    expect(told('48 87 d9')).toEqual(['RCX ← RBX', 'RBX ← old RCX']));

  test('of REP MOVSB is one iteration', () =>
    expect(told('f3 a4')).toEqual([
      'if RCX = 0: nothing more happens',
      't1 ← mem8[RSI]',
      'mem8[RDI] ← t1',
      'RSI ← RSI + (DF = 1 ? −1 : 1)',
      'RDI ← RDI + (DF = 1 ? −1 : 1)',
      'RCX ← RCX − 1',
      'if RCX ≠ 0: RIP stays, the instruction runs again',
    ]));

  test('of DIV names what the manual leaves undefined', () =>
    expect(told('f7 f1')).toEqual([
      'if ECX = 0: #DE',
      'if (EDX:EAX ÷ ECX) > 0xffffffff: #DE',
      'EAX ← (EDX:EAX ÷ ECX)[31:0]',
      'EDX ← (EDX:old EAX mod ECX)[31:0]',
      'AF ← left undefined by the manual; here 1',
      'SF ZF PF ← left undefined by the manual; here 0',
      'CF OF ← left undefined by the manual; here as before',
    ]));

  test('of RDTSC names the bit of CR4 that it looks at', () =>
    expect(told('0f 31')[0]).toBe('if CR4.TSD = 1 and CPL ≠ 0: #GP(0)'));

  test('of a segment load names the register', () =>
    expect(told('8e d8', 32)).toEqual(['DS ← selector AX, with base, limit and rights from its descriptor']));

  test('in 16-bit code names segments and SP', () =>
    expect(told('50', 16)).toEqual(['mem16[SS:SP − 2] ← AX', 'SP ← SP − 2']));

  test('of NOP says so', () => expect(told('90')).toEqual(['nothing']));

  test('exists for every line of the table and leaves nothing unsaid', () => {
    const poor: string[] = [];
    for (const {codeSize, bytes} of formSamples()) {
      const result = decode(bytes, codeSize);
      if (result.kind !== 'instruction') continue;
      const lines = explain(recordMicrocode(result.instruction));
      if (lines.some(line => /undefined(?! by)|\{\d|a value|\[object/.test(line))) poor.push(lines.join('; '));
    }
    expect(poor.slice(0, 5)).toEqual([]);
  }, 60_000);
});
