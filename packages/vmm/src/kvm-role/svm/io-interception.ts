// IN, OUT, INS and OUTS as EXITINFO1 describes them. Linux, arch/x86/kvm/svm/svm.c: io_interception.
//
//   0 IN · 2 string · 3 REP · 4 5 6: 8, 16, 32 bits · 7 8 9: addresses of 16, 32, 64 bits · 12:10 segment · 31:16 port

import {bit, bits} from '@hyperscope/base';
import type {IoExit} from '../hardware.js';
import type {SvmHardware} from './svm-hardware.js';

const IN = 0;
const STRING = 2;

export function decodeIo(hardware: SvmHardware): IoExit {
  const info = hardware.vmcb.get('EXITINFO1');
  return {
    bytes: bit(info, 6) ? 4 : bit(info, 5) ? 2 : 1,
    direction: bit(info, IN) ? 'in' : 'out',
    form: bit(info, STRING) ? 'string' : 'plain',
    port: Number(bits(info, 31, 16)),
  };
}
