// The pages of the documentation that are made from the program say what the program says.

import {expect, test} from 'vitest';
import {SHIPPED, SimulationHost} from '@hyperscope/simulation';
import {COMMANDS} from '../commands/commands.js';
import {runInProcess} from '../testing/run-in-process.js';
import {commandLinePage, guestsPage} from './pages.js';

const DOCS = '../../../../docs';

test('docs/command-line.md is what --help prints', async () => {
  const helpOf = new Map<string, string>();
  for (const {name} of COMMANDS) helpOf.set(name, (await runInProcess(COMMANDS, [name, '--help'])).out);
  await expect(commandLinePage(COMMANDS, helpOf)).toMatchFileSnapshot(`${DOCS}/command-line.md`);
});

test('docs/guests.md is what the guests say of themselves', async () => {
  const host = new SimulationHost(SHIPPED);
  await expect(guestsPage(host.guests(), host.singleUserSystems(), host.cards())).toMatchFileSnapshot(
    `${DOCS}/guests.md`,
  );
});
