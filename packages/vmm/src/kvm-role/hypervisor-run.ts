// The guest under a hypervisor: a machine with a host on it, QEMU's role at its first instruction, and the guest's image in
// the memory that QEMU will offer to KVM. Which hardware and which MMU is in the definition.

import {assertExists, gpa, hpa, recordOf} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {cellIndex} from '@hyperscope/isa';
import {Machine} from '@hyperscope/machine';
import type {Bank, ProcessorProfile, VirtioConsole, WillWrite} from '@hyperscope/machine';
import {chooseCostModel, chooseProfile, outcomeOf} from '../run-support.js';
import {RunObservation} from '../run-observer.js';
import type {RunObserver, RunOutcome, StepReport, TechniqueOptions, TechniqueRun} from '../technique.js';
import type {Actor, HypervisorEvent, RegisterValues} from '../virtual-machine.js';
import type {PcChipset} from '../user-space/pc-chipset.js';
import {FIRMWARE_PORT_WRITES} from '../user-space/firmware-code.js';
import {firmwareMemory} from '../user-space/firmware.js';
import {DeviceBoard} from '../user-space/device-board.js';
import {GUEST_CELLS, guestCells} from './guest-view.js';
import {initialState} from './guest-initial-state.js';
import type {GuestMmuKind} from './guest-mmu.js';
import type {HardwareKind} from './hardware.js';
import {HostContext} from './host-context.js';
import type {HypervisorOptions} from './host-context.js';
import {buildHostEnvironment} from '../host/host-environment.js';
import {HOST_INTERRUPT_ROUTINES, installHandler, interruptIfDue, isWaiting} from './host-interrupt.js';
import {TABLE_POOL, TABLE_POOL_END} from '../host/host-layout.js';
import {HostCode} from '../host/host-program.js';
import {GUEST_DEBUG_ROUTINES} from './guest-debug.js';
import {HANDLER_ROUTINES} from './kvm-exit-handlers.js';
import {registerRoutines, registerWriters} from './kvm-registers.js';
import {RUN_ROUTINES} from './kvm-run.js';
import {SETUP_ROUTINES} from './kvm-setup.js';
import {guestRam, hostMemoryBytes, memorySlots} from './memory-slots.js';
import {QEMU_ROUTINES} from './qemu.js';
import {resetRoutine} from './vcpu-reset.js';

const NON_ROOT = 2;
const USER = 3;
const RIP = cellIndex('RIP');
const CPL = cellIndex('CPL');
const VMX_OPERATION = cellIndex('VMX_OPERATION');

/** A hypervisor of KVM's kind: the hardware it uses, who translates the guest's addresses, and its choices. */
export interface HypervisorDefinition {
  readonly hardware: HardwareKind;
  readonly mmu: GuestMmuKind;
  /** The processor, where none is chosen. */
  readonly profile: ProcessorProfile;
  readonly options: HypervisorOptions;
}

export class HypervisorRun implements TechniqueRun {
  readonly machine: Machine;
  readonly banks: readonly Bank[];
  readonly host: HostContext;
  readonly code: HostCode<HostContext>;
  readonly #board: DeviceBoard;
  readonly #observation = new RunObservation();
  #outcome: RunOutcome | undefined;

  /** @throws UserError where the processor lacks what the technique needs. */
  constructor(options: TechniqueOptions, definition: HypervisorDefinition) {
    const profile = chooseProfile(options.profile, definition.profile);
    definition.hardware.requireProcessor(profile, definition.mmu.kind);
    const slots = memorySlots(options.image, definition.hardware.privateMemory);
    this.machine = new Machine({
      memoryBytes: hostMemoryBytes(slots),
      executor: options.executor,
      profile,
      costModel: chooseCostModel(options.costModel, profile),
      virtualization: definition.hardware.virtualizationOf(profile),
    });
    this.#board = new DeviceBoard(options.ports, guestRam(this.machine.memory, slots));
    const tell = (event: HypervisorEvent): void => this.#observation.hypervisorEvent(event);
    this.host = new HostContext({
      machine: this.machine,
      image: options.image,
      slots,
      options: chosenOf(options, definition.options),
      hardware: definition.hardware,
      mmu: definition.mmu,
      board: this.#board,
      tell,
      observation: this.#observation,
      disks: options.disks ?? [],
    });
    const initial = initialState(this.machine, options.image.registers);
    const reset = initialState(this.machine, {});
    const routines = [
      ...QEMU_ROUTINES,
      ...SETUP_ROUTINES,
      ...registerRoutines(initial),
      ...RUN_ROUTINES,
      ...HANDLER_ROUTINES,
      ...definition.mmu.routines,
      ...HOST_INTERRUPT_ROUTINES,
      ...this.host.hardware.routines,
      ...GUEST_DEBUG_ROUTINES,
      resetRoutine(registerWriters(reset)),
    ];
    this.code = new HostCode(this.machine, this.host, routines, tell);
    this.host.code = this.code;
    buildHostEnvironment(this.machine, {
      entry: this.code.address('entry_SYSCALL_64'),
      start: this.code.address('kvm_init'),
      ramPages: this.host.options.nestedPage,
    });
    installHandler(this.host);
    this.#load(options, profile);
    this.machine.hostProgram = this.code;
    this.banks = [...this.machine.banks, ...this.#board.banks, ...this.host.devices.banks];
    this.machine.observe(this.#observation);
    const willWrite: WillWrite = (bank, offset, length) => this.#observation.willWrite(bank, offset, length);
    this.#board.observe(willWrite);
    this.host.devices.observe(willWrite);
    this.#board.uart.onOutput = byte => tell({kind: 'serial', byte});
    this.#board.listen((name, what, sentence) => tell({kind: 'device', name, what, sentence}));
  }

  /** QEMU's memory, before KVM hears of it: what firmware would have left, then the image. */
  #load({image, disks = []}: TechniqueOptions, profile: ProcessorProfile): void {
    const firmware = image.startedBy === 'firmware' ? firmwareMemory(image.memoryBytes, profile, disks.length) : [];
    for (const {at, bytes} of [...firmware, ...image.segments.map(({gpa, bytes}) => ({at: gpa, bytes}))]) {
      const host = this.host.guestBytes(at);
      if (host !== undefined) this.machine.memory.load(host, bytes);
    }
    if (image.startedBy !== 'firmware') return;
    for (const [port, value] of FIRMWARE_PORT_WRITES) this.#board.ports.write(port, 1, value);
  }

  observe(observer: RunObserver | undefined): void {
    this.#observation.watcher = observer;
  }

  step(): StepReport {
    const rip = this.machine.registers.cells[RIP] ?? 0n;
    const actor = this.#actor(rip);
    if (this.#outcome !== undefined) return {actor, kind: 'host-action', rip, length: 0, outcome: this.#outcome};
    if (interruptIfDue(this.host, actor) === 'delivered')
      return {actor, kind: 'delivery', rip, length: 0, outcome: undefined};
    const step = this.machine.step();
    this.#outcome = this.host.outcome ?? outcomeOf(step);
    const kind = step.kind === 'host-action' || step.kind === 'delivery' ? step.kind : 'instruction';
    return {actor, kind, rip, length: step.kind === 'instruction' ? step.length : 0, outcome: this.#outcome};
  }

  #actor(rip: bigint): Actor {
    const {registers} = this.machine;
    if (registers.words[2 * VMX_OPERATION] === NON_ROOT) {
      const isUser = registers.words[2 * CPL] === USER && this.host.hardware.isInRealMode !== true;
      return isUser ? 'guest-user' : 'guest-kernel';
    }
    return this.code.symbolAt(rip)?.actor ?? 'hypervisor';
  }

  runAhead(limit: number): number {
    return this.#outcome === undefined && !isWaiting(this.host) ? this.machine.runAhead(limit) : 0;
  }

  guestRegisters(): RegisterValues {
    return recordOf(
      GUEST_CELLS,
      guestCells(cell => this.machine.registers.get(cell), this.machine.memory),
    );
  }
  /** The devices of the guest's PC, for views and for whoever types on the keyboard. */
  get chipset(): PcChipset {
    return this.host.devices.chipset;
  }
  get readOnlyMemory(): readonly {readonly gpa: Gpa; readonly bytes: number}[] {
    return this.host.slots
      .filter(({access}) => access === 'read-only')
      .map(({gpa: address, bytes}) => ({gpa: gpa(address), bytes}));
  }
  get shadowPool(): TechniqueRun['shadowPool'] {
    return this.host.mmu.kind === 'shadow' ? {start: hpa(TABLE_POOL), end: hpa(TABLE_POOL_END)} : undefined;
  }
  guestToHost(address: Gpa): Hpa | undefined {
    const at = this.host.guestBytes(address);
    return at === undefined ? undefined : hpa(at);
  }
  serialOutput(): Uint8Array {
    return this.#board.uart.output;
  }
  captured(port: number): Uint8Array {
    return this.#board.captured(port);
  }
  unknownPorts(): ReadonlyMap<number, number> {
    return this.#board.unknownPorts;
  }
  /** The console behind rings in the guest's memory, for whoever types at it. */
  get console(): VirtioConsole {
    return assertExists(this.#board.virtioConsole, 'the board was given the memory');
  }
  /** What the guest has put out by hypercalls. */
  get hypercallOutput(): Uint8Array {
    return this.#board.paravirtualConsole?.output ?? new Uint8Array();
  }
  sendSerial(bytes: Uint8Array): void {
    this.#board.uart.receive(bytes);
  }
  pressKeys(scanCodes: Uint8Array): void {
    this.chipset.keyboard.type(scanCodes);
  }
}

/** KVM's and its user space's own choices, but for what whoever starts the guest has chosen. */
function chosenOf(options: TechniqueOptions, own: HypervisorOptions): HypervisorOptions {
  const {coalescedMmio, nestedPage, leafTables, irqchip, faults} = options;
  const {undecoded, wrongField, hostInterrupt, signal, guestDebug} = options;
  return {
    ...own,
    ...(coalescedMmio === undefined ? {} : {coalescedMmio}),
    ...(nestedPage === undefined ? {} : {nestedPage}),
    ...(leafTables === undefined ? {} : {leafTables}),
    ...(irqchip === undefined ? {} : {irqchip}),
    ...(faults === undefined ? {} : {faults}),
    undecoded,
    wrongField,
    hostInterrupt,
    signal,
    guestDebug,
  };
}
