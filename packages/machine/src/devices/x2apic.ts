// x2APIC mode: the local APIC's registers as MSRs 800h to 83Fh, in place of the page at FEE0_0000.
// SDM vol. 3A, "Extended XAPIC (x2APIC)", "x2APIC Register Address Space", "Reserved Bit Checking".

/** What IA32_APIC_BASE makes of the local APIC: bit 11 EN, bit 10 EXTD. */
export type ApicMode = 'off' | 'xAPIC' | 'x2APIC' | 'invalid';

const MODES = ['off', 'invalid', 'xAPIC', 'x2APIC'] as const;

export function apicModeOf(base: bigint): ApicMode {
  return MODES[Number((base >> 10n) & 3n)] ?? 'off';
}

/** Whether software may go from one mode to the other. SDM vol. 3A, "x2APIC State Transitions". */
export function isApicTransition(from: ApicMode, to: ApicMode): boolean {
  if (from === to) return true;
  if (to === 'invalid') return false;
  if (from === 'x2APIC') return to === 'off';
  return !(from === 'off' && to === 'x2APIC');
}

const FIRST_MSR = 0x800;
const LAST_MSR = 0x8ff;
export const isX2ApicMsr = (index: number): boolean => index >= FIRST_MSR && index <= LAST_MSR;
/** The offset that the register has in the page. */
const offsetOf = (index: number): number => (index - FIRST_MSR) << 4;

export const SELF_IPI = 0x3f0;
const COMMAND = 0x300;
const LOCAL_VECTOR = 0x7_ffff;
/** Offsets of registers that can be written, with the bits that may be 1. */
const WRITABLE: ReadonlyMap<number, number> = new Map([
  [0x80, 0xff],
  [0xb0, 0],
  [0xf0, 0x3ff],
  [0x280, 0],
  [0x320, LOCAL_VECTOR],
  [0x330, LOCAL_VECTOR],
  [0x340, LOCAL_VECTOR],
  [0x350, LOCAL_VECTOR],
  [0x360, LOCAL_VECTOR],
  [0x370, LOCAL_VECTOR],
  [0x380, 0xffff_ffff],
  [0x3e0, 0xb],
  [SELF_IPI, 0xff],
]);
const WRITE_ONLY: ReadonlySet<number> = new Set([0xb0, SELF_IPI]);
const READ_ONLY: ReadonlySet<number> = new Set([
  0x20,
  0x30,
  0xa0,
  0xd0,
  0x390,
  ...[0x100, 0x180, 0x200].flatMap(base => Array.from({length: 8}, (_, part) => base + 16 * part)),
]);
/** Bits of the interrupt command that must be 0; delivery status (12) is ignored. */
const COMMAND_RESERVED = 0xfff3_2000n;
const COMMAND_IGNORED = 0x1000n;

/** The registers, by their offsets in the page. The interrupt command is one register of 64 bits here. */
export interface X2ApicRegisters {
  readRegister(offset: number): number;
  writeRegister(offset: number, value: number): void;
  readonly command: bigint;
  sendCommand(command: bigint): void;
  sendToSelf(vector: number): void;
}

/** RDMSR; undefined where there is nothing to read, which is #GP(0). */
export function readX2Apic(registers: X2ApicRegisters, index: number): bigint | undefined {
  const offset = offsetOf(index);
  if (offset === COMMAND) return registers.command;
  const isReadable = READ_ONLY.has(offset) || (WRITABLE.has(offset) && !WRITE_ONLY.has(offset));
  return isReadable ? BigInt(registers.readRegister(offset) >>> 0) : undefined;
}

/** WRMSR; 'refused' is #GP(0): no such register, not writable, or a reserved bit is set. */
export function writeX2Apic(registers: X2ApicRegisters, index: number, value: bigint): 'written' | 'refused' {
  const offset = offsetOf(index);
  if (offset === COMMAND) {
    if ((value & COMMAND_RESERVED) !== 0n) return 'refused';
    registers.sendCommand(value & ~COMMAND_IGNORED);
    return 'written';
  }
  const allowed = WRITABLE.get(offset);
  if (allowed === undefined || (value & ~BigInt(allowed)) !== 0n) return 'refused';
  if (offset === SELF_IPI) registers.sendToSelf(Number(value));
  else registers.writeRegister(offset, Number(value));
  return 'written';
}
