// Several virtual machines at a moment: whose the processor is, and what stands on their consoles.

import type {Explanation, Moment, RunRecord} from '@hyperscope/trace';
import {SerialText} from './serial-text.js';

export class VirtualMachines {
  readonly #record: RunRecord;
  readonly #consoles: readonly {readonly name: string; readonly serial: SerialText}[];

  constructor(record: RunRecord) {
    this.#record = record;
    this.#consoles = (record.header.virtualMachines ?? []).map(({name}, index) => ({
      name,
      serial: new SerialText(record, index),
    }));
  }

  /** Undefined where there are no several. `current`: the number of the one that has the processor. */
  at(index: number, current: number): Moment['virtualMachines'] {
    if (this.#consoles.length === 0) return undefined;
    return {
      current: this.#consoles[current]?.name ?? '',
      consoles: this.#consoles.map(({name, serial}) => ({name, text: serial.before(index)})),
    };
  }

  /** 'Step 12 · …' says whose step it is, where there are several: 'Step 12 · CMS1 · …'. */
  named(explanation: Explanation, step: number): Explanation {
    const name = this.#consoles[this.#record.columns.machine(step)]?.name;
    if (name === undefined || this.#consoles.length < 2) return explanation;
    const [number = '', ...rest] = explanation.title.split(' · ');
    if (rest.length === 0 || explanation.title.includes(name)) return explanation;
    return {...explanation, title: [number, name, ...rest].join(' · ')};
  }
}
