// The editor's place in the lab: loaded when it is first asked for, kept while it is closed, so that no text is lost.

import type {Remote} from 'comlink';
import type {SourceEditor} from '../editor/source-editor.js';
import type {LabClient} from '../lab-client.js';
import type {LabState} from '../lab-state.js';
import {runningLineOf} from './code-panel.js';

const NOT_LOADED =
  'The editor could not be loaded. Check the connection to where this page came from, and press Edit again.';

export class Editing {
  #editor: SourceEditor | undefined = undefined;
  #standing: 'open' | 'closed' = 'closed';
  readonly #changed: () => Promise<unknown>;

  /** `changed` is called when the editor opens or closes; it resolves when that is on the page. */
  constructor(changed: () => Promise<unknown>) {
    this.#changed = changed;
    addEventListener('beforeunload', event => {
      // The browser asks; its own words stand in the question.
      if (this.#editor?.hasUnsaved === true) event.preventDefault();
    });
  }

  /** The editor, while it is open. */
  get element(): HTMLElement | undefined {
    return this.#standing === 'open' ? this.#editor : undefined;
  }

  /** Opens the editor. What goes wrong is a sentence. */
  async open(client: Remote<LabClient>): Promise<string | undefined> {
    try {
      const {SourceEditor: Editor} = await import('../editor/source-editor.js');
      this.#editor ??= new Editor();
    } catch {
      // Offline, or the page's files were replaced by newer ones: the reader can do something about either.
      return NOT_LOADED;
    }
    this.#editor.tools = {
      assemble: async (guest, source) => client.assemble(guest, source),
      vocabulary: async () => client.vocabulary(),
    };
    this.#standing = 'open';
    await this.#changed();
    this.#editor.focusText();
    return undefined;
  }

  close(): void {
    this.#standing = 'closed';
    void this.#changed();
  }

  /** Tells the editor what runs. */
  show(lab: LabState): void {
    const editor = this.#editor;
    if (editor === undefined || lab.phase.kind !== 'ready' || lab.shipped === undefined) return;
    editor.guest = lab.guest;
    editor.shipped = lab.shipped;
    editor.running = lab.source ?? lab.shipped;
    editor.line = lab.moment === undefined ? undefined : runningLineOf(lab.moment);
  }
}

/** Whether an event asks for a text to be run; the editor's class is not loaded with the page, so its events are known by what they carry. */
export function isRunSource(event: CustomEvent<unknown>): event is CustomEvent<{readonly source: string | undefined}> {
  const {detail} = event;
  return typeof detail === 'object' && detail !== null && 'source' in detail;
}
