// x87 instructions that the project does not execute: the arithmetic and the moves of numbers. SDM vol. 2, "Opcode Map",
// "Escape Opcode Instructions". Patterns are those of unsupported.ts.

type NamedPattern = readonly [pattern: string, name: string];

/** Eight operations in the order of the reg field, with an operand in memory. */
const inMemory = (opcode: string, operand: string, names: string): readonly NamedPattern[] =>
  names
    .split(' ')
    .map((name, reg): NamedPattern => [`${opcode} /${reg} m`, `${name} ${operand}`])
    .filter(([, name]) => !name.startsWith('-'));

/** The same between registers; `operands` as the manual writes them. */
const inRegisters = (opcode: string, operands: string, names: string): readonly NamedPattern[] =>
  names
    .split(' ')
    .map((name, reg): NamedPattern => [`${opcode} /${reg} r`, `${name} ${operands}`])
    .filter(([, name]) => !name.startsWith('-'));

/** Instructions that are a whole ModR/M byte, one after the other from `first` on. */
const whole = (opcode: string, first: number, names: string): readonly NamedPattern[] =>
  names
    .split(' ')
    .map((name, n): NamedPattern => [`${opcode} =${(first + n).toString(16).toUpperCase()}`, name])
    .filter(([, name]) => name !== '-');

const ARITHMETIC = 'FADD FMUL FCOM FCOMP FSUB FSUBR FDIV FDIVR';
const INTEGER_ARITHMETIC = 'FIADD FIMUL FICOM FICOMP FISUB FISUBR FIDIV FIDIVR';

export const UNSUPPORTED_X87: readonly NamedPattern[] = [
  ...inMemory('D8', 'm32', ARITHMETIC),
  ...inRegisters('D8', 'ST0, STi', ARITHMETIC),
  ...inMemory('D9', 'm32', 'FLD - FST FSTP - - - -'),
  ...inRegisters('D9', 'STi', 'FLD FXCH - FSTP - - - -'),
  ...whole('D9', 0xe0, 'FCHS FABS - - FTST FXAM - - FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ -'),
  ...whole('D9', 0xf0, 'F2XM1 FYL2X FPTAN FPATAN FXTRACT FPREM1 FDECSTP FINCSTP'),
  ...whole('D9', 0xf8, 'FPREM FYL2XP1 FSQRT FSINCOS FRNDINT FSCALE FSIN FCOS'),
  ...inMemory('DA', 'm32', INTEGER_ARITHMETIC),
  ...whole('DA', 0xe9, 'FUCOMPP'),
  ...inRegisters('DA', 'ST0, STi', 'FCMOVB FCMOVE FCMOVBE FCMOVU - - - -'),
  ...inMemory('DB', 'm32', 'FILD FISTTP FIST FISTP - - - -'),
  ...inMemory('DB', 'm80', '- - - - - FLD - FSTP'),
  ...whole('DB', 0xe0, 'FNENI FNDISI - - FNSETPM'),
  ...inRegisters('DB', 'ST0, STi', 'FCMOVNB FCMOVNE FCMOVNBE FCMOVNU - FUCOMI FCOMI -'),
  ...inMemory('DC', 'm64', ARITHMETIC),
  ...inRegisters('DC', 'STi, ST0', 'FADD FMUL FCOM FCOMP FSUBR FSUB FDIVR FDIV'),
  ...inMemory('DD', 'm64', 'FLD FISTTP FST FSTP - - - -'),
  ...inRegisters('DD', 'STi', 'FFREE FXCH FST FSTP FUCOM FUCOMP - -'),
  ...inMemory('DE', 'm16', INTEGER_ARITHMETIC),
  ...whole('DE', 0xd9, 'FCOMPP'),
  ...inRegisters('DE', 'STi, ST0', 'FADDP FMULP FCOMP - FSUBRP FSUBP FDIVRP FDIVP'),
  ...inMemory('DF', 'm16', 'FILD FISTTP FIST FISTP - - - -'),
  ...inMemory('DF', 'm80', '- - - - FBLD - FBSTP -'),
  ...inMemory('DF', 'm64', '- - - - - FILD - FISTP'),
  ...inRegisters('DF', 'STi', 'FFREEP FXCH FSTP FSTP - - - -'),
  ...inRegisters('DF', 'ST0, STi', '- - - - - FUCOMIP FCOMIP -'),
];
