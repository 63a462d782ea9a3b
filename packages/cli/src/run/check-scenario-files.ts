// Scenarios checked by running them on the simulated machines.

import {SHIPPED, SimulationHost, openScenarioRun, requireGuest} from '@hyperscope/simulation';
import {checkScenario} from '@hyperscope/walkthroughs';
import type {Checked, Scenario} from '@hyperscope/walkthroughs';

/** Every step, every thing to break and every question, with what does not hold of it. */
export function runScenario(scenario: Scenario): readonly Checked[] {
  const host = new SimulationHost(SHIPPED);
  return checkScenario(
    scenario,
    choice => openScenarioRun(host, choice),
    guest => requireGuest(guest).source,
  );
}
