// The devices that a guest finds at its ports, and the answer to everything KVM brings to user space. One board serves
// the simulated QEMU, real KVM (packages/kvm hands it the same VmExit values) and a guest on bare metal.

import {assertUnreachable, hex} from '@hyperscope/base';
import {
  DebugPort,
  ExitPort,
  ParavirtualConsole,
  PortMap,
  PowerOffPort,
  Uart16550,
  VIRTIO_CONSOLE,
  VirtioConsole,
  debugExitStatus,
} from '@hyperscope/machine';
import type {Bank, BankedDevice, DeviceMemory, MmioRegion, WillWrite} from '@hyperscope/machine';
import type {PortOptions, RunOutcome} from '../technique.js';
import type {VmExit} from '../virtual-machine.js';

export type {DeviceMemory};

const COM1 = 0x3f8;
const DEBUG_CONSOLE = 0xe9;

export class DeviceBoard {
  readonly ports = new PortMap();
  readonly uart = new Uart16550(COM1);
  /** Devices that answer at guest-physical addresses, with or without a chipset around them. */
  readonly regions: MmioRegion[] = [];
  /** Consoles that read the guest's memory by themselves; only where the board was given it. */
  readonly virtioConsole: VirtioConsole | undefined;
  readonly paravirtualConsole: ParavirtualConsole | undefined;
  readonly #captures = new Map<number, DebugPort>();
  readonly #exitPort: ExitPort | undefined;
  readonly #powerOffPort: PowerOffPort | undefined;

  /** COM1 and the debug console are always there; `options` adds the others, `memory` the consoles that need it. */
  constructor(options: PortOptions, memory?: DeviceMemory) {
    this.virtioConsole = memory === undefined ? undefined : new VirtioConsole(memory);
    this.paravirtualConsole = memory === undefined ? undefined : new ParavirtualConsole(memory);
    if (this.virtioConsole !== undefined) this.regions.push(this.virtioConsole.region(VIRTIO_CONSOLE.start));
    this.ports.attach(this.uart);
    for (const port of new Set([DEBUG_CONSOLE, ...options.capturePorts])) {
      const device = new DebugPort(port);
      this.#captures.set(port, device);
      this.ports.attach(device);
    }
    this.#exitPort = options.exitPort === undefined ? undefined : new ExitPort(options.exitPort);
    this.#powerOffPort = options.powerOffPort === undefined ? undefined : new PowerOffPort(options.powerOffPort);
    if (this.#exitPort !== undefined) this.ports.attach(this.#exitPort);
    if (this.#powerOffPort !== undefined) this.ports.attach(this.#powerOffPort);
  }

  get banks(): readonly Bank[] {
    return [...this.ports.devices, ...this.memoryDevices].map(device => device.bank);
  }
  observe(willWrite: WillWrite | undefined): void {
    this.ports.observe(willWrite);
    for (const device of this.memoryDevices) device.willWrite = willWrite;
  }
  /** The devices that are at no port. */
  get memoryDevices(): readonly BankedDevice[] {
    return [this.virtioConsole, this.paravirtualConsole].filter(device => device !== undefined);
  }
  /** `tell` hears what these devices do that no register shows. */
  listen(tell: (name: string, what: 'output' | 'trouble', sentence: string) => void): void {
    const {virtioConsole, paravirtualConsole} = this;
    if (virtioConsole !== undefined)
      virtioConsole.onNews = (what, sentence) => tell(virtioConsole.name, what, sentence);
    if (paravirtualConsole !== undefined)
      paravirtualConsole.onNews = (what, sentence) => tell(paravirtualConsole.name, what, sentence);
  }

  /** Bytes that the guest wrote to a captured port (0xe9 always is one). */
  captured(port: number): Uint8Array {
    return this.#captures.get(port)?.output ?? new Uint8Array();
  }
  get unknownPorts(): ReadonlyMap<number, number> {
    return this.ports.unknown;
  }

  /** How the guest asked for its run to end, if it did. */
  get outcome(): RunOutcome | undefined {
    const value = this.#exitPort?.value;
    if (value !== undefined) return {kind: 'debug-exit', value: debugExitStatus(value)};
    return this.#powerOffPort?.isOff === true ? {kind: 'power-off'} : undefined;
  }

  /** Does what the exit asks for: an 'in' or a 'read' finds its data filled. Gives the outcome where the guest cannot go on. */
  handleExit(exit: VmExit): 'continue' | RunOutcome {
    switch (exit.reason) {
      case 'io':
        this.#transfer(exit);
        return this.outcome ?? 'continue';
      case 'mmio':
        this.#transferMemory(exit);
        return this.outcome ?? 'continue';
      case 'hypercall':
        this.#answerHypercall(exit);
        return 'continue';
      case 'hlt':
        return {kind: 'halted'};
      case 'shutdown':
        return {kind: 'triple-fault', chain: []};
      case 'rdmsr':
      case 'wrmsr':
      case 'irq-window-open':
      case 'set-tpr':
      case 'interrupted':
      case 'debug':
        return 'continue';
      case 'fail-entry':
        return {
          kind: 'error',
          message: `KVM could not enter the guest: hardware entry failure reason ${hex(exit.hardwareReason)}.`,
        };
      case 'internal-error':
        return internalError(exit.suberror, exit.instruction);
      case 'unknown':
        return {kind: 'error', message: `KVM_RUN returned exit reason ${exit.code}, which this program does not know.`};
      default:
        return assertUnreachable(exit);
    }
  }

  /** −KVM_ENOSYS where there is nobody who could know the call. */
  #answerHypercall({number, args, data}: Extract<VmExit, {reason: 'hypercall'}>): void {
    const result = this.paravirtualConsole?.call(number, args) ?? -1000n;
    new DataView(data.buffer, data.byteOffset).setBigInt64(0, result, true);
  }

  regionAt(gpa: number): MmioRegion | undefined {
    return this.regions.find(({start, length}) => gpa >= start && gpa < start + length);
  }

  /** Where nothing answers, and for writes to read-only memory: reads give all ones, writes are lost. */
  #transferMemory({direction, gpa, data}: Extract<VmExit, {reason: 'mmio'}>): void {
    const region = this.regionAt(gpa);
    if (region === undefined) {
      if (direction === 'read') data.fill(0xff);
      return;
    }
    const offset = gpa - region.start;
    if (direction === 'write') {
      let value = 0n;
      for (const byte of data.toReversed()) value = (value << 8n) | BigInt(byte);
      region.write(offset, data.length, value);
      return;
    }
    const value = region.read(offset, data.length);
    for (const index of data.keys()) data[index] = Number((value >> BigInt(8 * index)) & 0xffn);
  }

  #transfer(exit: Extract<VmExit, {reason: 'io'}>): void {
    const bytes = exit.width / 8;
    const view = new DataView(exit.data.buffer, exit.data.byteOffset, exit.data.byteLength);
    for (let index = 0; index < exit.count; index++) {
      const at = index * bytes;
      if (exit.direction === 'out') this.ports.write(exit.port, bytes, readElement(view, at, bytes));
      else writeElement(view, at, bytes, this.ports.read(exit.port, bytes));
    }
  }
}

function readElement(view: DataView, at: number, bytes: number): number {
  return bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}
function writeElement(view: DataView, at: number, bytes: number, value: number): void {
  if (bytes === 1) view.setUint8(at, value);
  else if (bytes === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
}

function internalError(suberror: number, instruction: Uint8Array | undefined): RunOutcome {
  if (instruction === undefined)
    return {kind: 'error', message: `KVM stopped with an internal error, suberror ${suberror}.`};
  return {
    kind: 'unsupported',
    address: 0n,
    bytes: instruction,
    what: 'an instruction that KVM cannot emulate (KVM_EXIT_INTERNAL_ERROR, suberror 1)',
  };
}
