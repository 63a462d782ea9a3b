// Opens the dialog of walks over the lab. What is made is run in a worker of its own: the lab goes on with what it does.

import type {Remote} from 'comlink';
import {GRANULARITIES} from '@hyperscope/trace';
import type {Scenario} from '@hyperscope/walkthroughs';
import type {OpenedImage} from '../compare/comparing.js';
import type {LabClient} from '../lab-client.js';
import type {LabState} from '../lab-state.js';
import {makeHandout, makePicture} from './make-walk.js';
import {recordScenario, recordStretch, type WalkSurroundings} from './record-walk.js';
import {WalkDialog, type MakeWalk, type WalkWish} from './walk-dialog.js';
import type {Walk} from './walk.js';

export interface WalkedLab {
  /** The element on the page. */
  readonly element: Element;
  readonly lab: LabState;
  readonly scenario: Scenario | undefined;
  /** The file that is open as a guest. */
  readonly image: OpenedImage | undefined;
  /** Starts another worker of the simulator. */
  readonly start: () => {readonly client: Remote<LabClient>; readonly end: () => void};
}

/** Shows the dialog for what the lab has open. */
export async function openWalkDialog(walked: WalkedLab): Promise<void> {
  const root = walked.element.shadowRoot ?? walked.element;
  const found = root.querySelector('hs-walk');
  const dialog = found instanceof WalkDialog ? found : new WalkDialog();
  if (found === null) root.append(dialog);
  dialog.scenario = walked.scenario;
  dialog.granularity = GRANULARITIES.find(each => each === walked.lab.granularity) ?? 'instruction';
  dialog.make = maker(walked);
  await dialog.show();
}

/** Records in another worker, which ends with it, and draws here. */
function maker(walked: WalkedLab): MakeWalk {
  return async (wish, progress, signal) => {
    const {client, end} = walked.start();
    let walk: Walk;
    try {
      walk = await recorded(walked, wish, {client, progress, signal, link: location.href});
    } finally {
      end();
    }
    return wish.as === 'handout'
      ? makeHandout(walk, {progress, signal})
      : makePicture(walk, wish.seconds, {progress, signal});
  };
}

async function recorded({lab, image}: WalkedLab, {of}: WalkWish, around: WalkSurroundings): Promise<Walk> {
  if (of.kind === 'scenario') return recordScenario(of.scenario, of.set, around);
  const {technique, guest, edited, switches, moment} = lab;
  return recordStretch(
    {
      choice: {technique, guest, edited, switches},
      from: moment?.index ?? 0,
      stops: of.stops,
      granularity: of.granularity,
      image,
    },
    around,
  );
}
