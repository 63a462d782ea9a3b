// Real mode without "unrestricted guest": the guest runs in virtual-8086 mode, at CPL 3 and IOPL 3, and does not notice.
// What VM entry wants of a virtual-8086 guest's segments goes into the VMCS, what the guest believes is kept beside it.
// The task-state segment of virtual-8086 mode is KVM's: its maps let every port and every INT n through.
// Linux, arch/x86/kvm/vmx/vmx.c: enter_rmode, enter_pmode, fix_rmode_seg, vmx_get_segment, init_rmode_tss.
//
//   kvm_vcpu +d00  rmode.segs: ES CS SS DS FS GS TR, each selector, base, limit, attributes

import {hpa} from '@hyperscope/base';
import type {Cell, DescriptorRegister} from '@hyperscope/isa';
import type {PhysicalMemory, VmxInstructions} from '@hyperscope/machine';
import {VCPU_STRUCT} from '../../host/host-layout.js';
import type {Host} from '../host-context.js';
import type {KvmVcpu} from '../kvm-vcpu.js';

/** IOPL and VM: RMODE_GUEST_OWNED_EFLAGS_BITS is the rest. */
export const RMODE_FLAGS = 0x2_3000n;
const SAVED = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'TR'] as const;
type SavedSegment = (typeof SAVED)[number];
const PARTS = ['selector', 'base', 'limit', 'attributes'] as const;
type Part = (typeof PARTS)[number];
const RMODE_SEGMENTS = 0xd00;

/** Where QEMU puts KVM's TSS (KVM_SET_TSS_ADDR): three pages below the firmware. */
export const TSS_ADDRESS = 0xfffb_d000;
export const TSS_BYTES = 0x3000;
const TSS_BASE = 0x68;
const REDIRECTION_MAP = 0x20;
const IO_MAP = 0x2000;
/** The byte behind the I/O permission map has all bits set. */
const RMODE_TSS_BYTES = TSS_BASE + REDIRECTION_MAP + IO_MAP + 1;
const BUSY_TSS = 0x8bn;
const ALL_VECTORS = 0xffff_ffffn;

export interface SegmentPart {
  readonly segment: SavedSegment;
  readonly part: Part;
}
const CELL_PARTS: ReadonlyMap<Cell, SegmentPart> = new Map(
  SAVED.flatMap(segment => PARTS.map((part): [Cell, SegmentPart] => [`${segment}.${part}`, {segment, part}])),
);
/** Undefined for a cell that is no part of ES, CS, SS, DS, FS, GS or TR. */
export const segmentPartOf = (cell: Cell): SegmentPart | undefined => CELL_PARTS.get(cell);

const fieldOf = <Name extends DescriptorRegister>(segment: Name, part: Part) =>
  part === 'attributes'
    ? (`GUEST_${segment}_ACCESS_RIGHTS` as const)
    : part === 'base'
      ? (`GUEST_${segment}_BASE` as const)
      : part === 'limit'
        ? (`GUEST_${segment}_LIMIT` as const)
        : (`GUEST_${segment}_SELECTOR` as const);

/** What the guest believed of a segment when KVM last heard of it. */
export function savedSegmentPart(memory: PhysicalMemory, {segment, part}: SegmentPart): bigint {
  return memory.read(placeOf(segment, part), 8);
}
const placeOf = (segment: SavedSegment, part: Part) =>
  hpa(VCPU_STRUCT + RMODE_SEGMENTS + 8 * (PARTS.length * SAVED.indexOf(segment) + PARTS.indexOf(part)));

/** A guest that loads a segment register in virtual-8086 mode exits for it no more than in real mode: base ← selector × 16. */
export const changedByLoad = (part: Part): boolean => part === 'selector' || part === 'base';

export class RealMode {
  readonly #vmx: VmxInstructions;
  readonly #memory: PhysicalMemory;
  readonly #vcpu: KvmVcpu;
  /** The exception bitmap in protected mode. */
  readonly #protectedBitmap: () => bigint;

  constructor(host: Host, vmx: VmxInstructions, protectedBitmap: () => bigint = () => 1n << 14n) {
    this.#vmx = vmx;
    this.#memory = host.machine.memory;
    this.#vcpu = host.vcpu;
    this.#protectedBitmap = protectedBitmap;
  }

  get isActive(): boolean {
    return this.#vcpu.get('rmode_active') === 1n;
  }

  segmentPart(wanted: SegmentPart): bigint {
    const {segment, part} = wanted;
    const saved = savedSegmentPart(this.#memory, wanted);
    if (segment === 'TR' || !changedByLoad(part)) return saved;
    const selector = this.#vmx.vmread(fieldOf(segment, 'selector'));
    if (selector === savedSegmentPart(this.#memory, {segment, part: 'selector'})) return saved;
    return part === 'selector' ? selector : this.#vmx.vmread(fieldOf(segment, 'base'));
  }

  /** Into what the guest believes; and into the VMCS, as virtual-8086 mode wants it. */
  setSegmentPart({segment, part}: SegmentPart, value: bigint): void {
    for (const other of ['selector', 'base'] as const)
      this.#save(segment, other, this.segmentPart({segment, part: other}));
    this.#save(segment, part, value);
    if (segment === 'TR' && part !== 'selector') return;
    this.#vmx.vmwrite(fieldOf(segment, part), part === 'attributes' ? virtual8086Rights(segment, value) : value);
  }

  #save(segment: SavedSegment, part: Part, value: bigint): void {
    const at = placeOf(segment, part);
    if (this.#memory.read(at, 8) !== value) this.#memory.write(at, 8, value);
  }

  /** CR0.PE became 0. */
  enter(): void {
    for (const segment of SAVED)
      for (const part of PARTS) this.#save(segment, part, this.#vmx.vmread(fieldOf(segment, part)));
    const flags = this.#vmx.vmread('GUEST_RFLAGS');
    this.#vcpu.set('rmode_active', 1n);
    this.#vcpu.set('rmode_rflags', flags);
    this.#vmx.vmwrite('GUEST_TR_BASE', BigInt(TSS_ADDRESS));
    this.#vmx.vmwrite('GUEST_TR_LIMIT', BigInt(RMODE_TSS_BYTES - 1));
    this.#vmx.vmwrite('GUEST_TR_ACCESS_RIGHTS', BUSY_TSS);
    this.#vmx.vmwrite('GUEST_RFLAGS', flags | RMODE_FLAGS);
    this.#vmx.vmwrite('EXCEPTION_BITMAP', ALL_VECTORS);
    for (const segment of SAVED) {
      if (segment === 'TR') continue;
      const rights = savedSegmentPart(this.#memory, {segment, part: 'attributes'});
      this.#vmx.vmwrite(fieldOf(segment, 'attributes'), virtual8086Rights(segment, rights));
    }
  }

  /** CR0.PE became 1: the guest's own segments are back, although it has loaded none yet. */
  leave(): void {
    const segments = SAVED.map(segment => ({
      segment,
      values: PARTS.map(part => [part, this.segmentPart({segment, part})] as const),
    }));
    const flags = this.#vmx.vmread('GUEST_RFLAGS');
    this.#vcpu.set('rmode_active', 0n);
    for (const {segment, values} of segments)
      for (const [part, value] of values) this.#vmx.vmwrite(fieldOf(segment, part), value);
    const kept = this.#vcpu.get('rmode_rflags') & RMODE_FLAGS;
    this.#vmx.vmwrite('GUEST_RFLAGS', (flags & ~RMODE_FLAGS) | kept);
    this.#vmx.vmwrite('EXCEPTION_BITMAP', this.#protectedBitmap());
  }
}

/** DPL 3; CS becomes a data segment. Linux, fix_rmode_seg. */
function virtual8086Rights(segment: SavedSegment, rights: bigint): bigint {
  const user = rights | 0x60n;
  return segment === 'CS' ? (user & ~0xfn) | 3n : user;
}

/** The task-state segment for virtual-8086 mode, in zeroed memory at `at`: no port is refused, no INT n leaves the mode. */
export function writeRealModeTss(memory: PhysicalMemory, at: number): void {
  memory.write(hpa(at + 0x66), 2, BigInt(TSS_BASE + REDIRECTION_MAP));
  memory.write(hpa(at + RMODE_TSS_BYTES - 1), 1, 0xffn);
}
