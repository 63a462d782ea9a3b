// IN, OUT, INS and OUTS that the emulator met: what an exit would have reported of them, kept in kvm_vcpu until user space
// has answered. Linux, arch/x86/kvm/x86.c: emulator_pio_in_out, struct kvm_pio_request.
//
//   emulated_io: 63 there is one · 33:32 address width 16, 32, 64 · 31:16 port · 5 repeated · 4 string · 3 IN · 2:0 bytes

import {bit, bits, hex} from '@hyperscope/base';
import type {Instruction, Intercept} from '@hyperscope/isa';
import type {IoExit} from './hardware.js';
import type {Host} from './host-context.js';
import type {KvmVcpu} from './kvm-vcpu.js';

const PRESENT = 1n << 63n;
const WIDTHS = [16, 32, 64] as const;
const LONG = 13;

export function rememberIo(host: Host, intercept: Intercept, instruction: Instruction): void {
  const input = intercept === 'IN' || intercept === 'INS';
  const string = intercept === 'INS' || intercept === 'OUTS';
  const repeated = string && instruction.prefixes.repeat !== 'none';
  const word =
    PRESENT |
    (BigInt(WIDTHS.indexOf(instruction.addressSize)) << 32n) |
    (portOf(host, instruction) << 16n) |
    (repeated ? 0x20n : 0n) |
    (string ? 0x10n : 0n) |
    (input ? 8n : 0n) |
    BigInt(instruction.width === 64 ? 4 : instruction.width / 8);
  host.vcpu.set('emulated_io', word);
  if (string) host.vcpu.set('emulated_io_linear', elementAddress(host, instruction, input ? 'in' : 'out'));
}

function portOf(host: Host, {operands}: Instruction): bigint {
  for (const operand of operands) if (operand.kind === 'immediate') return operand.value & 0xffn;
  return host.hardware.get('RDX') & 0xffffn;
}

/** Where INS writes (ES:rDI) or OUTS reads (segment:rSI). */
function elementAddress({hardware}: Host, instruction: Instruction, direction: 'in' | 'out'): bigint {
  const segment = direction === 'in' ? 'ES' : (instruction.prefixes.segment ?? 'DS');
  const offset = BigInt.asUintN(instruction.addressSize, hardware.get(direction === 'in' ? 'RDI' : 'RSI'));
  const is64 = bit(hardware.get('CS.attributes'), LONG);
  const base = is64 && segment !== 'FS' && segment !== 'GS' ? 0n : hardware.get(`${segment}.base`);
  return BigInt.asUintN(is64 ? 64 : 32, base + offset);
}

/** Undefined where the I/O instruction that is being handled really exited. */
export function emulatedIo(vcpu: KvmVcpu): IoExit | undefined {
  const word = vcpu.get('emulated_io');
  if ((word & PRESENT) === 0n) return undefined;
  const bytes = Number(word & 7n);
  return {
    bytes: bytes === 4 ? 4 : bytes === 2 ? 2 : 1,
    direction: bit(word, 3) ? 'in' : 'out',
    form: bit(word, 4) ? 'string' : 'plain',
    repeated: bit(word, 5),
    port: Number(bits(word, 31, 16)),
    linear: vcpu.get('emulated_io_linear'),
    addressWidth: WIDTHS[Number(bits(word, 33, 32))] ?? 32,
  };
}

export const describeIo = ({vcpu}: Host): string => `port ${hex(emulatedIo(vcpu)?.port ?? 0)}`;
