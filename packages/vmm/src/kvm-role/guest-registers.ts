// Registers of the guest as KVM's generic code speaks of them. Where they lie is the vendor half's business.

import {assertExists} from '@hyperscope/base';
import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {GeneralRegister} from '@hyperscope/isa';
import type {Host} from './host-context.js';

export const CR0_PE = 1n;
export const CR0_PG = 1n << 31n;
export const EFER_LME = 1n << 8n;
export const EFER_LMA = 1n << 10n;

/** A general register by its number in encodings, as exits report it. */
export const nameOf = (number: number): GeneralRegister =>
  assertExists(GENERAL_REGISTERS[number], 'a register number of four bits');

/** Asks the next VM entry to deliver an exception (Linux, kvm_queue_exception). */
export function injectException(host: Host, vector: number, errorCode?: number): void {
  host.hardware.inject({kind: 'exception', vector, errorCode});
}
