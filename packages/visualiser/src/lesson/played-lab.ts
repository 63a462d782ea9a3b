// The lab as a scenario moves it.

import type {Remote} from 'comlink';
import type {RunChoice} from '@hyperscope/trace';
import type {LabClient} from '../lab-client.js';
import type {LabController} from '../lab-controller.js';
import type {PlayedLab} from '../scenario/player.js';

/** `panel` shows a tab of the inspector. */
export function playedLab(
  controller: LabController,
  client: Remote<LabClient>,
  panel: (name: string) => void,
): PlayedLab {
  return {
    choice: () => {
      const {technique, guest, edited, switches} = controller.state;
      return {technique, guest, edited, switches};
    },
    open: async choice => openIn(controller, choice),
    find: async (place, here) => {
      const found = await client.findPlace(place, here);
      return found.ok ? {index: found.index} : {why: found.why};
    },
    seek: index => {
      controller.pause();
      controller.seek(index);
    },
    start: () => controller.state.moment?.start ?? 0,
    source: () => controller.state.shipped ?? '',
    measure: async measurement => client.measure(measurement),
    crossings: async () => client.crossings(),
    change: async () => client.change(),
    questions: async () => client.questions(),
    panel,
  };
}

/** Opens a run, and does not wait until it is recorded. Gives a sentence where it cannot be opened. */
export async function openIn(controller: LabController, choice: RunChoice): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    controller.open(choice, resolve).catch(reject);
  });
}
