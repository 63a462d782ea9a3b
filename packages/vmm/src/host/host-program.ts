// Host code as a list of named steps. Each step has an address in the kernel's or in QEMU's code window, so RIP, CPL and
// the return address on the way out of an exit are real; what the step does is TypeScript.

import {assert, assertExists} from '@hyperscope/base';
import type {Machine, HostProgram} from '@hyperscope/machine';
import type {HypervisorEvent} from '../virtual-machine.js';
import {KERNEL_WINDOW, USER_WINDOW} from './host-layout.js';

export interface StepResult {
  /** What the step did, with the values it read: the sentence on the screen. */
  readonly say: string;
  /**
   * Where it goes on: 'routine' or 'routine+2' (its third step); 'processor' when the processor itself has moved RIP
   * (VM entry, SYSCALL, SYSRET); the next step when absent.
   */
  readonly go?: string;
}

export type HostStep<Context> = (context: Context) => StepResult;

/** A function of the host, by the name it has in Linux or QEMU. */
export interface HostRoutine<Context> {
  readonly name: string;
  readonly actor: 'hypervisor' | 'vmm';
  readonly steps: readonly HostStep<Context>[];
}

/** The linear addresses of the first routines. */
export interface CodeWindows {
  readonly hypervisor: bigint;
  readonly vmm: bigint;
}

interface Placed<Context> {
  readonly routine: HostRoutine<Context>;
  readonly index: number;
}

/** Whoever has windows of its own is a VMM without hardware for virtualization. */
const WINDOWS_OF_KVM: CodeWindows = {hypervisor: KERNEL_WINDOW, vmm: USER_WINDOW};
const ROUTINE_BYTES = 0x100n;
export const STEP_BYTES = 0x10n;
const NON_ROOT = 2n;

export class HostCode<Context> implements HostProgram {
  readonly #machine: Machine;
  readonly #context: Context;
  readonly #tell: (event: HypervisorEvent) => void;
  readonly #stepCosts: Readonly<Record<HostRoutine<Context>['actor'], number>>;
  readonly #symbols = new Map<string, bigint>();
  readonly #steps = new Map<bigint, Placed<Context>>();
  /** Addresses that were asked for before. */
  readonly #targets = new Map<string, bigint>();

  constructor(
    machine: Machine,
    context: Context,
    routines: readonly HostRoutine<Context>[],
    tell: (event: HypervisorEvent) => void,
    windows: CodeWindows = WINDOWS_OF_KVM,
  ) {
    const {hostStep, vmmStep, userStep} = machine.costModel;
    this.#stepCosts = {hypervisor: (windows === WINDOWS_OF_KVM ? hostStep : vmmStep).cycles, vmm: userStep.cycles};
    this.#machine = machine;
    this.#context = context;
    this.#tell = tell;
    const next = {hypervisor: windows.hypervisor, vmm: windows.vmm};
    for (const routine of routines) {
      const base = next[routine.actor];
      next[routine.actor] += ROUTINE_BYTES;
      assert(!this.#symbols.has(routine.name) && routine.steps.length <= 16, `routine ${routine.name} is new and fits`);
      this.#symbols.set(routine.name, base);
      for (const index of routine.steps.keys()) this.#steps.set(base + BigInt(index) * STEP_BYTES, {routine, index});
    }
  }

  /** The address of 'routine' or 'routine+2'. */
  address(target: string): bigint {
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    const address = this.#resolve(target);
    this.#targets.set(target, address);
    return address;
  }

  #resolve(target: string): bigint {
    const [name = '', index = '0'] = target.split('+');
    const base = assertExists(this.#symbols.get(name), `a routine named ${name}`);
    const address = base + BigInt(index) * STEP_BYTES;
    assert(this.#steps.has(address), `a step ${target}`);
    return address;
  }

  /** The symbol at an address: `vmx_handle_exit+0x10`. */
  symbolAt(address: bigint): {readonly actor: 'hypervisor' | 'vmm'; readonly symbol: string} | undefined {
    const placed = this.#steps.get(address);
    if (placed === undefined) return undefined;
    const offset = placed.index === 0 ? '' : `+0x${(placed.index * Number(STEP_BYTES)).toString(16)}`;
    return {actor: placed.routine.actor, symbol: placed.routine.name + offset};
  }

  /** A guest's code may lie at the same linear addresses: in non-root operation nothing here is meant. */
  covers(rip: bigint): boolean {
    return this.#steps.has(rip) && this.#machine.registers.get('VMX_OPERATION') !== NON_ROOT;
  }

  step(): void {
    const {registers} = this.#machine;
    const rip = registers.get('RIP');
    const {routine, index} = assertExists(this.#steps.get(rip), 'a host step at RIP');
    assert(registers.get('CPL') === (routine.actor === 'hypervisor' ? 0n : 3n), `${routine.name} runs at its own ring`);
    const action = assertExists(routine.steps[index], 'a step of the routine');
    this.#machine.processor.charge(this.#stepCosts[routine.actor]);
    const {say, go} = action(this.#context);
    this.#tell({kind: 'host-step', actor: routine.actor, routine: routine.name, sentence: say});
    if (go === 'processor') return;
    registers.set('RIP', go === undefined ? rip + STEP_BYTES : this.address(go));
  }
}
