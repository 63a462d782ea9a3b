// The experiment of batches: a thousand changes of a page table under page tables that a hypervisor copies, and under those that it
// validates, one request at a time or many in one hypercall.

import {countEntries} from '@hyperscope/simulation';
import type {Bench, EntryPart} from '@hyperscope/simulation';
import type {Lab} from './exit-labs.js';

const CHANGES = 1000;
/** The same processor for all. */
const machine = (technique: string): Bench => ({technique, profile: 'westmere', costModel: undefined});
const COPYING = ['vtx-shadow', 'trap-and-emulate', 'binary-translation'] as const;

/** The parts of the two guests, by number: page-table-edits.asm and page-table-edits-pv.asm. */
const ALONE = 1;
const WITH_USE = 4;

/** `count`: who runs the guests. */
export function batches(count: typeof countEntries = countEntries): Lab {
  const nested = count('page-table-edits', machine('vtx-ept'));
  const copied = COPYING.map(technique => [technique, count('page-table-edits', machine(technique))] as const);
  const calls = count('page-table-edits-pv', machine('paravirtual'));
  const row = (name: string, parts: readonly EntryPart[], alone: number, withUse: number | undefined): string[] => [
    name,
    ...cells(parts[alone]),
    ...(withUse === undefined ? ['–', '–'] : cells(parts[withUse])),
  ];
  const each = (part: EntryPart | undefined): number => Math.round((part?.cycles ?? 0) / CHANGES);
  return {
    id: 'batches',
    title: '1,000 changes of a page table: how often the guest is left, and cycles for each change',
    columns: ['machine', 'changes alone', 'cycles each', 'with INVLPG and a use', 'cycles each'],
    rows: [
      row('vtx-ept', nested, ALONE, WITH_USE),
      ...copied.map(([technique, parts]) => row(technique, parts, ALONE, WITH_USE)),
      row('paravirtual, one request a hypercall', calls, 1, WITH_USE),
      row('paravirtual, 100 requests', calls, 2, undefined),
      row('paravirtual, 1,000 requests', calls, 3, undefined),
    ],
    sentences: [
      `Under Xen nothing is copied, and every change is looked at: a hypercall for each costs ${each(calls[1])} cycles a change, one for ` +
        `a hundred ${each(calls[2])}, one for all ${each(calls[3])}. What is left is the looking.`,
      `Where tables are copied a write may cost nothing until INVLPG says that it counts; then trap-and-emulate pays ` +
        `${each(copied[1]?.[1][WITH_USE])} cycles and VT-x with shadow page tables ${each(copied[0]?.[1][WITH_USE])}, and update_va_mapping, ` +
        `which is both in one, ${each(calls[WITH_USE])}.`,
    ],
  };
}

const cells = (part: EntryPart | undefined): readonly [string, string] => [
  String(part?.entries ?? '–'),
  part === undefined ? '–' : String(Math.round(part.cycles / CHANGES)),
];
