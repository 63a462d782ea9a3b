// A control program with several virtual machines, as CP-67 was: each guest believes to have a machine to itself, in ring 0, with
// interrupts, devices and memory from 0. It is trap-and-emulate for each of them, on one processor that they get in turn; on a
// processor where every sensitive instruction traps, as on the System/360 Model 67, and unlike x86, nothing more is needed.

import {UserError} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {cellIndex, exceptionAt} from '@hyperscope/isa';
import {DeviceClocks, Machine, WESTMERE, withStrictness} from '@hyperscope/machine';
import type {Bank} from '@hyperscope/machine';
import {HostCode} from '../host/host-program.js';
import {RunObservation} from '../run-observer.js';
import {chooseCostModel, chooseProfile, outcomeOf} from '../run-support.js';
import {LARGEST_WEIGHT} from '../scheduling/stride-scheduler.js';
import type {ProcessorSharing, VirtualMachineAccount, VirtualMachineRun} from '../sharing.js';
import type {
  GuestImage,
  RunObserver,
  RunOutcome,
  StartTechnique,
  StepReport,
  TechniqueOptions,
  TechniqueRun,
} from '../technique.js';
import {writeReturnCode} from '../trap-and-emulate/guest-entry.js';
import {hostBytesFor} from '../trap-and-emulate/guest-physical.js';
import {requirePae} from '../trap-and-emulate/trap-and-emulate-run.js';
import {entryName} from '../trap-and-emulate/trap-routines.js';
import {DEVICE_VECTOR, takeProcessor, writeVmmTables} from '../trap-and-emulate/vmm-environment.js';
import {VMM_CODE, linearOf} from '../trap-and-emulate/vmm-layout.js';
import type {RegisterValues} from '../virtual-machine.js';
import {ControlProgram, TIMER_VECTOR, currentMachine} from './control-program.js';
import {CP_ROUTINES, CP_VECTORS} from './cp-routines.js';
import {MOST_VIRTUAL_MACHINES, placeImages} from './cp-layout.js';
import {Spool} from './spool.js';
import type {VmBlock} from './vm-block.js';
import {VirtualUser} from './virtual-user.js';

const CPL = cellIndex('CPL');
const RIP = cellIndex('RIP');
const FIRST_USER = 'CMS1';
/** About 19 µs of a processor of 2.66 GHz: short enough to be seen, long enough for ten traps. */
export const DEFAULT_QUANTUM = 50_000;
const SHORTEST_QUANTUM = 2000;
const SYSTEM_CALL = 0x100;

export class ControlProgramRun implements TechniqueRun {
  readonly machine: Machine;
  readonly banks: readonly Bank[];
  readonly controlProgram: ControlProgram;
  readonly #code: HostCode<ControlProgram>;
  readonly #observation = new RunObservation();
  #outcome: RunOutcome | undefined;

  /** @throws UserError 'needs-pae', 'too-many-machines', 'machine-name', 'quantum', 'weight' */
  constructor(options: TechniqueOptions) {
    const profile = chooseProfile(options.profile, withStrictness(WESTMERE));
    requirePae(profile);
    const named = namedImages(options.image);
    const {quantum, weights} = checkedSharing(
      options.sharing ?? {},
      named.map(({name}) => name),
    );
    const placed = placeImages(named.map(({image}) => image));
    this.machine = new Machine({
      memoryBytes: hostBytesFor(placed.flatMap(({slots}) => slots)),
      executor: options.executor,
      profile,
      costModel: chooseCostModel(options.costModel, profile),
      virtualization: undefined,
    });
    const {machine} = this;
    const observation = this.#observation;
    const spool = new Spool(machine.memory);
    const {ports, rings} = options;
    const users = placed.map(
      (each, index) =>
        new VirtualUser({
          machine,
          observation,
          index,
          name: named[index]?.name ?? '',
          placed: each,
          ports,
          rings,
          spool,
          // The terminal knows of the first virtual machine's only.
          disks: index === 0 ? options.disks : undefined,
          hasProcessor: () => currentMachine(machine.memory.bytes) === index,
        }),
    );
    this.controlProgram = new ControlProgram({machine, observation, users, spool, quantum, weights});
    this.#connect();
    const windows = {hypervisor: linearOf(VMM_CODE), vmm: linearOf(VMM_CODE)};
    this.#code = new HostCode(
      machine,
      this.controlProgram,
      CP_ROUTINES,
      event => observation.hypervisorEvent(event),
      windows,
    );
    this.#takeProcessor();
    for (const [index, {pc}] of users.entries())
      pc.load({image: named[index]?.image ?? options.image, disks: index === 0 ? options.disks : undefined});
    this.controlProgram.start();
    const {timer} = this.controlProgram;
    this.banks = [...machine.banks, ...timer.banks, ...users.flatMap(user => user.banks)];
    machine.observe(observation);
    timer.observe((bank, offset, length) => observation.willWrite(bank, offset, length));
    for (const user of users) user.pc.watch(bank => user.bankName(bank));
  }

  /** Every device's time runs in this machine; its interrupt pin hears the slice timer, and the devices of those who can take it. */
  #connect(): void {
    const {machine, controlProgram: cp} = this;
    const {timer, users, scheduler} = cp;
    machine.deviceClock = new DeviceClocks([timer.clock, ...users.map(({pc}) => pc.chipset.clock)]);
    machine.pins.controller = {
      get requested() {
        const {current} = cp;
        if (current.pc.vcpu.slot('in_guest') === 0) return undefined;
        if (timer.requested !== undefined) return timer.requested;
        if (current.pc.hasInterrupt) return DEVICE_VECTOR;
        const wakes = users.some(user => user.canWake && scheduler.state(user.index) === 'waiting');
        return wakes ? DEVICE_VECTOR : undefined;
      },
      acknowledge: () => {
        if (timer.requested !== undefined) timer.acknowledge(TIMER_VECTOR);
      },
    };
  }

  /** The control program has the processor first. Every window has the same tables, since each of them may be in force. */
  #takeProcessor(): void {
    const {machine} = this;
    const entries = {
      ofVector: (vector: number) => this.#code.address(entryName(vector)),
      systemCall: this.#code.address('vmm_entry_SYSCALL'),
    };
    for (const {vmm} of this.controlProgram.users) {
      writeReturnCode(vmm);
      writeVmmTables(machine, entries, vmm.place, CP_VECTORS);
    }
    takeProcessor(machine, entries);
    machine.registers.set('RIP', this.#code.address('cp_start'));
    machine.hostProgram = {
      covers: rip => machine.registers.words[2 * CPL] === 0 && this.#code.covers(rip),
      step: () => this.#code.step(),
    };
  }

  observe(observer: RunObserver | undefined): void {
    this.#observation.watcher = observer;
  }

  step(): StepReport {
    const rip = this.machine.registers.cells[RIP] ?? 0n;
    const user = this.controlProgram.current;
    const actor = user.pc.actor(this.machine.registers.words[2 * CPL] ?? 0);
    const who = {actor, machine: user.index, rip};
    if (this.#outcome !== undefined) return {...who, kind: 'host-action', length: 0, outcome: this.#outcome};
    const step = this.machine.step();
    this.#outcome = this.controlProgram.outcome ?? outcomeOf(step);
    const kind = step.kind === 'host-action' || step.kind === 'delivery' ? step.kind : 'instruction';
    return {...who, kind, length: step.kind === 'instruction' ? step.length : 0, outcome: this.#outcome};
  }

  runAhead(limit: number): number {
    return this.#outcome === undefined ? this.machine.runAhead(limit) : 0;
  }

  get virtualMachines(): readonly VirtualMachineRun[] {
    return this.controlProgram.users.map(user => ({
      name: user.name,
      memoryBytes: user.pc.memory.bytes,
      window: user.pc.place.window,
      shadowPool: user.pc.place.pool,
      readOnlyMemory: user.pc.readOnlyMemory,
      guestToHost: address => user.pc.guestToHost(address),
      serialOutput: () => user.pc.board.uart.output,
      account: () => accountOf(user.block),
      outcome: user.outcome,
    }));
  }

  // ── the first virtual machine, for whoever knows of one only ────────────────────────────────────────────────────

  get #first(): VirtualUser {
    return this.controlProgram.user(0);
  }
  guestRegisters(): RegisterValues {
    return this.#first.pc.guestRegisters();
  }
  get readOnlyMemory(): readonly {readonly gpa: Gpa; readonly bytes: number}[] {
    return this.#first.pc.readOnlyMemory;
  }
  get shadowPool(): TechniqueRun['shadowPool'] {
    return this.#first.pc.place.pool;
  }
  guestToHost(address: Gpa): Hpa | undefined {
    return this.#first.pc.guestToHost(address);
  }
  serialOutput(): Uint8Array {
    return this.#first.pc.board.uart.output;
  }
  captured(port: number): Uint8Array {
    return this.#first.pc.board.captured(port);
  }
  unknownPorts(): ReadonlyMap<number, number> {
    return this.#first.pc.board.unknownPorts;
  }
  sendSerial(bytes: Uint8Array): void {
    this.#first.pc.board.uart.receive(bytes);
  }
  pressKeys(scanCodes: Uint8Array): void {
    this.#first.pc.chipset.keyboard.type(scanCodes);
  }
}

/** What a VMBLOK says, in the words of an account. */
export function accountOf(block: VmBlock): VirtualMachineAccount {
  return {
    virtualCycles: block.get('virtualCycles'),
    hypervisorCycles: block.get('cpCycles'),
    dispatches: block.get('dispatches'),
    preempted: block.get('preempted'),
    waits: block.get('waits'),
    calls: block.get('diagnoses'),
    traps: Object.fromEntries([...block.allTraps()].map(([vector, count]) => [trapName(vector), count])),
  };
}

function trapName(vector: number): string {
  if (vector === SYSTEM_CALL) return 'SYSCALL';
  if (vector === TIMER_VECTOR) return 'slice timer';
  if (vector === DEVICE_VECTOR) return 'device';
  return exceptionAt(vector)?.name ?? `vector ${vector}`;
}

function namedImages(image: GuestImage): readonly {readonly name: string; readonly image: GuestImage}[] {
  const named = [{name: image.userName ?? FIRST_USER, image}, ...(image.companions ?? [])];
  if (named.length > MOST_VIRTUAL_MACHINES)
    throw new UserError(
      'too-many-machines',
      `There is room for ${MOST_VIRTUAL_MACHINES} virtual machines under one control program, and ${named.length} were asked for. Leave some out.`,
    );
  for (const [index, {name}] of named.entries()) {
    if (!/^[A-Z0-9]{1,8}$/.test(name))
      throw new UserError(
        'machine-name',
        `“${name}” names no virtual machine: it takes one to eight capital letters and digits, such as CMS2.`,
      );
    if (named.findIndex(each => each.name === name) !== index)
      throw new UserError('machine-name', `Two virtual machines are called ${name}. Give one of them another name.`);
  }
  return named;
}

function checkedSharing(
  {quantum = DEFAULT_QUANTUM, weights = {}}: ProcessorSharing,
  names: readonly string[],
): {readonly quantum: number; readonly weights: readonly number[]} {
  if (!Number.isSafeInteger(quantum) || quantum < SHORTEST_QUANTUM)
    throw new UserError(
      'quantum',
      `A time slice has at least ${SHORTEST_QUANTUM} cycles, since the way into a guest and back takes some: ${quantum} will not do.`,
    );
  for (const [name, weight] of Object.entries(weights)) {
    if (!names.includes(name))
      throw new UserError('weight', `There is no virtual machine ${name}; there are ${names.join(', ')}.`);
    if (!Number.isInteger(weight) || weight < 1 || weight > LARGEST_WEIGHT)
      throw new UserError(
        'weight',
        `The weight of ${name} is a whole number from 1 to ${LARGEST_WEIGHT}, not ${weight}.`,
      );
  }
  return {quantum, weights: names.map(name => weights[name] ?? 1)};
}

export const startControlProgram: StartTechnique = options => new ControlProgramRun(options);
