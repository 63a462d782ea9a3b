// What the VMM's routines share: the machine it owns, the guest's virtual CPU, and ways to tell of what it does. There is no
// state here that a step changes, apart from the outcome that ends the run: everything else is in memory.

import {gpa, hex} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {Cell} from '@hyperscope/isa';
import type {Machine} from '@hyperscope/machine';
import type {HostRoutine, HostStep} from '../host/host-program.js';
import type {ShadowHost, ShadowMmu} from '../shadow-paging/ports.js';
import type {RunOutcome} from '../technique.js';
import type {DeviceBoard} from '../user-space/device-board.js';
import type {PcChipset} from '../user-space/pc-chipset.js';
import type {HypervisorEvent} from '../virtual-machine.js';
import type {CellReader, WindowReader} from './guest-exit.js';
import type {GuestPhysical} from './guest-physical.js';
import type {KernelCode} from './kernel-code.js';
import {realRing} from './rings.js';
import type {RingLayout} from './rings.js';
import {ShadowDescriptors} from './shadow-descriptors.js';
import type {VirtualCpu} from './virtual-cpu.js';
import type {CellChange, Committed, VirtualProcessor} from './virtual-processor.js';
import {ONLY_PLACE, inWindow} from './vmm-layout.js';
import type {VmPlace} from './vmm-layout.js';

const CR0_PE = 1n;
const EFER_LMA = 1n << 10n;
const RFLAGS_VM = 1n << 17n;

export interface VmmParts {
  readonly machine: Machine;
  readonly vcpu: VirtualCpu;
  readonly virtual: VirtualProcessor;
  readonly memory: GuestPhysical;
  readonly board: DeviceBoard;
  readonly chipset: PcChipset;
  /** The layout that was asked for; by the guest's mode where absent. */
  readonly rings: RingLayout | undefined;
  /** Where its things lie in host memory: that of the only virtual machine, where absent. */
  readonly place?: VmPlace | undefined;
  tell(event: HypervisorEvent): void;
  createMmu(vmm: Vmm): ShadowMmu;
  /** How guest kernel code runs; as it is, where absent. */
  createKernelCode?: ((vmm: Vmm) => KernelCode) | undefined;
}

/** In which of the processor's modes the guest's code runs as it is. */
export type NativeMode = 'virtual-8086' | 'protected' | 'IA-32e';

export class Vmm {
  readonly machine: Machine;
  readonly vcpu: VirtualCpu;
  readonly virtual: VirtualProcessor;
  readonly memory: GuestPhysical;
  readonly board: DeviceBoard;
  readonly chipset: PcChipset;
  readonly place: VmPlace;
  readonly descriptors: ShadowDescriptors;
  readonly mmu: ShadowMmu;
  /** Undefined where the guest's kernel runs as it is. */
  readonly kernelCode: KernelCode | undefined;
  readonly tell: (event: HypervisorEvent) => void;
  /** The processor's registers, and the VMM's window, for those who only read. */
  readonly cells: CellReader;
  readonly window: WindowReader;
  readonly #rings: RingLayout | undefined;
  /** Set once, by the step that ends the run. */
  outcome: RunOutcome | undefined;

  constructor(parts: VmmParts) {
    this.machine = parts.machine;
    this.vcpu = parts.vcpu;
    this.virtual = parts.virtual;
    this.memory = parts.memory;
    this.board = parts.board;
    this.chipset = parts.chipset;
    this.place = parts.place ?? ONLY_PLACE;
    this.#rings = parts.rings;
    this.tell = event => parts.tell(event);
    this.cells = cell => this.machine.registers.get(cell);
    this.window = (offset, bytes) => this.machine.memory.read(inWindow(offset, this.place), bytes);
    this.descriptors = new ShadowDescriptors(this);
    this.mmu = parts.createMmu(this);
    this.kernelCode = parts.createKernelCode?.(this);
  }

  /** Whether the guest believes to be in IA-32e mode. */
  get isGuestLong(): boolean {
    return (this.vcpu.get('EFER') & EFER_LMA) !== 0n;
  }
  /** Segment limits hide the VMM from ring 1, and IA-32e mode has none: there the page tables must, and they know only ring 3. */
  get layout(): RingLayout {
    return this.#rings ?? (this.isGuestLong ? '0/3/3' : '0/1/3');
  }
  get nativeMode(): NativeMode {
    if ((this.vcpu.get('RFLAGS') & RFLAGS_VM) !== 0n) return 'virtual-8086';
    // Translated code need not be where real mode could be: it runs in a segment of the VMM's.
    if ((this.vcpu.get('CR0') & CR0_PE) === 0n) return this.kernelCode === undefined ? 'virtual-8086' : 'protected';
    return this.isGuestLong ? 'IA-32e' : 'protected';
  }
  get virtualRing(): number {
    return this.vcpu.number('CPL');
  }
  /** The real ring of the guest's code. */
  get guestRing(): number {
    return this.nativeMode === 'virtual-8086' ? 3 : realRing(this.virtualRing, this.layout);
  }
  /** Whether a guest in supervisor mode runs in ring 3, where pages with U/S = 0 are closed to it. */
  get kernelRunsAsUser(): boolean {
    return this.layout === '0/3/3' || (this.kernelCode === undefined && (this.vcpu.get('CR0') & CR0_PE) === 0n);
  }

  finish(outcome: RunOutcome): void {
    this.outcome ??= outcome;
  }

  /** Makes true what the virtual processor has come to, and tells what that changes in the virtual CPU. */
  commit(why: string): Committed {
    const done = this.virtual.commit();
    for (const change of done.changes) if (SHOWN.has(change.cell)) this.#tellChange(change, why);
    for (const {gpa: at, bytes} of done.writes) {
      this.mmu.guestWrote(gpa(at), bytes);
      this.kernelCode?.guestWrote(at, bytes);
    }
    if (done.changes.some(({cell}) => PAGING_ROLE.has(cell))) {
      this.mmu.guestChangedMode();
      this.kernelCode?.guestChangedPaging();
    }
    if (done.changes.some(({cell}) => cell === 'GDTR.base' || cell === 'GDTR.limit')) this.descriptors.rebuild('GDT');
    if (done.changes.some(({cell}) => cell.startsWith('LDTR.'))) this.descriptors.rebuild('LDT');
    return done;
  }

  #tellChange({cell, from, to}: CellChange, why: string): void {
    this.tell({kind: 'virtual-cpu', register: cell, from, to, why});
  }
}

/** The registers of the two columns: what the guest thinks, what the processor holds. */
const SHOWN: ReadonlySet<Cell> = new Set<Cell>([
  ...(['CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'EFER', 'CPL', 'RFLAGS', 'XCR0', 'DR7'] as const),
  ...(['GDTR.base', 'GDTR.limit', 'IDTR.base', 'IDTR.limit', 'LDTR.selector', 'TR.selector'] as const),
  ...(['STAR', 'LSTAR', 'CSTAR', 'FMASK', 'KERNEL_GS_BASE', 'SYSENTER_CS', 'SYSENTER_ESP', 'SYSENTER_EIP'] as const),
]);
const PAGING_ROLE: ReadonlySet<Cell> = new Set<Cell>(['CR0', 'CR4', 'EFER']);

export type VmmRoutine = HostRoutine<Vmm>;
export const routine = (name: string, ...steps: HostStep<Vmm>[]): VmmRoutine => ({name, actor: 'hypervisor', steps});

/** What the shadow MMU needs of this hypervisor. */
export function shadowHostOf({
  machine,
  vcpu,
  memory,
  tell,
}: Pick<VmmParts, 'machine' | 'vcpu' | 'memory' | 'tell'>): ShadowHost {
  return {
    paging: () => ({
      cr0: vcpu.get('CR0'),
      cr3: vcpu.get('CR3'),
      cr4: vcpu.get('CR4'),
      efer: vcpu.get('EFER'),
      pdptes: [vcpu.get('PDPTE0'), vcpu.get('PDPTE1'), vcpu.get('PDPTE2'), vcpu.get('PDPTE3')],
    }),
    backing: address => memory.backing(address),
    read: (at: Hpa, bytes) => machine.memory.read(at, bytes),
    write: (at: Hpa, bytes, value) => machine.memory.write(at, bytes, value),
    flushTlb: linear => (linear === undefined ? machine.tlb.flushAll() : machine.tlb.flushPage(linear)),
    tell,
  };
}

/** 'CS:RIP 0x8:0x7c00' */
export function placeOf(vcpu: VirtualCpu): string {
  return `CS:RIP ${hex(vcpu.get('CS.selector'))}:${hex(vcpu.get('RIP'))}`;
}
