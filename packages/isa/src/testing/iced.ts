// For tests: the oracle. iced-x86 decodes and formats; its answers are copied out, because its objects are freed by hand.

import {CC_e, CC_ne, Code, Decoder, DecoderOptions, Formatter, FormatterSyntax} from 'iced-x86';
import type {CodeSize} from '../instruction.js';

export interface IcedAnswer {
  readonly valid: boolean;
  readonly length: number;
  readonly text: string;
}

/** What iced makes of the first instruction of some bytes, which stand at `rip`. */
export function askIced(bytes: Uint8Array, codeSize: CodeSize, rip: bigint): IcedAnswer {
  const decoder = new Decoder(codeSize, bytes, DecoderOptions.None);
  decoder.ip = rip;
  const instruction = decoder.decode();
  const answer = {
    valid: instruction.code !== Code.INVALID,
    length: instruction.length,
    text: FORMATTER.format(instruction),
  };
  instruction.free();
  decoder.free();
  return answer;
}

/** One for all tests: making one costs more than a format. */
const FORMATTER = nasmFormatter();

/** NASM as we write it: 0x, lower case, no leading zeros, a space after the comma, JZ for JE. */
function nasmFormatter(): Formatter {
  const formatter = new Formatter(FormatterSyntax.Nasm);
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  formatter.spaceAfterOperandSeparator = true;
  formatter.addLeadingZeroToHexNumbers = false;
  formatter.branchLeadingZeros = false;
  formatter.showBranchSize = false;
  formatter.cc_e = CC_e.z;
  formatter.cc_ne = CC_ne.nz;
  return formatter;
}
