// The operand of VMRUN, VMLOAD and VMSAVE: rAX as the physical address of a VMCB.

import type {Core} from '../cpu/core.js';
import {faultBecause, shown} from '../cpu/faults.js';
import type {Trouble} from '../cpu/trouble.js';
import {Vmcb} from './vmcb.js';

/** #GP(0) unless the address is aligned to 4 KiB and within the physical-address width. */
export function vmcbAt(core: Core, name: 'VMRUN' | 'VMLOAD' | 'VMSAVE', address: bigint): Vmcb | Trouble {
  const width = core.profile.physicalAddressBits;
  if ((address & 0xfffn) === 0n && address >> BigInt(width) === 0n) return new Vmcb(core.memory, Number(address));
  return faultBecause(
    '#GP',
    0,
    `rAX is aligned to 4 KiB and has at most ${width} bits`,
    [shown('rAX', address)],
    `APM vol. 3, "${name}"`,
  );
}
