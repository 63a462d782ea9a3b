// The state at the playhead, as panels ask about it: the processor's own cells, and the guest's, which lie in the VMCS
// while the host runs. The same code reads a live machine and a file.

import {PhysicalMemory, Vmcs, entryControl} from '@hyperscope/machine';
import type {Bank} from '@hyperscope/machine';
import {hpa} from '@hyperscope/base';
import {DESCRIPTOR_REGISTERS} from '@hyperscope/isa';
import type {VmcsFieldName} from '@hyperscope/isa';
import {GuestMemory} from '@hyperscope/trace';
import type {CellSource, RecordHeader} from '@hyperscope/trace';

const PAGE = 4096;
const EFER_LMA = 1n << 10n;
const NO_VMCS = 0xffff_ffff_ffff_ffffn;

/** What of a record's header decides how its banks are read. */
export type StateHeader = Pick<RecordHeader, 'cells' | 'technique' | 'guestMemory'>;

export class StateView {
  readonly header: StateHeader;
  readonly memory: Uint8Array;
  readonly guestMemory: GuestMemory;
  /** The processor's cells, whoever runs. */
  readonly cells: CellSource;
  readonly registers: BigUint64Array;

  constructor(header: StateHeader, banks: readonly Bank[]) {
    this.header = header;
    this.memory = banks.find(bank => bank.name === 'memory')?.bytes ?? new Uint8Array(0);
    this.guestMemory = new GuestMemory(header, this.memory);
    const bytes = banks.find(bank => bank.name === 'registers')?.bytes ?? new Uint8Array(0);
    this.registers = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 3);
    const index = new Map(header.cells.map((cell, i) => [cell, i]));
    this.cells = cell => {
      const at = index.get(cell);
      return at === undefined ? undefined : this.registers[at];
    };
  }

  get operation(): 'none' | 'root' | 'non-root' {
    return (['none', 'root', 'non-root'] as const)[Number(this.cells('VMX_OPERATION') ?? 0n)] ?? 'none';
  }

  /** Where the current VMCS lies; undefined when there is none. */
  get vmcsAddress(): number | undefined {
    const pointer = this.cells('CURRENT_VMCS');
    const inside = pointer !== undefined && pointer !== NO_VMCS && Number(pointer) + PAGE <= this.memory.length;
    return this.operation === 'none' || !inside ? undefined : Number(pointer);
  }

  /** The current VMCS, copied out of memory so that the machine's own reader can read a file's bytes as well. */
  vmcs(): Vmcs | undefined {
    const address = this.vmcsAddress;
    if (address === undefined) return undefined;
    const copy = new PhysicalMemory(PAGE);
    copy.load(hpa(0), this.memory.subarray(address, address + PAGE));
    return new Vmcs(copy, 0);
  }

  /** The guest's cells: the processor's own while the guest runs (or there is no hypervisor), the VMCS's while the host does. */
  guestCells(): CellSource {
    if (this.operation !== 'root') return this.cells;
    const vmcs = this.vmcs();
    if (vmcs === undefined) return this.cells;
    return cell => {
      const field = GUEST_FIELDS.get(cell);
      if (field === undefined) return this.cells(cell);
      // EFER is only stored where the hypervisor asked for it; that the guest is in long mode the entry controls know too.
      const lma =
        field === 'GUEST_IA32_EFER' && vmcs.bit('VM_ENTRY_CONTROLS', entryControl('IA-32e mode guest')) ? EFER_LMA : 0n;
      return vmcs.get(field) | lma;
    };
  }
}

/** The cells that a VM exit stores in the VMCS. SDM vol. 3C, "Guest Register State". */
const GUEST_FIELDS: ReadonlyMap<string, VmcsFieldName> = new Map<string, VmcsFieldName>([
  ['RIP', 'GUEST_RIP'],
  ['RSP', 'GUEST_RSP'],
  ['RFLAGS', 'GUEST_RFLAGS'],
  ['CR0', 'GUEST_CR0'],
  ['CR3', 'GUEST_CR3'],
  ['CR4', 'GUEST_CR4'],
  ['EFER', 'GUEST_IA32_EFER'],
  ...DESCRIPTOR_REGISTERS.flatMap((register): [string, VmcsFieldName][] => [
    [`${register}.selector`, `GUEST_${register}_SELECTOR`],
    [`${register}.base`, `GUEST_${register}_BASE`],
    [`${register}.limit`, `GUEST_${register}_LIMIT`],
    [`${register}.attributes`, `GUEST_${register}_ACCESS_RIGHTS`],
  ]),
]);
