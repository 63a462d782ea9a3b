// From any event to an explanation, made from the checks that the event carries. Nothing is written twice: the doctor,
// the screen reader and the terminal say these sentences.

import type {Explanation} from '../session-view.js';
import type {TraceEvent} from '../record-format.js';
import {explainHypervisor} from './explain-hypervisor.js';
import {explainProcessor} from './explain-processor.js';
import {explainVmx} from './explain-vmx.js';

/** `instruction` is the text of the instruction that ran, where known. */
export function explainEvent(event: TraceEvent, instruction?: string): Explanation {
  switch (event.kind) {
    case 'vm-exit':
    case 'vm-entry':
    case 'vm-entry-failure':
    case 'vmx-instruction':
      return explainVmx(event, instruction);
    case 'host-step':
    case 'ioctl':
    case 'exit-handled':
    case 'kvm-exit':
    case 'injection':
    case 'emulation':
    case 'shadow-paging':
    case 'virtual-cpu':
    case 'translation':
    case 'translation-chained':
    case 'translation-invalidated':
    case 'hypercall':
    case 'page-table-update':
    case 'guest-callback':
    case 'translation-adapted':
    case 'control-program':
    case 'inside-kvm':
    case 'device':
    case 'serial':
      return explainHypervisor(event);
    default:
      return explainProcessor(event);
  }
}
