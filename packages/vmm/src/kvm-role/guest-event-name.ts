// What a sentence calls an event that is delivered to the guest.

import {hex} from '@hyperscope/base';
import {exceptionAt} from '@hyperscope/isa';
import type {GuestEvent} from './hardware.js';

/** 'interrupt 0x20', 'an NMI', '#PF', 'INT 0x80'. */
export function guestEventName(event: GuestEvent): string {
  switch (event.kind) {
    case 'interrupt':
      return `interrupt ${hex(event.vector)}`;
    case 'nmi':
      return 'an NMI';
    case 'software':
      return event.instruction === 'INT n' ? `INT ${hex(event.vector)}` : exceptionName(event.vector);
    case 'exception':
      return exceptionName(event.vector);
  }
}

/** '#PF'; 'exception 21' where the manual has no name. */
export const exceptionName = (vector: number): string => exceptionAt(vector)?.name ?? `exception ${vector}`;
