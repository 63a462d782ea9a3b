// The state at the playhead, as panels ask about it: the processor's own cells, and the guest's, which lie in the
// VMCS or VMCB while the host runs. The same code reads a live machine and a file.

import {PhysicalMemory, Vmcs} from '@hyperscope/machine';
import type {Bank} from '@hyperscope/machine';
import {hpa} from '@hyperscope/base';
import {isCell} from '@hyperscope/isa';
import {
  HOST_PAGE_TABLES,
  VMCB as KVM_VMCB,
  currentMachine,
  domainCells,
  guestCells,
  virtualGuestCells,
} from '@hyperscope/vmm';
import {GuestMemory, isDeprivileged, placeOfMachine} from '@hyperscope/trace';
import type {CellSource, RecordHeader} from '@hyperscope/trace';

const PAGE = 4096;
const NO_VMCS = 0xffff_ffff_ffff_ffffn;
const EFER_SVME = 1n << 12n;

/** What of a record's header decides how its banks are read. */
export type StateHeader = Pick<RecordHeader, 'cells' | 'technique' | 'guestMemory' | 'virtualMachines'>;

export class StateView {
  readonly header: StateHeader;
  readonly memory: Uint8Array;
  /** Of several virtual machines the one that has the processor: the guest is that one. */
  readonly machine: number;
  readonly guestMemory: GuestMemory;
  /** The processor's cells, whoever runs. */
  readonly cells: CellSource;
  readonly registers: BigUint64Array;
  /** The x87, MMX and SSE registers; a record of a real processor has none. */
  readonly vector: Uint8Array | undefined;
  #guest: CellSource | undefined;

  constructor(header: StateHeader, banks: readonly Bank[]) {
    this.header = header;
    this.memory = banks.find(bank => bank.name === 'memory')?.bytes ?? new Uint8Array(0);
    this.machine = header.virtualMachines === undefined ? 0 : currentMachine(this.memory);
    this.guestMemory = new GuestMemory(placeOfMachine(header, this.machine), this.memory);
    const bytes = banks.find(bank => bank.name === 'registers')?.bytes ?? new Uint8Array(0);
    this.registers = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 3);
    this.vector = banks.find(bank => bank.name === 'vector')?.bytes;
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

  /** Under SVM, the page of the VMCB of the guest that runs or ran last; undefined when there is none. */
  vmcb(): Uint8Array | undefined {
    const address = this.vmcbAddress;
    return address === undefined ? undefined : this.memory.subarray(address, address + PAGE);
  }

  /** Where that VMCB lies. KVM's is known before its first VMRUN, from the moment when SVM is switched on. */
  get vmcbAddress(): number | undefined {
    const pointer = this.cells('CURRENT_VMCB');
    const inside = pointer !== undefined && pointer !== NO_VMCS && Number(pointer) + PAGE <= this.memory.length;
    if (this.operation !== 'none' && inside) return Number(pointer);
    const isKvms = this.header.technique.startsWith('svm-') && ((this.cells('EFER') ?? 0n) & EFER_SVME) !== 0n;
    return isKvms ? KVM_VMCB : undefined;
  }

  /** The current VMCS, copied out of memory so that the machine's own reader can read a file's bytes as well. */
  vmcs(): Vmcs | undefined {
    const address = this.vmcsAddress;
    if (address === undefined) return undefined;
    const copy = new PhysicalMemory(PAGE);
    copy.load(hpa(0), this.memory.subarray(address, address + PAGE));
    return new Vmcs(copy, 0);
  }

  /**
   * The guest's cells, as the guest itself would find them: in the processor while it runs (or there is no hypervisor),
   * in the VMCS or VMCB and in kvm_vcpu while the host does; control registers as it believes them to be.
   */
  guestCells(): CellSource {
    return (this.#guest ??= this.#findGuestCells());
  }

  #findGuestCells(): CellSource {
    if (this.header.technique === 'paravirtual') {
      const read = domainCells(cell => this.cells(cell) ?? 0n, this.memory);
      return cell => (isCell(cell) ? read(cell) : undefined);
    }
    if (isDeprivileged(this.header.technique)) {
      const window = this.header.virtualMachines?.[this.machine]?.window;
      const read = virtualGuestCells(cell => this.cells(cell) ?? 0n, this.memory, window);
      return cell => (isCell(cell) ? read(cell) : undefined);
    }
    const block = this.vmcbAddress ?? this.vmcsAddress;
    if (this.header.technique === 'bare' || block === undefined || block + PAGE > HOST_PAGE_TABLES) return this.cells;
    // Everything that KVM keeps of a guest lies below its own page tables: a small copy serves vmm's reader.
    const copy = new PhysicalMemory(HOST_PAGE_TABLES);
    copy.load(hpa(0), this.memory.subarray(0, HOST_PAGE_TABLES));
    const read = guestCells(cell => this.cells(cell) ?? 0n, copy);
    return cell => (isCell(cell) ? read(cell) : undefined);
  }
}
