// All techniques, ready to start. A new technique is a folder, its words in `technique-outlines.ts`, and a line here and in
// `load-technique.ts`.

import {startBare} from './bare/bare-run.js';
import {startBinaryTranslation} from './binary-translation/binary-translation-run.js';
import {startControlProgram} from './control-program/control-program-run.js';
import {startSvmNpt, startSvmShadow} from './kvm-role/svm/svm-techniques.js';
import {startVtxEpt} from './kvm-role/vmx/vtx-ept.js';
import {startVtxShadow} from './kvm-role/vmx/vtx-shadow.js';
import {startParavirtual} from './paravirtual/paravirtual-run.js';
import type {StartTechnique, Technique} from './technique.js';
import {TECHNIQUE_OUTLINES} from './technique-outlines.js';
import type {TechniqueId} from './technique-outlines.js';
import {startTrapAndEmulate} from './trap-and-emulate/trap-and-emulate-run.js';

const STARTS: Readonly<Record<TechniqueId, StartTechnique>> = {
  bare: startBare,
  'vtx-ept': startVtxEpt,
  'vtx-shadow': startVtxShadow,
  'svm-npt': startSvmNpt,
  'svm-shadow': startSvmShadow,
  'trap-and-emulate': startTrapAndEmulate,
  'control-program': startControlProgram,
  'binary-translation': startBinaryTranslation,
  paravirtual: startParavirtual,
};

export const TECHNIQUES: readonly Technique[] = TECHNIQUE_OUTLINES.map(outline => ({
  ...outline,
  start: STARTS[outline.id],
}));

/** Those that run whatever runs on a PC, and not only kernels that are ported to their hypercalls. */
export const PC_TECHNIQUES: readonly Technique[] = TECHNIQUES.filter(({kernels}) => kernels === undefined);

/** The technique of an id; undefined for one that is not in the registry. */
export function techniqueById(id: string): Technique | undefined {
  return TECHNIQUES.find(technique => technique.id === id);
}
