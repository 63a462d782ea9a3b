// A record's events as lines of JSON: for tools that read them one by one.

import {hexBytes} from '@hyperscope/base';
import type {RunRecord, TraceEvent} from '@hyperscope/trace';

/** One line an event: {"step", "cycle", "who", "rip", "kind", …}, with "virtualMachine" where there are several; 64-bit values and bytes are hexadecimal texts. */
export function traceLines(record: RunRecord): string {
  const lines: string[] = [];
  const machines = record.header.virtualMachines;
  for (const step of record.steps()) {
    const {index, cycle, who, rip} = step;
    const virtualMachine = machines?.[step.machine ?? 0]?.name;
    for (const event of record.eventsOf(index))
      lines.push(line({step: index, cycle, who, virtualMachine, rip, ...event}));
  }
  return lines.join('');
}

function line(
  event: TraceEvent & Readonly<Record<'step' | 'cycle' | 'who' | 'virtualMachine' | 'rip', unknown>>,
): string {
  const text = JSON.stringify(event, (_key, value: unknown) => {
    if (typeof value === 'bigint') return `0x${value.toString(16)}`;
    if (value instanceof Uint8Array) return hexBytes(value, '');
    return value;
  });
  return `${text}\n`;
}
