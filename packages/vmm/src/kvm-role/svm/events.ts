// Events in the form of EVENTINJ and EXITINTINFO. APM vol. 2, "Event Injection"; Linux, arch/x86/kvm/svm/svm.c:
// svm_inject_exception, svm_inject_irq, svm_inject_nmi, svm_complete_interrupts.
//
//   63:32 error code · 31 valid · 11 error code valid · 10:8 type · 7:0 vector

import {bit, bits} from '@hyperscope/base';
import type {Vmcb} from '@hyperscope/machine';
import type {GuestEvent} from '../hardware.js';

const VALID = 1n << 31n;
const ERROR_CODE = 1n << 11n;
const NMI_VECTOR = 2n;
const BREAKPOINT = 3;
const OVERFLOW = 4;
const TYPE = {interrupt: 0n, nmi: 2n, exception: 3n, software: 4n} as const;

/** The low half of EVENTINJ; the error code goes into the upper one. */
export function eventInjection(event: GuestEvent): bigint {
  switch (event.kind) {
    case 'interrupt':
      return VALID | (TYPE.interrupt << 8n) | BigInt(event.vector);
    case 'nmi':
      return VALID | (TYPE.nmi << 8n) | NMI_VECTOR;
    case 'software': {
      const isException = event.instruction !== 'INT n';
      return VALID | ((isException ? TYPE.exception : TYPE.software) << 8n) | BigInt(event.vector);
    }
    default: {
      const code = event.errorCode === undefined ? 0n : ERROR_CODE;
      return VALID | (TYPE.exception << 8n) | code | BigInt(event.vector);
    }
  }
}

/**
 * The event of EXITINTINFO; undefined for none, and for INT n, INT3 and INTO: the guest's RIP is still at that instruction,
 * which the guest will execute again.
 */
export function interruptedEvent(vmcb: Vmcb): GuestEvent | undefined {
  return eventOf(vmcb.get('EXITINTINFO'), vmcb.get('EXITINTINFO_ERROR_CODE'));
}

/** What EVENTINJ holds for the next VMRUN. */
export function pendingEvent(vmcb: Vmcb): GuestEvent | undefined {
  const information = vmcb.get('EVENTINJ');
  const event = eventOf(information, vmcb.get('EVENTINJ_ERROR_CODE'));
  if (event !== undefined || !bit(information, 31)) return event;
  const vector = Number(bits(information, 7, 0));
  const length = Number(vmcb.get('NRIP') - vmcb.get('RIP'));
  const instruction = vector === BREAKPOINT ? 'INT3' : vector === OVERFLOW ? 'INTO' : 'INT n';
  return {kind: 'software', vector, length, instruction};
}

function eventOf(information: bigint, errorCode: bigint): GuestEvent | undefined {
  if (!bit(information, 31)) return undefined;
  const vector = Number(bits(information, 7, 0));
  switch (bits(information, 10, 8)) {
    case TYPE.interrupt:
      return {kind: 'interrupt', vector};
    case TYPE.nmi:
      return {kind: 'nmi'};
    case TYPE.exception:
      if (vector === BREAKPOINT || vector === OVERFLOW) return undefined;
      return {kind: 'exception', vector, errorCode: bit(information, 11) ? Number(errorCode) : undefined};
    default:
      return undefined;
  }
}
