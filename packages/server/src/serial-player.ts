// Somebody at the other end of the serial line: waits for text, types text, and says when enough was seen.

export interface SerialScript {
  readonly steps: readonly {readonly kind: 'wait' | 'send'; readonly text: string}[];
  /** A regular expression that ends the run; undefined for none. */
  readonly stop: string | undefined;
}

/** What to do after some output. */
export interface Heard {
  /** Bytes to type now. */
  readonly send: Uint8Array;
  readonly stop: boolean;
}

const NOTHING = new Uint8Array();

export class SerialPlayer {
  readonly #script: SerialScript;
  readonly #stop: RegExp | undefined;
  #at = 0;
  /** Output that no `wait` has used up yet, and all of it: one character a byte. */
  #unused = '';
  #all = '';

  constructor(script: SerialScript) {
    this.#script = script;
    this.#stop = script.stop === undefined ? undefined : new RegExp(script.stop);
  }

  /** What is typed before the guest says anything. */
  begin(): Uint8Array {
    return this.#advance();
  }

  /** Takes new output. */
  hear(output: Uint8Array): Heard {
    if (output.length === 0) return {send: NOTHING, stop: false};
    const text = String.fromCharCode(...output);
    this.#unused += text;
    this.#all += text;
    return {send: this.#advance(), stop: this.#stop?.test(this.#all) ?? false};
  }

  #advance(): Uint8Array {
    let send = '';
    for (let step = this.#script.steps[this.#at]; step !== undefined; step = this.#script.steps[++this.#at]) {
      if (step.kind === 'send') {
        send += step.text;
        continue;
      }
      const found = this.#unused.indexOf(step.text);
      if (found < 0) break;
      this.#unused = this.#unused.slice(found + step.text.length);
    }
    return send === '' ? NOTHING : Uint8Array.from(send, character => character.charCodeAt(0) & 0xff);
  }
}
