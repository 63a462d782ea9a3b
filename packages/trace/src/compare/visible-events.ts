// What the world outside a guest can see of it: port accesses, device memory, halts, shutdowns. The same list comes out of
// bare metal, a simulated hypervisor and real KVM, so lists can be laid beside each other.

import {hex} from '@hyperscope/base';
import type {VmExit} from '@hyperscope/vmm';
import {bytesText, kvmExitName} from '../explain/kvm-exit-words.js';
import {isDeprivileged} from '../record/deprivileged.js';
import type {RunRecord} from '../record/run-record.js';

export interface VisibleEvent {
  /** Equal on two sides exactly when the outside saw the same. */
  readonly key: string;
  readonly label: string;
  readonly kind: 'out' | 'in' | 'mmio' | 'hlt' | 'shutdown' | 'other' | 'instruction';
  /** Of an access to a port. */
  readonly port?: number;
  /** The step of the event. */
  readonly step: number;
  /** The step of the guest instruction that caused it: the same one, or the one that left the guest before it. */
  readonly guestStep: number;
}

type Seen = Pick<VisibleEvent, 'key' | 'label' | 'kind' | 'port'>;

/** In the order of time. Stops of a debugger, a watchdog or an interrupt window are left out: the guest did nothing. */
export function visibleEvents(record: RunRecord): readonly VisibleEvent[] {
  const found: VisibleEvent[] = [];
  // Without hardware for virtualization the virtual processor has ports and halts as a real one does; no KVM_RUN comes back to tell of them.
  const showsProcessor = record.header.technique === 'bare' || isDeprivileged(record.header.technique);
  const isBare = record.header.technique === 'bare';
  const isSimulated = record.header.engine === 'simulated';
  const lastGuestStep = isDeprivileged(record.header.technique) ? guestSteps(record) : undefined;
  let exitStep: number | undefined;
  for (let i = 0; i < record.events.length; i++) {
    const event = record.events.at(i);
    const step = record.events.stepOf(i);
    // Of several virtual machines the first is compared.
    if (record.columns.machine(step) !== 0) continue;
    const add = (seen: readonly Seen[]): void => {
      for (const one of seen) found.push({...one, step, guestStep: isSimulated && !isBare ? (exitStep ?? step) : step});
    };
    // What leads into a VMM without hardware's help is a trap, or a call of translated code through a gate.
    if (lastGuestStep !== undefined) exitStep = lastGuestStep(step);
    if (event?.kind === 'vm-exit') exitStep = step;
    else if (event?.kind === 'kvm-exit') add(seenOfKvmExit(event.exit));
    else if (showsProcessor && event?.kind === 'port')
      add([portSeen(event.direction, event.port, event.width, event.value)]);
    else if (showsProcessor && event?.kind === 'halt') add([HALT]);
    else if (showsProcessor && event?.kind === 'triple-fault') add([SHUTDOWN]);
  }
  return found;
}

/** The last step of the guest up to a step; to be asked in the order of time. */
function guestSteps({columns}: RunRecord): (step: number) => number | undefined {
  let next = 0;
  let last: number | undefined;
  return step => {
    for (; next <= step; next++) if (columns.who(next).startsWith('guest')) last = next;
    return last;
  };
}

const HALT: Seen = {key: 'hlt', label: 'HLT', kind: 'hlt'};
const SHUTDOWN: Seen = {key: 'shutdown', label: 'triple fault', kind: 'shutdown'};

function portSeen(direction: 'in' | 'out', port: number, width: number, value: number): Seen {
  // What an IN gave is the device's answer, not the guest's doing: it is compared through the registers.
  const data = direction === 'out' ? ` ${hex(value, width / 4)}` : '';
  return {
    key: `${direction} ${port} ${width}${data}`,
    label: `${direction}${data}, port ${hex(port)}`,
    kind: direction,
    port,
  };
}

function seenOfKvmExit(exit: VmExit): readonly Seen[] {
  switch (exit.reason) {
    case 'io':
      return eachElement(exit);
    case 'mmio': {
      const data = exit.direction === 'write' ? ` ${bytesText(exit.data)}` : '';
      return [
        {
          key: `mmio ${exit.direction} ${exit.gpa} ${exit.data.length}${data}`,
          label: `${exit.direction} of device memory ${hex(exit.gpa)}${data}`,
          kind: 'mmio',
        },
      ];
    }
    case 'hlt':
      return [HALT];
    case 'shutdown':
      return [SHUTDOWN];
    case 'debug':
    case 'interrupted':
    case 'irq-window-open':
      return [];
    default:
      return [{key: exit.reason, label: kvmExitName(exit), kind: 'other'}];
  }
}

/** A repeated string access may come in one exit or in many: its elements are what counts. */
function eachElement(exit: Extract<VmExit, {reason: 'io'}>): readonly Seen[] {
  const bytes = exit.width / 8;
  const view = new DataView(exit.data.buffer, exit.data.byteOffset, exit.data.length);
  return Array.from({length: exit.count}, (_, i) => {
    const inside = (i + 1) * bytes <= exit.data.length;
    const value = !inside
      ? 0
      : bytes === 1
        ? view.getUint8(i)
        : bytes === 2
          ? view.getUint16(i * 2, true)
          : view.getUint32(i * 4, true);
    return portSeen(exit.direction, exit.port, exit.width, value);
  });
}

/** What the guest printed, from what it sent to the data register of the first serial port. */
export function printedText(events: readonly VisibleEvent[]): string {
  const bytes = events.flatMap(event => {
    const match = /^out 1016 8 0x([0-9a-f]{2})$/.exec(event.key);
    return match?.[1] === undefined ? [] : [Number.parseInt(match[1], 16)];
  });
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
