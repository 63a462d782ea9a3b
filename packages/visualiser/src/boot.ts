// Puts the lab on the page and joins it to a worker.

import {installTheme} from '@hyperscope/elements';
import {wrap} from 'comlink';
import type {LabClient} from './lab-client.js';
import {Lab} from './shell/lab.js';

/** Starts the lab in the page's <hs-lab> over a worker that exposes a LabClient; it may want another later. */
export function bootLab(startWorker: () => Worker): void {
  const worker = startWorker();
  installTheme(document);
  const lab = document.querySelector('hs-lab');
  if (!(lab instanceof Lab)) throw new Error('the page has no <hs-lab>');
  lab.replaceChildren();
  worker.addEventListener('error', event => {
    lab.fail(
      new Error(
        `The simulator could not be loaded or has crashed${event.message ? ` (${event.message})` : ''}. Reload the page; if it comes back, please report it.`,
      ),
    );
  });
  lab.connect(wrap<LabClient>(worker), () => {
    const another = startWorker();
    return {client: wrap<LabClient>(another), end: () => another.terminate()};
  });
}
