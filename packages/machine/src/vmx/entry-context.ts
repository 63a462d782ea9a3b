// What the checks of a VM entry look at: the VMCS, its controls, what the processor can do, and its own state.

import type {VmcsFieldName} from '@hyperscope/isa';
import type {Core} from '../cpu/core.js';
import type {CheckedValue} from './check-list.js';
import {Controls} from './controls.js';
import type {Vmcs} from './vmcs.js';
import type {VmxCapabilities} from './capabilities.js';

export class EntryContext {
  readonly core: Core;
  readonly vmcs: Vmcs;
  readonly capabilities: VmxCapabilities;
  readonly controls: Controls;
  /** Guest state. */
  readonly ia32eGuest: boolean;
  readonly host64: boolean;
  readonly protection: boolean;
  readonly paging: boolean;
  readonly virtual8086: boolean;

  constructor(core: Core, vmcs: Vmcs, capabilities: VmxCapabilities) {
    this.core = core;
    this.vmcs = vmcs;
    this.capabilities = capabilities;
    this.controls = new Controls(vmcs);
    this.ia32eGuest = this.controls.entry('IA-32e mode guest');
    this.host64 = this.controls.exit('host address-space size');
    this.protection = vmcs.bit('GUEST_CR0', 0);
    this.paging = vmcs.bit('GUEST_CR0', 31);
    this.virtual8086 = vmcs.bit('GUEST_RFLAGS', 17);
  }

  get(name: VmcsFieldName): bigint {
    return this.vmcs.get(name);
  }
  /** A field with its name, as a value that went into a check. */
  field(name: VmcsFieldName): CheckedValue {
    return [name, this.vmcs.get(name)];
  }

  /** Bits 63:47 are all equal: what a linear address of four-level paging must look like. */
  canonical(address: bigint): boolean {
    return BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;
  }
  /** No bit beyond the processor's physical-address width. */
  physical(address: bigint): boolean {
    return address >> BigInt(this.core.profile.physicalAddressBits) === 0n;
  }
}
