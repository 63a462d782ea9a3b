// Counts what the result of a run reports, from the events of the machine and the hypervisor.

import {entryFailure, vmExitName} from '@hyperscope/isa';
import type {Check, MachineEvent} from '@hyperscope/machine';
import type {HypervisorEvent, RunObserver} from '@hyperscope/vmm';
import {hex} from '@hyperscope/base';
import {completesInstruction, isDeprivileged} from '@hyperscope/trace';
import {TranslationCounts} from './translation-counts.js';

const SERIAL_FIRST = 0x3f8;
const SERIAL_LAST = 0x3ff;
/** Values kept of each port. */
const MOST_VALUES = 4096;

export class RunCounters implements RunObserver {
  readonly exits = new Map<string, number>();
  readonly exceptions = new Map<string, number>();
  readonly ports = new Map<string, number[]>();
  /** Instructions that left the guest and that the hypervisor completed in its stead; each iteration of OUTS and INS counts. */
  completedByHypervisor = 0;
  /** Bytes that the first serial port has sent. */
  printed = 0;
  /** Where the guest's kernel is translated. */
  readonly translation: TranslationCounts | undefined;
  /** The check that the last VM entry failed, if it failed. */
  failedEntryCheck: Check | undefined;
  readonly unsupported: {readonly address: string; readonly bytes: string; readonly what: string}[] = [];
  /** The last exit was that of an instruction, which is counted already. */
  #isCounted = false;
  readonly #next: RunObserver | undefined;
  readonly #asksUserSpace: boolean;

  /** `next` hears everything as well. Where a hypervisor has a user space, the guest's ports are those that it was asked about. */
  constructor(technique: string, next: RunObserver | undefined) {
    this.#asksUserSpace = technique !== 'bare' && !isDeprivileged(technique);
    this.#next = next;
    this.translation = technique === 'binary-translation' ? new TranslationCounts() : undefined;
  }

  get ignoresWrites(): boolean {
    return this.#next === undefined || this.#next.ignoresWrites === true;
  }
  willWrite(bank: string, offset: number, length: number): void {
    this.#next?.willWrite(bank, offset, length);
  }

  event(event: MachineEvent): void {
    this.#next?.event(event);
    switch (event.kind) {
      case 'vm-exit':
        count(this.exits, vmExitName(event.exit));
        this.#isCounted = completesInstruction(event.exit);
        if (this.#isCounted) this.completedByHypervisor++;
        break;
      case 'vm-entry-failure':
        count(this.exits, vmExitName(entryFailure(event.reason)));
        this.failedEntryCheck = event.checks.find(check => !check.holds);
        break;
      case 'exception':
        count(this.exceptions, String(event.vector));
        break;
      case 'port':
        if (!this.#asksUserSpace && event.direction === 'out') this.#wrote(event.port, event.value);
        break;
      case 'unsupported':
        this.unsupported.push({address: hex(event.address), bytes: event.bytes, what: event.what});
        break;
      default:
        break;
    }
  }

  hypervisorEvent(event: HypervisorEvent): void {
    this.#next?.hypervisorEvent(event);
    if (event.kind === 'serial') this.printed++;
    this.translation?.tell(event);
    // What trapped in a deprivileged guest, and was carried out for it.
    if (event.kind === 'emulation' && event.by === 'VMM' && event.outcome !== 'fault') this.completedByHypervisor++;
    if (event.kind === 'emulation' && event.by === undefined && event.outcome === 'completed') this.#emulated();
    if (event.kind !== 'kvm-exit' || event.exit.reason !== 'io') return;
    this.completedByHypervisor += event.exit.count - 1;
    if (event.exit.direction !== 'out') return;
    const {data, port, width} = event.exit;
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    for (let at = 0; at + width / 8 <= data.length; at += width / 8) {
      this.#wrote(
        port,
        width === 8 ? view.getUint8(at) : width === 16 ? view.getUint16(at, true) : view.getUint32(at, true),
      );
    }
  }

  /** Carried out in software: after an exit that says nothing of an instruction (a page fault), or after none. */
  #emulated(): void {
    if (!this.#isCounted) this.completedByHypervisor++;
    this.#isCounted = false;
  }

  #wrote(port: number, value: number): void {
    if (port >= SERIAL_FIRST && port <= SERIAL_LAST) return;
    const values = this.ports.get(hex(port)) ?? [];
    if (values.length < MOST_VALUES) values.push(value);
    this.ports.set(hex(port), values);
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
