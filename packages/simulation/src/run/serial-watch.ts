// Listens to the first serial port as the guest prints: what a script types in answer, and when enough was printed.

import {SerialScriptPlayer} from './serial-script.js';
import type {ScriptedInput, SerialCommand} from './serial-script.js';

/** A text is looked for in the last characters at every byte, and in everything once so many more were printed. */
const WINDOW = 4096;

export class SerialWatch {
  readonly #pattern: RegExp | undefined;
  readonly #script: SerialScriptPlayer;
  #text = '';
  /** The end of the text, WINDOW characters at least where there are as many: looking there costs the same for ever. */
  #recent = '';
  #searched = 0;

  /** `pattern` ends the run; `script` types. */
  constructor(pattern: RegExp | undefined, script: readonly SerialCommand[]) {
    this.#pattern = pattern;
    this.#script = new SerialScriptPlayer(script);
  }

  /** Whether what the guest prints can still change anything. */
  get isListening(): boolean {
    return this.#pattern !== undefined || !this.#script.done;
  }

  /** Takes in what the guest printed since the last call. */
  hear(printed: Uint8Array): void {
    const text = new TextDecoder('latin1').decode(printed);
    this.#text += text;
    this.#recent += text;
    if (this.#recent.length > 2 * WINDOW) this.#recent = this.#recent.slice(-WINDOW);
  }

  /** What must be typed now, in order. */
  replies(): readonly ScriptedInput[] {
    const replies: ScriptedInput[] = [];
    if (this.#script.done) return replies;
    for (let send = this.#script.next(this.#text); send !== undefined; send = this.#script.next(this.#text))
      replies.push(send);
    return replies;
  }

  /** The sentence that ends the run, once the guest has printed what was waited for. */
  enough(): string | undefined {
    const pattern = this.#pattern;
    if (pattern === undefined || !this.#finds(pattern)) return undefined;
    return `The guest printed what was waited for: ${pattern.source}`;
  }

  #finds(pattern: RegExp): boolean {
    const isDue = this.#text.length - this.#searched >= WINDOW;
    // What the last characters seem to show (^ matches at their beginning) counts only if the whole text shows it.
    if (!isDue && this.#recent.search(pattern) < 0) return false;
    this.#searched = this.#text.length;
    return this.#text.search(pattern) >= 0;
  }
}
