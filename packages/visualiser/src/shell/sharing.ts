// What "Share" finds on the page: the moment, and the panels that can be saved as pictures.

import {OPENED_FILES} from '../lab-client.js';
import type {LabState} from '../lab-state.js';
import {ShareDialog, type SharedPanel} from './share-dialog.js';

/** The panels of the lab, by what finds them in its shadow. */
const PANELS: readonly (readonly [name: string, selector: string])[] = [
  ['Stage', 'hs-ring-stage'],
  ['Why', '.why'],
  ['Stage and why', '.middle'],
  ['Code', '.code'],
  ['Console', 'hs-console'],
  ['Inspector', '.right'],
  ['Timeline', 'hs-timeline'],
];

const FILE = 'The file that you opened stays with you: the link opens the lab without it.';
const TOO_LONG =
  'The program that you edited is too long for a link, which opens the guest as it ships. Save the program from the editor.';

/** Opens the dialog of `lab`, the element on the page, at its address. */
export async function openShareDialog(
  lab: Element,
  {technique, guest, edited, moment, catalogue}: LabState,
): Promise<void> {
  const root = lab.shadowRoot;
  if (root === null || moment === undefined) return;
  const found = root.querySelector('hs-share');
  const dialog = found instanceof ShareDialog ? found : new ShareDialog();
  if (found === null) root.append(dialog);
  const inside: readonly SharedPanel[] = PANELS.flatMap(([name, selector]) => {
    const element = root.querySelector(selector);
    return element === null || element.getBoundingClientRect().height === 0 ? [] : [{name, element}];
  });
  const isFile = catalogue.guests.some(({id, group}) => id === guest && group === OPENED_FILES);
  await dialog.show({
    link: location.href,
    without: isFile ? FILE : edited === undefined || location.hash.includes(';text=') ? undefined : TOO_LONG,
    technique,
    guest,
    step: moment.index,
    panels: [...inside, {name: 'The whole lab', element: lab}],
  });
}
