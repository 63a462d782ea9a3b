// Trap-and-emulate on a processor without VT-x: the guest's code runs as it is, outside ring 0, and whatever traps is carried
// out on a virtual CPU. Where every sensitive instruction traps this is all that a hypervisor needs (Popek and Goldberg 1974,
// Theorem 1); on x86 seventeen do not, and a guest that relies on one of them goes wrong without anybody noticing.

import {UserError, hpa, recordOf} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {CELLS, cellIndex} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {Machine, WESTMERE, featuresOf, ramOf} from '@hyperscope/machine';
import type {Bank, ProcessorProfile, WillWrite} from '@hyperscope/machine';
import {HostCode} from '../host/host-program.js';
import {GUEST_CELLS} from '../kvm-role/guest-view.js';
import {RunObservation} from '../run-observer.js';
import {chooseCostModel, chooseProfile, outcomeOf} from '../run-support.js';
import {createShadowMmu} from '../shadow-paging/shadow-mmu.js';
import type {ShadowMmu} from '../shadow-paging/ports.js';
import type {RunObserver, RunOutcome, StepReport, TechniqueOptions, TechniqueRun} from '../technique.js';
import {DeviceBoard} from '../user-space/device-board.js';
import {FIRMWARE_PORT_WRITES} from '../user-space/firmware-code.js';
import {firmwareMemory} from '../user-space/firmware.js';
import {PcChipset} from '../user-space/pc-chipset.js';
import type {Actor, HypervisorEvent, RegisterValues} from '../virtual-machine.js';
import {guestCellsOf} from './guest-exit.js';
import {nativeFrame} from './guest-view.js';
import {writeReturnCode} from './guest-entry.js';
import type {KernelCode} from './kernel-code.js';
import {GuestPhysical, hostBytesFor, memorySlotsOf} from './guest-physical.js';
import {RETURN_ROUTINES} from './return-routines.js';
import {TRAP_ROUTINES, entryName} from './trap-routines.js';
import {VirtualCpu} from './virtual-cpu.js';
import {VirtualProcessor} from './virtual-processor.js';
import {DEVICE_VECTOR, buildVmmEnvironment} from './vmm-environment.js';
import {SHADOW_POOL, SHADOW_POOL_END, VMM_CODE, VMM_LINEAR, VMM_PHYSICAL, linearOf} from './vmm-layout.js';
import {Vmm, shadowHostOf} from './vmm.js';

const CPL = cellIndex('CPL');
const RIP = cellIndex('RIP');
/** P, R/W, PS; supervisor. */
const WINDOW_ENTRY = BigInt(VMM_PHYSICAL) | 0x83n;
const CLOCKS: readonly Cell[] = ['CYCLES', 'TSC', 'INSTRUCTIONS'];

export class TrapAndEmulateRun implements TechniqueRun {
  readonly machine: Machine;
  readonly banks: readonly Bank[];
  readonly vmm: Vmm;
  readonly chipset: PcChipset;
  readonly #code: HostCode<Vmm>;
  readonly #memory: GuestPhysical;
  readonly #board: DeviceBoard;
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
    const {memory} = this.machine;
    this.#board = new DeviceBoard(
      options.ports,
      ramOf(memory, (at, length, access) => this.#memory.hostStretch(at, length, access)),
    );
    this.#memory = new GuestPhysical(memory, slots, this.#board);
    const vcpu = new VirtualCpu(memory);
    this.#startVirtualCpu(vcpu, options.image.registers);
    this.chipset = this.#connect(vcpu, options);
    this.vmm = this.#createVmm(vcpu, options, profile, createKernelCode);
    const tell = (event: HypervisorEvent): void => this.#observation.hypervisorEvent(event);
    const routines = [...TRAP_ROUTINES, ...RETURN_ROUTINES];
    const windows = {hypervisor: linearOf(VMM_CODE), vmm: linearOf(VMM_CODE)};
    this.#code = new HostCode(this.machine, this.vmm, routines, tell, windows);
    this.#takeProcessor();
    this.#load(options, profile);
    this.banks = [...this.machine.banks, ...this.#board.banks, ...this.chipset.banks];
    this.#watch(tell);
  }

  /** The guest's registers before its first instruction: the processor's reset state, with what the loader asked for. */
  #startVirtualCpu(vcpu: VirtualCpu, loader: RegisterValues): void {
    for (const cell of CELLS) vcpu.set(cell, loader[cell] ?? this.machine.registers.get(cell));
  }

  /** The guest's PC. Its interrupt line leads to the VMM: devices of the real machine interrupt on a vector of their own. */
  #connect(vcpu: VirtualCpu, {image, disks}: TechniqueOptions): PcChipset {
    const {machine} = this;
    const chipset = new PcChipset({
      processor: {
        cycles: () => machine.cycles,
        hertz: machine.costModel.second.cycles,
        timeStamp: () => machine.registers.get('TSC'),
        getTaskPriority: () => vcpu.number('CR8'),
        setTaskPriority: value => vcpu.set('CR8', BigInt(value)),
        apicBase: () => vcpu.get('APIC_BASE'),
        raiseNmi: () => vcpu.setSlot('nmi_pending', 1),
      },
      memoryBytes: image.memoryBytes,
      uart: this.#board.uart,
      virtioConsole: this.#board.virtioConsole,
      disks,
    });
    chipset.attach(this.#board.ports);
    this.#board.regions.push(...chipset.regions);
    machine.deviceClock = chipset.clock;
    machine.pins.controller = {
      get requested() {
        if (vcpu.slot('in_guest') === 0) return undefined;
        const isQuiet = vcpu.slot('interrupt_noted') !== 0;
        if (vcpu.slot('nmi_pending') !== 0 && vcpu.get('NMI_BLOCKING') === 0n) return DEVICE_VECTOR;
        return chipset.requested !== undefined && !isQuiet ? DEVICE_VECTOR : undefined;
      },
      acknowledge: () => undefined,
    };
    return chipset;
  }

  #createVmm(
    vcpu: VirtualCpu,
    options: TechniqueOptions,
    profile: ProcessorProfile,
    createKernelCode: ((vmm: Vmm) => KernelCode) | undefined,
  ): Vmm {
    const {machine, chipset} = this;
    const board = this.#board;
    const memory = this.#memory;
    const tell = (event: HypervisorEvent): void => this.#observation.hypervisorEvent(event);
    const virtual = new VirtualProcessor({
      machine,
      vcpu,
      memory,
      board,
      apic: chipset.localApic,
      // The virtual machine is an ordinary x86, whatever the real one does with sensitive instructions.
      profile: {...profile, strict: false},
      tell: event => this.#observation.event(event),
    });
    const parts = {machine, vcpu, virtual, memory, board, chipset, rings: options.rings, tell};
    return new Vmm({...parts, createMmu: vmm => this.#createMmu(vmm), createKernelCode});
  }

  #createMmu(vmm: Vmm): ShadowMmu {
    const {features, profile} = this.machine;
    return createShadowMmu({
      host: shadowHostOf(vmm),
      hardware: () => ({
        format: vmm.isGuestLong ? '4-level' : 'PAE',
        noExecute: features.nx ? 'on' : 'off',
        views: vmm.kernelRunsAsUser ? 2 : 1,
      }),
      features: {
        physicalAddressBits: profile.physicalAddressBits,
        gigabytePages: features.gigabytePages,
        pse36: features.pse36,
      },
      pool: {start: hpa(SHADOW_POOL), end: hpa(SHADOW_POOL_END)},
      window: {linear: VMM_LINEAR, entry: WINDOW_ENTRY},
      isTracked: gfn => vmm.kernelCode?.isTracked(gfn) ?? false,
    });
  }

  /** The VMM has the processor first. */
  #takeProcessor(): void {
    const {machine} = this;
    writeReturnCode(this.vmm);
    buildVmmEnvironment(machine, {
      ofVector: vector => this.#code.address(entryName(vector)),
      systemCall: this.#code.address('vmm_entry_SYSCALL'),
    });
    machine.registers.set('RIP', this.#code.address('vmm_start'));
    machine.hostProgram = {
      covers: rip => machine.registers.words[2 * CPL] === 0 && this.#code.covers(rip),
      step: () => this.#code.step(),
    };
  }

  #load({image, disks = []}: TechniqueOptions, profile: ProcessorProfile): void {
    const firmware = image.startedBy === 'firmware' ? firmwareMemory(image.memoryBytes, profile, disks.length) : [];
    for (const {at, bytes} of [
      ...firmware,
      ...image.segments.map(segment => ({at: segment.gpa, bytes: segment.bytes})),
    ]) {
      const host = this.#memory.hostAddress(at);
      if (host !== undefined) this.machine.memory.load(host, bytes);
    }
    if (image.startedBy !== 'firmware') return;
    for (const [port, value] of FIRMWARE_PORT_WRITES) this.#board.ports.write(port, 1, value);
  }

  #watch(tell: (event: HypervisorEvent) => void): void {
    this.machine.observe(this.#observation);
    const willWrite: WillWrite = (bank, offset, length) => this.#observation.willWrite(bank, offset, length);
    this.#board.observe(willWrite);
    this.chipset.observe(willWrite);
    this.#board.listen((name, what, sentence) => tell({kind: 'device', name, what, sentence}));
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
    this.#outcome = this.vmm.outcome ?? outcomeOf(step);
    const kind = step.kind === 'host-action' || step.kind === 'delivery' ? step.kind : 'instruction';
    return {actor, kind, rip, length: step.kind === 'instruction' ? step.length : 0, outcome: this.#outcome};
  }

  /** Whoever runs in ring 0 is the VMM; of the others the virtual CPL tells. */
  #actor(): Actor {
    const ring = this.machine.registers.words[2 * CPL] ?? 0;
    if (ring === 0) return 'hypervisor';
    if (this.vmm.layout === '0/1/3' && this.vmm.nativeMode !== 'virtual-8086')
      return ring === 3 ? 'guest-user' : 'guest-kernel';
    return this.vmm.virtualRing === 3 ? 'guest-user' : 'guest-kernel';
  }

  runAhead(limit: number): number {
    return this.#outcome === undefined ? this.machine.runAhead(limit) : 0;
  }

  guestRegisters(): RegisterValues {
    const native = this.#nativeCells();
    const {vcpu} = this.vmm;
    return recordOf(GUEST_CELLS, cell =>
      CLOCKS.includes(cell) ? this.machine.registers.get(cell) : (native?.get(cell) ?? vcpu.get(cell)),
    );
  }

  /** What the guest has in the processor, or on the VMM's stack, and not yet in the virtual CPU. */
  #nativeCells(): ReadonlyMap<Cell, bigint> | undefined {
    const {vmm} = this;
    const frame = nativeFrame(vmm.cells, vmm.window, vmm.vcpu);
    return frame === undefined ? undefined : guestCellsOf(vmm, frame);
  }

  get readOnlyMemory(): readonly {readonly gpa: Gpa; readonly bytes: number}[] {
    return this.#memory.readOnlyStretches();
  }
  get shadowPool(): TechniqueRun['shadowPool'] {
    return {start: hpa(SHADOW_POOL), end: hpa(SHADOW_POOL_END)};
  }
  guestToHost(address: Gpa): Hpa | undefined {
    return this.#memory.hostAddress(address);
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
    this.chipset.keyboard.type(scanCodes);
  }
}

/** The shadow page tables of 32-bit guests are in PAE format, whatever the guest's own are. */
function requirePae(profile: ProcessorProfile): void {
  if (featuresOf(profile).pae) return;
  throw new UserError(
    'needs-pae',
    `The processor ${profile.id} has no PAE, which the shadow page tables of trap-and-emulate need. Choose pentium-iii or a later one.`,
  );
}
