// Every scenario that ships does what it says: it is run, step by step, and everything that it breaks is broken.

import {readFileSync, readdirSync} from 'node:fs';
import {findGuest} from '@hyperscope/guests';
import {SimulationHost, openScenarioRun} from '@hyperscope/simulation';
import {describe, expect, test} from 'vitest';
import {checkScenario} from './check-scenario.js';
import {requireScenario} from './read-scenario.js';
import type {Scenario} from './scenario.js';

const folder = new URL('../scenarios/', import.meta.url);
const host = new SimulationHost();

const scenarios: readonly Scenario[] = readdirSync(folder)
  .filter(name => name.endsWith('.md'))
  .map(name => requireScenario(readFileSync(new URL(name, folder), 'utf8'), name));

function problemsOf(scenario: Scenario): readonly string[] {
  const checked = checkScenario(
    scenario,
    choice => openScenarioRun(host, choice),
    guest => findGuest(guest)?.source ?? '',
  );
  return checked.flatMap(({what, failures}) => failures.map(failure => `${what}: ${failure}`));
}

describe.each(scenarios.map(scenario => [scenario.id, scenario] as const))('%s', (_id, scenario) => {
  test('happens as it says', {timeout: 60_000}, () => expect(problemsOf(scenario)).toEqual([]));

  test('has a prediction, something to break, questions, notes and sources', () => {
    expect(scenario.steps.filter(({prediction}) => prediction !== undefined).length).toBeGreaterThan(0);
    expect(scenario.steps.flatMap(({breakIt}) => breakIt).length).toBeGreaterThan(1);
    expect(scenario.questions.length).toBeGreaterThanOrEqual(3);
    expect(scenario.steps.some(({note}) => note !== undefined)).toBe(true);
    expect(scenario.sources.length).toBeGreaterThan(0);
  });
});
