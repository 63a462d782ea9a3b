// What the manual says of loading a segment register and of using it, written down a second time and as plainly as possible,
// to hold the processor's own code against. Nothing here comes from the code that it judges.
// SDM vol. 2, "MOV—Move", its operation; SDM vol. 3A, "Limit Checking", "Type Checking"; SDM vol. 1, "I/O Permission Bit Map".

export type OracleMode = 'real' | 'virtual-8086' | 'protected' | 'compatibility' | '64-bit';
export type DataRegister = 'ES' | 'SS' | 'DS' | 'FS' | 'GS';

/** `13:58`: vector and error code in hexadecimal; 'none' where nothing faults. */
export type Verdict = string;

export interface Loading {
  readonly mode: OracleMode;
  readonly cpl: number;
  readonly register: DataRegister;
  readonly selector: number;
  /** What lies in the table at the selector's index. */
  readonly descriptor: bigint;
  readonly gdtLimit: number;
  /** -1: there is no LDT. */
  readonly ldtLimit: number;
}

const bits = (value: bigint, high: number, low: number): number =>
  Number((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
const fault = (vector: number, errorCode: number): Verdict => `${vector}:${errorCode.toString(16)}`;

export function loadVerdict(load: Loading): Verdict {
  if (load.mode === 'real' || load.mode === 'virtual-8086') return 'none';
  const rpl = load.selector & 3;
  const error = load.selector & 0xfffc;
  const isNull = load.selector <= 3;
  if (load.register === 'SS' && isNull)
    return load.mode === '64-bit' && load.cpl !== 3 && rpl === load.cpl ? 'none' : fault(13, 0);
  if (isNull) return 'none';
  const limit = (load.selector & 4) === 0 ? load.gdtLimit : load.ldtLimit;
  if ((load.selector | 7) > limit) return fault(13, error);
  const type = bits(load.descriptor, 44, 40);
  const dpl = bits(load.descriptor, 46, 45);
  const isPresent = bits(load.descriptor, 47, 47) === 1;
  if (load.register === 'SS') {
    const isWritableData = type === 0x12 || type === 0x13 || type === 0x16 || type === 0x17;
    if (rpl !== load.cpl || !isWritableData || dpl !== load.cpl) return fault(13, error);
    return isPresent ? 'none' : fault(12, error);
  }
  const isData = type >= 0x10 && type <= 0x17;
  const isReadableCode = type === 0x1a || type === 0x1b || type === 0x1e || type === 0x1f;
  if (!isData && !isReadableCode) return fault(13, error);
  const isConforming = type >= 0x1c;
  if (!isConforming && (rpl > dpl || load.cpl > dpl)) return fault(13, error);
  return isPresent ? 'none' : fault(11, error);
}

/** Base and limit that a load leaves in the register. */
export function hiddenPart(descriptor: bigint): {readonly base: number; readonly limit: number} {
  const base = bits(descriptor, 31, 16) + bits(descriptor, 39, 32) * 2 ** 16 + bits(descriptor, 63, 56) * 2 ** 24;
  const raw = bits(descriptor, 15, 0) + bits(descriptor, 51, 48) * 2 ** 16;
  return {base, limit: bits(descriptor, 55, 55) === 1 ? raw * 4096 + 4095 : raw};
}

export interface Using {
  readonly mode: Exclude<OracleMode, '64-bit'>;
  readonly register: DataRegister;
  /** Undefined after a null selector. In real and virtual-8086 mode it does not matter. */
  readonly descriptor: bigint | undefined;
  readonly offset: number;
  readonly bytes: number;
  readonly access: 'read' | 'write';
}

/** Whether a use of the register faults for reasons of segmentation; what lies behind the address is not asked. */
export function useVerdict({mode, register, descriptor, offset, bytes, access}: Using): Verdict {
  const vector = register === 'SS' ? 12 : 13;
  const last = offset + bytes - 1;
  // In real mode the handler finds no error code on its stack; the exception is told as #GP(0) all the same.
  if (mode === 'real' || mode === 'virtual-8086') return last > 0xffff ? fault(vector, 0) : 'none';
  if (descriptor === undefined) return fault(13, 0);
  const type = bits(descriptor, 44, 40);
  if (access === 'write' && (type >= 0x18 || (type & 2) === 0)) return fault(vector, 0);
  const {limit} = hiddenPart(descriptor);
  const isExpandDown = type >= 0x14 && type <= 0x17;
  const top = bits(descriptor, 54, 54) === 1 ? 0xffff_ffff : 0xffff;
  const isInside = isExpandDown ? offset > limit && last <= top : last <= limit;
  return isInside ? 'none' : fault(vector, 0);
}

export interface PortUse {
  readonly mode: OracleMode;
  readonly cpl: number;
  readonly iopl: number;
  readonly port: number;
  readonly bytes: number;
  readonly tssLimit: number;
  readonly mapBase: number;
  /** The TSS, as far as its limit and two bytes more. */
  readonly tss: Uint8Array;
}

export function portVerdict({mode, cpl, iopl, port, bytes, tssLimit, mapBase, tss}: PortUse): Verdict {
  if (mode === 'real') return 'none';
  if (mode !== 'virtual-8086' && cpl <= iopl) return 'none';
  for (let each = port; each < port + bytes; each++) {
    const at = mapBase + (each >> 3);
    // Two bytes are read for every access, so the byte after the first one must lie within the segment too.
    if (mapBase + (port >> 3) + 1 > tssLimit) return fault(13, 0);
    if ((((tss[at] ?? 0xff) >> (each & 7)) & 1) === 1) return fault(13, 0);
  }
  return 'none';
}
