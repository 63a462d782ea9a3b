// What user space never hears of when KVM has its interrupt controllers and its timer in the kernel (KVM_CREATE_IRQCHIP,
// KVM_CREATE_PIT2): accesses to them, and a guest that sleeps. A run whose VMM has these devices itself shows more.

import type {VmExit} from '@hyperscope/vmm';
import type {RunRecord} from '../record/run-record.js';
import type {VisibleEvent} from './visible-events.js';

/** Two 8259 with their ELCR, the 8254 and the speaker's port. */
const PORTS: ReadonlySet<number> = new Set([0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61]);

export const STAYS_IN_KERNEL =
  'On the other side interrupt controllers and timer are in the kernel (KVM_CREATE_IRQCHIP): there it stays inside KVM.';

/** Where the interrupt controllers of a run are, as far as a hypervisor could hide them. */
export type Irqchip = 'kernel' | 'elsewhere';

/** A recording of real KVM says it in its header; a simulated VMM is seen to ask for it. */
export function irqchipOf(record: RunRecord): Irqchip {
  if (record.header.irqchip !== undefined) return record.header.irqchip;
  for (const {event} of record.events.allOf('ioctl')) if (event.name === 'KVM_CREATE_IRQCHIP') return 'kernel';
  return 'elsewhere';
}

/** Whether an exit of one run is none where the irqchip of the other is. */
export function isHiddenBy(irqchip: Irqchip, exit: VmExit): boolean {
  if (irqchip !== 'kernel') return false;
  return (exit.reason === 'io' && PORTS.has(exit.port)) || exit.reason === 'hlt' || exit.reason === 'irq-window-open';
}

/** The events of one run that the other can show, too. */
export function visibleBeside(irqchip: Irqchip, events: readonly VisibleEvent[]): readonly VisibleEvent[] {
  if (irqchip !== 'kernel') return events;
  return events.filter(({kind, port}) => kind !== 'hlt' && (port === undefined || !PORTS.has(port)));
}
