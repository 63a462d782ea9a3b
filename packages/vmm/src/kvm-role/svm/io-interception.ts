// IN, OUT, INS and OUTS as EXITINFO1 describes them. Linux, arch/x86/kvm/svm/svm.c: io_interception.
//
//   0 IN · 2 string · 3 REP · 4 5 6: 8, 16, 32 bits · 7 8 9: addresses of 16, 32, 64 bits · 12:10 segment · 31:16 port

import {bit, bits} from '@hyperscope/base';
import {SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {SegmentRegister} from '@hyperscope/isa';
import type {IoExit} from '../hardware.js';
import type {SvmHardware} from './svm-hardware.js';

const IN = 0;
const STRING = 2;
const REP = 3;
const LONG = 13;

export function decodeIo(hardware: SvmHardware): IoExit {
  const info = hardware.vmcb.get('EXITINFO1');
  const direction = bit(info, IN) ? 'in' : 'out';
  const form = bit(info, STRING) ? 'string' : 'plain';
  const addressWidth = bit(info, 9) ? 64 : bit(info, 8) ? 32 : 16;
  return {
    bytes: bit(info, 6) ? 4 : bit(info, 5) ? 2 : 1,
    direction,
    form,
    repeated: bit(info, REP),
    port: Number(bits(info, 31, 16)),
    linear: form === 'plain' ? 0n : elementAddress(hardware, direction, addressWidth),
    addressWidth,
  };
}

/** VT-x tells the linear address of the element; here it is segment base + rSI or rDI. */
function elementAddress(hardware: SvmHardware, direction: 'in' | 'out', width: 16 | 32 | 64): bigint {
  const index = BigInt.asUintN(width, hardware.get(direction === 'in' ? 'RDI' : 'RSI'));
  const segment = direction === 'in' ? 'ES' : sourceSegment(hardware);
  const is64 = bit(hardware.get('CS.attributes'), LONG);
  const base = is64 && segment !== 'FS' && segment !== 'GS' ? 0n : hardware.get(`${segment}.base`);
  return BigInt.asUintN(is64 ? 64 : 32, base + index);
}

/** OUTS reads from DS or where a prefix says; without decode assists only the instruction itself tells. */
function sourceSegment({host, vmcb}: SvmHardware): SegmentRegister {
  if (host.machine.processor.features.decodeAssists)
    return SEGMENT_REGISTERS[Number(bits(vmcb.get('EXITINFO1'), 12, 10))] ?? 'DS';
  const fetched = host.emulator.fetch();
  return 'microcode' in fetched ? (fetched.microcode.instruction.prefixes.segment ?? 'DS') : 'DS';
}
