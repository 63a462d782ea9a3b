// The middle of the lab: where the processor is, the same exit on real KVM beside it, and why it happened; of a stealth card
// also what its kernel gets in the other rings.

import type {StagePicture} from '@hyperscope/elements';
import {html, nothing, type TemplateResult} from 'lit';
import type {LabState} from '../lab-state.js';
import type {Filling} from './presentation.js';
import {rowAt} from '../views/real-kvm-view.js';

/** A stealth card: what the kernel gets in the other rings. */
function cardOf({guest, catalogue, card}: LabState): TemplateResult | typeof nothing {
  const isCard = catalogue.guests.some(entry => entry.id === guest && entry.group === 'Stealth cards');
  if (!isCard) return nothing;
  return html`<details class="card">
    <summary>The same kernel in every ring</summary>
    <hs-stealth-card .card=${card}></hs-stealth-card>
  </details>`;
}

/** The panel at the moment of `lab`; `filling`: the panel that fills the screen while presenting. */
export function stagePanel(
  lab: LabState,
  picture: StagePicture,
  mode: 'presenting' | 'working',
  filling: Filling | undefined,
): TemplateResult {
  const {moment} = lab;
  if (moment === undefined) return html`<section class="panel middle"></section>`;
  const row = rowAt(lab.real, moment.index);
  const atEnd = moment.finished && moment.index >= moment.length;
  return html`<section class="panel middle" aria-label="Stage">
    <div class="stage">
      <h2>Where the processor is</h2>
      <hs-ring-stage ?hall=${mode === 'presenting'} .picture=${picture} model=${lab.costs?.title ?? ''}></hs-ring-stage>
    </div>
    <div class="story">
      ${
        lab.time.micro === undefined
          ? nothing
          : html`<hs-micro-operations
              .steps=${lab.time.micro.steps}
              .instruction=${lab.time.micro.instruction}
              .at=${lab.time.micro.at}
            ></hs-micro-operations>`
      }
      ${row === undefined ? nothing : html`<hs-beside .row=${row} .where=${realWhere(lab)}></hs-beside>`}
      <div class="why" aria-live=${lab.playing ? 'off' : 'polite'}>
        <hs-why
          ?brief=${mode === 'presenting' && filling !== 'why'}
          ?hall=${mode === 'presenting'}
          .explanation=${moment.why}
          .who=${picture.transition?.who ?? moment.last?.who ?? moment.who}
        ></hs-why>
      </div>
      ${cardOf(lab)}
      ${atEnd && moment.outcome !== undefined ? html`<p class="outcome"><b>The run has ended.</b> ${moment.outcome}</p>` : nothing}
    </div>
  </section>`;
}

function realWhere(lab: LabState): string {
  if (lab.real.kind !== 'shown') return '';
  const {host} = lab.real.comparison.header;
  const what = lab.real.from === 'live' ? 'real KVM, now' : `real KVM, recorded ${host?.recordedOn ?? ''}`;
  return host === undefined ? what : `${what} · ${host.flavour}`;
}
