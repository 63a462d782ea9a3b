// Where the guest's registers lie while the host runs, under SVM: most in the VMCB's state-save area, which is plain memory;
// the general ones and what the processor does not switch in kvm_vcpu; control registers, as the guest believes them to be,
// in vcpu_svm. Reads memory only, so that views of a record can use it as well as kvm_amd.

import {DESCRIPTOR_REGISTERS, GENERAL_REGISTERS} from '@hyperscope/isa';
import type {Cell, DescriptorRegister, VmcbFieldName} from '@hyperscope/isa';
import type {PhysicalMemory} from '@hyperscope/machine';
import {Vmcb} from '@hyperscope/machine';
import {VMCB} from '../../host/host-layout.js';
import {KvmVcpu} from '../kvm-vcpu.js';
import type {VcpuSlot} from '../kvm-vcpu.js';
import {VcpuSvm} from './vcpu-svm.js';
import type {SvmSlot} from './vcpu-svm.js';

const UNUSABLE = 0x1_0000n;
const PRESENT = 0x80n;

/** Cells that lie in the VMCB as they are; attributes of segments have a form of their own there. */
const IN_VMCB: ReadonlyMap<Cell, VmcbFieldName> = new Map<Cell, VmcbFieldName>([
  ['RIP', 'RIP'],
  ['RFLAGS', 'RFLAGS'],
  ['CPL', 'CPL'],
  ['DR6', 'DR6'],
  ['DR7', 'DR7'],
  ['PAT', 'G_PAT'],
  ['STAR', 'STAR'],
  ['LSTAR', 'LSTAR'],
  ['CSTAR', 'CSTAR'],
  ['FMASK', 'SFMASK'],
  ['KERNEL_GS_BASE', 'KERNEL_GS_BASE'],
  ['SYSENTER_CS', 'SYSENTER_CS'],
  ['SYSENTER_ESP', 'SYSENTER_ESP'],
  ['SYSENTER_EIP', 'SYSENTER_EIP'],
  ['DEBUGCTL', 'DBGCTL'],
  ['GDTR.base', 'GDTR_BASE'],
  ['GDTR.limit', 'GDTR_LIMIT'],
  ['IDTR.base', 'IDTR_BASE'],
  ['IDTR.limit', 'IDTR_LIMIT'],
  ...DESCRIPTOR_REGISTERS.flatMap((name): [Cell, VmcbFieldName][] => [
    [`${name}.selector`, `${name}_SELECTOR`],
    [`${name}.base`, `${name}_BASE`],
    [`${name}.limit`, `${name}_LIMIT`],
  ]),
]);

/** CR2, which VMRUN loads and #VMEXIT saves, is copied to kvm_vcpu, as RAX and RSP are: generic code looks for it there. */
const IN_VCPU: ReadonlyMap<Cell, VcpuSlot> = new Map<Cell, VcpuSlot>([
  ['CR2', 'cr2'],
  ['CR8', 'cr8'],
  ['XCR0', 'xcr0'],
  ['TSC_AUX', 'tsc_aux'],
  ['DR0', 'dr0'],
  ['DR1', 'dr1'],
  ['DR2', 'dr2'],
  ['DR3', 'dr3'],
  ['APIC_BASE', 'apic_base'],
  ['MISC_ENABLE', 'misc_enable'],
]);

const IN_VCPU_SVM: ReadonlyMap<Cell, SvmSlot> = new Map<Cell, SvmSlot>([
  ['CR0', 'cr0'],
  ['CR3', 'cr3'],
  ['CR4', 'cr4'],
  ['EFER', 'efer'],
  ['PDPTE0', 'pdpte0'],
  ['PDPTE1', 'pdpte1'],
  ['PDPTE2', 'pdpte2'],
  ['PDPTE3', 'pdpte3'],
  ['NMI_BLOCKING', 'nmi_masked'],
]);

const ATTRIBUTES: ReadonlyMap<Cell, DescriptorRegister> = new Map(
  DESCRIPTOR_REGISTERS.map((name): [Cell, DescriptorRegister] => [`${name}.attributes`, name]),
);

/** A segment's attributes as a cell has them: the VMCB keeps bits 15:12 in 11:8, and for an unusable segment nothing. */
const fromVmcb = (attrib: bigint): bigint =>
  (attrib & 0xffn) | ((attrib & 0xf00n) << 4n) | ((attrib & PRESENT) === 0n ? UNUSABLE : 0n);
const toVmcb = (attributes: bigint): bigint =>
  (attributes & UNUSABLE) === 0n ? (attributes & 0xffn) | ((attributes >> 4n) & 0xf00n) : 0n;

const DPL = 5n;

export class SvmGuestState {
  readonly vmcb: Vmcb;
  readonly vcpu: KvmVcpu;
  readonly svm: VcpuSvm;

  /** `memory`: the host's. */
  constructor(memory: PhysicalMemory) {
    this.vmcb = new Vmcb(memory, VMCB);
    this.vcpu = new KvmVcpu(memory);
    this.svm = new VcpuSvm(memory);
  }

  /** The guest's register; undefined for one that has no place outside the processor. */
  get(cell: Cell): bigint | undefined {
    const slot = IN_VCPU.get(cell);
    if (slot !== undefined) return this.vcpu.get(slot);
    const own = IN_VCPU_SVM.get(cell);
    if (own !== undefined) return this.svm.get(own);
    const field = IN_VMCB.get(cell);
    if (field !== undefined) return this.vmcb.get(field);
    const segment = ATTRIBUTES.get(cell);
    if (segment !== undefined) return fromVmcb(this.vmcb.get(`${segment}_ATTRIB`));
    if (cell === 'INTERRUPT_SHADOW') return this.vmcb.get('INTERRUPT_SHADOW') & 1n;
    if (cell === 'ACTIVITY') return 0n;
    const general = GENERAL_REGISTERS.find(name => name === cell);
    return general === undefined ? undefined : this.vcpu.register(general);
  }

  /** Writes a register whose place holds nothing but what the guest believes. */
  set(cell: Cell, value: bigint): void {
    const slot = IN_VCPU.get(cell);
    if (slot !== undefined) return this.vcpu.set(slot, value);
    const own = IN_VCPU_SVM.get(cell);
    if (own !== undefined) return this.svm.set(own, value);
    const field = IN_VMCB.get(cell);
    if (field !== undefined) return this.vmcb.set(field, value);
    const segment = ATTRIBUTES.get(cell);
    if (segment !== undefined) return this.#setAttributes(segment, value);
    if (cell === 'INTERRUPT_SHADOW') return this.vmcb.set('INTERRUPT_SHADOW', value === 0n ? 0n : 1n);
    const general = GENERAL_REGISTERS.find(name => name === cell);
    if (general !== undefined) this.vcpu.setRegister(general, value);
  }

  /** The CPL has a place of its own in a VMCB; it is the DPL of SS, as the guest believes it (Linux, svm_set_segment). */
  #setAttributes(segment: DescriptorRegister, value: bigint): void {
    this.vmcb.set(`${segment}_ATTRIB`, toVmcb(value));
    if (segment === 'SS') this.vmcb.set('CPL', (value >> DPL) & 3n);
  }
}
