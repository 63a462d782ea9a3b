// IN and OUT that the emulator met: what an exit would have reported of them. Linux, arch/x86/kvm/emulate.c: em_in, em_out.

import type {Instruction, Intercept} from '@hyperscope/isa';
import type {IoExit} from './hardware.js';
import type {Host} from './host-context.js';

export function emulatedIo(host: Host, intercept: Intercept, instruction: Instruction): IoExit {
  const {width} = instruction;
  return {
    bytes: width === 8 ? 1 : width === 16 ? 2 : 4,
    direction: intercept === 'IN' ? 'in' : 'out',
    form: 'plain',
    port: portOf(host, instruction),
  };
}

function portOf(host: Host, {operands}: Instruction): number {
  for (const operand of operands) if (operand.kind === 'immediate') return Number(operand.value & 0xffn);
  return Number(host.hardware.get('RDX') & 0xffffn);
}
