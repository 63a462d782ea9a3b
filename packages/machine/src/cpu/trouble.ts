// Why an instruction did not complete. What the guest did is a value: it is returned, never thrown.

import type {Checks, VmExitInformation} from '../observer.js';

export interface Fault {
  readonly kind: 'fault';
  /** 0 to 31. */
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** The linear address that goes into CR2, for #PF. */
  readonly address: bigint | undefined;
  readonly checks: Checks;
  /**
   * Why a #DB: the bits that its delivery adds to DR6 (B0 to B3, BD, BS, BT). A VM exit has them in its qualification instead,
   * and leaves DR6 alone.
   */
  readonly debugStatus?: bigint;
}

export type Trouble =
  | Fault
  /** The running guest must be left: the exit is complete but not yet carried out. */
  | {readonly kind: 'vm-exit'; readonly exit: VmExitInformation}
  /** Outside what the simulator supports; the run stops and says so. */
  | {readonly kind: 'unsupported'; readonly what: string; readonly bytes: Uint8Array};
