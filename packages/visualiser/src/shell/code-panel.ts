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

function askToEdit(event: Event): void {
  event.target?.dispatchEvent(new CustomEvent('hs-edit', {bubbles: true, composed: true}));
}

/** For a guest whose kernel was ported: the way to what the port changed. */
function portOf({guest, catalogue, edited}: LabState): TemplateResult | typeof nothing {
  if (edited !== undefined || catalogue.guests.find(({id}) => id === guest)?.portOf === undefined) return nothing;
  return html`<button
    slot="tools"
    class="edit"
    title="What the port changed: this kernel beside the one that it was made from"
    @click=${(event: Event) => event.target?.dispatchEvent(new Event('hs-port', {bubbles: true, composed: true}))}
  >
    Port…
  </button>`;
}

/** The line of the source that is executed next. */
export function runningLineOf(moment: Moment): number | undefined {
  const {address} = guestStanding(moment);
  return moment.code.find(line => line.address === address)?.sourceLine;
}

/** The text of the guest is the first virtual machine's; of another one there is only what lies in memory. */
function isFirst({virtualMachines}: Moment): boolean {
  return virtualMachines === undefined || virtualMachines.current === virtualMachines.consoles[0]?.name;
}

/** What the guest printed; of several virtual machines, what each did. */
function consoles({serial, virtualMachines}: Moment): TemplateResult | readonly TemplateResult[] {
  if (virtualMachines === undefined || virtualMachines.consoles.length < 2)
    return html`<hs-console .text=${serial}></hs-console>`;
  return virtualMachines.consoles.map(
    ({name, text}) => html`<hs-console .text=${text} .name=${`Console of ${name} · COM1`}></hs-console>`,
  );
}

/** What the bytes of the instruction say that is next. */
function encodingOf(moment: Moment, address: bigint | undefined): TemplateResult | typeof nothing {
  const parts = moment.code.find(line => line.address === address)?.encoding;
  if (parts === undefined || parts.length === 0) return nothing;
  return html`<details class="encoding">
    <summary>Encoding <span class="mono">${parts.map(({bytes}) => bytes).join(' ')}</span></summary>
    <hs-encoding .parts=${parts}></hs-encoding>
  </details>`;
}

/** Whose code it is where several run, and whether it is another one than the guest's own. */
function whose({moment, edited}: LabState): TemplateResult | typeof nothing {
  const machine = moment?.virtualMachines?.current;
  if (machine === undefined && edited === undefined) return nothing;
  return html`<span slot="tools" class="whose"
    >${machine}${edited === undefined ? nothing : html` <span class="edited">edited</span>`}</span
  >`;
}

/** The panel at the moment of `lab`; `editor` takes the place of the code while the source is edited. */
export function codePanel(lab: LabState, hypervised: boolean, editor: HTMLElement | undefined): TemplateResult {
  const {moment} = lab;
  if (moment === undefined) return html`<section class="panel left"></section>`;
  const {address, standing} = guestStanding(moment);
  return html`<section class="panel left" aria-label="Code and console">
    <div class="code">
      <h2>Guest code · ${moment.virtualMachines?.current ?? lab.guest}</h2>
      ${
        editor ??
        html`<hs-code-view
          .lines=${moment.code}
          .current=${address}
          .standing=${standing}
          .source=${isFirst(moment) ? lab.source : undefined}
          .who=${moment.who}
          .breakpoints=${lab.time.breakpoints}
          >${whose(lab)}${portOf(lab)}<button
            slot="tools"
            class="edit"
            title="Change this program and run it"
            @click=${askToEdit}
          >
            Edit
          </button></hs-code-view
        >`
      }
    </div>
    ${editor === undefined ? encodingOf(moment, address) : nothing} ${consoles(moment)}
    ${
      hypervised
        ? html`<div class="exits">
            <h2>Exits of this run</h2>
            <hs-exit-table brief .rows=${lab.exits} .index=${moment.index}></hs-exit-table>
          </div>`
        : nothing
    }
  </section>`;
}
