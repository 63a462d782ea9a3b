// Events in the format of VM entries and VM exits: the interruption-information fields, as values and back.
// SDM vol. 3C, "VM-Entry Controls for Event Injection", "Information for VM Exits During Event Delivery".
//
//   7:0 vector · 10:8 type · 11 error code valid · 31 valid

import {bit, bits} from '@hyperscope/base';
import type {GuestEvent} from '../hardware.js';

export const EVENT_VALID = 1n << 31n;
const ERROR_CODE = 1n << 11n;
const NMI_VECTOR = 2;
const TYPE = {interrupt: 0n, nmi: 2n, exception: 3n, INTn: 4n, INT1: 5n, 'INT3 or INTO': 6n} as const;
const INTO_VECTOR = 4;

/** The information field of an event. `errorCode`: whether the event pushes one. */
export function eventInformation(event: GuestEvent): bigint {
  switch (event.kind) {
    case 'interrupt':
      return word(event.vector, TYPE.interrupt);
    case 'nmi':
      return word(NMI_VECTOR, TYPE.nmi);
    case 'exception':
      return word(event.vector, TYPE.exception) | (event.errorCode === undefined ? 0n : ERROR_CODE);
    case 'software':
      return word(event.vector, softwareType(event.instruction));
  }
}

const word = (vector: number, type: bigint): bigint => EVENT_VALID | (type << 8n) | BigInt(vector);

function softwareType(instruction: Extract<GuestEvent, {kind: 'software'}>['instruction']): bigint {
  if (instruction === 'INT n') return TYPE.INTn;
  return instruction === 'INT1' ? TYPE.INT1 : TYPE['INT3 or INTO'];
}

/** The event of an information field; `errorCode` and `length` give what lies in the fields beside it. */
export function eventOf(information: bigint, errorCode: () => bigint, length: () => bigint): GuestEvent | undefined {
  if ((information & EVENT_VALID) === 0n) return undefined;
  const vector = Number(bits(information, 7, 0));
  switch (bits(information, 10, 8)) {
    case TYPE.interrupt:
      return {kind: 'interrupt', vector};
    case TYPE.nmi:
      return {kind: 'nmi'};
    case TYPE.INTn:
      return {kind: 'software', vector, length: Number(length()), instruction: 'INT n'};
    case TYPE.INT1:
      return {kind: 'software', vector, length: Number(length()), instruction: 'INT1'};
    case TYPE['INT3 or INTO']: {
      const instruction = vector === INTO_VECTOR ? 'INTO' : 'INT3';
      return {kind: 'software', vector, length: Number(length()), instruction};
    }
    default:
      return {kind: 'exception', vector, errorCode: bit(information, 11) ? Number(errorCode()) : undefined};
  }
}
