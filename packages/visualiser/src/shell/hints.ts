// A newcomer's two hints: to the first exit, and then to who answers it. Each ends when what it tells has been done.

import type {TransportCommand} from '@hyperscope/elements';
import type {Command} from '../keys.js';
import type {LabController} from '../lab-controller.js';
import {keepHinted} from '../preferences.js';

/** After a command was carried out. */
export function advanceHint(lab: LabController, command: Command | TransportCommand): void {
  const {hint} = lab.state;
  if (hint === 'exit' && command === 'next-exit') {
    keepHinted();
    lab.hint('route');
  } else if (hint === 'route' && command !== 'help' && command !== 'present') lab.hint(undefined);
}
