// I/O instructions. A device in the kernel is asked at once; everything else goes to user space, and on the way back the
// instruction is completed. Linux, arch/x86/kvm/x86.c: kvm_fast_pio, emulator_pio_in_out.

import {bit, hex} from '@hyperscope/base';
import type {GeneralRegister} from '@hyperscope/isa';
import {KVM_EXIT} from './kvm-exit-codes.js';
import {COMPLETE} from './kvm-vcpu.js';
import type {IoExit} from './hardware.js';
import type {Host} from './host-context.js';
import type {StepResult} from '../host/host-program.js';
import {injectException} from './guest-registers.js';
import {readGuestVirtual, unmappedAddress, writeGuestVirtual} from './guest-memory.js';
import {cannotEmulate} from './kvm-emulation-failure.js';

const DF = 10;
const PF = 14;
const PF_WRITE = 2;
const PF_USER = 4;

/** `read` says what the vendor half read to know of it. */
export function handleIo(host: Host, read: string): StepResult {
  const io = host.hardware.ioExit();
  const name = `${io.form === 'string' ? (io.direction === 'in' ? 'INS' : 'OUTS') : io.direction.toUpperCase()}`;
  const say = `${read}: ${name}, ${io.bytes === 1 ? '1 byte' : `${io.bytes} bytes`}, port ${hex(io.port)}`;
  if (io.form === 'string') {
    const refused = prepareString(host, io);
    if (refused !== undefined) return refused;
  } else {
    host.vcpu.ioData = io.direction === 'out' ? BigInt.asUintN(8 * io.bytes, host.vcpu.register('RAX')) : 0n;
  }
  const device = host.devices.kernelDeviceAt(host.board, io.port);
  if (device !== undefined) return askKernelDevice(host, io, device.name, say);
  host.vcpu.io = {direction: io.direction, bytes: io.bytes, port: io.port};
  host.vcpu.exitReason = KVM_EXIT.IO;
  host.vcpu.set(
    'complete_userspace_io',
    io.form === 'string' ? COMPLETE.string : io.direction === 'in' ? COMPLETE.input : COMPLETE.skip,
  );
  host.handled('user-space', `no device in the kernel answers at port ${hex(io.port)}: KVM_EXIT_IO`);
  return {say: `${say}. No device in the kernel has it, so user space is asked.`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

/** The device is KVM's own: no way to user space and back (Linux, kernel_pio). */
function askKernelDevice(host: Host, io: IoExit, device: string, say: string): StepResult {
  const {ports} = host.board;
  if (io.direction === 'out') ports.write(io.port, io.bytes, Number(BigInt.asUintN(8 * io.bytes, host.vcpu.ioData)));
  else host.vcpu.ioData = BigInt(ports.read(io.port, io.bytes));
  host.vcpu.io = {direction: io.direction, bytes: io.bytes, port: io.port};
  host.handled('kvm', `port ${hex(io.port)} belongs to the in-kernel ${device}: user space never hears of it`);
  const done = `${say}. The in-kernel ${device} ${io.direction === 'out' ? `takes ${hex(host.vcpu.ioData)}` : `gives ${hex(host.vcpu.ioData)}`}`;
  if (io.form === 'string') {
    const {say: then, go} = completeString(host);
    return go === undefined ? {say: `${done}; ${then}`} : {say: `${done}; ${then}`, go};
  }
  if (io.direction === 'in') return {say: `${done}; ${completeInput(host)}`, go: 'vcpu_enter_guest'};
  return {say: done, go: 'skip_emulated_instruction'};
}

/** The memory side of INS and OUTS, which the processor leaves to the hypervisor: a #PF of the guest's, or the data. */
function prepareString(host: Host, io: IoExit): StepResult | undefined {
  const {linear} = io;
  const unmapped = unmappedAddress(host, linear, io.bytes);
  if (unmapped !== undefined) {
    const user = host.hardware.get('CPL') === 3n ? PF_USER : 0;
    host.vcpu.set('cr2', unmapped);
    injectException(host, PF, (io.direction === 'in' ? PF_WRITE : 0) | user);
    host.handled('kvm', 'the guest’s own page tables do not map the string: #PF for the guest');
    return {
      say: `the guest’s page tables do not map ${hex(unmapped)}: CR2 ← it, #PF for the guest`,
      go: 'vcpu_enter_guest',
    };
  }
  if (io.direction === 'in') return undefined;
  const element = readGuestVirtual(host, linear, io.bytes);
  if (element === undefined) {
    return cannotEmulate(host, 'OUTS from an address outside the guest’s memory needs the instruction emulator');
  }
  host.vcpu.ioData = element;
  return undefined;
}

/** An IN whose value user space has put into kvm_run. A 32-bit result clears the upper half of RAX. */
export function completeInput(host: Host): string {
  const {bytes, port} = host.vcpu.io;
  const value = BigInt.asUintN(8 * bytes, host.vcpu.ioData);
  const before = host.vcpu.register('RAX');
  const mask = (1n << BigInt(8 * bytes)) - 1n;
  host.vcpu.setRegister('RAX', bytes === 4 ? value : (before & ~mask) | value);
  const {from, to} = host.hardware.skipInstruction();
  return `the IN is completed: ${hex(value)} from port ${hex(port)} into ${bytes === 4 ? 'EAX' : bytes === 2 ? 'AX' : 'AL'}; guest RIP ${hex(from)} → ${hex(to)}`;
}

/** One element of INS or OUTS: memory, index and count registers; RIP only moves when the repetition is over. */
export function completeString(host: Host): StepResult {
  const io = host.hardware.ioExit();
  const {linear, addressWidth: width} = io;
  if (io.direction === 'in' && !writeGuestVirtual(host, linear, io.bytes, host.vcpu.ioData)) {
    return cannotEmulate(host, 'INS to an address outside the guest’s memory needs the instruction emulator');
  }
  const step = bit(host.hardware.get('RFLAGS'), DF) ? -BigInt(io.bytes) : BigInt(io.bytes);
  advance(host, io.direction === 'in' ? 'RDI' : 'RSI', step, width);
  if (io.repeated) {
    advance(host, 'RCX', -1n, width);
    if (BigInt.asUintN(width, host.vcpu.register('RCX')) !== 0n)
      return {say: 'one element is done; the repetition goes on at the same RIP', go: 'vcpu_enter_guest'};
  }
  const {from, to} = host.hardware.skipInstruction();
  return {say: `the last element is done: guest RIP ${hex(from)} → ${hex(to)}`, go: 'vcpu_enter_guest'};
}

function advance(host: Host, register: GeneralRegister, by: bigint, width: 16 | 32 | 64): void {
  const before = host.vcpu.register(register);
  const moved = BigInt.asUintN(width, before + by);
  const kept = width === 16 ? before & ~0xffffn : 0n;
  host.vcpu.setRegister(register, kept | moved);
}
