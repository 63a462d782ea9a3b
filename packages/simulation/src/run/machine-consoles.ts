// What the guests of a run print, as it comes: of one virtual machine byte by byte, of several line by line, each with the name of
// the machine whose console it stood on.

import type {TechniqueRun} from '@hyperscope/vmm';

const LINE_FEED = 10;

export class MachineConsoles {
  readonly #run: TechniqueRun;
  /** Bytes of each console that were given already. */
  readonly #given: number[] = [];

  constructor(run: TechniqueRun) {
    this.#run = run;
  }

  /** Bytes on all consoles together. */
  get printed(): number {
    return this.#outputs.reduce((sum, {bytes}) => sum + bytes.length, 0);
  }

  /** What is new. Of several machines, lines that have ended; with 'the rest', also those that never will. */
  fresh(upTo: 'lines' | 'the rest'): Uint8Array {
    const outputs = this.#outputs;
    const parts = outputs.map(({name, bytes}, index) => {
      const from = this.#given[index] ?? 0;
      const end = outputs.length === 1 || upTo === 'the rest' ? bytes.length : bytes.lastIndexOf(LINE_FEED) + 1;
      if (end <= from) return new Uint8Array();
      this.#given[index] = end;
      const part = bytes.slice(from, end);
      return outputs.length === 1 ? part : labelled(name, part);
    });
    return Uint8Array.from(parts.flatMap(part => [...part]));
  }

  get #outputs(): readonly {readonly name: string; readonly bytes: Uint8Array}[] {
    const machines = this.#run.virtualMachines;
    if (machines === undefined) return [{name: '', bytes: this.#run.serialOutput()}];
    return machines.map(machine => ({name: machine.name, bytes: machine.serialOutput()}));
  }
}

/** 'CMS1: text', line by line. */
function labelled(name: string, bytes: Uint8Array): Uint8Array {
  const lines = new TextDecoder('latin1').decode(bytes).replace(/\n$/, '').split('\n');
  const text = lines.map(line => `${name}: ${line}\n`).join('');
  return Uint8Array.from(text, character => character.charCodeAt(0) & 0xff);
}
