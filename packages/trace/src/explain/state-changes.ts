// What a step really changed, in words: registers and flags from the banks before and after, memory from the record of
// changes. What changes with every step (cycles, counters, RIP moving on) is left out.

import {GENERAL_REGISTERS, RFLAGS_FIELDS} from '@hyperscope/isa';
import {hex, hexBytes} from '@hyperscope/base';
import type {RunRecord} from '../record/run-record.js';
import type {GuestMemory} from '../state/guest-memory.js';
import type {CellSource} from '../state/processor-view.js';
import type {StateChange} from './step-context.js';

/** These move with every instruction, or are told by the events of the step. */
const SILENT: ReadonlySet<string> = new Set([
  'RIP',
  'RFLAGS',
  'CYCLES',
  'INSTRUCTIONS',
  'TSC',
  'ACTIVITY',
  'CURRENT_VMCS',
  'VMXON_POINTER',
  'VMX_OPERATION',
]);
const FIRST: readonly string[] = [...GENERAL_REGISTERS];

/** Registers, then flags, then everything else; `cells` are the names of the record. */
export function registerChanges(
  cells: readonly string[],
  before: CellSource,
  after: CellSource,
): readonly StateChange[] {
  const changed = (cell: string): readonly StateChange[] => {
    const [was, is] = [before(cell), after(cell)];
    return was === undefined || is === undefined || was === is ? [] : [{name: cell, before: hex(was), after: hex(is)}];
  };
  const others = cells.filter(cell => !FIRST.includes(cell) && !SILENT.has(cell));
  return [...FIRST.flatMap(changed), ...flagChanges(before('RFLAGS'), after('RFLAGS')), ...others.flatMap(changed)];
}

function flagChanges(was: bigint | undefined, is: bigint | undefined): readonly StateChange[] {
  if (was === undefined || is === undefined || was === is) return [];
  return RFLAGS_FIELDS.flatMap(field => {
    const mask = (1n << BigInt(field.high - field.low + 1)) - 1n;
    const [old, now] = [(was >> BigInt(field.low)) & mask, (is >> BigInt(field.low)) & mask];
    return old === now ? [] : [{name: field.name, before: String(old), after: String(now)}];
  });
}

/** The words and strings of memory that a step wrote, by guest-physical address; `before` and `after` are the bank 'memory'. */
export function memoryChanges(
  record: RunRecord,
  step: number,
  memory: GuestMemory,
  before: Uint8Array,
  after: Uint8Array,
): readonly StateChange[] {
  const found: StateChange[] = [];
  const start = record.space.place('memory', 0);
  if (start === undefined) return found;
  const tables = tableEntries(record, step);
  record.changes.runsOf(step, (place, length) => {
    const offset = place - start;
    const gpa = offset < 0 || offset >= after.length ? undefined : memory.addressOf(offset);
    if (gpa === undefined) return;
    const [was, is] = [valueText(before, offset, length), valueText(after, offset, length)];
    if (was !== is)
      found.push({
        name: `memory at GPA ${hex(gpa)}${tables.has(gpa & ~7) ? ' (page-table entry)' : ''}`,
        before: was,
        after: is,
      });
  });
  return found;
}

/** Where the page walks of a step read entries: they set accessed and dirty bits there. */
function tableEntries(record: RunRecord, step: number): ReadonlySet<number> {
  return new Set(
    record
      .eventsOf(step)
      .flatMap(event =>
        event.kind === 'page-walk'
          ? event.references.filter(entry => entry.table === 'guest').map(entry => entry.address & ~7)
          : [],
      ),
  );
}

/** Up to eight bytes as one number, as the processor reads them; more as bytes. */
function valueText(bytes: Uint8Array, offset: number, length: number): string {
  const shown = bytes.subarray(offset, offset + Math.min(length, 16));
  if (length <= 8)
    return hex(
      [...shown].reverse().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n),
      length * 2,
    );
  return hexBytes(shown) + (length > 16 ? ' …' : '');
}
