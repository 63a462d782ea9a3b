// One technique, fetched when it is asked for: a page does without the others.

import type {StartTechnique, Technique} from './technique.js';
import {outlineOfTechnique} from './technique-outlines.js';
import type {TechniqueId} from './technique-outlines.js';

const LOADERS: Readonly<Record<TechniqueId, () => Promise<StartTechnique>>> = {
  bare: async () => (await import('./bare/bare-run.js')).startBare,
  'vtx-ept': async () => (await import('./kvm-role/vmx/vtx-ept.js')).startVtxEpt,
  'vtx-shadow': async () => (await import('./kvm-role/vmx/vtx-shadow.js')).startVtxShadow,
  'svm-npt': async () => (await import('./kvm-role/svm/svm-techniques.js')).startSvmNpt,
  'svm-shadow': async () => (await import('./kvm-role/svm/svm-techniques.js')).startSvmShadow,
  'trap-and-emulate': async () => (await import('./trap-and-emulate/trap-and-emulate-run.js')).startTrapAndEmulate,
  'control-program': async () => (await import('./control-program/control-program-run.js')).startControlProgram,
  'binary-translation': async () =>
    (await import('./binary-translation/binary-translation-run.js')).startBinaryTranslation,
  paravirtual: async () => (await import('./paravirtual/paravirtual-run.js')).startParavirtual,
};

/** The technique of an id, ready to start; undefined for one that is not in the registry. Rejects where it cannot be fetched. */
export async function loadTechnique(id: string): Promise<Technique | undefined> {
  const outline = outlineOfTechnique(id);
  return outline === undefined ? undefined : {...outline, start: await LOADERS[outline.id]()};
}
