// The foot of the lab: transport and timeline.

import type {StageHost} from '@hyperscope/elements';
import type {Actor} from '@hyperscope/trace';
import {html, nothing, type TemplateResult} from 'lit';
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
      >${lab.costs === undefined ? nothing : html`<hs-cost-note .costs=${lab.costs}></hs-cost-note>`}</hs-transport
    >
    <hs-timeline
      .window=${lab.window}
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
