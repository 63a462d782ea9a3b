// VMCB clean bits: what the processor may keep from the last VMRUN of the same VMCB, because its hypervisor says that it has not
// changed it. Who changes a field and leaves its bit set runs the guest with the old value: that is what happens here too, and
// for good (a processor may forget what it keeps at any time, this one does not). APM vol. 2, "VMCB Clean Bits".
//
// What is kept lies in the page of VM_HSAVE_PA, whose layout belongs to the processor, so that a record goes back over it:
//
//   +000  the control area, at its own offsets      +3E0  PAUSEs left, +3E8 time stamp of the last PAUSE
//   +3F0  address of the VMCB that is kept, and 1   +400  the host's state (host-state.ts)
//   +800  the state-save area, 400h above its own offsets

import {VMCB_FIELDS} from '@hyperscope/isa';
import type {VmcbFieldName} from '@hyperscope/isa';
import {hpa} from '@hyperscope/base';
import type {Core} from '../cpu/core.js';
import {Vmcb} from './vmcb.js';

const KEPT_ADDRESS = 0x3f0;
const SAVE_AREA_SHIFT = 0x400;
const IN_USE = 1n;

const segment = (name: 'ES' | 'CS' | 'SS' | 'DS'): readonly VmcbFieldName[] => [
  `${name}_SELECTOR`,
  `${name}_ATTRIB`,
  `${name}_LIMIT`,
  `${name}_BASE`,
];

/** Fields by the number of their clean bit: I, IOPM, ASID, TPR, NP, CRx, DRx, DT, SEG, CR2. */
const GROUPS: readonly (readonly VmcbFieldName[])[] = [
  [
    'INTERCEPT_CR_READ',
    'INTERCEPT_CR_WRITE',
    'INTERCEPT_DR_READ',
    'INTERCEPT_DR_WRITE',
    'INTERCEPT_EXCEPTION',
    'INTERCEPT_WORD_3',
    'INTERCEPT_WORD_4',
    'INTERCEPT_WORD_5',
    'TSC_OFFSET',
    'PAUSE_FILTER_COUNT',
    'PAUSE_FILTER_THRESHOLD',
  ],
  ['IOPM_BASE_PA', 'MSRPM_BASE_PA'],
  ['GUEST_ASID'],
  ['VIRTUAL_INTERRUPT'],
  ['NESTED_CONTROL', 'N_CR3', 'G_PAT'],
  ['CR0', 'CR3', 'CR4', 'EFER'],
  ['DR6', 'DR7'],
  ['GDTR_LIMIT', 'GDTR_BASE', 'IDTR_LIMIT', 'IDTR_BASE'],
  [...segment('ES'), ...segment('CS'), ...segment('SS'), ...segment('DS'), 'CPL'],
  ['CR2'],
];
const GROUPED: ReadonlySet<VmcbFieldName> = new Set(GROUPS.flat());
/** RIP, RSP, RAX, RFLAGS, the event to inject and what else has no bit: read at every VMRUN. */
const ALWAYS: readonly VmcbFieldName[] = VMCB_FIELDS.map(({name}) => name).filter(name => !GROUPED.has(name));

const savePage = (core: Core): number => Number(core.registers.get('VM_HSAVE_PA'));

/** The VMCB as the processor has it: what it keeps, where it keeps anything, else memory. */
export function heldVmcb(core: Core, vmcb: Vmcb): Vmcb {
  return core.features.vmcbClean ? new Vmcb(core.memory, savePage(core), SAVE_AREA_SHIFT) : vmcb;
}

/** At VMRUN: reads what is not known to be clean. */
export function readVmcb(core: Core, vmcb: Vmcb): Vmcb {
  const held = heldVmcb(core, vmcb);
  if (held === vmcb) return vmcb;
  const mark = hpa(savePage(core) + KEPT_ADDRESS);
  const wanted = BigInt(vmcb.address) | IN_USE;
  const clean = core.memory.read(mark, 8) === wanted ? vmcb.get('CLEAN_BITS') : 0n;
  for (const [bit, fields] of GROUPS.entries()) if (((clean >> BigInt(bit)) & 1n) === 0n) copy(fields, vmcb, held);
  copy(ALWAYS, vmcb, held);
  core.memory.write(mark, 8, wanted);
  return held;
}

/** After #VMEXIT has written the guest's state: the processor knows what it wrote. */
export function keepWritten(core: Core, vmcb: Vmcb): void {
  const held = heldVmcb(core, vmcb);
  if (held === vmcb) return;
  for (const fields of GROUPS.slice(CRX)) copy(fields, vmcb, held);
  copy(['VIRTUAL_INTERRUPT', 'G_PAT'], vmcb, held);
}
/** From here on the groups hold state that #VMEXIT writes. */
const CRX = 5;

function copy(fields: readonly VmcbFieldName[], from: Vmcb, to: Vmcb): void {
  for (const name of fields) to.set(name, from.get(name));
}
