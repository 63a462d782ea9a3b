// GDT, LDT, IDT and TSS at the playhead, decoded, with what the segment registers were loaded from. Under a technique without
// hardware there are two of everything: what the guest has set up, and what the VMM has put into the processor in its place.

import {SEGMENT_REGISTERS, exceptionAt} from '@hyperscope/isa';
import {GuestMemory, isDeprivileged, isLongMode} from '@hyperscope/trace';
import type {CellSource, DescriptorContent, DescriptorEntry, DescriptorTable} from '@hyperscope/trace';
import type {StateView} from '../state-view.js';
import {describeDescriptor, describeVector, descriptorSize} from './descriptor-words.js';
import type {DescribedEntry} from './descriptor-words.js';
import {found} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';
import {TSS_BYTES, taskStateFields} from './task-state-words.js';

const TABLE_INDICATOR = 4;
const UNUSABLE = 0x1_0000;
/** The most entries of a table that are shown: an IDT has 256, and a GDT seldom more. */
const MOST_ENTRIES = 512;

type Reader = (linear: bigint, length: number) => Uint8Array | undefined;

/** Registers, and memory as they see it, at the playhead and one step before. */
interface Owner {
  readonly cells: CellSource;
  readonly read: Reader;
  readonly readBefore: Reader;
}

export function descriptorContent({record, state, before}: LookedAt): Found<DescriptorContent> {
  const guest: Owner = {
    cells: state.guestCells(),
    read: guestReader(state),
    readBefore: guestReader(before),
  };
  const processor: Owner = {cells: state.cells, read: ownReader(state), readBefore: ownReader(before)};
  const hasHost = record.header.engine === 'simulated' && record.header.technique !== 'bare';
  if (record.header.technique === 'paravirtual')
    return found({
      sets: [
        {
          owner: 'processor',
          title: 'Xen’s: the guest has none, and uses two of their segments',
          tables: tablesOf(processor),
        },
      ],
    });
  if (hasHost && isDeprivileged(record.header.technique))
    return found({
      sets: [
        {owner: 'guest', title: 'The guest’s own', tables: tablesOf(guest)},
        {owner: 'processor', title: 'The VMM’s, which the processor uses', tables: tablesOf(processor)},
      ],
    });
  const isHost = hasHost && state.operation === 'root';
  const own = {owner: 'guest', title: hasHost ? 'The guest’s' : 'The processor’s', tables: tablesOf(guest)} as const;
  return found({
    sets: isHost
      ? [own, {owner: 'host', title: 'The host’s, which the processor uses now', tables: tablesOf(processor)}]
      : [own],
  });
}

const guestReader =
  (state: StateView): Reader =>
  (linear, length) =>
    state.guestMemory.readLinear(state.guestCells(), linear, length);
/** As the processor itself would read, through the tables that it walks, out of the host's memory. */
const ownReader = (state: StateView): Reader => {
  const memory = new GuestMemory({}, state.memory);
  return (linear, length) => memory.readLinear(state.cells, linear, length);
};

function tablesOf(owner: Owner): readonly DescriptorTable[] {
  const {cells} = owner;
  const isReal = ((cells('CR0') ?? 0n) & 1n) === 0n;
  const usesLdt = !isReal && (number(cells, 'LDTR.attributes') & UNUSABLE) === 0 && number(cells, 'LDTR.selector') >= 4;
  return [
    segmentTable(owner, 'GDT', isReal),
    ...(usesLdt ? [segmentTable(owner, 'LDT', isReal)] : []),
    isReal ? vectorTable(owner) : gateTable(owner),
    ...(isReal ? [] : [taskState(owner)]),
  ];
}

const number = (cells: CellSource, cell: string): number => Number(cells(cell) ?? 0n);
const modeOfTables = (cells: CellSource): 'ia-32e' | 'legacy' => (isLongMode(cells) ? 'ia-32e' : 'legacy');

function segmentTable(owner: Owner, name: 'GDT' | 'LDT', isReal: boolean): DescriptorTable {
  const {cells} = owner;
  const base = cells(`${name}R.base`) ?? 0n;
  const limit = number(cells, `${name}R.limit`);
  const empty = {name, base, limit, entries: [], empty: 0, cut: 0, fields: []} as const;
  if (isReal && base === 0n)
    return {...empty, why: 'Real mode uses no descriptors, and LGDT has not been executed yet.'};
  const mode = modeOfTables(cells);
  return readEntries(owner, {name, base, limit, stride: 8}, bytes => {
    const size = descriptorSize(bytes, mode);
    return bytes.length < size ? undefined : describeDescriptor(bytes.slice(0, size), mode);
  });
}

function gateTable(owner: Owner): DescriptorTable {
  const mode = modeOfTables(owner.cells);
  const stride = mode === 'ia-32e' ? 16 : 8;
  const shape = {name: 'IDT', ...tableRegister(owner.cells, 'IDTR'), stride} as const;
  return readEntries(owner, shape, bytes =>
    bytes.length < stride ? undefined : describeDescriptor(bytes.slice(0, stride), mode),
  );
}

function vectorTable(owner: Owner): DescriptorTable {
  const shape = {name: 'IVT', ...tableRegister(owner.cells, 'IDTR'), stride: 4} as const;
  return readEntries(owner, shape, bytes => (bytes.length < 4 ? undefined : describeVector(bytes.slice(0, 4))));
}

const tableRegister = (cells: CellSource, name: 'IDTR'): {readonly base: bigint; readonly limit: number} => ({
  base: cells(`${name}.base`) ?? 0n,
  limit: number(cells, `${name}.limit`),
});

interface TableShape {
  readonly name: DescriptorTable['name'];
  readonly base: bigint;
  readonly limit: number;
  readonly stride: 4 | 8 | 16;
}

function readEntries(
  owner: Owner,
  {name, base, limit, stride}: TableShape,
  describe: (bytes: Uint8Array) => DescribedEntry | undefined,
): DescriptorTable {
  const wanted = Math.min(limit + 1, stride * MOST_ENTRIES);
  const bytes = owner.read(base, wanted);
  const shape = {name, base, limit, fields: []};
  if (bytes === undefined)
    return {...shape, entries: [], empty: 0, cut: 0, why: 'No memory is mapped where its register points.'};
  const was = owner.readBefore(base, wanted);
  const marks = marksOf(owner.cells, name);
  const entries: DescriptorEntry[] = [];
  let empty = 0;
  for (let at = 0; at + stride <= bytes.length;) {
    const described = describe(bytes.subarray(at, at + 16));
    if (described === undefined) break;
    const size = described.bytes.length;
    const index = at / stride;
    const changed = was !== undefined && described.bytes.some((byte, i) => byte !== was[at + i]);
    const marked = marks(index);
    if (described.bytes.every(byte => byte === 0) && marked.selected.length === 0 && !changed) empty++;
    else entries.push({...described, index, marks: [...marked.selected, ...marked.named], changed});
    at += Math.max(size, stride);
  }
  return {...shape, entries, empty, cut: Math.max(0, Math.floor((limit + 1 - wanted) / stride)), why: undefined};
}

/** Registers that were loaded from an entry, and what an entry of an IDT is for. */
function marksOf(
  cells: CellSource,
  name: DescriptorTable['name'],
): (index: number) => {readonly selected: readonly string[]; readonly named: readonly string[]} {
  if (name === 'IDT' || name === 'IVT')
    return index => {
      const exception = exceptionAt(index);
      return {selected: [], named: exception === undefined ? [] : [`${exception.name} ${exception.title}`]};
    };
  const wanted = name === 'LDT' ? TABLE_INDICATOR : 0;
  const isReal = ((cells('CR0') ?? 0n) & 1n) === 0n;
  const registers = isReal ? [] : name === 'LDT' ? SEGMENT_REGISTERS : ([...SEGMENT_REGISTERS, 'TR', 'LDTR'] as const);
  const loaded = registers.flatMap(register => {
    const selector = number(cells, `${register}.selector`);
    const isHere = (selector & TABLE_INDICATOR) === wanted && (selector & ~3) !== 0;
    return isHere ? [{register, index: selector >> 3}] : [];
  });
  return index => ({
    selected: loaded.filter(each => each.index === index).map(each => each.register),
    named: index === 0 && name === 'GDT' ? ['null'] : [],
  });
}

function taskState(owner: Owner): DescriptorTable {
  const {cells} = owner;
  const base = cells('TR.base') ?? 0n;
  const limit = number(cells, 'TR.limit');
  const shape = {name: 'TSS', base, limit, entries: [], empty: 0, cut: 0} as const;
  if (number(cells, 'TR.selector') < 4)
    return {...shape, fields: [], why: 'No task register has been loaded: LTR has not been executed.'};
  const bytes = owner.read(base, TSS_BYTES);
  if (bytes === undefined) return {...shape, fields: [], why: 'No memory is mapped where the task register points.'};
  const type = number(cells, 'TR.attributes') & 0xf;
  const bits = modeOfTables(cells) === 'ia-32e' ? 64 : type === 1 || type === 3 ? 16 : 32;
  return {...shape, fields: taskStateFields(bytes, owner.readBefore(base, TSS_BYTES), bits, limit), why: undefined};
}
