// A few words for an event: on an arrow of the stage, on a mark of the timeline, in a line of a terminal.

import {assertUnreachable, hex} from '@hyperscope/base';
import {entryFailure, exceptionAt, exitNumber, exitTitle} from '@hyperscope/isa';
import type {TraceEvent} from '../record-format.js';
import {controlProgramLabel} from './explain-control-program.js';
import {characterText, deviceTitle} from './explain-hypervisor.js';
import {describeQualification} from './exit-qualification.js';
import {paravirtualLabel} from './explain-paravirtual.js';
import {shadowLabel} from './explain-shadow.js';
import {translationLabel} from './explain-translation.js';
import {virtualCpuLabel} from './explain-vmm.js';
import {kvmExitName} from './kvm-exit-words.js';

const vectorName = (vector: number): string => exceptionAt(vector)?.name ?? `vector ${vector}`;

/** `SYSCALL (ioctl KVM_RUN)` → `ioctl(KVM_RUN)`: the host's system calls are known by what they ask for. */
const causeOf = (how: string): string => how.replace(/^SYSCALL \(ioctl (\w+)\)$/, 'ioctl($1)');

/** `exit 30 · I/O instruction` */
export function labelEvent(event: TraceEvent): string {
  switch (event.kind) {
    case 'exception':
      return vectorName(event.vector);
    case 'delivery':
      return `${vectorName(event.vector)} → handler`;
    case 'ring':
      return `${causeOf(event.how)}: ring ${event.from} → ${event.to}`;
    case 'mode':
      return `${event.from} → ${event.to}`;
    case 'control-register':
      return `${event.register} ← ${hex(event.to)}`;
    case 'port':
      return `${event.direction} ${hex(event.port)}`;
    case 'vmx-instruction':
      return event.outcome === 'VMsucceed' ? event.name : `${event.name}: ${event.outcome}`;
    case 'vm-entry':
      return event.how;
    case 'vm-entry-failure':
      return `VM entry failed · ${exitNumber(entryFailure(event.reason))} ${exitTitle(entryFailure(event.reason))}`;
    case 'vm-exit':
      return `exit ${exitNumber(event.exit)} · ${exitTitle(event.exit)}`;
    case 'halt':
      return 'HLT';
    case 'page-walk':
      return `page walk · ${event.references.length} reads`;
    case 'triple-fault':
      return 'triple fault';
    case 'unsupported':
      return 'unsupported';
    case 'host-step':
      return event.routine;
    case 'ioctl':
      return event.direction === 'call' ? `ioctl(${event.name})` : `${event.name} returns`;
    case 'exit-handled':
      return event.route === 'kvm' ? 'answered by KVM' : 'to user space';
    case 'kvm-exit':
      return kvmExitName(event.exit);
    case 'injection':
      return event.decision === 'injected'
        ? `interrupt ${hex(event.vector, 2)} injected`
        : `interrupt ${hex(event.vector, 2)} must wait`;
    case 'emulation':
      return `emulated: ${event.text}`;
    case 'virtual-cpu':
      return virtualCpuLabel(event);
    case 'translation':
    case 'translation-chained':
    case 'translation-invalidated':
    case 'translation-adapted':
      return translationLabel(event);
    case 'hypercall':
    case 'page-table-update':
    case 'guest-callback':
      return paravirtualLabel(event);
    case 'shadow-paging':
      return shadowLabel(event);
    case 'device':
      return deviceTitle(event);
    case 'control-program':
      return controlProgramLabel(event);
    case 'inside-kvm':
      return event.name;
    case 'serial':
      return `serial ${characterText(event.byte)}`;
    default:
      return assertUnreachable(event);
  }
}

/** The second, smaller line of an arrow: 'port 0x3f8, out, 1 byte'; undefined where there is nothing more to say. */
export function detailOfEvent(event: TraceEvent): string | undefined {
  return event.kind === 'vm-exit' ? describeQualification(event.exit) : undefined;
}
