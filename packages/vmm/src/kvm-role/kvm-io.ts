// I/O instructions. A device in the kernel is asked at once; everything else goes to user space, and on the way back the
// instruction is completed. INS and OUTS are for the instruction emulator. Linux, arch/x86/kvm/x86.c: kvm_fast_pio.

import {hex} from '@hyperscope/base';
import {KVM_EXIT} from './kvm-exit-codes.js';
import {COMPLETE} from './kvm-vcpu.js';
import type {IoExit} from './hardware.js';
import type {Host} from './host-context.js';
import type {StepResult} from '../host/host-program.js';

/** `read` says what the vendor half read to know of it. */
export function handleIo(host: Host, read: string, io: IoExit = host.hardware.ioExit()): StepResult {
  const name = `${io.form === 'string' ? (io.direction === 'in' ? 'INS' : 'OUTS') : io.direction.toUpperCase()}`;
  const say = `${read}: ${name}, ${io.bytes === 1 ? '1 byte' : `${io.bytes} bytes`}, port ${hex(io.port)}`;
  if (io.form === 'string')
    return {
      say: `${say}. Its other side is memory: the instruction has to be carried out in software.`,
      go: 'x86_emulate_instruction',
    };
  host.vcpu.ioData = io.direction === 'out' ? BigInt.asUintN(8 * io.bytes, host.vcpu.register('RAX')) : 0n;
  const device = host.devices.kernelDeviceAt(host.board, io.port);
  if (device !== undefined) return askKernelDevice(host, io, device.name, say);
  host.vcpu.io = {direction: io.direction, bytes: io.bytes, port: io.port, count: 1};
  host.vcpu.exitReason = KVM_EXIT.IO;
  host.vcpu.set('complete_userspace_io', io.direction === 'in' ? COMPLETE.input : COMPLETE.skip);
  host.handled('user-space', `no device in the kernel answers at port ${hex(io.port)}: KVM_EXIT_IO`);
  return {say: `${say}. No device in the kernel has it, so user space is asked.`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

/** The device is KVM's own: no way to user space and back (Linux, kernel_pio). */
function askKernelDevice(host: Host, io: IoExit, device: string, say: string): StepResult {
  const {ports} = host.board;
  if (io.direction === 'out') ports.write(io.port, io.bytes, Number(BigInt.asUintN(8 * io.bytes, host.vcpu.ioData)));
  else host.vcpu.ioData = BigInt(ports.read(io.port, io.bytes));
  host.vcpu.io = {direction: io.direction, bytes: io.bytes, port: io.port, count: 1};
  host.handled('kvm', `port ${hex(io.port)} belongs to the in-kernel ${device}: user space never hears of it`);
  const done = `${say}. The in-kernel ${device} ${io.direction === 'out' ? `takes ${hex(host.vcpu.ioData)}` : `gives ${hex(host.vcpu.ioData)}`}`;
  if (io.direction === 'in') return {say: `${done}; ${completeInput(host)}`, go: 'vcpu_enter_guest'};
  return {say: done, go: 'skip_emulated_instruction'};
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
