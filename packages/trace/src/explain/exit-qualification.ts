// The exit qualification, taken apart: what the processor adds to the reason of an exit.
// SDM vol. 3C, "Exit Qualification".

import {GENERAL_REGISTERS, exceptionAt} from '@hyperscope/isa';
import {bit, bits, hex} from '@hyperscope/base';
import type {VmExitInformation} from '@hyperscope/machine';
import {portName} from './port-names.js';
import {describeSvmExit} from './svm-exit-words.js';

export interface IoQualification {
  readonly port: number;
  readonly direction: 'in' | 'out';
  readonly bytes: number;
  readonly string: boolean;
  readonly repeated: boolean;
  /** Whether the port is in the instruction rather than in DX. */
  readonly immediate: boolean;
}

/**
 * SDM vol. 3C, "Exit Qualification for I/O Instructions":
 * 2:0 size − 1 · 3 IN · 4 string · 5 REP · 6 immediate operand · 31:16 port.
 */
export function ioQualification(qualification: bigint): IoQualification {
  return {
    port: Number(bits(qualification, 31, 16)),
    direction: bit(qualification, 3) ? 'in' : 'out',
    bytes: Number(bits(qualification, 2, 0)) + 1,
    string: bit(qualification, 4),
    repeated: bit(qualification, 5),
    immediate: bit(qualification, 6),
  };
}

/** What an exit was about, as a phrase: 'port 0x3f8 (the first serial port), out, 1 byte'; undefined where the reason says it all. */
export function describeQualification(exit: VmExitInformation): string | undefined {
  if (exit.svm !== undefined) return describeSvmExit(exit.svm);
  switch (exit.reason & 0xffff) {
    case 0:
      return describeInterruption(exit);
    case 9:
      return `task switch to TSS selector ${hex(bits(exit.qualification, 15, 0))} by ${['CALL', 'IRET', 'JMP', 'a task gate'][Number(bits(exit.qualification, 31, 30))] ?? ''}`;
    case 14:
      return `linear address ${hex(exit.qualification)}`;
    case 28:
      return describeControlRegister(exit.qualification);
    case 29:
      return describeDebugRegister(exit.qualification);
    case 30:
      return describeIo(ioQualification(exit.qualification));
    case 48:
      return describeEptViolation(exit);
    case 49:
      return `guest-physical address ${hex(exit.guestPhysicalAddress)}`;
    default:
      return undefined;
  }
}

function describeIo(io: IoQualification): string {
  const name = portName(io.port);
  const kind = io.string ? `${io.repeated ? 'repeated ' : ''}string ${io.direction}` : io.direction;
  return `port ${hex(io.port)}${name === undefined ? '' : ` (${name})`}, ${kind}, ${io.bytes} byte${io.bytes === 1 ? '' : 's'}`;
}

/** 3:0 register · 5:4 0 MOV to, 1 MOV from, 2 CLTS, 3 LMSW · 11:8 general register · 31:16 LMSW source. */
function describeControlRegister(qualification: bigint): string {
  const register = `CR${bits(qualification, 3, 0)}`;
  const general = GENERAL_REGISTERS[Number(bits(qualification, 11, 8))] ?? 'a register';
  switch (Number(bits(qualification, 5, 4))) {
    case 0:
      return `MOV to ${register} from ${general}`;
    case 1:
      return `MOV from ${register} to ${general}`;
    case 2:
      return 'CLTS';
    default:
      return `LMSW with ${hex(bits(qualification, 31, 16), 4)}`;
  }
}

/** 2:0 register · 4 direction (1: from DR) · 11:8 general register. */
function describeDebugRegister(qualification: bigint): string {
  const general = GENERAL_REGISTERS[Number(bits(qualification, 11, 8))] ?? 'a register';
  const register = `DR${bits(qualification, 2, 0)}`;
  return bit(qualification, 4) ? `MOV from ${register} to ${general}` : `MOV to ${register} from ${general}`;
}

/** 0 read · 1 write · 2 fetch · 5:3 what the entries allowed · 7 linear address valid · 8 final translation. */
function describeEptViolation(exit: VmExitInformation): string {
  const {qualification} = exit;
  const names = (first: number): string[] => ['read', 'write', 'fetch'].filter((_, i) => bit(qualification, first + i));
  const access = names(0).join(' and ') || 'access';
  const allowed = names(3);
  const through = !bit(qualification, 7)
    ? ''
    : bit(qualification, 8)
      ? `, reached through linear address ${hex(exit.guestLinearAddress)}`
      : `, an entry of a guest page table on the way to linear address ${hex(exit.guestLinearAddress)}`;
  return (
    `${access} of guest-physical address ${hex(exit.guestPhysicalAddress)}${through}; ` +
    (allowed.length === 0 ? 'EPT has no entry for it' : `EPT allows only: ${allowed.join(', ')}`)
  );
}

/** Interruption information: 7:0 vector · 10:8 type · 11 error code valid · 31 valid. */
function describeInterruption(exit: VmExitInformation): string {
  const vector = exit.interruptionInformation & 0xff;
  const name = exceptionAt(vector)?.name ?? `vector ${vector}`;
  const code = (exit.interruptionInformation & 0x800) === 0 ? '' : `, error code ${hex(exit.interruptionErrorCode)}`;
  return `${name}${code}${vector === 14 ? `, linear address ${hex(exit.qualification)}` : ''}`;
}
