// Execution controls (VT-x) and intercepts (SVM) that are to differ from what KVM asks for: what a switch of a lesson flips.

import type {SvmInterceptName, VmcsFieldName} from '@hyperscope/isa';
import type {PinControl, PrimaryControl, SecondaryControl} from '@hyperscope/machine';

/** What is added to a list of KVM's, and what is taken out of it. */
export interface Change<T> {
  readonly on: readonly T[];
  readonly off: readonly T[];
}

export interface ControlChanges {
  readonly pin: Change<PinControl>;
  readonly primary: Change<PrimaryControl>;
  readonly secondary: Change<SecondaryControl>;
  readonly intercepts: Change<SvmInterceptName>;
  /** Vectors that exit beyond those that KVM needs. */
  readonly exceptions: readonly number[];
}

export function changed<T>(list: readonly T[], {on, off}: Change<T>): readonly T[] {
  return [...list.filter(name => !off.includes(name)), ...on.filter(name => !list.includes(name))];
}

/** A field of the VMCS that holds what it must not when the guest is entered for the first time. */
export interface WrongField {
  readonly field: VmcsFieldName;
  readonly value: bigint;
}
