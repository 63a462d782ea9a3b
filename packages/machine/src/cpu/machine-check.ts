// The machine-check registers of a processor without error-reporting banks: nothing here ever breaks, so no machine check
// comes, and software that asks finds none. SDM vol. 3B, "Machine-Check Architecture".
//
//   IA32_MCG_CAP     7:0 Count (0)  8 MCG_CTL_P (0)         IA32_MCG_STATUS  0 RIPV  1 EIPV  2 MCIP
//   IA32_P5_MC_ADDR, IA32_P5_MC_TYPE: what the Pentium notes of a bus or parity error

import type {Bank, Observer} from '../observer.js';
import {Checklist, shown} from './faults.js';
import type {ProcessorFeatures} from './features.js';
import type {Trouble} from './trouble.js';

const P5_MC_ADDR = 0,
  P5_MC_TYPE = 1,
  MCG_CAP = 0x179,
  MCG_STATUS = 0x17a;
const STATUS_BITS = 7n;

export class MachineCheck {
  readonly #status = new BigUint64Array(1);
  readonly bank: Bank = {name: 'machine-check', bytes: new Uint8Array(this.#status.buffer)};
  observer: Observer | undefined;
  readonly #features: ProcessorFeatures;

  constructor(features: ProcessorFeatures) {
    this.#features = features;
  }

  /** The value of an MSR; undefined where the processor has none of that number here. */
  read(msr: number): bigint | undefined {
    switch (msr) {
      case P5_MC_ADDR:
      case P5_MC_TYPE:
        return this.#features.mce ? 0n : undefined;
      case MCG_CAP:
        return this.#features.mca ? 0n : undefined;
      case MCG_STATUS:
        return this.#features.mca ? (this.#status[0] ?? 0n) : undefined;
      default:
        return undefined;
    }
  }

  /** 'unknown' where the number is not that of a machine-check MSR that can be written: the others are read-only. */
  write(msr: number, value: bigint): Trouble | 'unknown' | undefined {
    if (msr !== MCG_STATUS || !this.#features.mca) return 'unknown';
    const checks = new Checklist('SDM vol. 3B, "IA32_MCG_STATUS MSR"');
    const reserved = value & ~STATUS_BITS;
    if (!checks.require('reserved bits = 0', reserved === 0n, shown('value', value))) return checks.fault('#GP', 0);
    this.observer?.willWrite('machine-check', 0, 8);
    this.#status[0] = value;
    return undefined;
  }
}
