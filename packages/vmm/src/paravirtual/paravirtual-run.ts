// Paravirtualization, Xen's way: the guest's kernel knows that it has no machine of its own. It runs in ring 3 like its programs,
// leaves out what would be sensitive and calls the hypervisor instead; its page tables are the real ones. Nothing is translated,
// nothing shadowed, nothing emulated. Barham and others 2003, "Xen and the Art of Virtualization".
//
// Xen's 64-bit form: without segment limits there is no place between ring 0 and ring 3 where a kernel could be kept out of Xen.

import {UserError, gpa, hpa, recordOf} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {cellIndex} from '@hyperscope/isa';
import {Machine, WESTMERE, featuresOf, ramOf} from '@hyperscope/machine';
import type {Bank, ProcessorProfile, WillWrite} from '@hyperscope/machine';
import {GUEST_RAM} from '../host/host-layout.js';
import {HostCode} from '../host/host-program.js';
import {GUEST_CELLS} from '../kvm-role/guest-view.js';
import {RunObservation} from '../run-observer.js';
import {chooseCostModel, chooseProfile, outcomeOf} from '../run-support.js';
import type {
  RunObserver,
  RunOutcome,
  StartTechnique,
  StepReport,
  TechniqueOptions,
  TechniqueRun,
} from '../technique.js';
import {DeviceBoard} from '../user-space/device-board.js';
import {PcChipset} from '../user-space/pc-chipset.js';
import type {Actor, HypervisorEvent, RegisterValues} from '../virtual-machine.js';
import {BUILDER_ROUTINES, checkDomain} from './domain-builder.js';
import {ENTRY_ROUTINES} from './entries.js';
import {EVENT_ROUTINES} from './event-hypercalls.js';
import {domainCells} from './guest-view.js';
import {MMU_ROUTINES} from './mmu-hypercalls.js';
import {PROCESSOR_ROUTINES} from './processor-hypercalls.js';
import {buildXenEnvironment} from './xen-environment.js';
import {SHARED_INFO, XEN_CODE, linearOf} from './xen-layout.js';
import {Xen} from './xen.js';

const RIP = cellIndex('RIP');
const CPL = cellIndex('CPL');
const LARGE_PAGE = 0x20_0000;

export class ParavirtualRun implements TechniqueRun {
  readonly machine: Machine;
  readonly banks: readonly Bank[];
  readonly xen: Xen;
  readonly #code: HostCode<Xen>;
  readonly #board: DeviceBoard;
  readonly #chipset: PcChipset;
  readonly #observation = new RunObservation();
  #outcome: RunOutcome | undefined;

  /** @throws UserError 'needs-ported-kernel', 'needs-long-mode', 'image-too-large' */
  constructor(options: TechniqueOptions) {
    const {image} = options;
    if (image.startedBy !== 'xen') throw needsPortedKernel();
    const profile = chooseProfile(options.profile, WESTMERE);
    requireLongMode(profile);
    const domain = {
      memoryBytes: image.memoryBytes,
      image: {
        end: Math.max(0, ...image.segments.map(segment => segment.gpa + segment.bytes.length)),
        entry: image.registers.RIP ?? 0n,
      },
    };
    checkDomain(domain);
    this.machine = new Machine({
      memoryBytes: GUEST_RAM + Math.ceil(image.memoryBytes / LARGE_PAGE) * LARGE_PAGE,
      executor: options.executor,
      profile,
      costModel: chooseCostModel(options.costModel, profile),
      // Xen came before VT-x and SVM, and needs neither.
      virtualization: undefined,
    });
    this.#board = new DeviceBoard(
      options.ports,
      ramOf(this.machine.memory, at => at),
    );
    this.#chipset = this.#connect(options);
    const tell = (event: HypervisorEvent): void => this.#observation.hypervisorEvent(event);
    this.xen = new Xen({machine: this.machine, board: this.#board, chipset: this.#chipset, ...domain, tell});
    const routines = [
      ...BUILDER_ROUTINES,
      ...ENTRY_ROUTINES,
      ...EVENT_ROUTINES,
      ...MMU_ROUTINES,
      ...PROCESSOR_ROUTINES,
    ];
    const windows = {hypervisor: linearOf(XEN_CODE), vmm: linearOf(XEN_CODE)};
    this.#code = new HostCode(this.machine, this.xen, routines, tell, windows);
    this.#takeProcessor();
    for (const segment of image.segments) this.machine.memory.load(hpa(GUEST_RAM + segment.gpa), segment.bytes);
    this.banks = [...this.machine.banks, ...this.#board.banks, ...this.#chipset.banks];
    this.#watch(tell);
  }

  /** The PC is Xen's: its interrupts arrive at Xen, and the guest has none of its devices. */
  #connect({disks}: TechniqueOptions): PcChipset {
    const {machine} = this;
    const {registers, pins} = machine;
    const chipset = new PcChipset({
      processor: {
        cycles: () => machine.cycles,
        hertz: machine.costModel.second.cycles,
        timeStamp: () => registers.get('TSC'),
        getTaskPriority: () => registers.number('CR8'),
        setTaskPriority: value => registers.set('CR8', BigInt(value)),
        apicBase: () => registers.get('APIC_BASE'),
        raiseNmi: () => pins.raiseNmi(),
      },
      memoryBytes: machine.memory.size,
      uart: this.#board.uart,
      virtioConsole: this.#board.virtioConsole,
      disks,
    });
    chipset.attach(this.#board.ports);
    pins.controller = chipset;
    machine.deviceClock = chipset.clock;
    return chipset;
  }

  /** Xen has the processor first. */
  #takeProcessor(): void {
    const {machine} = this;
    buildXenEnvironment(machine, this.#chipset, this.#code);
    machine.registers.set('RIP', this.#code.address('construct_dom'));
    this.xen.vcpu.set('in_xen', 1);
    machine.hostProgram = {
      covers: rip => machine.registers.words[2 * CPL] === 0 && this.#code.covers(rip),
      step: () => this.#code.step(),
    };
  }

  #watch(tell: (event: HypervisorEvent) => void): void {
    this.machine.observe(this.#observation);
    const willWrite: WillWrite = (bank, offset, length) => this.#observation.willWrite(bank, offset, length);
    this.#board.observe(willWrite);
    this.#chipset.observe(willWrite);
    this.#board.uart.onOutput = byte => tell({kind: 'serial', byte});
  }

  observe(observer: RunObserver | undefined): void {
    this.#observation.watcher = observer;
  }

  step(): StepReport {
    const rip = this.machine.registers.cells[RIP] ?? 0n;
    const actor = this.#actor();
    if (this.#outcome !== undefined) return {actor, kind: 'host-action', rip, length: 0, outcome: this.#outcome};
    const step = this.machine.step();
    this.#outcome = this.xen.outcome ?? outcomeOf(step);
    const kind = step.kind === 'host-action' || step.kind === 'delivery' ? step.kind : 'instruction';
    return {actor, kind, rip, length: step.kind === 'instruction' ? step.length : 0, outcome: this.#outcome};
  }

  /** In ring 3 only Xen knows whether it is the kernel or a program. */
  #actor(): Actor {
    if (this.machine.registers.words[2 * CPL] === 0) return 'hypervisor';
    return this.xen.vcpu.isKernel ? 'guest-kernel' : 'guest-user';
  }

  runAhead(limit: number): number {
    return this.#outcome === undefined ? this.machine.runAhead(limit) : 0;
  }

  guestRegisters(): RegisterValues {
    const {registers, memory} = this.machine;
    const read = domainCells(cell => registers.get(cell), memory.bytes);
    return recordOf(GUEST_CELLS, cell => read(cell));
  }
  /** The guest's page tables hold machine addresses. They are physical ones to it, as those are that it counts its memory by. */
  get readOnlyMemory(): readonly {readonly gpa: Gpa; readonly bytes: number}[] {
    return [{gpa: gpa(SHARED_INFO), bytes: GUEST_RAM + this.xen.memoryBytes - SHARED_INFO}];
  }
  guestToHost(address: Gpa): Hpa | undefined {
    const {memoryBytes} = this.xen;
    if (address < memoryBytes) return hpa(GUEST_RAM + address);
    return address >= SHARED_INFO && address < GUEST_RAM + memoryBytes ? hpa(address) : undefined;
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
  sendSerial(bytes: Uint8Array): void {
    this.#board.uart.receive(bytes);
  }
  pressKeys(scanCodes: Uint8Array): void {
    this.#chipset.keyboard.type(scanCodes);
  }
}

function needsPortedKernel(): UserError {
  return new UserError(
    'needs-ported-kernel',
    'paravirtual runs kernels that were ported to Xen’s hypercalls, and this one was made for a machine of its own. Run mini-os-pv, the port of mini-os, or choose another technique.',
  );
}

function requireLongMode(profile: ProcessorProfile): void {
  if (featuresOf(profile).lm) return;
  throw new UserError(
    'needs-long-mode',
    `The processor ${profile.id} has no 64-bit mode, in which paravirtual’s guests begin. Choose prescott or a later one.`,
  );
}

export const startParavirtual: StartTechnique = options => new ParavirtualRun(options);
