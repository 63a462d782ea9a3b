// Dialogs that nobody needs at first: each is fetched when it is opened. They reject where that fails.

import type {Theme} from '@hyperscope/elements';
import type {Remote} from 'comlink';
import type {ComparingSurroundings} from '../compare/comparing.js';
import type {LabClient} from '../lab-client.js';
import type {LabState} from '../lab-state.js';
import type {SharedMoment} from '../share-link.js';
import type {WalkedLab} from '../walk/open-walk.js';

/** The machines of 2005 to 2011 under workloads: who wins, and since when. */
export async function showParadox(element: HTMLElement, start: ComparingSurroundings['start']): Promise<void> {
  const {openParadox} = await import('../costs/open-paradox.js');
  await openParadox(element, start);
}

/** What a ported guest's port changed. */
export async function showPort(element: HTMLElement, client: Remote<LabClient>, guest: string): Promise<void> {
  const {openPort} = await import('../port/open-port.js');
  await openPort(element, client, guest);
}

/** A scenario or a stretch of the run as a page to print, or as an animated picture. */
export async function showWalkDialog(around: WalkedLab): Promise<void> {
  const {openWalkDialog} = await import('../walk/open-walk.js');
  await openWalkDialog(around);
}

/** Links to a moment, HTML for somebody's own page, pictures. */
export async function showSharing(
  element: HTMLElement,
  lab: LabState,
  moment: SharedMoment | undefined,
  theme: Theme,
): Promise<void> {
  const {openShareDialog} = await import('./sharing.js');
  await openShareDialog(element, lab, moment, theme);
}
