// A page walk as rows, one for each table that had to be found and a last one for the page; and, where it stopped, at which entry.
// Under EPT or nested paging each guest table is found through tables of the hypervisor's first, so a walk can stop on the way
// to a guest table: the access that is refused then is the processor's own. SDM vol. 3C, "EPT Violations".

import {hex} from '@hyperscope/base';
import type {TraceEvent} from '../record-format.js';

type Walk = Extract<TraceEvent, {kind: 'page-walk'}>;

export interface NumberedReference {
  /** Its place in the order of the reads, from 1. */
  readonly order: number;
  readonly reference: Walk['references'][number];
}

export interface WalkRow {
  /** 'PDPT', 'the page'. */
  readonly name: string;
  /** The guest-physical page that is found, where the walk goes through tables of the hypervisor's and tells it. */
  readonly gpa: number | undefined;
  readonly nested: readonly NumberedReference[];
  /** The guest's own entry in the table that was found. */
  readonly guest: NumberedReference | undefined;
}

export const TABLE_NAMES = ['', 'PT', 'PD', 'PDPT', 'PML4', 'PML5'] as const;
const ADDRESS = 0x000f_ffff_ffff_f000n;
const LARGE = 1n << 7n;
const PAGE = 4096;

export function walkRows(walk: Walk): readonly WalkRow[] {
  const rows: WalkRow[] = [];
  let nested: NumberedReference[] = [];
  for (const [index, reference] of walk.references.entries()) {
    const item = {order: index + 1, reference};
    if (reference.table !== 'guest') {
      nested.push(item);
      continue;
    }
    const gpa = nested.length === 0 ? undefined : reference.address - (reference.address % PAGE);
    rows.push({name: TABLE_NAMES[reference.level] ?? `level ${reference.level}`, gpa, nested, guest: item});
    nested = [];
  }
  if (nested.length > 0) rows.push({...lastRow(walk, rows.at(-1)?.guest, nested), nested, guest: undefined});
  return rows;
}

/** What was looked for last: the page, or a table that the walk did not reach. */
function lastRow(
  walk: Walk,
  before: NumberedReference | undefined,
  nested: readonly NumberedReference[],
): Pick<WalkRow, 'name' | 'gpa'> {
  if (before !== undefined && !isLeaf(before.reference))
    return {
      name: TABLE_NAMES[before.reference.level - 1] ?? 'the next table',
      gpa: Number(before.reference.entry & ADDRESS),
    };
  const gpa = pageOf(nested);
  // Nothing of the guest's was read: with paging on it was looking for the root table, without for the page.
  const isFirst = before === undefined && walk.outcome !== 'mapped';
  if (isFirst && gpa === undefined) return {name: 'the first address', gpa};
  const isRoot = isFirst && gpa !== Number(walk.linear & 0xffff_f000n);
  return {name: isRoot ? 'the root table' : 'the page', gpa};
}

const isLeaf = ({level, entry}: Walk['references'][number]): boolean =>
  level === 1 || (level <= 3 && (entry & LARGE) !== 0n);

/** The guest-physical page whose indexes the entries stand at; undefined where the walk stopped before its last table. */
function pageOf(nested: readonly NumberedReference[]): number | undefined {
  if (nested.at(-1)?.reference.level !== 1) return undefined;
  return nested.reduce(
    (sum, {reference: {level, address}}) => sum + ((address % PAGE) / 8) * 2 ** (12 + 9 * (level - 1)),
    0,
  );
}

/** Whose tables a processor walks where nothing is nested: the guest's, a shadow of them, or the host's own. */
export type WalkedTables = 'guest' | 'shadow' | 'host';

/** Where a walk ended that did not reach memory, in a sentence; undefined for one that did. */
export function whereWalkStopped(walk: Walk, tables: WalkedTables = 'guest'): string | undefined {
  const last = walk.references.at(-1);
  if (walk.outcome === 'mapped' || last === undefined) return undefined;
  const row = walkRows(walk).at(-1);
  const table = TABLE_NAMES[last.level] ?? `level ${last.level}`;
  const read = `Read ${walk.references.length}, the ${last.table === 'guest' ? (tables === 'shadow' ? 'shadow ' : '') : `${last.table.toUpperCase()} `}${table} entry`;
  const value = `${hex(last.entry)}, ${complaint(walk, last)}`;
  if (last.table === 'guest') return `${read}, is ${value}.`;
  const at = row?.gpa === undefined ? '' : ` for GPA ${hex(row.gpa)}`;
  return `${read}${at}, ${soughtBy(row?.name ?? 'the page')}, is ${value}.`;
}

function soughtBy(name: string): string {
  if (name === 'the page') return 'the page itself';
  return name === 'the first address'
    ? 'on the way to the first address that it needed'
    : `where the guest’s ${name.replace('the ', '')} lies`;
}

function complaint({access}: Walk, {table, entry}: Walk['references'][number]): string {
  const present = table === 'ept' ? (entry & 7n) !== 0n : (entry & 1n) !== 0n;
  return present ? `which does not allow this ${access === 'execute' ? 'fetch' : access}` : 'not present';
}
