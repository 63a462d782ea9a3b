// The list of scenarios: what each teaches, how far one came; and a file of one's own, opened or dropped in.

import {sharedStyles} from '@hyperscope/elements';
import {LIMITS, problemText, readScenario} from '@hyperscope/walkthroughs';
import type {Scenario} from '@hyperscope/walkthroughs';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {dialogStyles} from '../shell/help.js';
import {readProgress} from './progress.js';

export class ScenarioChosenEvent extends CustomEvent<Scenario> {
  constructor(scenario: Scenario) {
    super('hs-scenario-chosen', {detail: scenario, bubbles: true, composed: true});
  }
}

@customElement('hs-scenario-chooser')
export class ScenarioChooser extends LitElement {
  static override readonly styles = [
    sharedStyles,
    dialogStyles,
    css`
      dialog {
        max-width: min(900px, 94vw);
        width: 900px;
      }
      ul.scenarios {
        list-style: none;
        margin: 0;
        padding: 0;
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(300px, 1fr));
        gap: 10px;
      }
      .scenario {
        width: 100%;
        height: 100%;
        text-align: start;
        display: grid;
        gap: 4px;
        align-content: start;
        padding: 10px 14px;
      }
      .scenario b {
        font-size: 1.06em;
      }
      .scenario small {
        color: var(--mute);
      }
      .own {
        margin-top: 14px;
        padding: 12px 14px;
        border: 2px dashed var(--strong-line);
        border-radius: 10px;
        display: flex;
        flex-wrap: wrap;
        gap: 8px 14px;
        align-items: center;
      }
      .own.over {
        background: var(--hit);
        color: var(--hit-ink);
      }
      ol.problems {
        margin: 10px 0 0;
        padding-inline-start: 1.4em;
        color: var(--bad);
        max-height: 30vh;
        overflow: auto;
      }
      .close {
        margin-top: 14px;
      }
    `,
  ];

  @property({attribute: false}) scenarios: readonly Scenario[] = [];
  @state() private problems: readonly string[] = [];
  @state() private isOver = false;

  show(): void {
    this.problems = [];
    this.requestUpdate();
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title">
      <h2 id="title">Scenarios</h2>
      <p class="mute">
        A text beside the running machine: predictions, things to break, questions. In present mode the arrow keys move
        along its steps.
      </p>
      <ul class="scenarios">
        ${this.scenarios.map(scenario => this.entry(scenario))}
      </ul>
      <div
        class="own ${this.isOver ? 'over' : ''}"
        @dragover=${this.over}
        @dragleave=${() => (this.isOver = false)}
        @drop=${this.dropped}
      >
        <label
          >A file of your own: <input type="file" accept=".md,text/markdown,text/plain" @change=${this.opened}
        /></label>
        <span class="mute">or drop it here. It stays on this computer.</span>
      </div>
      ${
        this.problems.length === 0
          ? nothing
          : html`<ol class="problems" role="alert">
              ${this.problems.map(problem => html`<li>${problem}</li>`)}
            </ol>`
      }
      <form method="dialog"><button class="close">Close</button></form>
    </dialog>`;
  }

  private entry(scenario: Scenario): TemplateResult {
    const {id, demonstration, title, teaches, steps, questions, seeded} = scenario;
    const {part} = readProgress(id);
    const standing = part === 0 ? '' : part > steps.length ? ' · read to the end' : ` · you were at step ${part}`;
    return html`<li>
      <button class="scenario" data-scenario=${id} @click=${() => this.choose(scenario)}>
        <b>${title}</b>
        <span>${teaches}</span>
        <small
          >${demonstration === undefined ? '' : `${demonstration} · `}${steps.length} steps,
          ${questions.length + seeded.length} questions${standing}</small
        >
      </button>
    </li>`;
  }

  private choose(scenario: Scenario): void {
    this.renderRoot.querySelector('dialog')?.close();
    this.dispatchEvent(new ScenarioChosenEvent(scenario));
  }

  private readonly over = (event: DragEvent): void => {
    event.preventDefault();
    this.isOver = true;
  };
  private readonly dropped = (event: DragEvent): void => {
    event.preventDefault();
    this.isOver = false;
    void this.read(event.dataTransfer?.files[0]);
  };
  private readonly opened = (event: Event): void => {
    if (!(event.target instanceof HTMLInputElement)) return;
    void this.read(event.target.files?.[0]);
    event.target.value = '';
  };

  private async read(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    if (file.size > LIMITS.fileBytes) {
      this.problems = [`${file.name} is too large for a scenario: keep it below ${LIMITS.fileBytes / 1024} KiB.`];
      return;
    }
    try {
      const read = readScenario(await file.text(), `own-${file.name}`);
      if (read.ok) this.choose(read.scenario);
      else this.problems = read.problems.map(problem => problemText(file.name, problem));
    } catch {
      this.problems = [`${file.name} could not be read. Choose it again, or copy it to another place first.`];
    }
  }
}
