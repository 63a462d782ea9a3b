// Answers what a page asks about the state at the playhead, panel by panel. One for each record; live sessions and players share
// it, and what it has to count it counts once.

import {Playhead} from '@hyperscope/trace';
import type {Bank} from '@hyperscope/machine';
import type {Inspection, InspectionRequest, RunRecord} from '@hyperscope/trace';
import type {TechniqueRun} from '@hyperscope/vmm';
import {StateView} from '../state-view.js';
import {descriptorContent} from './descriptor-content.js';
import {deviceContents} from './device-contents.js';
import {machineBanks} from '../machine-banks.js';
import {DoctorsMachine, entryCheckContent} from './entry-check-content.js';
import {faultContent} from './fault-content.js';
import {kvmRunContent} from './kvm-run-content.js';
import {lookupContent} from './lookup-content.js';
import type {LookedAt} from './looked-at.js';
import {memoryContent} from './memory-content.js';
import type {WrittenStretch} from './memory-content.js';
import {statisticsContent} from './statistics-content.js';
import {StepCounts} from './step-counts.js';
import {StepReplay} from './step-replay.js';
import {tlbContent} from './tlb-content.js';
import {TranslationHistory, translationContent} from './translation-content.js';
import {vcpuContent} from './vcpu-content.js';
import {walkContent} from './walk-content.js';
import {byteReader, entryReader, writerContent} from './writer-content.js';

/** The banks of the machine that the guest at the playhead sees, now and a step before. */
function seenBy(
  {header}: RunRecord,
  {machine}: StateView,
  now: readonly Bank[],
  before: readonly Bank[],
): [readonly Bank[], readonly Bank[]] {
  return [machineBanks(header, machine, now), machineBanks(header, machine, before)];
}

export class StateInspector {
  readonly #record: RunRecord;
  readonly #textOf: (step: number) => string;
  readonly #counts: StepCounts;
  readonly #translations: TranslationHistory;
  /** For the state before, and for others that an answer needs. Made when first asked. */
  #earlier: Playhead | undefined;
  #elsewhere: Playhead | undefined;
  readonly #doctor = new DoctorsMachine();
  readonly #replay: StepReplay | undefined;

  /** `again` starts the recorded run once more; there is none for a file. */
  constructor(record: RunRecord, textOf: (step: number) => string, again?: () => TechniqueRun) {
    this.#record = record;
    this.#replay = again === undefined ? undefined : new StepReplay(record, again);
    this.#textOf = textOf;
    this.#counts = new StepCounts(record);
    this.#translations = new TranslationHistory(record);
  }

  /** `banks` hold the state `index`. */
  inspect(banks: readonly Bank[], index: number, request: InspectionRequest): Inspection {
    const record = this.#record;
    const earlier = (this.#earlier ??= new Playhead(record));
    earlier.seek(Math.max(0, index - 1));
    const looked: LookedAt = {
      record,
      state: new StateView(record.header, banks),
      before: new StateView(record.header, earlier.banks),
      index,
      textOf: this.#textOf,
    };
    const bank = (name: string): Uint8Array | undefined => banks.find(each => each.name === name)?.bytes;
    switch (request.panel) {
      case 'memory':
        return {
          panel: request.panel,
          index,
          ...memoryContent(looked, request, this.#written(earlier, index)),
        };
      case 'writer':
        return {
          panel: request.panel,
          index,
          ...writerContent(looked, request.space, request.address, byteReader(this.#other())),
        };
      case 'walk':
        return {panel: request.panel, index, ...walkContent(looked, request)};
      case 'fault':
        return {panel: request.panel, index, ...faultContent(looked)};
      case 'descriptors':
        return {panel: request.panel, index, ...descriptorContent(looked)};
      case 'tlb':
        return {panel: request.panel, index, ...tlbContent(looked, bank('tlb'), entryReader(this.#other()))};
      case 'lookups':
        return {panel: request.panel, index, ...lookupContent(looked, request.steps, this.#replay)};
      case 'devices':
        return {
          panel: request.panel,
          index,
          ...deviceContents(looked, ...seenBy(record, looked.state, banks, earlier.banks)),
        };
      case 'kvm-run':
        return {panel: request.panel, index, ...kvmRunContent(looked, at => this.#stateAt(at).guestCells())};
      case 'statistics':
        return {panel: request.panel, index, ...statisticsContent(looked, this.#counts)};
      case 'vcpu':
        return {panel: request.panel, index, ...vcpuContent(looked)};
      case 'translation':
        return {panel: request.panel, index, ...translationContent(looked, this.#translations, request.at)};
      case 'entry-checks':
        return {panel: request.panel, index, ...entryCheckContent(looked, this.#doctor)};
    }
  }

  /** What of memory the last step wrote; `earlier` stands before it, and does so again afterwards. */
  #written(earlier: Playhead, index: number): readonly WrittenStretch[] {
    const stretches: WrittenStretch[] = [];
    if (index === 0) return stretches;
    const touched = (bank: string, offset: number, length: number): void => {
      if (bank === 'memory') stretches.push({offset, length});
    };
    this.#record.seek(earlier.banks, index - 1, index, touched);
    this.#record.seek(earlier.banks, index, index - 1);
    return stretches;
  }

  #stateAt(index: number): StateView {
    const head = this.#other();
    head.seek(Math.min(index, this.#record.length));
    return new StateView(this.#record.header, head.banks);
  }
  #other(): Playhead {
    return (this.#elsewhere ??= new Playhead(this.#record));
  }
}
