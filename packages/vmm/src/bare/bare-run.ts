// The guest on the simulated machine itself, with no hypervisor: the yardstick for every technique.

import {assert, assertExists, gpa, hpa, recordOf} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {cellIndex} from '@hyperscope/isa';
import {Machine, WESTMERE, ramOf, virtualizationOf} from '@hyperscope/machine';
import type {Bank, MmioRegion, VirtioConsole, WillWrite} from '@hyperscope/machine';
import {chooseCostModel, chooseProfile, outcomeOf, setRegisters} from '../run-support.js';
import {RunObservation} from '../run-observer.js';
import type {
  RunObserver,
  RunOutcome,
  StartTechnique,
  StepReport,
  TechniqueOptions,
  TechniqueRun,
} from '../technique.js';
import type {RegisterValues} from '../virtual-machine.js';
import {GUEST_CELLS} from '../kvm-role/guest-view.js';
import {FIRMWARE_PORT_WRITES} from '../user-space/firmware-code.js';
import {firmwareMemory} from '../user-space/firmware.js';
import {DeviceBoard} from '../user-space/device-board.js';
import {PcChipset} from '../user-space/pc-chipset.js';

const USER = 3;
const RIP = cellIndex('RIP');
const CPL = cellIndex('CPL');
const PAGE = 4096;

export class BareRun implements TechniqueRun {
  readonly machine: Machine;
  readonly banks: readonly Bank[];
  /** The devices of a PC, for views and for whoever types on the keyboard. */
  readonly chipset: PcChipset;
  readonly #board: DeviceBoard;
  readonly #observation = new RunObservation();
  #outcome: RunOutcome | undefined;

  constructor(options: TechniqueOptions) {
    const profile = chooseProfile(options.profile, WESTMERE);
    const costModel = chooseCostModel(options.costModel, profile);
    this.machine = new Machine({
      memoryBytes: Math.ceil(options.image.memoryBytes / PAGE) * PAGE,
      executor: options.executor,
      profile,
      costModel,
      virtualization: virtualizationOf(profile),
    });
    const {memory} = this.machine;
    this.#board = new DeviceBoard(
      options.ports,
      ramOf(memory, (at, length) => (memory.isRam(at, length) ? at : undefined)),
    );
    for (const device of this.#board.ports.devices) this.machine.ports.attach(device);
    this.chipset = this.#connect(costModel.second.cycles, options.disks);
    if (options.image.startedBy === 'firmware') this.#boot(options);
    for (const {gpa: at, bytes} of options.image.segments) this.#load(at, bytes);
    for (const region of [...this.chipset.regions, ...this.#board.regions]) memory.addRegion(region);
    setRegisters(this.machine, options.image.registers);
    const {memoryDevices} = this.#board;
    this.banks = [...this.machine.banks, ...this.chipset.banks, ...memoryDevices.map(device => device.bank)];
    this.machine.observe(this.#observation);
    const willWrite: WillWrite = (bank, offset, length) => this.#observation.willWrite(bank, offset, length);
    this.chipset.observe(willWrite);
    for (const device of memoryDevices) device.willWrite = willWrite;
    this.#board.listen((name, what, sentence) =>
      this.#observation.hypervisorEvent({kind: 'device', name, what, sentence}),
    );
    this.#board.uart.onOutput = byte => this.#observation.hypervisorEvent({kind: 'serial', byte});
  }

  /** A PC around the processor, whose clock has this many cycles in a second. */
  #connect(hertz: number, disks: readonly Uint8Array[] | undefined): PcChipset {
    const {memory, pins, ports, registers} = this.machine;
    const chipset = new PcChipset({
      processor: {
        cycles: () => this.machine.cycles,
        hertz,
        timeStamp: () => registers.get('TSC'),
        getTaskPriority: () => registers.number('CR8'),
        setTaskPriority: value => registers.set('CR8', BigInt(value)),
        apicBase: () => registers.get('APIC_BASE'),
        raiseNmi: () => pins.raiseNmi(),
      },
      memoryBytes: memory.size,
      uart: this.#board.uart,
      virtioConsole: this.#board.virtioConsole,
      disks,
    });
    chipset.attach(ports);
    memory.addressLine20 = chipset.wires;
    pins.controller = chipset;
    this.machine.processor.apic = chipset.localApic;
    this.machine.deviceClock = chipset.clock;
    return chipset;
  }

  /** What firmware would have done before: memory and devices as it leaves them. */
  #boot({disks = []}: TechniqueOptions): void {
    const {memory, ports, profile} = this.machine;
    const left = firmwareMemory(memory.size, profile, disks.length);
    for (const {at, bytes} of left) this.#load(gpa(at), bytes);
    for (const [port, value] of FIRMWARE_PORT_WRITES) ports.write(port, 1, value);
  }

  /** What does not lie in RAM is ROM. */
  #load(at: Gpa, bytes: Uint8Array): void {
    if (this.machine.memory.isRam(at, bytes.length)) this.machine.memory.load(hpa(at), bytes);
    else this.machine.memory.addRegion(rom(at, bytes));
  }

  observe(observer: RunObserver | undefined): void {
    this.#observation.watcher = observer;
  }

  step(): StepReport {
    const {registers} = this.machine;
    const rip = registers.cells[RIP] ?? 0n;
    const actor = registers.words[2 * CPL] === USER ? 'guest-user' : 'guest-kernel';
    if (this.#outcome !== undefined) return {actor, kind: 'instruction', rip, length: 0, outcome: this.#outcome};
    const step = this.machine.step();
    const ended = outcomeOf(step);
    this.#outcome =
      ended?.kind === 'triple-fault'
        ? {kind: 'triple-fault', chain: this.#observation.lastFaultChain}
        : (ended ?? this.#board.outcome ?? this.chipset.outcome);
    const length = step.kind === 'instruction' ? step.length : 0;
    return {actor, kind: step.kind === 'delivery' ? 'delivery' : 'instruction', rip, length, outcome: this.#outcome};
  }

  runAhead(limit: number): number {
    return this.#outcome === undefined ? this.machine.runAhead(limit) : 0;
  }

  guestRegisters(): RegisterValues {
    return recordOf(GUEST_CELLS, cell => this.machine.registers.get(cell));
  }
  guestToHost(address: Gpa): Hpa | undefined {
    return address < this.machine.memory.size ? hpa(address) : undefined;
  }
  serialOutput(): Uint8Array {
    return this.#board.uart.output;
  }
  captured(port: number): Uint8Array {
    return this.#board.captured(port);
  }
  unknownPorts(): ReadonlyMap<number, number> {
    return this.machine.ports.unknown;
  }
  /** The console behind rings in the guest's memory, for whoever types at it. */
  get console(): VirtioConsole {
    return assertExists(this.#board.virtioConsole, 'the board was given the memory');
  }
  sendSerial(bytes: Uint8Array): void {
    this.#board.uart.receive(bytes);
  }
  pressKeys(scanCodes: Uint8Array): void {
    this.chipset.keyboard.type(scanCodes);
  }
}

/** Read-only memory: writes are lost. */
function rom(start: Gpa, bytes: Uint8Array): MmioRegion {
  assert(start >= 0 && bytes.length > 0, 'a ROM has a place and a size');
  return {
    start: gpa(start),
    length: bytes.length,
    name: 'ROM',
    contents: bytes,
    read: (offset, count) => {
      let value = 0n;
      for (let index = count - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[offset + index] ?? 0xff);
      return value;
    },
    write: () => undefined,
  };
}

export const startBare: StartTechnique = options => new BareRun(options);
