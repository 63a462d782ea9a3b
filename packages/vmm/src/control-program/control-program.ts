// The control program's own state and acts: who has the processor, who paid for it, decks on their way. Everything that changes
// lies in simulated memory; what is here in TypeScript only knows where.

import {assertExists, hpa} from '@hyperscope/base';
import type {Machine} from '@hyperscope/machine';
import type {RunObservation} from '../run-observer.js';
import {StrideScheduler} from '../scheduling/stride-scheduler.js';
import {SliceTimer} from '../scheduling/slice-timer.js';
import type {RunOutcome} from '../technique.js';
import type {ControlProgramAct} from '../virtual-machine.js';
import {NUCLEUS} from './cp-layout.js';
import type {Spool, SpoolFile} from './spool.js';
import type {VirtualUser} from './virtual-user.js';

/** The vector of the slice timer: above all others of the host's. */
export const TIMER_VECTOR = 0xef;

/**
 * Who the VMBLOK is of whom CP runs or works for; the cycle up to which all time is accounted; idle cycles; who has the FPU; 1 while
 * a slice is given and has not begun.
 */
const CELLS = {current: 0, since: 8, idle: 16, vectorOwner: 24, isFresh: 32} as const;
type NucleusCell = keyof typeof CELLS;

/** The number of the virtual machine that has the processor, from the memory of a machine that a control program runs on. */
export function currentMachine(memory: Uint8Array): number {
  return memory[NUCLEUS + CELLS.current] ?? 0;
}

export interface ControlProgramParts {
  readonly machine: Machine;
  readonly observation: RunObservation;
  readonly users: readonly VirtualUser[];
  readonly spool: Spool;
  /** Cycles of a time slice. */
  readonly quantum: number;
  readonly weights: readonly number[];
}

export class ControlProgram {
  readonly machine: Machine;
  readonly users: readonly VirtualUser[];
  readonly spool: Spool;
  readonly timer: SliceTimer;
  readonly scheduler: StrideScheduler;
  readonly quantum: number;
  readonly #observation: RunObservation;
  /** Set once, by the step that ends the run. */
  outcome: RunOutcome | undefined;

  constructor({machine, observation, users, spool, quantum, weights}: ControlProgramParts) {
    this.machine = machine;
    this.users = users;
    this.spool = spool;
    this.quantum = quantum;
    this.#observation = observation;
    this.timer = new SliceTimer(machine);
    this.scheduler = new StrideScheduler({
      count: users.length,
      read: (index, field) => this.user(index).block.get(field),
      write: (index, field, value) => this.user(index).block.set(field, value),
    });
    for (const {index} of users) this.scheduler.admit(index, weights[index] ?? 1);
  }

  user(index: number): VirtualUser {
    return assertExists(this.users[index], 'a user of that number');
  }
  /** Who has the processor, or had it last. */
  get current(): VirtualUser {
    return this.user(this.#get('current'));
  }
  get idleCycles(): number {
    return this.#get('idle');
  }

  tell(what: ControlProgramAct, {name}: VirtualUser, sentence: string): void {
    this.#observation.hypervisorEvent({kind: 'control-program', what, machine: name, sentence});
  }

  // ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The time since this was asked last goes to the account of who has the processor, or of nobody. */
  account(to: 'virtual' | 'cp' | 'idle'): void {
    const now = this.machine.cycles;
    const spent = now - this.#get('since');
    this.#set('since', now);
    if (to === 'idle') return this.#set('idle', this.idleCycles + spent);
    const {index, block} = this.current;
    block.add(to === 'virtual' ? 'virtualCycles' : 'cpCycles', spent);
    this.scheduler.charge(index, spent);
  }

  // ── the processor ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Gives the processor to a user: its time-stamp counter, its vector registers, its slice. The rest is loaded on the way into the guest. */
  give(user: VirtualUser): void {
    this.#changeTimeStamp(this.current, user);
    this.#set('current', user.index);
    this.scheduler.dispatch(user.index);
    user.block.add('dispatches', 1);
    this.#giveVectorRegisters(user);
    this.timer.stop();
    this.#set('isFresh', 1);
  }

  /** The slice begins, with the next thing that is done for the guest itself: who is on the way in makes no progress yet. */
  beginSlice(): void {
    if (this.#get('isFresh') === 0) return;
    this.#set('isFresh', 0);
    this.timer.arm(this.quantum);
  }
  get isSliceOver(): boolean {
    return this.#get('isFresh') === 0 && this.timer.isOver;
  }

  /** The time-stamp counter goes on for everybody, and each may have set his own. */
  #changeTimeStamp(from: VirtualUser, to: VirtualUser): void {
    if (from === to) return;
    const {registers, cycles} = this.machine;
    from.block.setTimeOffset(BigInt.asUintN(64, registers.get('TSC') - BigInt(cycles)));
    registers.set('TSC', BigInt.asUintN(64, BigInt(cycles) + to.block.timeOffset));
  }

  /** Nothing else is virtual about x87, MMX and SSE registers than whose they are. The first of all starts with those of RESET. */
  #giveVectorRegisters(user: VirtualUser): void {
    const owner = this.user(this.#get('vectorOwner'));
    if (owner === user) return;
    const {vectors} = this.machine.processor;
    owner.block.saveVectorRegisters(vectors.bytes.slice());
    vectors.put(0, user.block.vectorRegisters(vectors.bytes.length));
    this.#set('vectorOwner', user.index);
  }

  /** Whoever waits and has got what it waited for is ready again. */
  wakeUsers(): void {
    for (const index of this.scheduler.inState('waiting')) {
      const user = this.user(index);
      if (!user.canWake) continue;
      this.scheduler.wake(index);
      this.tell('wake', user, `an interrupt waits for ${user.name}: it is ready to run`);
    }
  }

  // ── cards ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The deck in a user's punch goes to the reader that it has named, which hears of it. Undefined where there is no card. */
  sendDeck(from: VirtualUser, to: VirtualUser): SpoolFile | undefined {
    const number = from.block.get('decks') + 1;
    const file = this.spool.close(from.index, to.index, number);
    if (file === undefined) return undefined;
    from.block.set('decks', number);
    to.reader.arrived();
    const cards = file.cards === 1 ? '1 card' : `${file.cards} cards`;
    this.tell(
      'spool',
      from,
      `file ${number}, ${cards}, is taken out of the punch of ${from.name} and put into the reader of ${to.name}, which gets an interrupt: device end`,
    );
    return file;
  }

  userNamed(name: string): VirtualUser | undefined {
    return this.users.find(user => user.name === name);
  }

  // ── the nucleus ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** State 0: the accounts begin, every user has the vector registers of RESET, and the slice timer is on. */
  start(): void {
    const reset = this.machine.processor.vectors.bytes;
    for (const {block} of this.users) block.saveVectorRegisters(reset);
    this.timer.start(TIMER_VECTOR);
    this.#set('since', this.machine.cycles);
  }

  #get(cell: NucleusCell): number {
    return Number(this.machine.memory.read(hpa(NUCLEUS + CELLS[cell]), 8));
  }
  #set(cell: NucleusCell, value: number): void {
    const at = hpa(NUCLEUS + CELLS[cell]);
    if (this.#get(cell) !== value) this.machine.memory.write(at, 8, BigInt(value));
  }
}
