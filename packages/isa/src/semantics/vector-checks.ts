// What x87, MMX and SSE instructions check before anything else, in the manual's order, and how their operands are reached.
// SDM vol. 3A, "Interrupt 6 (#UD)", "Interrupt 7 (#NM)", "Interrupt 16 (#MF)"; vol. 2, "Exceptions of SSE Instructions".

import {assertExists} from '@hyperscope/base';
import type {Instruction, MemoryOperand, Operand} from '../instruction.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Microcode, Width} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {MMX_REGISTERS} from '../registers/vector-state.js';
import type {MmxRegister} from '../registers/vector-state.js';
import {segmentNumber} from './operand-access.js';

const [MP, EM, TS, NE] = [1, 2, 3, 5];
const OSFXSR = 9;
/** FSW.ES: an exception is pending that FCW does not mask. */
const ES = 7;

/** SSE: #UD where the system emulates (CR0.EM) or does not save the state (CR4.OSFXSR = 0), #NM after a task switch. */
export function requireSse(m: Microcode): void {
  m.faultIf(m.state('CR0').bit(EM), '#UD');
  m.faultIf(m.state('CR4').bit(OSFXSR).not(), '#UD');
  m.faultIf(m.state('CR0').bit(TS), '#NM');
}

/** MMX: as SSE, without CR4.OSFXSR; and the x87 exceptions that wait come first. */
export function requireMmx(m: Microcode): void {
  m.faultIf(m.state('CR0').bit(EM), '#UD');
  m.faultIf(m.state('CR0').bit(TS), '#NM');
  requireNoPendingException(m);
}

/** x87, and FXSAVE with it. */
export function requireX87(m: Microcode): void {
  m.faultIf(m.state('CR0').bit(EM), '#NM');
  m.faultIf(m.state('CR0').bit(TS), '#NM');
}

/** WAIT: #NM where CR0 has both MP and TS. */
export function requireMonitoredCoprocessor(m: Microcode): void {
  m.faultIf(m.state('CR0').bit(MP).and(m.state('CR0').bit(TS)), '#NM');
}

/**
 * #MF where CR0.NE is set. With NE = 0 a PC would hear of it through FERR# and its interrupt 13; here IGNNE# is held active,
 * so the instruction goes on (SDM vol. 1, "MS-DOS Compatibility Sub-mode").
 */
export function requireNoPendingException(m: Microcode): void {
  m.faultIf(m.vector('FSW', 16).bit(ES).and(m.state('CR0').bit(NE)), '#MF');
}

const isMmx = (operand: Operand): boolean =>
  operand.kind === 'vector' && MMX_REGISTERS.some(register => register === operand.register);

/** The checks that the registers of an instruction ask for. */
export function requireVectorUnit(i: Instruction, m: Microcode): void {
  if (i.operands.some(isMmx)) requireMmx(m);
  else requireSse(m);
}

/** #GP(0) unless the linear address is a multiple of `bytes`. */
export function requireAligned(m: Microcode, operand: MemoryOperand, bytes: number): void {
  const {segment, offset} = m.address(operand);
  m.invoke(HELPERS.requireAlignment, segmentNumber(m, segment), offset, m.constant(BigInt(bytes), 16));
}

/** How many bits an operand has by itself; a register of a general file only where it is named with a width. */
export function vectorWidth(operand: Operand): Width {
  if (operand.kind === 'vector') return isMmx(operand) ? 64 : 128;
  return assertExists(
    WIDTHS.find(width => 'width' in operand && width === operand.width),
    'the operand has a width',
  );
}
const WIDTHS = [16, 32, 64, 128] as const;

/** A source operand at the width of the destination; a 128-bit one in memory must be aligned. */
export function readSource(m: Microcode, operand: Operand, width: Width): Value {
  if (operand.kind !== 'memory') return m.read(operand, width);
  const own = vectorWidth(operand);
  if (own === 128) requireAligned(m, operand, 16);
  const value = m.read(operand, own);
  return own === width ? value : value.zeroExtend(width);
}

/** Writes a register whole; an MMX register is part of an 80-bit one, whose other bits become ones. */
export function writeVector(m: Microcode, operand: Operand, value: Value): void {
  m.write(operand, value);
  const register = operand.kind === 'vector' ? MMX_REGISTERS.find(each => each === operand.register) : undefined;
  if (register !== undefined) fillExponent(m, register);
}

function fillExponent(m: Microcode, register: MmxRegister): void {
  m.setVector(`${register}.exponent`, m.constant(0xffffn, 16));
}

/** Every MMX instruction but EMMS leaves the x87 stack with its top at R0 and all registers marked as holding something. */
export function useMmxRegisters(i: Instruction, m: Microcode): void {
  if (!i.operands.some(isMmx)) return;
  m.setVector('FSW', m.vector('FSW', 16).and(~0x3800n & 0xffffn));
  m.setVector('FTW', m.constant(0xffn, 8));
}
