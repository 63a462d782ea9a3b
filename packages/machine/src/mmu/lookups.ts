// Who answers a translation: the TLB, or a walk. One machine at a time is listened to, by whoever runs its steps again; the others do
// not so much as ask whether somebody listens.

import type {Processor} from '../cpu/processor.js';
import {isPaging} from '../cpu/modes.js';
import type {AccessKind} from './page-walk.js';

/** Hears of every translation that is asked for while there is something to translate, and who answered. */
export interface LookupListener {
  looked(linear: bigint, access: AccessKind, answer: 'hit' | 'walk'): void;
}

/** Tells `listener` from now on, until what it gives back is called. For a machine without the compiled tier, which keeps pages of its own. */
export function listenToLookups(cpu: Processor, listener: LookupListener): () => void {
  const {mmu} = cpu;
  const translate = mmu.translate.bind(mmu);
  mmu.translate = (linear, access, privilege) => {
    if (cpu.usesEpt || isPaging(cpu.registers))
      listener.looked(linear, access, mmu.known(linear, access, privilege) === undefined ? 'walk' : 'hit');
    return translate(linear, access, privilege);
  };
  // What was set here lies over the class's own method.
  return () => {
    Reflect.deleteProperty(mmu, 'translate');
  };
}
