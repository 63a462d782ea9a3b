// The port space as KVM's instruction emulator sees it, for INS and OUTS: devices in the kernel answer at once, for all others
// user space is asked. What REP INS will read is asked for in one go, and kept in kvm_run's second page until its turn comes.
// REP OUTS is not: each element is an exit. measured: so does real KVM. Linux, arch/x86/kvm/emulate.c: pio_in_emulated, em_out.

import {hex, hpa} from '@hyperscope/base';
import type {Instruction} from '@hyperscope/isa';
import {PortMap} from '@hyperscope/machine';
import {PIO_DATA_PAGE} from '../host/host-layout.js';
import type {Host} from './host-context.js';

export interface PortAccess {
  readonly port: number;
  readonly bytes: 1 | 2 | 4;
  readonly value: bigint;
}

const PAGE = 4096;
/** sizeof(ctxt->io_read.data). */
const MOST_BYTES = 1024;
const DF = 10n;

export class EmulatedPorts extends PortMap {
  readonly #host: Host;
  #missing: PortAccess | undefined;
  #written: PortAccess | undefined;
  #taken = 0;

  constructor(host: Host) {
    super();
    this.#host = host;
  }

  /** Before an attempt: nothing has been asked for. */
  begin(): void {
    this.#missing = undefined;
    this.#written = undefined;
    this.#taken = 0;
  }
  /** What user space has to be asked for before the instruction can be carried out. */
  get missing(): PortAccess | undefined {
    return this.#missing;
  }
  /** Whether elements lie there for the next rounds. */
  get hasReadAhead(): boolean {
    return this.#host.vcpu.get('io_read_end') !== 0n;
  }

  /** INS: an element that user space has given, or a device in the kernel; without either the attempt is without meaning. */
  override read(port: number, bytes: number): number {
    const {vcpu, devices, board, machine} = this.#host;
    if (devices.kernelDeviceAt(board, port) !== undefined) return board.ports.read(port, bytes);
    const position = Number(vcpu.get('io_read_pos'));
    if (position >= Number(vcpu.get('io_read_end'))) {
      this.#missing ??= {port, bytes: width(bytes), value: 0n};
      return 0;
    }
    this.#taken = bytes;
    return Number(machine.memory.read(hpa(PIO_DATA_PAGE + position), bytes));
  }
  /** OUTS: becomes true with the instruction. */
  override write(port: number, bytes: number, value: number): void {
    this.#written = {port, bytes: width(bytes), value: BigInt(value)};
  }

  /** Makes true what the attempt did. Gives the access that user space has to carry out. */
  commit(): PortAccess | undefined {
    const {vcpu, devices, board} = this.#host;
    if (this.#taken > 0) {
      const position = vcpu.get('io_read_pos') + BigInt(this.#taken);
      const isUsedUp = position >= vcpu.get('io_read_end');
      vcpu.set('io_read_pos', isUsedUp ? 0n : position);
      if (isUsedUp) vcpu.set('io_read_end', 0n);
    }
    const written = this.#written;
    if (written === undefined || devices.kernelDeviceAt(board, written.port) === undefined) return written;
    board.ports.write(written.port, written.bytes, Number(written.value));
    return undefined;
  }

  /** What user space has put into kvm_run is there for the rounds to come. */
  accept(): void {
    const {bytes, count} = this.#host.vcpu.io;
    this.#host.vcpu.set('io_read_pos', 0n);
    this.#host.vcpu.set('io_read_end', BigInt(bytes * count));
  }
  /** The instruction has come to nothing. */
  forget(): void {
    if (this.hasReadAhead) this.#host.vcpu.set('io_read_end', 0n);
  }
}

/** How many elements are asked for at once: to the end of the count, of the page, or of the buffer. */
export function elementsAhead(host: Host, {prefixes, addressSize}: Instruction, bytes: number): number {
  if (prefixes.repeat === 'none') return 1;
  const count = Number(BigInt.asUintN(addressSize, host.vcpu.register('RCX')));
  const inPage = Number(BigInt.asUintN(addressSize, host.vcpu.register('RDI'))) % PAGE;
  const backwards = ((host.hardware.get('RFLAGS') >> DF) & 1n) === 1n;
  const room = Math.floor(Math.min(backwards ? inPage : PAGE - inPage, MOST_BYTES) / bytes);
  return Math.max(1, Math.min(count, room));
}

/** 'write 1 byte, 0x41, to port 0x3f8' */
export const portWriteText = ({port, bytes, value}: PortAccess): string =>
  `write ${bytes === 1 ? '1 byte' : `${bytes} bytes`}, ${hex(value)}, to port ${hex(port)}`;

const width = (bytes: number): 1 | 2 | 4 => (bytes === 4 ? 4 : bytes === 2 ? 2 : 1);
