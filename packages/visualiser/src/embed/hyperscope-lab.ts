// <hyperscope-lab>: the lab as one element for lecture notes and slides. One file and no library; the lab itself runs in a
// frame, so that its keys, styles and worker keep to themselves, and nothing is loaded before the element comes into view.
//
//   <script type="module" src="https://…/hyperscope-lab.js"></script>
//   <hyperscope-lab technique="vtx-ept" guest="hello-kvm" panels="stage why" step="82"></hyperscope-lab>

import {packText} from '../linked-text.js';
import {LINK_ATTRIBUTES, linkOfAttributes} from './link-attributes.js';
import {commandMessage, readMoment, readPanels, type EmbedCommand, type EmbeddedMoment} from './embed-messages.js';

/** The folder of this file, which is the lab's. */
const HOME = import.meta.url.replace(/[^/]*$/, '');

const STYLES = `
  :host { display: block; block-size: 480px; min-inline-size: 0; }
  :host([hidden]) { display: none; }
  iframe { inline-size: 100%; block-size: 100%; border: 1px solid #868e9c; border-radius: 8px; box-sizing: border-box; }
`;

/** Tells where the playhead of a lab is now. */
export class HyperscopeMomentEvent extends CustomEvent<EmbeddedMoment> {
  constructor(moment: EmbeddedMoment) {
    super('hyperscope-moment', {detail: moment, bubbles: true, composed: true});
  }
}

/**
 * A lab in a page of somebody else's.
 *
 * Attributes: `technique`, `guest` and `step`; `switches`, `id:value, id:value`; `program`, NASM text that runs in the place of
 * the guest's own, or `text`, the same packed as in a link; `tab` of the inspector, and `look`, an address in memory, `gva:8000`;
 * `scenario`, `id:part`, and `set`, the number of its questions; `compare`, machines and the instruction under their scrubber, `bare,vtx-ept,kvm:40`; `mode`, `present`.
 * Or `link`, the fragment of a shared link, instead of them. `panels`, words of `code console stage why inspector timeline`, all
 * when absent; `theme`, `light`, `dark` or `contrast`; `src`, the address of a lab elsewhere, with a slash at its end; `label`,
 * what a screen reader calls it.
 *
 * Fires `hyperscope-moment` each time the playhead has moved.
 */
export class HyperscopeLab extends HTMLElement {
  static readonly observedAttributes = [...LINK_ATTRIBUTES, 'panels', 'theme', 'src', 'label'];

  readonly #frame: HTMLIFrameElement;
  #moment: EmbeddedMoment | undefined = undefined;
  /** Counts what was asked for: what is overtaken is not done. */
  #calls = 0;
  #needsFrame = false;

  constructor() {
    super();
    const root = this.attachShadow({mode: 'open'});
    const style = document.createElement('style');
    style.textContent = STYLES;
    this.#frame = document.createElement('iframe');
    this.#frame.loading = 'lazy';
    this.#frame.allow = 'clipboard-write; fullscreen';
    root.append(style, this.#frame);
  }

  /** Where the playhead is; undefined until the lab has started. */
  get moment(): EmbeddedMoment | undefined {
    return this.#moment;
  }

  /** Moves the playhead to a state. */
  seek(step: number): void {
    this.#send({kind: 'seek', step});
  }

  /** Moves by one unit of a granularity: `instruction`, `event`, `exit`, `ring`, `mode`. */
  step(
    direction: 'back' | 'forward' = 'forward',
    granularity: Extract<EmbedCommand, {kind: 'step'}>['granularity'] = 'instruction',
  ): void {
    this.#send({kind: 'step', direction, granularity});
  }

  connectedCallback(): void {
    addEventListener('message', this.#hear);
    this.#needsFrame = true;
    void this.#follow();
  }

  disconnectedCallback(): void {
    removeEventListener('message', this.#hear);
  }

  attributeChangedCallback(name: string): void {
    if (!this.isConnected) return;
    // A lab that runs already is told where to go; another look needs another frame.
    if (!LINK_ATTRIBUTES.includes(name) || this.#moment === undefined) this.#needsFrame = true;
    void this.#follow();
  }

  /** Goes where the attributes say; several that are set in one go lead to one place. */
  async #follow(): Promise<void> {
    const call = ++this.#calls;
    await Promise.resolve();
    if (call !== this.#calls) return;
    const program = this.getAttribute('program');
    const text = program === null ? undefined : await packText(program);
    if (call !== this.#calls || !this.isConnected) return;
    const link = linkOfAttributes(name => this.getAttribute(name), text);
    if (this.#needsFrame) this.#load(link);
    else this.#send({kind: 'open', link});
    this.#needsFrame = false;
  }

  #load(link: string): void {
    const query = new URLSearchParams({embed: readPanels(this.getAttribute('panels') ?? '').join(' ')});
    const theme = this.getAttribute('theme');
    if (theme !== null) query.set('theme', theme);
    const address = new URL(`./index.html?${query.toString()}${link}`, this.getAttribute('src') ?? HOME);
    this.#frame.title = this.getAttribute('label') ?? 'Hyperscope, a virtualization lab';
    this.#moment = undefined;
    if (this.#frame.src !== address.href) this.#frame.src = address.href;
  }

  #send(command: EmbedCommand): void {
    this.#frame.contentWindow?.postMessage(commandMessage(command), new URL(this.#frame.src).origin);
  }

  readonly #hear = (event: MessageEvent<unknown>): void => {
    if (event.source !== this.#frame.contentWindow) return;
    const moment = readMoment(event.data);
    if (moment === undefined) return;
    this.#moment = moment;
    this.dispatchEvent(new HyperscopeMomentEvent(moment));
  };
}

if (customElements.get('hyperscope-lab') === undefined) customElements.define('hyperscope-lab', HyperscopeLab);
