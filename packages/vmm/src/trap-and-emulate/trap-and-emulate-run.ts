// Trap-and-emulate on a processor without VT-x: the guest's code runs as it is, outside ring 0, and whatever traps is carried
// out on a virtual CPU. Where every sensitive instruction traps this is all that a hypervisor needs (Popek and Goldberg 1974,
// Theorem 1); on x86 seventeen do not, and a guest that relies on one of them goes wrong without anybody noticing.

import {UserError} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {cellIndex} from '@hyperscope/isa';
import {Machine, WESTMERE, featuresOf} from '@hyperscope/machine';
import type {Bank, ProcessorProfile} from '@hyperscope/machine';
import {HostCode} from '../host/host-program.js';
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
import type {PcChipset} from '../user-space/pc-chipset.js';
import type {RegisterValues} from '../virtual-machine.js';
import {writeReturnCode} from './guest-entry.js';
import type {KernelCode} from './kernel-code.js';
import {hostBytesFor, memorySlotsOf} from './guest-physical.js';
import {RETURN_ROUTINES} from './return-routines.js';
import {TRAP_ROUTINES, entryName} from './trap-routines.js';
import {VirtualPc} from './virtual-pc.js';
import {DEVICE_VECTOR, takeProcessor, writeVmmTables} from './vmm-environment.js';
import {VMM_CODE, linearOf} from './vmm-layout.js';
import type {Vmm} from './vmm.js';

const CPL = cellIndex('CPL');
const RIP = cellIndex('RIP');

export class TrapAndEmulateRun implements TechniqueRun {
  readonly machine: Machine;
  readonly banks: readonly Bank[];
  readonly #code: HostCode<Vmm>;
  readonly #pc: VirtualPc;
  readonly #observation = new RunObservation();
  #outcome: RunOutcome | undefined;

  /** @throws UserError 'needs-pae' */
  constructor(options: TechniqueOptions, createKernelCode?: (vmm: Vmm) => KernelCode) {
    const profile = chooseProfile(options.profile, WESTMERE);
    requirePae(profile);
    const slots = memorySlotsOf(options.image);
    // No virtualization half: it has not been invented yet, or the firmware has locked it.
    this.machine = new Machine({
      memoryBytes: hostBytesFor(slots),
      executor: options.executor,
      profile,
      costModel: chooseCostModel(options.costModel, profile),
      virtualization: undefined,
    });
    const {machine} = this;
    const {image, ports, disks, rings, leafTables, faults, undecoded} = options;
    this.#pc = new VirtualPc({
      machine,
      observation: this.#observation,
      image,
      slots,
      ports,
      disks,
      rings,
      leafTables,
      faults,
      undecoded,
      createKernelCode,
    });
    this.#connect();
    const routines = [...TRAP_ROUTINES, ...RETURN_ROUTINES];
    const windows = {hypervisor: linearOf(VMM_CODE), vmm: linearOf(VMM_CODE)};
    this.#code = new HostCode(machine, this.vmm, routines, event => this.#observation.hypervisorEvent(event), windows);
    this.#takeProcessor();
    this.#pc.load(options);
    this.banks = [...machine.banks, ...this.#pc.banks];
    machine.observe(this.#observation);
    this.#pc.watch();
  }

  get vmm(): Vmm {
    return this.#pc.vmm;
  }
  get chipset(): PcChipset {
    return this.#pc.chipset;
  }

  /** The PC's interrupt line leads to the VMM: devices of the real machine interrupt on a vector of their own. */
  #connect(): void {
    const {machine} = this;
    const pc = this.#pc;
    machine.deviceClock = pc.chipset.clock;
    machine.pins.controller = {
      get requested() {
        return pc.vcpu.slot('in_guest') !== 0 && pc.hasInterrupt ? DEVICE_VECTOR : undefined;
      },
      acknowledge: () => undefined,
    };
  }

  /** The VMM has the processor first. */
  #takeProcessor(): void {
    const {machine} = this;
    const entries = {
      ofVector: (vector: number) => this.#code.address(entryName(vector)),
      systemCall: this.#code.address('vmm_entry_SYSCALL'),
      callout: this.vmm.kernelCode === undefined ? undefined : this.#code.address('vmm_entry_callout'),
    };
    writeReturnCode(this.vmm);
    writeVmmTables(machine, entries);
    takeProcessor(machine, entries);
    machine.registers.set('RIP', this.#code.address('vmm_start'));
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
    const actor = this.#pc.actor(this.machine.registers.words[2 * CPL] ?? 0);
    if (this.#outcome !== undefined) return {actor, kind: 'host-action', rip, length: 0, outcome: this.#outcome};
    const step = this.machine.step();
    this.#outcome = this.vmm.outcome ?? outcomeOf(step);
    const kind = step.kind === 'host-action' || step.kind === 'delivery' ? step.kind : 'instruction';
    return {actor, kind, rip, length: step.kind === 'instruction' ? step.length : 0, outcome: this.#outcome};
  }

  runAhead(limit: number): number {
    return this.#outcome === undefined ? this.machine.runAhead(limit) : 0;
  }

  guestRegisters(): RegisterValues {
    return this.#pc.guestRegisters();
  }
  get readOnlyMemory(): readonly {readonly gpa: Gpa; readonly bytes: number}[] {
    return this.#pc.readOnlyMemory;
  }
  get shadowPool(): TechniqueRun['shadowPool'] {
    return this.#pc.place.pool;
  }
  guestToHost(address: Gpa): Hpa | undefined {
    return this.#pc.guestToHost(address);
  }
  serialOutput(): Uint8Array {
    return this.#pc.board.uart.output;
  }
  captured(port: number): Uint8Array {
    return this.#pc.board.captured(port);
  }
  unknownPorts(): ReadonlyMap<number, number> {
    return this.#pc.board.unknownPorts;
  }
  sendSerial(bytes: Uint8Array): void {
    this.#pc.board.uart.receive(bytes);
  }
  pressKeys(scanCodes: Uint8Array): void {
    this.chipset.keyboard.type(scanCodes);
  }
}

/** The shadow page tables of 32-bit guests are in PAE format, whatever the guest's own are. @throws UserError 'needs-pae' */
export function requirePae(profile: ProcessorProfile): void {
  if (featuresOf(profile).pae) return;
  throw new UserError(
    'needs-pae',
    `The processor ${profile.id} has no PAE, which the shadow page tables of trap-and-emulate need. Choose pentium-iii or a later one.`,
  );
}

export const startTrapAndEmulate: StartTechnique = options => new TrapAndEmulateRun(options);
