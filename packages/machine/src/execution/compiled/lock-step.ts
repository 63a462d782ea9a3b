// For tests: the compiled tier beside the reference, from the same state, instruction by instruction. After each, everything
// that a record follows must be the same, and everything that was told to the observer.

import {hpa} from '@hyperscope/base';
import {NEHALEM_COSTS} from '../../cpu/cost-model.js';
import {Machine} from '../../machine.js';
import type {MachineStep} from '../../machine.js';
import type {TestMachine} from '../../machine-fixture.js';

interface Watched {
  readonly machine: Machine;
  /** What the observer was told, as text. */
  readonly told: string[];
}

export class LockStep {
  readonly #reference: Watched;
  readonly #compiled: Watched;
  readonly #start: Uint8Array;
  readonly #cells: BigUint64Array;
  /** Where the reference wrote to memory. */
  #written: (readonly [offset: number, length: number])[] = [];

  /** Two machines in the state of `start`, which must have the default executor. */
  constructor(start: TestMachine) {
    this.#compiled = watched(start.machine);
    this.#reference = watched(
      new Machine({
        memoryBytes: start.machine.memory.size,
        profile: start.machine.profile,
        costModel: NEHALEM_COSTS,
        executor: 'reference',
      }),
    );
    this.#reference.machine.observe({
      willWrite: (bank, offset, length) => {
        this.#reference.told.push(`${bank} ${offset} ${length}`);
        if (bank === 'memory') this.#written.push([offset, length]);
      },
      event: event => this.#reference.told.push(text(event)),
    });
    this.#start = start.machine.memory.bytes.slice();
    this.#cells = start.machine.registers.cells.slice();
    this.#reference.machine.memory.bytes.set(start.machine.memory.bytes);
    this.#reference.machine.registers.cells.set(start.machine.registers.cells);
  }

  /** Does the same to both. */
  both(change: (machine: Machine) => void): void {
    change(this.#reference.machine);
    change(this.#compiled.machine);
  }
  load(address: number, bytes: Uint8Array): void {
    this.both(machine => machine.memory.load(hpa(address), bytes));
    this.#forget();
  }
  /** Both as they were at the start, but for what has been compiled. */
  restore(): void {
    this.both(machine => {
      machine.memory.load(hpa(0), this.#start);
      machine.registers.cells.set(this.#cells);
      machine.tlb.reset();
      machine.pins.reset();
    });
    this.#forget();
  }
  #forget(): void {
    this.#reference.told.length = 0;
    this.#written = [];
    this.#compiled.told.length = 0;
  }

  /** One step of each; what the reference gave, or the difference as a sentence. */
  step(): MachineStep | string {
    const right = this.#reference.machine.step();
    const got = this.#compiled.machine.step();
    if (text(right) !== text(got)) return `the step was ${text(got)}, not ${text(right)}`;
    return this.#difference() ?? right;
  }

  /** Runs ahead, and lets the reference follow. */
  runAhead(limit: number): number | string {
    const count = this.#compiled.machine.runAhead(limit);
    for (let i = 0; i < count; i++) {
      const step = this.#reference.machine.step();
      if (step.kind !== 'instruction') return `instruction ${i} of ${count} that were run ahead was ${text(step)}`;
    }
    return this.#difference() ?? count;
  }

  #difference(): string | undefined {
    const [right, got] = [this.#reference, this.#compiled];
    const told = got.told.join('\n');
    const expected = right.told.join('\n');
    const written = this.#written;
    this.#forget();
    if (told !== expected) return `told ${told || 'nothing'}, not ${expected || 'nothing'}`;
    for (const [offset, length] of written) {
      const [a, b] = [right, got].map(({machine}) => machine.memory.bytes.subarray(offset, offset + length));
      if (a !== undefined && b !== undefined && Buffer.compare(a, b) !== 0) return `the bytes at ${offset} differ`;
    }
    for (const [index, bank] of right.machine.banks.entries()) {
      if (bank.name === 'memory') continue;
      const other = got.machine.banks[index]?.bytes ?? new Uint8Array();
      if (Buffer.compare(bank.bytes, other) === 0) continue;
      const at = bank.bytes.findIndex((byte, place) => byte !== other[place]);
      return `byte ${at} of ${bank.name} is ${other[at]}, not ${bank.bytes[at]}`;
    }
    return undefined;
  }

  get startCells(): BigUint64Array {
    return this.#cells;
  }
}

function watched(machine: Machine): Watched {
  const told: string[] = [];
  machine.observe({
    willWrite: (bank, offset, length) => told.push(`${bank} ${offset} ${length}`),
    event: event => told.push(text(event)),
  });
  return {machine, told};
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each));
