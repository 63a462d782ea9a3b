// Binary translation: the guest's user code runs as it is, in ring 3; of its kernel's code only translations run, in ring 1. What
// does not trap there is not left to chance: whatever `classify` calls sensitive is replaced. All else, the virtual CPU, the
// shadow tables, the emulation of what does trap, is trap-and-emulate's. Adams and Agesen 2006, section 3.

import {UserError} from '@hyperscope/base';
import {featuresOf} from '@hyperscope/machine';
import {walkGuest} from '../shadow-paging/guest-walk.js';
import type {TechniqueOptions} from '../technique.js';
import {TrapAndEmulateRun} from '../trap-and-emulate/trap-and-emulate-run.js';
import {shadowHostOf} from '../trap-and-emulate/vmm.js';
import type {Vmm} from '../trap-and-emulate/vmm.js';
import {BinaryTranslator} from './binary-translator.js';
import type {Translate} from './binary-translator.js';

/** @throws UserError 'needs-pae', 'rings' */
export function startBinaryTranslation(options: TechniqueOptions): TrapAndEmulateRun {
  if (options.rings === '0/3/3')
    throw new UserError('rings', 'Translated kernel code runs in ring 1: choose 0/1/3, or leave --rings out.');
  // Every write to a page table is seen, as in 2006: what writes often is translated so that it does not trap.
  const leafTables = options.leafTables ?? 'trapped';
  return new TrapAndEmulateRun(
    {...options, leafTables, rings: '0/1/3'},
    vmm => new BinaryTranslator(vmm, translateIn(vmm), options.faults),
  );
}

function translateIn(vmm: Vmm): Translate {
  const host = shadowHostOf(vmm);
  const silent = {...host, write: () => undefined};
  const {profile} = vmm.machine;
  const {gigabytePages, pse36} = featuresOf(profile);
  const features = {physicalAddressBits: profile.physicalAddressBits, gigabytePages, pse36};
  return (linear, purpose) => {
    const access = {linear, kind: 'fetch', privilege: 'supervisor', ac: true} as const;
    const walked = walkGuest(purpose === 'fetch' ? host : silent, features, access, () => undefined);
    return walked.kind === 'fault' ? undefined : walked.gpa;
  };
}
