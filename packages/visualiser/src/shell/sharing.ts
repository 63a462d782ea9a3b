// What "Share" finds on the page: the moment, and the panels that can be saved as pictures.

import type {Theme} from '@hyperscope/elements';
import {OPENED_FILES} from '../lab-client.js';
import type {LabState} from '../lab-state.js';
import {packText} from '../linked-text.js';
import type {SharedMoment} from '../share-link.js';
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

/** Opens the dialog of `lab`, the element on the page. `linked`: what a link to what it shows says, in its theme. */
export async function openShareDialog(
  lab: Element,
  {technique, guest, edited, moment, catalogue}: LabState,
  linked: SharedMoment | undefined,
  theme: Theme,
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
  // The address may have been written before the program was packed.
  const text = linked?.text ?? (edited === undefined ? undefined : await packText(edited));
  await dialog.show({
    page: location.href.replace(/#.*$/, ''),
    moment: linked && {...linked, text},
    theme,
    without: isFile ? FILE : edited === undefined || text !== undefined ? undefined : TOO_LONG,
    technique,
    guest,
    step: moment.index,
    panels: [...inside, {name: 'The whole lab', element: lab}],
  });
}
