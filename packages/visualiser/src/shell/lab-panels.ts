// What fills the lab: its panels, or why there are none yet; and the dialogs that are always at hand.

import {stagePicture} from '@hyperscope/elements';
import type {Moment} from '@hyperscope/trace';
import {html, nothing, type TemplateResult} from 'lit';
import type {Inspectable} from '../inspection.js';
import type {LabState} from '../lab-state.js';
import type {Tab} from '../views/inspector-tabs.js';
import {codePanel} from './code-panel.js';
import type {Presentation} from './presentation.js';
import {stagePanel} from './stage-panel.js';
import {timelinePanel} from './timeline-panel.js';

/** Before there is a moment, or where the simulator broke. */
export function phasePanel(phase: LabState['phase']): TemplateResult {
  if (phase.kind === 'failed')
    return html`<main class="panel center">
      <div class="failed" role="alert">
        <h2>The simulator stopped</h2>
        <p>${phase.why}</p>
        <button @click=${() => location.reload()}>Reload the page</button>
      </div>
    </main>`;
  return html`<main class="panel center">
    <div role="status">
      <div class="spinner"></div>
      ${phase.kind === 'loading' ? phase.what : 'Starting'}…
    </div>
  </main>`;
}

/** What the lab's panels need beside its state. */
export interface PanelParts {
  readonly editor: Parameters<typeof codePanel>[2];
  /** A scenario that is played; absent where none is. */
  readonly scenario: unknown;
  readonly where: 'presenting' | 'working';
  /** The panel that fills the screen while presenting. */
  readonly filling: Presentation['panel'];
  readonly tab: Tab;
  /** Who answers the inspector. */
  readonly client: Inspectable | undefined;
}

export function panels(lab: LabState, moment: Moment, parts: PanelParts): TemplateResult {
  const {editor, scenario, where} = parts;
  const technique = lab.catalogue.techniques.find(entry => entry.id === lab.technique);
  const guest = lab.catalogue.guests.find(entry => entry.id === lab.guest);
  const host = technique?.host ?? 'none';
  const hypervised = host === 'hardware';
  const hasExits = hypervised || (guest?.isHypervisor ?? false);
  const kinds = [editor === undefined ? '' : 'editing', scenario === undefined ? '' : 'lesson'];
  return html`<main class=${kinds.join(' ').trim()}>
      ${scenario === undefined ? nothing : html`<section class="panel scenario">${scenario}</section>`}
      ${codePanel(lab, hypervised, editor)} ${stagePanel(lab, stagePicture(moment, host), where, parts.filling)}
      <section class="panel right" aria-label="Inspector">
        <hs-inspector
          .state=${lab}
          .tab=${parts.tab}
          .client=${parts.client}
          ?hypervised=${hasExits}
          .under=${host}
          technique=${technique?.title ?? ''}
          ?hall=${where === 'presenting'}
        ></hs-inspector>
      </section>
    </main>
    ${timelinePanel(lab, host, hasExits)}`;
}

/** Where the playhead of a comparison is, and how far it can go. */
interface ComparedRange {
  readonly instruction: number;
  readonly instructions: number;
}

/** The help and the question for a step, of the lab or of a comparison of machines in its place. */
export const dialogs = ({moment}: LabState, compared: ComparedRange | undefined): TemplateResult =>
  html`<hs-help .view=${compared === undefined ? 'lab' : 'comparison'}></hs-help>
    <hs-ask-step
      .of=${compared === undefined ? 'step' : 'instruction'}
      .index=${compared?.instruction ?? moment?.index ?? 0}
      .length=${compared?.instructions ?? moment?.length ?? 0}
    ></hs-ask-step>`;

/** A part of the lab by its name; undefined where it is not there. */
export function partOf<E extends Element>(
  {renderRoot}: {readonly renderRoot: ParentNode},
  name: string,
  kind: abstract new () => E,
): E | undefined {
  const part = renderRoot.querySelector(name);
  return part instanceof kind ? part : undefined;
}
