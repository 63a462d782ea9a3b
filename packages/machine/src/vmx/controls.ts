// The controls of one VMCS, read once: what the processor keeps at hand while the guest runs.
// They cannot change under a running guest (VMWRITE needs root operation), so a snapshot taken for one version of the
// VMCS's page stays good until that page is written.

import {ENTRY_CONTROLS, EXIT_CONTROLS, PIN_CONTROLS, PRIMARY_CONTROLS, SECONDARY_CONTROLS} from './control-bits.js';
import type {EntryControl, ExitControl, PinControl, PrimaryControl, SecondaryControl} from './control-bits.js';
import type {Vmcs} from './vmcs.js';

const has = (word: bigint, bit: number): boolean => ((word >> BigInt(bit)) & 1n) === 1n;

export class Controls {
  readonly vmcs: Vmcs;
  readonly pinWord: bigint;
  readonly primaryWord: bigint;
  /** 0 unless "activate secondary controls" is 1: the processor then acts as if every bit were 0. */
  readonly secondaryWord: bigint;
  readonly exitWord: bigint;
  readonly entryWord: bigint;
  readonly exceptionBitmap: bigint;
  readonly cr0Mask: bigint;
  readonly cr0Shadow: bigint;
  readonly cr4Mask: bigint;
  readonly cr4Shadow: bigint;
  readonly eptPointer: bigint;
  /** Read for every translation, so kept as plain values. */
  readonly usesEpt: boolean;
  readonly unrestrictedGuest: boolean;
  readonly interruptWindow: boolean;
  readonly tprShadow: boolean;
  readonly preemptionTimer: boolean;
  readonly monitorTrap: boolean;
  /** Asked before every instruction: interrupt-window or NMI-window exiting, the timer or the trap flag. */
  readonly anyWindow: boolean;

  constructor(vmcs: Vmcs) {
    this.vmcs = vmcs;
    this.pinWord = vmcs.get('PIN_BASED_VM_EXECUTION_CONTROLS');
    this.primaryWord = vmcs.get('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS');
    const secondary = vmcs.get('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS');
    this.secondaryWord = has(this.primaryWord, PRIMARY_CONTROLS['activate secondary controls']) ? secondary : 0n;
    this.exitWord = vmcs.get('VM_EXIT_CONTROLS');
    this.entryWord = vmcs.get('VM_ENTRY_CONTROLS');
    this.exceptionBitmap = vmcs.get('EXCEPTION_BITMAP');
    this.cr0Mask = vmcs.get('CR0_GUEST_HOST_MASK');
    this.cr0Shadow = vmcs.get('CR0_READ_SHADOW');
    this.cr4Mask = vmcs.get('CR4_GUEST_HOST_MASK');
    this.cr4Shadow = vmcs.get('CR4_READ_SHADOW');
    this.eptPointer = vmcs.get('EPT_POINTER');
    this.usesEpt = this.secondary('enable EPT');
    this.unrestrictedGuest = this.secondary('unrestricted guest');
    this.interruptWindow = this.primary('interrupt-window exiting');
    this.tprShadow = this.primary('use TPR shadow');
    this.preemptionTimer = this.pin('activate VMX-preemption timer');
    this.monitorTrap = this.primary('monitor trap flag');
    this.anyWindow =
      this.interruptWindow || this.primary('NMI-window exiting') || this.preemptionTimer || this.monitorTrap;
  }

  pin(name: PinControl): boolean {
    return has(this.pinWord, PIN_CONTROLS[name]);
  }
  primary(name: PrimaryControl): boolean {
    return has(this.primaryWord, PRIMARY_CONTROLS[name]);
  }
  secondary(name: SecondaryControl): boolean {
    return has(this.secondaryWord, SECONDARY_CONTROLS[name]);
  }
  exit(name: ExitControl): boolean {
    return has(this.exitWord, EXIT_CONTROLS[name]);
  }
  entry(name: EntryControl): boolean {
    return has(this.entryWord, ENTRY_CONTROLS[name]);
  }
}
