// EVENTINJ: the event that VMRUN delivers before the guest's first instruction, and EXITINTINFO: the event whose delivery an
// exit cut short. One format for both, so that a hypervisor can copy the one to the other. APM vol. 2, "Event Injection":
//
//   63:32 error code · 31 valid · 11 error code valid · 10:8 type · 7:0 vector

import {bit, bits} from '@hyperscope/base';
import {EVENT_TYPES} from '../cpu/core.js';
import type {DeliverableEvent, EventType} from '../cpu/core.js';
import type {Vmcb} from './vmcb.js';

const TYPE = {INTR: 0, NMI: 2, exception: 3, softwareInterrupt: 4} as const;
const NMI_VECTOR = 2;
const BREAKPOINT = 3;
const OVERFLOW = 4;
const BOUND = 5;
const CR0_PG = 31;
const EFER_LME = 8;
const ATTRIB_L = 9;

const typeOf = (event: bigint): number => Number(bits(event, 10, 8));

/** Whether the type is one that can have an error code. */
export const hasErrorCodeType = (event: bigint): boolean => typeOf(event) === TYPE.exception;

/** What VMRUN finds wrong with an event; undefined where it is in order, or none is to be injected. */
export function injectionProblem(event: bigint, vmcb: Vmcb): string | undefined {
  if (!bit(event, 31)) return undefined;
  const vector = Number(bits(event, 7, 0));
  const type = typeOf(event);
  switch (type) {
    case TYPE.INTR:
    case TYPE.NMI:
    case TYPE.softwareInterrupt:
      return undefined;
    case TYPE.exception:
      break;
    default:
      return `the event's type is 0, 2, 3 or 4 (it is ${type})`;
  }
  if (vector === NMI_VECTOR || vector > 31) return 'an exception has a vector below 32 that is not the NMI’s';
  const long = bit(vmcb.get('EFER'), EFER_LME) && bit(vmcb.get('CR0'), CR0_PG) && vmcb.bit('CS_ATTRIB', ATTRIB_L);
  if (long && (vector === OVERFLOW || vector === BOUND)) return '64-bit mode has neither #OF nor #BR';
  return undefined;
}

/** The event that a VMCB asks for; undefined for none. Software events return behind the instruction that raised them. */
export function injectedEvent(vmcb: Vmcb): DeliverableEvent | undefined {
  const event = vmcb.get('EVENTINJ');
  if (!bit(event, 31)) return undefined;
  const vector = Number(bits(event, 7, 0));
  const type = eventType(typeOf(event), vector);
  const software = EVENT_TYPES[type] >= EVENT_TYPES['software-interrupt'];
  return {
    type,
    vector: type === 'NMI' ? NMI_VECTOR : vector,
    errorCode: bit(event, 11) ? Number(vmcb.get('EVENTINJ_ERROR_CODE')) : undefined,
    returnRip: vmcb.get(software ? 'NRIP' : 'RIP'),
  };
}

function eventType(type: number, vector: number): EventType {
  switch (type) {
    case TYPE.INTR:
      return 'external-interrupt';
    case TYPE.NMI:
      return 'NMI';
    case TYPE.softwareInterrupt:
      return 'software-interrupt';
    default:
      return vector === BREAKPOINT || vector === OVERFLOW ? 'software-exception' : 'hardware-exception';
  }
}

/** EXITINTINFO from the interruption information of VT-x, which the core keeps while it delivers: only the types differ. */
export function exitIntInfo(vectoring: number): bigint {
  const information = BigInt(vectoring);
  if (!bit(information, 31)) return 0n;
  const type = Number(bits(information, 10, 8));
  const own = type >= EVENT_TYPES['privileged-software-exception'] ? TYPE.exception : type;
  return (information & ~0x700n) | (BigInt(own) << 8n);
}
