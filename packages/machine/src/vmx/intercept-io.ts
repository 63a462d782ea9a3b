// IN, OUT, INS, OUTS. With I/O bitmaps, the port's bit decides and "unconditional I/O exiting" is ignored; an access to
// several ports exits if any of their bits is 1. SDM vol. 3C, "I/O-Bitmap Addresses"; qualification: "Exit Qualification
// for I/O Instructions":
//
//   2:0 bytes − 1 · 3 direction (1 = IN) · 4 string · 5 REP · 6 port in an immediate · 31:16 port

import {hex, hpa} from '@hyperscope/base';
import {SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {SegmentRegister} from '@hyperscope/isa';
import {check} from '../cpu/faults.js';
import {is64Bit} from '../cpu/modes.js';
import type {Check} from '../observer.js';
import {CONDITIONAL, primaryCheck} from './intercept-context.js';
import type {InterceptDecision, InterceptRule, Intercepted} from './intercept-context.js';
import {stringInformation} from './instruction-information.js';

interface PortAccess {
  readonly port: number;
  readonly bytes: number;
  readonly immediate: boolean;
}

function portAccess({core, instruction}: Intercepted): PortAccess {
  const bytes = instruction.width === 64 ? 4 : instruction.width / 8;
  for (const operand of instruction.operands) {
    if (operand.kind === 'immediate') return {port: Number(operand.value & 0xffn), bytes, immediate: true};
  }
  return {port: Number(core.registers.get('RDX') & 0xffffn), bytes, immediate: false};
}

/** Why the access exits: the checks up to the one that decided; undefined when it does not. */
function whyExits({core, controls}: Intercepted, access: PortAccess): readonly Check[] | undefined {
  const bitmaps = primaryCheck(controls, 'use I/O bitmaps');
  if (!bitmaps.holds) {
    const unconditional = primaryCheck(controls, 'unconditional I/O exiting');
    return unconditional.holds ? [bitmaps, unconditional] : undefined;
  }
  if (access.port + access.bytes > 0x1_0000) {
    return [
      bitmaps,
      check('the access wraps around from port FFFFh to port 0', true, [['port', hex(access.port)]], CONDITIONAL),
    ];
  }
  for (let port = access.port; port < access.port + access.bytes; port++) {
    const bitmap = port < 0x8000 ? 'A' : 'B';
    const base = controls.vmcs.get(bitmap === 'A' ? 'IO_BITMAP_A_ADDRESS' : 'IO_BITMAP_B_ADDRESS');
    const byte = Number(core.memory.read(hpa(Number(base) + ((port & 0x7fff) >> 3)), 1));
    if (((byte >> (port & 7)) & 1) === 0) continue;
    return [
      bitmaps,
      check(
        `bit ${hex(port & 0x7fff)} of I/O bitmap ${bitmap} = 1`,
        true,
        [
          ['port', hex(port)],
          [`I/O bitmap ${bitmap}`, hex(base)],
        ],
        CONDITIONAL,
      ),
    ];
  }
  return undefined;
}

function decide(
  intercepted: Intercepted,
  direction: 'in' | 'out',
  form: 'plain' | 'string',
): InterceptDecision | undefined {
  const access = portAccess(intercepted);
  const checks = whyExits(intercepted, access);
  if (checks === undefined) return undefined;
  const {instruction} = intercepted;
  const repeated = form === 'string' && instruction.prefixes.repeat !== 'none';
  const qualification =
    (access.bytes - 1) |
    (direction === 'in' ? 8 : 0) |
    (form === 'string' ? 16 : 0) |
    (repeated ? 32 : 0) |
    (access.immediate ? 64 : 0);
  const whole = BigInt(qualification) | (BigInt(access.port) << 16n);
  if (form === 'plain') return {reason: 'IO_INSTRUCTION', checks, details: {qualification: whole}};
  const segment = direction === 'in' ? 'ES' : (instruction.prefixes.segment ?? 'DS');
  return {
    reason: 'IO_INSTRUCTION',
    checks,
    details: {
      qualification: whole,
      guestLinearAddress: stringAddress(intercepted, direction, segment),
      instructionInformation: stringInformation(instruction, SEGMENT_REGISTERS.indexOf(segment)),
    },
  };
}

/** Where INS writes (ES:rDI) or OUTS reads (segment:rSI). */
function stringAddress({core, instruction}: Intercepted, direction: 'in' | 'out', segment: SegmentRegister): bigint {
  const offset = BigInt.asUintN(instruction.addressSize, core.registers.get(direction === 'in' ? 'RDI' : 'RSI'));
  const flat = is64Bit(core.registers) && segment !== 'FS' && segment !== 'GS';
  const linear = (flat ? 0n : core.registers.segment(segment, 'base')) + offset;
  return BigInt.asUintN(is64Bit(core.registers) ? 64 : 32, linear);
}

export const interceptIn: InterceptRule = intercepted => decide(intercepted, 'in', 'plain');
export const interceptOut: InterceptRule = intercepted => decide(intercepted, 'out', 'plain');
export const interceptIns: InterceptRule = intercepted => decide(intercepted, 'in', 'string');
export const interceptOuts: InterceptRule = intercepted => decide(intercepted, 'out', 'string');
