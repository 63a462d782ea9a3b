// The registry: every way to run a guest on the simulated machine, in words. What starts each is in `techniques.ts` for whoever may
// have all of them at hand, and in `load-technique.ts` for a page, which fetches the one that it runs.

import type {TechniqueOutline} from './technique.js';

/** In the order of a chooser. */
export const TECHNIQUE_OUTLINES = [
  {
    id: 'bare',
    title: 'No hypervisor',
    shortTitle: 'Bare',
    host: 'none',
    summary: 'The guest has the machine to itself: its kernel runs in ring 0 and walks its own page tables.',
  },
  {
    id: 'vtx-ept',
    title: 'VT-x with EPT',
    shortTitle: 'VT-x EPT',
    host: 'hardware',
    summary: 'The guest runs in VMX non-root operation in its own rings; KVM answers its VM exits, QEMU its devices.',
  },
  {
    id: 'vtx-shadow',
    title: 'VT-x with shadow page tables',
    shortTitle: 'VT-x shadow',
    host: 'hardware',
    summary:
      'The VT-x of 2005, without EPT: the processor walks page tables that KVM keeps in step with the guest’s, and real mode runs in virtual-8086 mode.',
  },
  {
    id: 'svm-npt',
    title: 'SVM with nested paging',
    shortTitle: 'SVM NPT',
    host: 'hardware',
    summary:
      'The guest runs in SVM’s guest mode in its own rings; KVM reads in the VMCB why it left, and maps its memory by nested page tables.',
  },
  {
    id: 'svm-shadow',
    title: 'SVM with shadow page tables',
    shortTitle: 'SVM shadow',
    host: 'hardware',
    summary:
      'The guest runs in SVM’s guest mode, in page tables that KVM makes of its own: its page faults, MOV to CR3 and INVLPG leave it.',
  },
  {
    id: 'trap-and-emulate',
    title: 'Trap and emulate',
    shortTitle: 'Trap & emulate',
    host: 'software',
    summary:
      'No hardware helps: the guest’s kernel runs in ring 1 or 3, and a VMM in ring 0 carries out what traps. On x86 not everything does; on a processor `+strict` it does.',
  },
  {
    id: 'control-program',
    title: 'Control program, after CP-67',
    shortTitle: 'CP-67’s way',
    host: 'software',
    summary:
      'Several virtual machines in turn on one processor, each in a ring 0 that it only believes in, as under CP-67/CMS; on x86’s strict processor, where every sensitive instruction traps as on the System/360 Model 67.',
  },
  {
    id: 'binary-translation',
    title: 'Binary translation',
    shortTitle: 'Translation',
    host: 'software',
    summary:
      'No hardware helps, and nothing sensitive is executed: the guest’s kernel runs as a translation of itself, in ring 1; its user code runs as it is.',
  },
  {
    id: 'paravirtual',
    title: 'Paravirtualization',
    shortTitle: 'Paravirtual',
    host: 'software',
    summary:
      'Xen’s way: the kernel is ported, runs in ring 3 like its programs and calls the hypervisor. Its page tables are the real ones, and each change of them is validated.',
    kernels: 'ported',
  },
] as const satisfies readonly TechniqueOutline[];

export type TechniqueId = (typeof TECHNIQUE_OUTLINES)[number]['id'];

/** The technique of an id, in words; undefined for one that is not in the registry. */
export function outlineOfTechnique(id: string): (TechniqueOutline & {readonly id: TechniqueId}) | undefined {
  return TECHNIQUE_OUTLINES.find(technique => technique.id === id);
}
