// Opens the dialog of the paradox over the lab, with a worker of its own: the lab's goes on with what it does.

import type {Remote} from 'comlink';
import type {LabClient} from '../lab-client.js';
import {ParadoxDialog} from './paradox-dialog.js';

/** `start` starts another worker of the simulator. */
export async function openParadox(
  lab: Element,
  start: () => {readonly client: Remote<LabClient>; readonly end: () => void},
): Promise<void> {
  const dialog = new ParadoxDialog();
  (lab.shadowRoot ?? lab).append(dialog);
  await dialog.show(async () => {
    const {client, end} = start();
    return {client: await client.workloads(), end};
  });
}
