// A page of 32-bit registers as a region of physical memory.

import type {MmioRegion} from '@hyperscope/machine';

export interface RegisterFile32 {
  readRegister(offset: number): number;
  writeRegister(offset: number, value: number): void;
}

const PAGE = 0x1000;

/**
 * Reads of any width give the bytes of the registers they cover. Writes narrower than 32 bits are lost: the SDM leaves
 * them undefined (vol. 3A, "The Local APIC Block Diagram"). While 'absent', nothing answers: all ones.
 */
export function registerPage(
  name: string,
  place: () => number,
  registers: RegisterFile32,
  state: () => 'present' | 'absent',
): MmioRegion {
  return {
    name,
    get start() {
      return place();
    },
    length: PAGE,
    read: (offset, bytes) => {
      if (state() === 'absent') return (1n << BigInt(8 * bytes)) - 1n;
      const word = BigInt(registers.readRegister(offset & ~3) >>> 0) >> BigInt(8 * (offset & 3));
      return BigInt.asUintN(8 * bytes, word);
    },
    write: (offset, bytes, value) => {
      if (state() === 'present' && bytes >= 4 && (offset & 3) === 0)
        registers.writeRegister(offset, Number(value & 0xffff_ffffn));
    },
  };
}
