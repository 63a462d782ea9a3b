// The registry: every way to run a guest on the simulated machine, one line each. A new technique is a folder and a line.

import {startBinaryTranslation} from './binary-translation/binary-translation-run.js';
import {BareRun} from './bare/bare-run.js';
import {ControlProgramRun} from './control-program/control-program-run.js';
import type {Technique} from './technique.js';
import {HypervisorRun} from './kvm-role/hypervisor-run.js';
import {svmNpt, svmShadow} from './kvm-role/svm/svm-techniques.js';
import {svmIntercepts} from './kvm-role/svm/vmcb-controls.js';
import {ParavirtualRun} from './paravirtual/paravirtual-run.js';
import {TrapAndEmulateRun} from './trap-and-emulate/trap-and-emulate-run.js';
import {VTX_EPT_CONTROLS, VTX_SHADOW_CONTROLS, vmxControls} from './kvm-role/vmx/controls.js';
import {vtxEpt} from './kvm-role/vmx/vtx-ept.js';
import {vtxShadow} from './kvm-role/vmx/vtx-shadow.js';

export const TECHNIQUES: readonly Technique[] = [
  {
    id: 'bare',
    title: 'No hypervisor',
    shortTitle: 'Bare',
    host: 'none',
    summary: 'The guest has the machine to itself: its kernel runs in ring 0 and walks its own page tables.',
    start: options => new BareRun(options),
  },
  {
    id: 'vtx-ept',
    title: 'VT-x with EPT',
    shortTitle: 'VT-x EPT',
    host: 'hardware',
    summary: 'The guest runs in VMX non-root operation in its own rings; KVM answers its VM exits, QEMU its devices.',
    start: options => new HypervisorRun(options, vtxEpt(vmxControls(VTX_EPT_CONTROLS, options.controls))),
  },
  {
    id: 'vtx-shadow',
    title: 'VT-x with shadow page tables',
    shortTitle: 'VT-x shadow',
    host: 'hardware',
    summary:
      'The VT-x of 2005, without EPT: the processor walks page tables that KVM keeps in step with the guest’s, and real mode runs in virtual-8086 mode.',
    start: options => new HypervisorRun(options, vtxShadow(vmxControls(VTX_SHADOW_CONTROLS, options.controls))),
  },
  {
    id: 'svm-npt',
    title: 'SVM with nested paging',
    shortTitle: 'SVM NPT',
    host: 'hardware',
    summary:
      'The guest runs in SVM’s guest mode in its own rings; KVM reads in the VMCB why it left, and maps its memory by nested page tables.',
    start: options => new HypervisorRun(options, svmNpt(svmIntercepts(options.controls))),
  },
  {
    id: 'svm-shadow',
    title: 'SVM with shadow page tables',
    shortTitle: 'SVM shadow',
    host: 'hardware',
    summary:
      'The guest runs in SVM’s guest mode, in page tables that KVM makes of its own: its page faults, MOV to CR3 and INVLPG leave it.',
    start: options => new HypervisorRun(options, svmShadow(svmIntercepts(options.controls))),
  },
  {
    id: 'trap-and-emulate',
    title: 'Trap and emulate',
    shortTitle: 'Trap & emulate',
    host: 'software',
    summary:
      'No hardware helps: the guest’s kernel runs in ring 1 or 3, and a VMM in ring 0 carries out what traps. On x86 not everything does; on a processor `+strict` it does.',
    start: options => new TrapAndEmulateRun(options),
  },
  {
    id: 'control-program',
    title: 'Control program, after CP-67',
    shortTitle: 'CP-67’s way',
    host: 'software',
    summary:
      'Several virtual machines in turn on one processor, each in a ring 0 that it only believes in, as under CP-67/CMS; on x86’s strict processor, where every sensitive instruction traps as on the System/360 Model 67.',
    start: options => new ControlProgramRun(options),
  },
  {
    id: 'binary-translation',
    title: 'Binary translation',
    shortTitle: 'Translation',
    host: 'software',
    summary:
      'No hardware helps, and nothing sensitive is executed: the guest’s kernel runs as a translation of itself, in ring 1; its user code runs as it is.',
    start: options => startBinaryTranslation(options),
  },
  {
    id: 'paravirtual',
    title: 'Paravirtualization',
    shortTitle: 'Paravirtual',
    host: 'software',
    summary:
      'Xen’s way: the kernel is ported, runs in ring 3 like its programs and calls the hypervisor. Its page tables are the real ones, and each change of them is validated.',
    kernels: 'ported',
    start: options => new ParavirtualRun(options),
  },
];

/** Those that run whatever runs on a PC, and not only kernels that are ported to their hypercalls. */
export const PC_TECHNIQUES: readonly Technique[] = TECHNIQUES.filter(({kernels}) => kernels === undefined);

/** The technique of an id; undefined for one that is not in the registry. */
export function techniqueById(id: string): Technique | undefined {
  return TECHNIQUES.find(technique => technique.id === id);
}
