// "Go to step": a number, in a dialog. While machines are compared, "Go to instruction".

import {SeekEvent, sharedStyles} from '@hyperscope/elements';
import {LitElement, html, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {dialogStyles} from './help.js';

@customElement('hs-ask-step')
export class AskStep extends LitElement {
  static override readonly styles = [sharedStyles, dialogStyles];

  @property({type: Number}) index = 0;
  @property({type: Number}) length = 0;
  @property() of: 'instruction' | 'step' = 'step';

  show(): void {
    const input = this.renderRoot.querySelector('input');
    if (input !== null) input.value = String(this.index);
    this.renderRoot.querySelector('dialog')?.showModal();
    input?.select();
  }

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title">
      <h2 id="title">Go to ${this.of}</h2>
      <form method="dialog" @submit=${this.submit}>
        <label
          >${this.of === 'step' ? 'Step' : 'Instruction of the guest'}, 0 to ${this.length}
          <input type="number" min="0" max=${this.length} step="1" required
        /></label>
        <button value="go">Go</button><button value="cancel" formnovalidate>Cancel</button>
      </form>
    </dialog>`;
  }

  private readonly submit = (event: SubmitEvent): void => {
    const input = this.renderRoot.querySelector('input');
    if (input === null || (event.submitter instanceof HTMLButtonElement && event.submitter.value === 'cancel')) return;
    this.dispatchEvent(new SeekEvent(input.valueAsNumber));
  };
}
