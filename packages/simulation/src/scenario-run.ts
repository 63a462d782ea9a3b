// A session as scenarios look at it: its record, the texts of its instructions and the lines of its source.

import type {Moment, RunChoice, RunRecord} from '@hyperscope/trace';
import type {Session} from './session/session.js';
import type {SourceMap} from './session/source-map.js';
import type {SimulationHost} from './simulation-host.js';

/** What packages/walkthroughs asks of a run. */
export class SessionScenarioRun {
  readonly session: Session;
  /** NASM source of what runs. */
  readonly source: string;
  /** By address. */
  readonly instructions: readonly {readonly address: bigint; readonly line: number}[];
  /** The state right before the guest's first instruction. */
  readonly start: number;

  constructor(session: Session, source: string, instructions: SourceMap['instructions']) {
    this.session = session;
    this.source = source;
    this.instructions = instructions;
    this.start = session.start;
  }

  get record(): RunRecord {
    return this.session.record;
  }
  textOf(step: number): string {
    return this.session.textOf(step);
  }
  printed(index: number): string {
    return this.session.printed(index);
  }
  moment(index: number): Moment {
    return this.session.seek(index);
  }
  /** Records up to `steps` more steps. */
  extend(steps: number): void {
    this.session.driver.advanceBy(steps);
  }
}

/** A run of what a scenario chose. @throws UserErrors of `SimulationHost.open` */
export function openScenarioRun(host: SimulationHost, choice: RunChoice): SessionScenarioRun {
  const {guest, edited, technique, switches} = choice;
  const session = host.open({guest: edited === undefined ? guest : {of: guest, source: edited}, technique, switches});
  return scenarioRunOf(host, session, choice);
}

/** An open session of a choice, as scenarios look at it. */
export function scenarioRunOf(host: SimulationHost, session: Session, {guest, edited}: RunChoice): SessionScenarioRun {
  const {instructions} = host.sourceMap(edited === undefined ? guest : {of: guest, source: edited});
  return new SessionScenarioRun(session, edited ?? host.source(guest), instructions);
}
