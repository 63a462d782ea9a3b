// Which machines stand beside each other, before any of them runs: those that were asked for, each with the reason where it cannot
// run the guest. A machine that is left out without a word would look like one that nobody thought of.

import type {LanePicture} from '@hyperscope/elements';
import {whyNotOn} from '../guest-machines.js';
import type {LabState} from '../lab-state.js';
import {insteadOfReal} from '../real-comparison.js';

/** Id of the lane that is real KVM. */
export const REAL = 'kvm';

/** Those of the lecture, in its order, and real KVM; what else there is can be named by a link. */
export const USUAL_LANES: readonly string[] = [
  'bare',
  'trap-and-emulate',
  'binary-translation',
  'vtx-shadow',
  'vtx-ept',
  'svm-npt',
  REAL,
];

export type PlannedLane = Pick<LanePicture, 'host' | 'id' | 'title'> &
  ({readonly kind: 'machine'} | {readonly kind: 'real'} | {readonly kind: 'absent'; readonly why: string});

type Lab = Pick<LabState, 'catalogue' | 'edited' | 'guest'>;

/** The lanes of these ids; the only machine of a guest that runs on one is always among them. What the lab does not know is left out. */
export function plannedLanes(lab: Lab, ids: readonly string[]): readonly PlannedLane[] {
  const {techniques, guests} = lab.catalogue;
  const guest = guests.find(({id}) => id === lab.guest);
  const only = guest?.only;
  const wanted = [...new Set(only === undefined ? ids : [...ids.filter(id => id !== REAL), only, ...ids])];
  return wanted.flatMap((id): readonly PlannedLane[] => {
    if (id === REAL) return [realLane(lab)];
    const machine = techniques.find(each => each.id === id);
    if (machine === undefined || guest === undefined) return [];
    const why = whyNotOn(guest, machine, guests);
    const name = {id, title: machine.shortTitle, host: machine.host};
    return [why === undefined ? {...name, kind: 'machine'} : {...name, kind: 'absent', why}];
  });
}

function realLane(lab: Lab): PlannedLane {
  const name = {id: REAL, title: 'Real KVM', host: 'hardware'} as const;
  const instead = insteadOfReal(lab);
  return typeof instead === 'object' ? {...name, kind: 'absent', why: instead.never} : {...name, kind: 'real'};
}
