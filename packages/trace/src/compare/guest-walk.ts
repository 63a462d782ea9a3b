// Walks through the guest instructions of a simulated run and follows where values come from: a register that was
// computed from CPUID or from a clock may differ between two processors, and so may what was computed from it. An
// interrupt comes when it comes: what its delivery saves and its handler writes depends on where the guest was.

import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {GeneralRegister} from '@hyperscope/isa';
import {GuestMemory} from '../state/guest-memory.js';
import {codeAddress, codeSizeOf} from '../state/processor-view.js';
import {Playhead} from '../record/playhead.js';
import {PROCESSOR_VIEW} from './guest-registers.js';
import type {GuestView} from './guest-registers.js';
import type {RunRecord} from '../record/run-record.js';
import {completesInstruction} from './completed-exits.js';
import {deliversInterrupt} from './interrupt-delivery.js';
import {instructionFacts} from './instruction-facts.js';
import type {InstructionFacts} from './instruction-facts.js';
import {effectiveAddress} from './effective-address.js';

/** Why a value may differ. */
export type Origin = 'cpuid' | 'clock' | 'interrupt' | 'undefined-flags';

const SOURCES: Readonly<Record<string, Origin>> = {CPUID: 'cpuid', RDTSC: 'clock', RDTSCP: 'clock'};
const CPUID_WRITES: readonly GeneralRegister[] = ['RAX', 'RBX', 'RCX', 'RDX'];

/** Told of each guest instruction before it runs, with its own cells. */
export type Watcher = (facts: InstructionFacts, cells: CellReader) => void;
export type CellReader = (name: string) => bigint | undefined;

export class GuestWalk {
  readonly #view: GuestView;
  readonly #playhead: Playhead;
  readonly #memory: GuestMemory;
  readonly #facts = new Map<string, InstructionFacts | undefined>();
  readonly #registers = new Map<GeneralRegister, Origin>();
  /** By place in the bank 'memory'. */
  readonly #bytes = new Map<number, Origin>();
  readonly #watcher: Watcher;
  #next = 0;
  /** Whether the guest is between the delivery of an interrupt and the next IRET. */
  #handling = false;
  /** Flags that the manual leaves undefined at this point. */
  undefinedFlags = 0n;

  constructor(record: RunRecord, watcher: Watcher, view: GuestView = PROCESSOR_VIEW) {
    this.#view = view;
    this.#playhead = new Playhead(record);
    this.#memory = new GuestMemory(record.header, this.#playhead.bank('memory') ?? new Uint8Array(0));
    this.#watcher = watcher;
  }

  /** Follows the guest up to and including a step. */
  advanceThrough(step: number): void {
    const {columns, length} = this.#playhead.record;
    for (; this.#next <= step && this.#next < length; this.#next++) {
      if (deliversInterrupt(this.#playhead.record, this.#next)) {
        this.#handling = true;
        this.#markMemory(this.#next, 'interrupt');
      } else if (columns.who(this.#next).startsWith('guest') && this.#isRun(this.#next)) this.#follow(this.#next);
    }
  }

  /** The step that is followed next; for a watcher, the one that it is told of. */
  get position(): number {
    return this.#next;
  }

  /** Whether the last instruction that was followed belongs to the handler of an interrupt. */
  get isHandling(): boolean {
    return this.#handling;
  }

  originOf(register: string): Origin | undefined {
    const general = GENERAL_REGISTERS.find(name => name === register);
    return general === undefined ? undefined : this.#registers.get(general);
  }
  /** `gpa`: guest-physical. */
  originOfByte(gpa: number): Origin | undefined {
    const place = this.#memory.offsetOf(gpa);
    return place === undefined ? undefined : this.#bytes.get(place);
  }

  /** Whether an instruction was completed, by the processor or by the hypervisor in its stead. */
  #isRun(step: number): boolean {
    const {record} = this.#playhead;
    return (
      record.columns.kind(step) === 'instruction' ||
      record.eventsOf(step).some(event => event.kind === 'vm-exit' && completesInstruction(event.exit))
    );
  }

  #follow(step: number): void {
    const playhead = this.#playhead;
    playhead.seek(step);
    const cells = this.#view(playhead);
    const rip = playhead.record.columns.rip(step);
    const size = codeSizeOf(cells);
    const bytes = this.#memory.readLinear(cells, codeAddress(cells, rip), 15);
    const facts = bytes === undefined ? undefined : this.#factsOf(bytes, size);
    if (facts === undefined) return;
    this.#watcher(facts, cells);
    this.#spread(step, facts, cells);
    if (facts.mnemonic.startsWith('IRET')) this.#handling = false;
  }

  #factsOf(bytes: Uint8Array, size: 16 | 32 | 64): InstructionFacts | undefined {
    const key = `${size} ${bytes.join(' ')}`;
    if (!this.#facts.has(key)) this.#facts.set(key, instructionFacts(bytes, size));
    return this.#facts.get(key);
  }

  #spread(step: number, facts: InstructionFacts, cells: CellReader): void {
    const source = SOURCES[facts.mnemonic];
    const origin = this.#handling ? 'interrupt' : (source ?? this.#originOfInputs(facts, cells));
    const written = facts.mnemonic === 'CPUID' ? CPUID_WRITES : facts.writes;
    for (const register of written) {
      if (origin !== undefined) this.#registers.set(register, origin);
      else if (!isPartial(facts)) this.#registers.delete(register);
    }
    if (origin !== undefined || this.#bytes.size > 0) this.#markMemory(step, origin);
    this.undefinedFlags = (this.undefinedFlags & ~facts.definedFlags) | facts.undefinedFlags;
  }

  /** The bytes of memory that a step changed come from there. */
  #markMemory(step: number, origin: Origin | undefined): void {
    const {space, changes} = this.#playhead.record;
    const memory = space.place('memory', 0) ?? 0;
    const end = memory + (space.shapes[space.indexOf('memory')]?.size ?? 0);
    changes.runsOf(step, (place, length) => {
      for (let at = Math.max(place, memory); at < Math.min(place + length, end); at++) {
        if (origin === undefined) this.#bytes.delete(at - memory);
        else this.#bytes.set(at - memory, origin);
      }
    });
  }

  #originOfInputs(facts: InstructionFacts, cells: CellReader): Origin | undefined {
    const {operands, mnemonic} = facts.instruction;
    // XOR r, r and SUB r, r forget what was there.
    const [first, second] = operands;
    if (
      (mnemonic === 'XOR' || mnemonic === 'SUB') &&
      first?.kind === 'register' &&
      second?.kind === 'register' &&
      first.register === second.register
    )
      return undefined;
    for (const register of facts.reads) {
      const origin = this.#registers.get(register);
      // The base of an address leads somewhere else; what is read there is asked below.
      if (origin !== undefined) return origin;
    }
    if ((facts.readFlags & this.undefinedFlags) !== 0n) return 'undefined-flags';
    return facts.readsMemory && this.#bytes.size > 0 ? this.#originOfMemory(facts, cells) : undefined;
  }

  #originOfMemory(facts: InstructionFacts, cells: CellReader): Origin | undefined {
    for (const operand of facts.instruction.operands) {
      if (operand.kind !== 'memory') continue;
      const linear = effectiveAddress(operand, cells, facts.instruction.bytes.length);
      const gpa = this.#memory.translate(cells, linear);
      for (let i = 0; gpa !== undefined && i < operand.width / 8; i++) {
        const origin = this.originOfByte(gpa + i);
        if (origin !== undefined) return origin;
      }
    }
    return undefined;
  }
}

/** Whether an instruction may leave part of its destination as it was: then what was known of it stays. */
function isPartial(facts: InstructionFacts): boolean {
  const destination = facts.instruction.operands[0];
  return destination?.kind === 'register' && destination.width < 32;
}
