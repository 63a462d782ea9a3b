// IN, OUT, INS, OUTS by the I/O permissions map, RDMSR and WRMSR by the MSR permissions map.
// APM vol. 2, "I/O Intercepts" and "MSR Intercepts":
//
//   IOIO EXITINFO1   0 IN · 2 string · 3 REP · 4 5 6 8, 16, 32 bits · 7 8 9 addresses of 16, 32, 64 bits
//                    12:10 segment (decode assists) · 31:16 port; EXITINFO2: the next RIP
//   MSR  EXITINFO1   0 RDMSR, 1 WRMSR
//   MSRPM            two bits an MSR, read and write: 0–1FFF at +0, C0000000–C0001FFF at +800h, C0010000–C0011FFF at +1000h

import {hex, hpa} from '@hyperscope/base';
import {SEGMENT_REGISTERS, msrAt, svmInterceptExit} from '@hyperscope/isa';
import type {Instruction} from '@hyperscope/isa';
import {check} from '../cpu/faults.js';
import {INTERCEPT_SOURCE, interceptCheck} from './intercept-context.js';
import type {SvmIntercepted, SvmRule} from './intercept-context.js';

const WIDTH_BIT = {8: 1 << 4, 16: 1 << 5, 32: 1 << 6, 64: 1 << 6} as const;
const ADDRESS_BIT = {16: 1 << 7, 32: 1 << 8, 64: 1 << 9} as const;

/** Where instruction and direction alone decide about a string instruction's segment: INS writes through ES. */
function information(
  instruction: Instruction,
  direction: 'in' | 'out',
  port: number,
  segments: 'told' | 'not told',
): bigint {
  const isString = instruction.mnemonic.startsWith('INS') || instruction.mnemonic.startsWith('OUTS');
  const repeated = isString && instruction.prefixes.repeat !== 'none';
  const segment = direction === 'in' ? 'ES' : (instruction.prefixes.segment ?? 'DS');
  const word =
    (direction === 'in' ? 1 : 0) |
    (isString ? 4 : 0) |
    (repeated ? 8 : 0) |
    WIDTH_BIT[instruction.width] |
    ADDRESS_BIT[instruction.addressSize] |
    (isString && segments === 'told' ? SEGMENT_REGISTERS.indexOf(segment) << 10 : 0);
  return BigInt(word) | (BigInt(port) << 16n);
}

/** The ports of the access whose bits are set in the map; a port above FFFFh has a bit there too. */
function firstIntercepted({core, controls}: SvmIntercepted, port: number, bytes: number): number | undefined {
  const base = Number(controls.vmcb.get('IOPM_BASE_PA') & ~0xfffn);
  for (let at = port; at < port + bytes; at++) {
    const byte = Number(core.memory.read(hpa(base + (at >> 3)), 1));
    if (((byte >> (at & 7)) & 1) === 1) return at;
  }
  return undefined;
}

/** Arguments of the intercept: port, bytes. */
export const interceptPort =
  (direction: 'in' | 'out'): SvmRule =>
  intercepted => {
    const asked = interceptCheck(intercepted.controls, 'IOIO');
    if (!asked.holds) return undefined;
    const {core, instruction, args} = intercepted;
    const port = Number(args[0] ?? 0n);
    const hit = firstIntercepted(intercepted, port, Number(args[1] ?? 1n));
    if (hit === undefined) return undefined;
    const base = intercepted.controls.vmcb.get('IOPM_BASE_PA');
    const mapped = check(
      `bit ${hex(hit)} of the I/O permissions map = 1`,
      true,
      [
        ['port', hex(port)],
        ['I/O permissions map', hex(base)],
      ],
      INTERCEPT_SOURCE,
    );
    const next = core.instructionRip + BigInt(instruction.bytes.length);
    return {
      code: svmInterceptExit('IOIO'),
      checks: [asked, mapped],
      info1: information(instruction, direction, port, core.features.decodeAssists ? 'told' : 'not told'),
      info2: next,
    };
  };

const RANGES = [
  [0, 0],
  [0xc000_0000, 0x800],
  [0xc001_0000, 0x1000],
] as const;
const RANGE_MSRS = 0x2000;

/** Argument of the intercept: the MSR's number. */
export const interceptMsr =
  (access: 'read' | 'write'): SvmRule =>
  ({core, controls, args}) => {
    const asked = interceptCheck(controls, 'MSR');
    if (!asked.holds) return undefined;
    const msr = Number(args[0] ?? 0n);
    const named = [['MSR', `${hex(msr)}${nameOf(msr)}`]] as const;
    const exit = {code: svmInterceptExit('MSR'), info1: access === 'read' ? 0n : 1n};
    const range = RANGES.find(([first]) => msr >= first && msr < first + RANGE_MSRS);
    if (range === undefined) {
      const outside = check('the MSR lies in none of the ranges that the map covers', true, named, INTERCEPT_SOURCE);
      return {...exit, checks: [asked, outside]};
    }
    const [first, area] = range;
    const bit = (msr - first) * 2 + (access === 'read' ? 0 : 1);
    const base = Number(controls.vmcb.get('MSRPM_BASE_PA') & ~0xfffn);
    const byte = Number(core.memory.read(hpa(base + area + (bit >> 3)), 1));
    if (((byte >> (bit & 7)) & 1) === 0) return undefined;
    const rule = `the ${access} bit of the MSR in the permissions map = 1`;
    return {...exit, checks: [asked, check(rule, true, named, INTERCEPT_SOURCE)]};
  };

function nameOf(msr: number): string {
  const known = msrAt(msr);
  return known === undefined ? '' : ` (${known.name})`;
}
