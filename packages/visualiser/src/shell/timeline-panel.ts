// The foot of the lab: transport and timeline.

import type {StageHost} from '@hyperscope/elements';
import type {Actor} from '@hyperscope/trace';
import {html, nothing, type TemplateResult} from 'lit';
import {guard} from 'lit/directives/guard.js';
import type {LabState} from '../lab-state.js';
import '../views/cost-note.js';

const LANES: Readonly<Record<StageHost, readonly Actor[]>> = {
  none: ['guest-user', 'guest-kernel'],
  software: ['guest-user', 'guest-kernel', 'hypervisor'],
  hardware: ['guest-user', 'guest-kernel', 'hypervisor', 'vmm'],
};
const HINTS: Readonly<Record<NonNullable<LabState['hint']>, string>> = {
  exit: 'Start here: the guest runs until something makes it leave.',
  route: 'Now → step by step: who answers it. ← steps back.',
};

function selectedSpan({time}: LabState): {readonly from: number; readonly to: number} | undefined {
  return time.selection === undefined ? undefined : {from: time.selection.fromCycle, to: time.selection.toCycle};
}

/** What is open above the timeline: search, breakpoints, totals; and what takes long. */
function timeTools(lab: LabState, host: StageHost): TemplateResult {
  const {time, moment} = lab;
  return html`${
      time.finds?.isOpen !== true
        ? nothing
        : html`<hs-finds
            .text=${time.finds.text}
            .hits=${time.finds.hits}
            .standing=${time.finds.standing}
            .index=${moment?.index ?? 0}
          ></hs-finds>`
    }
    ${
      time.isBreakpointsOpen
        ? html`<hs-breakpoints
            .breakpoints=${time.breakpoints}
            .reasons=${lab.exits.map(row => row.reason)}
          ></hs-breakpoints>`
        : nothing
    }
    ${time.busy === undefined ? nothing : html`<p class="busy" role="status">${time.busy}</p>`}
    <hs-selection .totals=${time.selection} .host=${host}></hs-selection>`;
}

const MIB = 2 ** 20;
const millions = (steps: number): string =>
  steps < 1e6 ? steps.toLocaleString('en') : `${(steps / 1e6).toFixed(1)} M`;

/** How much is recorded, what it takes, and what to do where recording has stopped. */
function recordNote({time, moment}: LabState): TemplateResult | typeof nothing {
  const {size, recording} = time;
  if (size === undefined || moment === undefined) return nothing;
  const taken = `${(size.bytes / MIB).toFixed(size.bytes < 10 * MIB ? 1 : 0)} MiB`;
  const limit = `${Math.round(size.limit / MIB)} MiB`;
  const what = `The record: ${size.steps.toLocaleString('en')} steps and ${size.events.toLocaleString('en')} events in ${taken} of this page’s memory, of ${limit} at the most.`;
  if (recording === 'full')
    return html`<span class="record" role="status" title=${what}
      >Record full at ${taken}: nothing more is recorded. Choose a shorter run, or a machine anew.</span
    >`;
  if (recording === 'waits' && !moment.finished)
    return html`<span class="record" role="status" title=${what}
      >Recorded ahead: ${millions(size.steps)} steps, ${taken}. → at the end, or u, records on.</span
    >`;
  return html`<span class="record" title=${what}>record ${taken}</span>`;
}

/** The panel at the moment of `lab`. */
export function timelinePanel(lab: LabState, host: StageHost, hasExits: boolean): TemplateResult {
  const {moment} = lab;
  const hypervised = host === 'hardware';
  if (moment === undefined) return html`<footer></footer>`;
  const cycle = moment.next?.cycle ?? lab.endCycle;
  const real = lab.real.kind === 'shown' ? lab.real.comparison.marks : undefined;
  const realName = lab.real.kind === 'shown' && lab.real.from === 'recording' ? 'KVM, recorded' : 'real KVM';
  return html`<footer aria-label="Timeline">
    <hs-transport
      .index=${moment.index}
      .length=${moment.length}
      .cycle=${cycle}
      .granularity=${lab.granularity}
      ?playing=${lab.playing}
      ?finished=${moment.finished}
      ?exits=${hasExits}
      .hint=${lab.hint === undefined || !hypervised || moment.index >= moment.length ? '' : HINTS[lab.hint]}
      ><hs-play-speed .value=${lab.time.speed} ?exits=${hasExits}></hs-play-speed
      >${lab.costs === undefined ? nothing : html`<hs-cost-note .costs=${lab.costs}></hs-cost-note>`}${guard([lab.time.size, lab.time.recording, moment.finished], () => recordNote(lab))}</hs-transport
    >
    ${timeTools(lab, host)}
    <hs-timeline
      .window=${lab.window}
      .overview=${lab.overview}
      .selected=${selectedSpan(lab)}
      .lanes=${LANES[host]}
      .host=${host}
      .real=${hypervised ? real : undefined}
      .realName=${realName}
      .playhead=${cycle}
      .end=${lab.endCycle}
      .index=${moment.index}
      .length=${moment.length}
      .describe=${moment.why.title}
    ></hs-timeline>
  </footer>`;
}
