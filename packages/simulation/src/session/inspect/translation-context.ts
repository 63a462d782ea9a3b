// Whose page tables: the registers and the nested root by which a processor would translate, out of a state. Two of them matter:
// the ones in the processor now, and the ones that the guest runs with, which lie in the VMCS or VMCB while the host runs.

import {ENTRY_CONTROLS, PRIMARY_CONTROLS, SECONDARY_CONTROLS, featuresOf, profileById} from '@hyperscope/machine';
import type {PagingRules} from '@hyperscope/machine';
import {HOST_CR0, HOST_CR4, HOST_EFER, HOST_PAGE_TABLES} from '@hyperscope/vmm';
import {vmcbField} from '@hyperscope/isa';
import type {VmcbFieldName, VmcsFieldName} from '@hyperscope/isa';
import {bit} from '@hyperscope/base';
import type {RecordHeader} from '@hyperscope/trace';
import type {StateView} from '../state-view.js';

const EFER_LMA = 1n << 10n;
const ADDRESS = 0x000f_ffff_ffff_f000n;
const PDPTES = ['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'] as const;

/** Tables behind the guest's own: EPT, or nested page tables. */
export interface NestedTables {
  readonly kind: 'ept' | 'npt';
  /** Host-physical address of the first table. */
  readonly root: number;
  /** As what reading a guest table counts there: with accessed and dirty flags, as a write. */
  readonly tableReads: 'read' | 'write';
}

export interface TranslationContext {
  /** Undefined while paging is off: a linear address is a physical one. */
  readonly rules: PagingRules | undefined;
  readonly nested: NestedTables | undefined;
  /** VPID or ASID; 0 for the host, or where there is none. */
  readonly identifier: number;
  readonly cr3: bigint;
  readonly pcid: number | undefined;
}

interface ControlRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly pdptes: readonly bigint[];
}

/** What the processor translates by now. */
export function processorContext(header: RecordHeader, state: StateView): TranslationContext {
  const read = (cell: string): bigint => state.cells(cell) ?? 0n;
  const registers = {
    cr0: read('CR0'),
    cr3: read('CR3'),
    cr4: read('CR4'),
    efer: read('EFER'),
    pdptes: PDPTES.map(read),
  };
  const isGuest = state.operation === 'non-root';
  return contextOf(header, registers, isGuest ? nestedOf(state) : undefined, isGuest ? identifierOf(state) : 0);
}

/** What it translates by when the guest of the current VMCS or VMCB runs; undefined where there is none. */
export function guestContext(header: RecordHeader, state: StateView): TranslationContext | undefined {
  if (state.operation === 'non-root') return processorContext(header, state);
  const registers = vmcbRegisters(state) ?? vmcsRegisters(state);
  return registers === undefined ? undefined : contextOf(header, registers, nestedOf(state), identifierOf(state));
}

/** What the host's kernel and QEMU run with, whoever runs now. */
export function hostContext(header: RecordHeader): TranslationContext {
  return contextOf(
    header,
    {cr0: HOST_CR0, cr3: BigInt(HOST_PAGE_TABLES), cr4: HOST_CR4, efer: HOST_EFER, pdptes: []},
    undefined,
    0,
  );
}

function vmcsRegisters(state: StateView): ControlRegisters | undefined {
  const vmcs = state.vmcs();
  if (vmcs === undefined) return undefined;
  const get = (name: VmcsFieldName): bigint => vmcs.get(name);
  return {
    cr0: get('GUEST_CR0'),
    cr3: get('GUEST_CR3'),
    cr4: get('GUEST_CR4'),
    efer: guestEfer(state, get),
    pdptes: [get('GUEST_PDPTE0'), get('GUEST_PDPTE1'), get('GUEST_PDPTE2'), get('GUEST_PDPTE3')],
  };
}

/** Where entry does not load EFER, the guest has the processor's, with LMA as the control says. SDM vol. 3C, "Loading Guest Control Registers, Debug Registers, and MSRs". */
function guestEfer(state: StateView, get: (name: VmcsFieldName) => bigint): bigint {
  const controls = get('VM_ENTRY_CONTROLS');
  if (bit(controls, ENTRY_CONTROLS['load IA32_EFER'])) return get('GUEST_IA32_EFER');
  const shared = (state.cells('EFER') ?? 0n) & ~EFER_LMA;
  return bit(controls, ENTRY_CONTROLS['IA-32e mode guest']) ? shared | EFER_LMA : shared;
}

function vmcbRegisters(state: StateView): ControlRegisters | undefined {
  if (state.vmcb() === undefined) return undefined;
  const get = (name: VmcbFieldName): bigint => vmcbValue(state, name);
  return {cr0: get('CR0'), cr3: get('CR3'), cr4: get('CR4'), efer: get('EFER'), pdptes: []};
}

/** A field of the VMCB of at most eight bytes; 0 where there is no VMCB. */
export function vmcbValue(state: StateView, name: VmcbFieldName): bigint {
  const page = state.vmcb();
  const {offset, bytes} = vmcbField(name);
  let value = 0n;
  for (let at = bytes - 1; at >= 0; at--) value = (value << 8n) | BigInt(page?.[offset + at] ?? 0);
  return value;
}

function nestedOf(state: StateView): NestedTables | undefined {
  if (state.vmcb() !== undefined)
    return (vmcbValue(state, 'NESTED_CONTROL') & 1n) === 0n
      ? undefined
      : {kind: 'npt', root: Number(vmcbValue(state, 'N_CR3') & ADDRESS), tableReads: 'write'};
  const vmcs = state.vmcs();
  if (vmcs === undefined || !hasSecondary(state, SECONDARY_CONTROLS['enable EPT'])) return undefined;
  const pointer = vmcs.get('EPT_POINTER');
  return {kind: 'ept', root: Number(pointer & ADDRESS), tableReads: bit(pointer, 6) ? 'write' : 'read'};
}

function identifierOf(state: StateView): number {
  if (state.vmcb() !== undefined) return Number(vmcbValue(state, 'GUEST_ASID'));
  const vmcs = state.vmcs();
  return vmcs !== undefined && hasSecondary(state, SECONDARY_CONTROLS['enable VPID']) ? Number(vmcs.get('VPID')) : 0;
}

function hasSecondary(state: StateView, control: number): boolean {
  const vmcs = state.vmcs();
  if (vmcs === undefined) return false;
  const primary = vmcs.get('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS');
  return (
    bit(primary, PRIMARY_CONTROLS['activate secondary controls']) &&
    bit(vmcs.get('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS'), control)
  );
}

function contextOf(
  header: RecordHeader,
  registers: ControlRegisters,
  nested: NestedTables | undefined,
  identifier: number,
): TranslationContext {
  const usesPcids = bit(registers.cr4, 17) && (registers.efer & EFER_LMA) !== 0n;
  return {
    rules: rulesOf(header, registers),
    nested,
    identifier,
    cr3: registers.cr3,
    pcid: usesPcids ? Number(registers.cr3 & 0xfffn) : undefined,
  };
}

/** Rights are those of the page; who asks is not asked. SDM vol. 3A, "Paging Modes and Control Bits". */
function rulesOf(header: RecordHeader, {cr0, cr3, cr4, efer, pdptes}: ControlRegisters): PagingRules | undefined {
  if (!bit(cr0, 31)) return undefined;
  const profile = profileById(header.machine?.profile ?? '');
  const features = profile === undefined ? undefined : featuresOf(profile);
  const mode = (efer & EFER_LMA) !== 0n ? '4-level' : bit(cr4, 5) ? 'PAE' : '32-bit';
  return {
    mode,
    cr3,
    physicalAddressBits: profile?.physicalAddressBits ?? 52,
    gigabytePages: features?.gigabytePages ?? true,
    pse36: features?.pse36 ?? true,
    noExecute: bit(efer, 11),
    writeProtect: bit(cr0, 16),
    pageSizeExtensions: bit(cr4, 4),
    globalPages: bit(cr4, 7),
    smep: bit(cr4, 20),
    smap: false,
    alignmentFlag: false,
    pointers: mode === 'PAE' && pdptes.length === 4 ? pdptes : undefined,
  };
}
