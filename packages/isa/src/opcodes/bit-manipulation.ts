// Bit counts, BMI1, BMI2, ADX and CRC32 as encodings. SDM vol. 1, "BMI1 and BMI2 Instructions", "Intel ADX Instructions".
// The grammar of these lines is in form.ts. VEX forms are #UD in real and virtual-8086 mode: `protected`.

import {
  ADCX,
  ADOX,
  ANDN,
  BEXTR,
  BLSI,
  BLSMSK,
  BLSR,
  BZHI,
  CRC32,
  LZCNT,
  MULX,
  PDEP,
  PEXT,
  POPCNT,
  RORX,
  SARX,
  SHLX,
  SHRX,
  TZCNT,
} from '../semantics/bit-manipulation.js';
import type {Attribute, InstructionFeature, OpcodeForm, Semantics} from './form.js';
import {op} from './op.js';

/** One VEX instruction in its two widths, which stand for # in the syntax. */
function vex(prefix: string, opcode: string, syntax: string, semantics: Semantics, feature: InstructionFeature) {
  const line = (width: 32 | 64, ...attributes: readonly Attribute[]): OpcodeForm =>
    op(
      `VEX.${prefix}.W${width === 64 ? 1 : 0} ${opcode}`,
      syntax.replaceAll('#', String(width)),
      semantics,
      'protected',
      ...attributes,
      `needs ${feature}`,
    );
  return [line(32), line(64, 'o64')];
}

export const BIT_MANIPULATION: readonly OpcodeForm[] = [
  op('F3 0F B8 /r', 'POPCNT rV, r/mV', POPCNT, 'needs popcnt'),
  op('F3 0F BC /r', 'TZCNT rV, r/mV', TZCNT, 'needs bmi1'),
  op('F3 0F BD /r', 'LZCNT rV, r/mV', LZCNT, 'needs lzcnt'),

  op('F2 0F 38 F0 /r', 'CRC32 r64, r/m8', CRC32, 'os64', 'needs sse42'),
  op('F2 0F 38 F0 /r', 'CRC32 r32, r/m8', CRC32, 'byte', 'needs sse42'),
  op('F2 0F 38 F1 /r', 'CRC32 r32, r/m16', CRC32, 'os16', 'needs sse42'),
  op('F2 0F 38 F1 /r', 'CRC32 r32, r/m32', CRC32, 'os32', 'needs sse42'),
  op('F2 0F 38 F1 /r', 'CRC32 r64, r/m64', CRC32, 'os64', 'needs sse42'),

  op('66 0F 38 F6 /r', 'ADCX r64, r/m64', ADCX, 'os64', 'needs adx'),
  op('66 0F 38 F6 /r', 'ADCX r32, r/m32', ADCX, 'needs adx'),
  op('F3 0F 38 F6 /r', 'ADOX r64, r/m64', ADOX, 'os64', 'needs adx'),
  op('F3 0F 38 F6 /r', 'ADOX r32, r/m32', ADOX, 'needs adx'),

  ...vex('0F38.NP', 'F2 /r', 'ANDN r#, r#v, r/m#', ANDN, 'bmi1'),
  ...vex('0F38.NP', 'F3 /1', 'BLSR r#v, r/m#', BLSR, 'bmi1'),
  ...vex('0F38.NP', 'F3 /2', 'BLSMSK r#v, r/m#', BLSMSK, 'bmi1'),
  ...vex('0F38.NP', 'F3 /3', 'BLSI r#v, r/m#', BLSI, 'bmi1'),
  ...vex('0F38.NP', 'F7 /r', 'BEXTR r#, r/m#, r#v', BEXTR, 'bmi1'),
  ...vex('0F38.NP', 'F5 /r', 'BZHI r#, r/m#, r#v', BZHI, 'bmi2'),
  ...vex('0F38.F3', 'F5 /r', 'PEXT r#, r#v, r/m#', PEXT, 'bmi2'),
  ...vex('0F38.F2', 'F5 /r', 'PDEP r#, r#v, r/m#', PDEP, 'bmi2'),
  ...vex('0F38.F2', 'F6 /r', 'MULX r#, r#v, r/m#', MULX, 'bmi2'),
  ...vex('0F3A.F2', 'F0 /r ib', 'RORX r#, r/m#, imm8', RORX, 'bmi2'),
  ...vex('0F38.F3', 'F7 /r', 'SARX r#, r/m#, r#v', SARX, 'bmi2'),
  ...vex('0F38.66', 'F7 /r', 'SHLX r#, r/m#, r#v', SHLX, 'bmi2'),
  ...vex('0F38.F2', 'F7 /r', 'SHRX r#, r/m#, r#v', SHRX, 'bmi2'),
];
