// A technique is one way to run a guest: bare metal, VT-x with EPT, … Each gives the same kind of run,
// so the record, the comparison and the views need not know which one they look at.

import type {Gpa, Hpa} from '@hyperscope/base';
import type {ControlChanges, WrongField} from './control-changes.js';
import type {DeliberateFaults} from './deliberate-faults.js';
import type {Bank, FaultLink, Machine, MachineOptions, Observer} from '@hyperscope/machine';
import type {CompanionImage, ProcessorSharing, VirtualMachineRun} from './sharing.js';
import type {InterruptedActor} from './kvm-role/host-interrupt.js';
import type {LeafTables} from './shadow-paging/ports.js';
import type {RingLayout} from './trap-and-emulate/rings.js';
import type {CoalescedMmio} from './user-space/video-memory.js';
import type {Actor, HypervisorEvent, RegisterValues} from './virtual-machine.js';

/** What a loader made of an image: bytes at guest-physical addresses, and registers to start with. */
export interface GuestImage {
  /**
   * Whether a PC's firmware has been there before: its data area and the tables that describe the board are in memory,
   * on techniques that have a PC's board. 'xen': no firmware and no machine at all; the kernel is ported to a hypervisor that
   * starts it, by its registers' RIP, at pseudo-physical addresses.
   */
  readonly startedBy?: 'firmware' | 'xen' | undefined;
  readonly memoryBytes: number;
  readonly segments: readonly {readonly gpa: Gpa; readonly bytes: Uint8Array}[];
  readonly registers: RegisterValues;
  /**
   * Real KVM only: the guest uses interrupts, so the kernel has to have the interrupt controllers and the timer
   * (KVM_CREATE_IRQCHIP, KVM_CREATE_PIT2). A HLT then sleeps in the kernel, instead of coming to user space.
   */
  readonly irqchip?: 'kernel' | undefined;
  /** Under a control program: what the guest's virtual machine is called, and the virtual machines beside it. */
  readonly userName?: string | undefined;
  readonly companions?: readonly CompanionImage[] | undefined;
}

/** Ports by which a guest ends its run or talks to its tester; absent ones do not exist. */
export interface PortOptions {
  /** OUT here ends the run with (value << 1) | 1, as QEMU's isa-debug-exit does. */
  readonly exitPort: number | undefined;
  /** OUT of 0x2000 here is ACPI power-off. */
  readonly powerOffPort: number | undefined;
  /** Bytes written to these ports are kept. */
  readonly capturePorts: readonly number[];
}

export type RunOutcome =
  /** `machines`: there are several; all came to their ends, or some wait for what will not come. */
  | {readonly kind: 'halted'; readonly machines?: 'over' | 'waiting'}
  | {readonly kind: 'debug-exit'; readonly value: number}
  /** The guest switched the machine off, or pulled its reset line: this machine does not start again. */
  | {readonly kind: 'power-off'; readonly by?: 'reset'}
  | {readonly kind: 'triple-fault'; readonly chain: readonly FaultLink[]}
  | {readonly kind: 'unsupported'; readonly address: bigint; readonly bytes: Uint8Array; readonly what: string}
  /** The hypervisor could not go on: VM entry failed, or KVM gave an error. */
  | {readonly kind: 'error'; readonly message: string};

export interface StepReport {
  /** Who had the processor during the step. */
  readonly actor: Actor;
  /** Which of several virtual machines had it, or was worked for: an index of `virtualMachines`. 0 where absent. */
  readonly machine?: number;
  readonly kind: 'instruction' | 'delivery' | 'host-action';
  /** RIP before the step, and the length of the instruction there (0 when the step was none). */
  readonly rip: bigint;
  readonly length: number;
  readonly outcome: RunOutcome | undefined;
}

export interface RunObserver extends Observer {
  hypervisorEvent(event: HypervisorEvent): void;
}

export interface TechniqueRun {
  readonly machine: Machine;
  /** Everything that a record must follow, registers first. Sizes do not change during a run. */
  readonly banks: readonly Bank[];
  observe(observer: RunObserver | undefined): void;
  step(): StepReport;
  /**
   * Runs guest instructions for as long as each is nothing but an instruction that changes registers and RAM, `limit` of
   * them at the most, and gives their number; 0 where the next thing is for `step`. For those who need no report of each.
   */
  runAhead(limit: number): number;
  /** The guest's registers as it would find them, wherever they lie now: in the processor, or saved by a hypervisor. */
  guestRegisters(): RegisterValues;
  /** Stretches outside RAM that `guestToHost` knows as well: ROMs that have memory slots of their own. */
  readonly readOnlyMemory?: readonly {readonly gpa: Gpa; readonly bytes: number}[];
  /**
   * Where the shadow MMU keeps its tables and all that it knows, on techniques that have one: whoever has the bytes of
   * memory can ask a ShadowView what it held at any moment. Does not change during a run.
   */
  readonly shadowPool?: {readonly start: Hpa; readonly end: Hpa} | undefined;
  /** All virtual machines, on techniques that can have several; the rest of a run's members tell of the first. */
  readonly virtualMachines?: readonly VirtualMachineRun[] | undefined;
  /** Where guest-physical memory lies in host-physical memory. */
  guestToHost(gpa: Gpa): Hpa | undefined;
  /** Bytes the guest sent to the first serial port so far, and to each captured port. */
  serialOutput(): Uint8Array;
  captured(port: number): Uint8Array;
  /** How often a port was used at which nothing answers. */
  unknownPorts(): ReadonlyMap<number, number>;
  /** Bytes that arrive at the first serial port. */
  sendSerial(bytes: Uint8Array): void;
  /** Keys pressed and released on the guest's keyboard: scan codes of set 1. */
  pressKeys(scanCodes: Uint8Array): void;
}

/** When another thread of the user-space VMM kicks the vCPU's: right before its first KVM_RUN. */
export type VcpuSignal = 'first-run';
export type GuestDebug = 'single-step';

export interface TechniqueOptions {
  readonly image: GuestImage;
  readonly ports: PortOptions;
  /** Ids of a processor profile and of a cost model; the technique's own defaults when absent. */
  readonly profile: string | undefined;
  readonly costModel: string | undefined;
  /** Up to two hard disks, on techniques that have them: multiples of 512 bytes. The guest writes to them. */
  readonly disks?: readonly Uint8Array[] | undefined;
  /** Which writes to video memory KVM only notes down, where the technique has a KVM; its own choice where absent. */
  readonly coalescedMmio?: CoalescedMmio | undefined;
  /** Size of the pages by which nested paging maps guest memory; the technique's own choice when absent. */
  readonly nestedPage?: '4K' | '2M' | undefined;
  /** Shadow paging: whether the guest's writes to its leaf tables are let through until it flushes, or trapped as in 2006. */
  readonly leafTables?: LeafTables | undefined;
  /** How the machine executes instructions; all ways give the same run. */
  readonly executor?: MachineOptions['executor'];
  /** Which rings a deprivileged guest runs in; the technique's own choice, by the guest's mode, when absent. */
  readonly rings?: RingLayout | undefined;
  /** How virtual machines share the processor, on techniques that can have several. */
  readonly sharing?: ProcessorSharing | undefined;
  /** Where a simulated KVM has its interrupt controllers; as the image asks when absent. */
  readonly irqchip?: 'kernel' | 'user' | undefined;
  /** A signal for the vCPU's thread that is pending when a KVM_RUN begins, where the technique has a KVM. */
  readonly signal?: VcpuSignal | undefined;
  /** What user space asks of KVM_SET_GUEST_DEBUG, on VT-x. */
  readonly guestDebug?: GuestDebug | undefined;
  /** Execution controls and intercepts that differ from KVM's own, where the technique has them. */
  readonly controls?: ControlChanges | undefined;
  /** What the hypervisor does wrong on purpose. */
  readonly faults?: DeliberateFaults | undefined;
  /** A mnemonic that the hypervisor's instruction decoder is not to know: 'CLI'. */
  readonly undecoded?: string | undefined;
  /** VT-x: what stands in a field of the VMCS at the first VM entry, although it must not. */
  readonly wrongField?: WrongField | undefined;
  /** Under VT-x and SVM: a network card of the host's interrupts once, while this one has the processor. */
  readonly hostInterrupt?: InterruptedActor | undefined;
}

/** What keeps the guest apart: nobody; a VMM above a guest in lesser rings; VT-x or SVM with a hypervisor on it. */
export type TechniqueHost = 'none' | 'software' | 'hardware';

/** A technique in words. */
export interface TechniqueOutline {
  readonly id: string;
  readonly title: string;
  /** The title where there is little room: a few words of at most a dozen letters. */
  readonly shortTitle: string;
  readonly host: TechniqueHost;
  /** One sentence for a chooser. */
  readonly summary: string;
  /** 'ported': it runs kernels that are ported to its hypercalls, and no others; absent: whatever runs on a PC. */
  readonly kernels?: 'ported' | undefined;
}

/** Puts an image in the technique's machine. @throws UserErrors of the technique, for options that it cannot follow */
export type StartTechnique = (options: TechniqueOptions) => TechniqueRun;

export interface Technique extends TechniqueOutline {
  readonly start: StartTechnique;
}
