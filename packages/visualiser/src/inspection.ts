// What the open panel of the inspector knows of the moment under the playhead: asked once for each moment, one question at a
// time, and an answer that comes late is dropped. While the next answer is under way the last one stays on the screen.

import type {Inspection, InspectionRequest, Moment} from '@hyperscope/trace';

/** Whoever can be asked: a session in a worker. */
export interface Inspectable {
  inspect(request: InspectionRequest): Promise<Inspection>;
}

export interface Known {
  /** Undefined until the first answer of this kind. */
  readonly answer: Inspection | undefined;
  readonly failed: string | undefined;
}

interface Question {
  /** The register bank is a moment's own: the same object while only the record behind it grows. */
  readonly of: Moment['registers'];
  readonly index: number;
  readonly request: InspectionRequest;
  readonly key: string;
}

const keyOf = (request: InspectionRequest): string =>
  JSON.stringify(request, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

/** One panel's questions and answers. */
export class InspectionDesk {
  readonly #client: Inspectable;
  readonly #changed: () => void;
  #asked: Question | undefined;
  #waiting: Question | undefined;
  #busy = false;
  #known: Known = {answer: undefined, failed: undefined};

  /** `changed` is called when there is something new to draw. */
  constructor(client: Inspectable, changed: () => void) {
    this.#client = client;
    this.#changed = changed;
  }

  /** What is known for a moment; asks where nobody has yet. Called while drawing. */
  about(moment: Moment, request: InspectionRequest): Known {
    const key = keyOf(request);
    const isAsked = this.#asked?.of === moment.registers && this.#asked.key === key;
    if (!isAsked) {
      this.#asked = {of: moment.registers, index: moment.index, request, key};
      this.#waiting = this.#asked;
      void this.#drain();
    }
    const {answer} = this.#known;
    return answer?.panel === request.panel ? this.#known : {answer: undefined, failed: this.#known.failed};
  }

  async #drain(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#waiting; next !== undefined; next = this.#waiting) {
      this.#waiting = undefined;
      const known = await this.#ask(next);
      // The playhead has moved, or the reader looks elsewhere: the answer is about the past.
      if (next === this.#asked && (known.answer === undefined || known.answer.index === next.index)) {
        this.#known = known;
        this.#changed();
      }
    }
    this.#busy = false;
  }

  async #ask({request}: Question): Promise<Known> {
    try {
      return {answer: await this.#client.inspect(request), failed: undefined};
    } catch (error) {
      return {answer: undefined, failed: error instanceof Error ? error.message : String(error)};
    }
  }
}
