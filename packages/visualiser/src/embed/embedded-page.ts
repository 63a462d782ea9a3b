// The page as it is inside <hyperscope-lab>: which panels it shows, and what it says to the page around it.

import {THEMES, type Theme} from '@hyperscope/elements';
import type {LabController} from '../lab-controller.js';
import type {LabState} from '../lab-state.js';
import {readLink, type SharedMoment} from '../share-link.js';
import {momentMessage, readCommand, readPanels, type EmbedPanel} from './embed-messages.js';

export interface Embedding {
  readonly panels: readonly EmbedPanel[];
  /** What the page around it wants instead of the reader's own choice. */
  readonly theme: Theme | undefined;
}

/** How the page is to look inside another one: from its address, `?embed=stage+why&theme=dark`. Undefined where it stands alone. */
export function readEmbedding(search: string): Embedding | undefined {
  const query = new URLSearchParams(search);
  const list = query.get('embed');
  if (list === null) return undefined;
  return {panels: readPanels(list), theme: THEMES.find(theme => theme === query.get('theme'))};
}

/** Joins a lab in a frame to the page around it. */
export class EmbeddedPage {
  #told = '';

  /** Follows what the page around the frame asks; `open` follows a link. Gives what ends that. */
  listen(controller: LabController, open: (moment: SharedMoment) => void): () => void {
    const hear = (event: MessageEvent<unknown>): void => {
      if (event.source !== window.parent) return;
      const command = readCommand(event.data);
      if (command?.kind === 'seek') controller.seek(command.step);
      if (command?.kind === 'step') controller.step(command.direction, command.granularity);
      if (command?.kind === 'open') {
        const link = readLink(command.link);
        if (link.kind === 'moment') open(link.moment);
        if (link.kind === 'unreadable') controller.notice(link.why);
      }
    };
    addEventListener('message', hear);
    return () => removeEventListener('message', hear);
  }

  /** Tells the page around the frame where the playhead is, with the link that leads there. What is told is public: any page may frame a lab. */
  tell({moment, technique, guest, phase}: LabState, link: string): void {
    if (moment === undefined || phase.kind !== 'ready') return;
    const told = `${link} ${moment.length}`;
    if (told === this.#told) return;
    this.#told = told;
    const {index: step, length, who, why} = moment;
    const message = momentMessage({technique, guest, step, length, title: why.title, who, link});
    window.parent.postMessage(message, '*');
  }
}
