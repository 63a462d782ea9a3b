// A guest on a machine, for measuring: started, watched by somebody who counts, and run to its end without a record.

import {UserError} from '@hyperscope/base';
import type {RegisterValues, RunObserver, StepReport, TechniqueOptions, TechniqueRun} from '@hyperscope/vmm';
import type {Guest} from '@hyperscope/guests';
import {outcomeSentence} from '../session/outcome.js';
import {NO_PORTS} from '../session/session.js';
import {requireFit} from '../guest-needs.js';
import {loadGuest, requireTechnique} from '../shipped.js';

/** What to run on: the id of a technique, a processor and a cost model as `--cpu` and `--cost-model` take them, and switches. */
export interface Bench extends Pick<TechniqueOptions, 'nestedPage' | 'leafTables' | 'executor'> {
  readonly technique: string;
  readonly profile: string | undefined;
  readonly costModel: string | undefined;
  /** What the guest finds in registers, beside what the loader puts there. */
  readonly registers?: RegisterValues;
}

/** Ample for every guest that ends. */
const MOST_STEPS = 20_000_000;
const AHEAD = 4096;

/**
 * Runs a guest to its HLT, or to power-off.
 * @throws UserError for a technique, processor or cost model that does not exist, and 'guest-failed' where it ends otherwise.
 */
export function runBench(guest: Guest, bench: Bench, observer?: RunObserver): TechniqueRun {
  const run = startBench(guest, bench);
  run.observe(observer ?? QUIET);
  return toItsEnd(guest, bench.technique, run, () => undefined);
}

/** A run that has not begun. @throws UserError as `runBench`. */
export function startBench(guest: Guest, {technique, registers, ...choices}: Bench): TechniqueRun {
  const chosen = requireTechnique(technique);
  requireFit(guest, chosen);
  const {image} = loadGuest(guest);
  return chosen.start({
    image: {...image, registers: {...image.registers, ...registers}},
    ports: NO_PORTS,
    ...choices,
  });
}

/** Goes on to the end of a run; `watch` is told of each step that was not run ahead. @throws UserError 'guest-failed'. */
export function toItsEnd(
  guest: Guest,
  technique: string,
  run: TechniqueRun,
  watch: (report: StepReport) => void,
): TechniqueRun {
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    if (run.runAhead(AHEAD) > 0) continue;
    const report = run.step();
    watch(report);
    const {outcome} = report;
    if (outcome === undefined) continue;
    if (outcome.kind === 'halted' || outcome.kind === 'power-off') return run;
    throw new UserError('guest-failed', `${guest.id} did not end well on ${technique}: ${outcomeSentence(outcome)}`);
  }
  throw new UserError('guest-failed', `${guest.id} does not end on ${technique}.`);
}

/** Nobody listens, so events that cost to build need not be built. */
export const QUIET: RunObserver = {
  ignoresWrites: true,
  ignoresEvents: true,
  willWrite: () => undefined,
  event: () => undefined,
  hypervisorEvent: () => undefined,
};
