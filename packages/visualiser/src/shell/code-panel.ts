// The left of the lab: the guest's code, what it printed, and what made it leave.

import type {Moment} from '@hyperscope/trace';
import {html, nothing, type TemplateResult} from 'lit';
import type {LabState} from '../lab-state.js';

interface Standing {
  readonly address: bigint | undefined;
  readonly standing: 'running' | 'left';
}

/** Where the guest is: its next instruction, or where it left when the host runs. */
function guestStanding(moment: Moment): Standing {
  const {next, last} = moment;
  const runs = moment.who === 'guest-user' || moment.who === 'guest-kernel';
  if (runs) return {address: next?.rip ?? last?.rip, standing: 'running'};
  const saved = moment.vmcs.find(row => row.name === 'GUEST_RIP')?.value ?? '';
  return {address: /^0x[0-9a-f]+$/i.test(saved) ? BigInt(saved) : undefined, standing: 'left'};
}

/** The panel at the moment of `lab`. */
export function codePanel(lab: LabState, hypervised: boolean): TemplateResult {
  const {moment} = lab;
  if (moment === undefined) return html`<section class="panel left"></section>`;
  const {address, standing} = guestStanding(moment);
  return html`<section class="panel left" aria-label="Code and console">
    <div class="code">
      <h2>Guest code · ${lab.guest}</h2>
      <hs-code-view
        .lines=${moment.code}
        .current=${address}
        .standing=${standing}
        .source=${lab.source}
        .who=${moment.who}
      ></hs-code-view>
    </div>
    <hs-console .text=${moment.serial}></hs-console>
    ${
      hypervised
        ? html`<div class="exits">
            <h2>Exits of this run</h2>
            <hs-exit-table .rows=${lab.exits} .index=${moment.index}></hs-exit-table>
          </div>`
        : nothing
    }
  </section>`;
}
