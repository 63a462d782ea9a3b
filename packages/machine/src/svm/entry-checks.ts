// What VMRUN refuses: the consistency checks. The processor stops at the first and tells nothing (VMEXIT_INVALID); this keeps
// all that fail, with the value and the rule, because a person has to repair the VMCB. There are far fewer than VT-x has:
// no segment attributes, no fixed bits, so a real-mode guest was legal from the first SVM processor on.
// APM vol. 2, "Canonicalization and Consistency Checks".

import {bits, hex} from '@hyperscope/base';
import type {Core} from '../cpu/core.js';
import {supportedCr4} from '../cpu/control-registers.js';
import type {Check} from '../observer.js';
import {CheckList} from '../vmx/check-list.js';
import type {CheckDetail} from '../vmx/check-list.js';
import {validPat} from '../vmx/pat.js';
import type {SvmControls} from './controls.js';
import {hasErrorCodeType, injectionProblem} from './injection.js';
import {CR0_PG, EFER_LME} from './guest-state.js';

const SOURCE = 'APM vol. 2, "Canonicalization and Consistency Checks"';
const IOPM_BYTES = 3 * 4096;
const MSRPM_BYTES = 2 * 4096;
const EFER_SVME = 1n << 12n;
/** All but SCE, LME, LMA, NXE and SVME: neither LMSLE nor FFXSR is announced. */
const EFER_RESERVED = ~0x1d01n;
const CR0_PE = 1n;
const CR0_NW = 1n << 29n;
const CR0_CD = 1n << 30n;
const CR4_PAE = 1n << 5n;
const ATTRIB_L = 1n << 9n;
const ATTRIB_D = 1n << 10n;

/** Everything that is wrong with the VMCB, in the order in which the manual lists it. Empty: the guest may be entered. With 'all', what holds as well. */
export function vmrunChecks(core: Core, controls: SvmControls, detail: CheckDetail = 'failures'): readonly Check[] {
  const list = new CheckList(SOURCE, detail);
  checkControlRegisters(core, controls, list);
  checkLongMode(controls, list);
  checkControlArea(core, controls, list);
  checkInjection(controls, list);
  return list.checks;
}

function checkControlRegisters(core: Core, {vmcb}: SvmControls, list: CheckList): void {
  const efer = vmcb.get('EFER');
  const cr0 = vmcb.get('CR0');
  const cr3 = vmcb.get('CR3');
  const cr4 = vmcb.get('CR4');
  list.must((efer & EFER_SVME) !== 0n, 'EFER.SVME = 1, in the guest too', ['EFER', efer]);
  list.must((cr0 & CR0_CD) !== 0n || (cr0 & CR0_NW) === 0n, 'CR0.CD = 1, or CR0.NW = 0', ['CR0', cr0]);
  list.must(cr0 >> 32n === 0n, 'bits 63:32 of CR0 = 0', ['CR0', cr0]);
  const width = BigInt(core.profile.physicalAddressBits);
  list.must(cr3 >> width === 0n, `CR3 lies within the physical-address width of ${width} bits`, ['CR3', cr3]);
  const extra = cr4 & ~supportedCr4(core.features, 'without VMX');
  list.must(extra === 0n, 'CR4 sets only bits that CPUID announces', ['CR4', cr4], ['reserved bits set', extra]);
  list.must(vmcb.get('DR6') >> 32n === 0n, 'bits 63:32 of DR6 = 0', ['DR6', vmcb.get('DR6')]);
  list.must(vmcb.get('DR7') >> 32n === 0n, 'bits 63:32 of DR7 = 0', ['DR7', vmcb.get('DR7')]);
  list.must((efer & EFER_RESERVED) === 0n, 'reserved bits of EFER = 0', ['EFER', efer]);
}

/** The four ways in which long mode can contradict itself. */
function checkLongMode({vmcb}: SvmControls, list: CheckList): void {
  const cr0 = vmcb.get('CR0');
  const cr4 = vmcb.get('CR4');
  const cs = vmcb.get('CS_ATTRIB');
  if ((vmcb.get('EFER') & EFER_LME) === 0n || (cr0 & CR0_PG) === 0n) return;
  list.must((cr4 & CR4_PAE) !== 0n, 'with EFER.LME and CR0.PG, CR4.PAE = 1', ['CR4', cr4]);
  list.must((cr0 & CR0_PE) !== 0n, 'with EFER.LME and CR0.PG, CR0.PE = 1', ['CR0', cr0]);
  const both = (cs & ATTRIB_L) !== 0n && (cs & ATTRIB_D) !== 0n;
  list.must((cr4 & CR4_PAE) === 0n || !both, 'with long mode, CS.L and CS.D are not both 1', ['CS_ATTRIB', cs]);
}

function checkControlArea(core: Core, controls: SvmControls, list: CheckList): void {
  const {vmcb} = controls;
  const word = controls.wordOf('VMRUN');
  list.must(controls.intercepts('VMRUN'), 'the VMRUN intercept is set', ['INTERCEPT_WORD_4', word]);
  list.must(vmcb.get('GUEST_ASID') !== 0n, 'the ASID is not 0: that is the host', [
    'GUEST_ASID',
    vmcb.get('GUEST_ASID'),
  ]);
  const limit = 1n << BigInt(core.profile.physicalAddressBits);
  for (const [name, bytes, words] of [
    ['IOPM_BASE_PA', IOPM_BYTES, 'I/O permissions map'],
    ['MSRPM_BASE_PA', MSRPM_BYTES, 'MSR permissions map'],
  ] as const) {
    const base = vmcb.get(name) & ~0xfffn;
    list.must(base + BigInt(bytes) <= limit, `the ${words} lies within physical memory`, [name, base]);
  }
  if (!controls.nestedPaging) return;
  const features = core.features;
  list.must(features.nestedPaging, 'CPUID announces nested paging', ['NESTED_CONTROL', 1]);
  const hostPages = (core.registers.get('CR0') & CR0_PG) !== 0n;
  list.must(hostPages, 'for nested paging the host has paging on', ['host CR0', core.registers.get('CR0')]);
  list.must(controls.nestedRoot < limit, 'nCR3 lies within the physical-address width', ['N_CR3', controls.nestedRoot]);
  const pat = vmcb.get('G_PAT');
  list.must(validPat(pat), 'every entry of the guest PAT is a memory type', ['G_PAT', pat]);
}

function checkInjection({vmcb}: SvmControls, list: CheckList): void {
  const event = vmcb.get('EVENTINJ');
  const problem = injectionProblem(event, vmcb);
  if (problem !== undefined) list.must(false, problem, ['EVENTINJ', event]);
  const vector = Number(bits(event, 7, 0));
  const pushes = (event & (1n << 31n)) !== 0n && (event & (1n << 11n)) !== 0n;
  if (problem === undefined && pushes && !hasErrorCodeType(event))
    list.must(false, 'only an exception pushes an error code', ['EVENTINJ', event], ['vector', hex(vector)]);
}
