// Records a run while it happens. Whoever drives it calls beginStep before and endStep after each step; in between the
// machine says what it is about to overwrite and what happened. Nothing is allocated for a step without events.

import type {Bank, MachineEvent} from '@hyperscope/machine';
import type {HypervisorEvent, RunObserver} from '@hyperscope/vmm';
import {assert} from '@hyperscope/base';
import {ChangeCapture} from '../change/change-capture.js';
import type {RegisterExtent} from '../change/change-capture.js';
import {encodeChange} from '../change/change-encoder.js';
import {StateSpace} from '../change/state-space.js';
import type {RecordHeader} from '../record-format.js';
import {RunRecord} from './run-record.js';
import type {RecordedStep} from './step-columns.js';

export interface RecorderOptions {
  /** Banks whose changes are found by comparing after each step; default: only 'registers'. */
  readonly compared?: readonly string[];
}

export class Recorder implements RunObserver {
  readonly record: RunRecord;
  readonly #banks: readonly Bank[];
  readonly #capture: ChangeCapture;
  #inStep = false;

  /** `banks` as they are now are state 0; their names and sizes must be those of the header. */
  constructor(header: RecordHeader, banks: readonly Bank[], options: RecorderOptions = {}) {
    const same =
      header.banks.length === banks.length &&
      banks.every((bank, i) => header.banks[i]?.name === bank.name && header.banks[i].size === bank.bytes.length);
    assert(same, 'the header must describe the banks that are recorded');
    this.record = new RunRecord(header, sparseContents(banks));
    this.#banks = banks;
    this.#capture = new ChangeCapture(banks, options.compared ?? ['registers'], this.record.changes.bytes);
  }

  beginStep(): void {
    assert(!this.#inStep, 'a step inside a step');
    this.#inStep = true;
  }
  /** Closes the step. `endCycle` is the cycle counter after it; `extent` says which registers it can have changed. */
  endStep(step: RecordedStep, endCycle: number, extent: RegisterExtent = 'all'): void {
    assert(this.#inStep, 'endStep without beginStep');
    this.#inStep = false;
    this.#capture.take(extent);
    this.record.changes.push();
    this.record.columns.push(step);
    this.record.endCycle = endCycle;
  }

  willWrite(bank: string, offset: number, length: number): void {
    this.#capture.willWrite(bank, offset, length);
  }
  event(event: MachineEvent): void {
    this.record.events.push(this.record.length, event);
  }
  hypervisorEvent(event: HypervisorEvent): void {
    this.record.events.push(this.record.length, event);
  }

  /** Carries the recorded banks in place from one state to another; they hold state `from` now. */
  seek(from: number, to: number, touched?: (bank: string, offset: number, length: number) => void): void {
    this.record.seek(this.#banks, from, to, touched);
    this.#capture.resynchronise();
  }
}

/** The bytes that are not zero, as the change from zeros: how a file stores state 0. */
function sparseContents(banks: readonly Bank[]): Uint8Array {
  const space = StateSpace.of(banks);
  return encodeChange(nonZeroBytes(banks, space));
}

function* nonZeroBytes(banks: readonly Bank[], space: StateSpace): IterableIterator<readonly [number, number]> {
  for (const [index, bank] of banks.entries()) {
    const start = space.starts[index] ?? 0;
    const {bytes} = bank;
    // Empty memory is skipped eight bytes at a time.
    const aligned =
      bytes.byteOffset % 8 === 0 ? new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 3) : undefined;
    for (let i = 0; i < bytes.length; i++) {
      // -0 also compares equal to 0, so its bit pattern is looked at byte by byte below only when it is not all zeros.
      if (aligned !== undefined && i % 8 === 0 && i + 8 <= bytes.length && Object.is(aligned[i >>> 3], 0)) {
        i += 7;
        continue;
      }
      const byte = bytes[i] ?? 0;
      if (byte !== 0) yield [start + i, byte];
    }
  }
}
