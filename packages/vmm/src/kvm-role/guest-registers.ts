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

const DF = 8;
const PF = 14;
const CONTRIBUTORY: ReadonlySet<number> = new Set([0, 10, 11, 12, 13]);

/**
 * Asks the next VM entry to deliver an exception. Where another one was being delivered, both become #DF, or the guest shuts
 * down (Linux, kvm_multiple_exception; SDM vol. 3A, "Interrupt 8—Double Fault Exception (#DF)").
 */
export function injectException(host: Host, vector: number, errorCode?: number): void {
  const pending = host.hardware.pendingInjection();
  const first = pending?.kind === 'exception' ? pending.vector : undefined;
  if (first === DF) tripleFault(host, vector, errorCode);
  else if (first !== undefined && becomesDoubleFault(first, vector))
    host.hardware.inject({kind: 'exception', vector: DF, errorCode: 0});
  else host.hardware.inject({kind: 'exception', vector, errorCode});
}

function tripleFault(host: Host, vector: number, errorCode: number | undefined): void {
  host.vcpu.set('triple_fault', 1n);
  const last = {vector, errorCode, address: undefined, why: 'a fault while #DF was being delivered is a triple fault'};
  const first = {vector: DF, errorCode: 0, address: undefined, why: 'its handler could not be reached'};
  host.machine.emit({kind: 'triple-fault', chain: [first, last]});
}

function becomesDoubleFault(first: number, second: number): boolean {
  if (first === PF) return second === PF || CONTRIBUTORY.has(second);
  return CONTRIBUTORY.has(first) && CONTRIBUTORY.has(second);
}
