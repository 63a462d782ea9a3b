// QEMU's memory regions: which device answers at a guest-physical address, and the writes that could wait.
// QEMU, system/physmem.c: address_space_rw; accel/kvm/kvm-all.c: kvm_coalesce_mmio_region, kvm_flush_coalesced_mmio_buffer.

import {gpa, hex} from '@hyperscope/base';
import type {VmExit} from '../virtual-machine.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {readKvmRun} from './qemu-exit.js';
import {ioctl} from './qemu-ioctl.js';

/** The device at a guest-physical address, through QEMU's memory regions. */
function accessMemory(host: Host): StepResult {
  const exit = readKvmRun(host);
  if (exit.reason !== 'mmio') return {say: 'no memory access to do', go: 'kvm_cpu_exec'};
  const region = host.board.regionAt(exit.gpa);
  const name = region?.name ?? (host.slotAt(exit.gpa) === undefined ? 'nothing answers there' : 'read-only memory');
  const done = host.board.handleExit(exit);
  if (done !== 'continue') host.finish(done);
  let value = 0n;
  for (const byte of exit.data.toReversed()) value = (value << 8n) | BigInt(byte);
  const digits = 2 * exit.data.length;
  if (exit.direction === 'write') {
    const lost = region === undefined ? ', and is lost' : '';
    return {say: `${name}: ${hex(value, digits)} is written to GPA ${hex(exit.gpa)}${lost}`, go: 'kvm_cpu_exec'};
  }
  host.vcpu.mmio = {...host.vcpu.mmio, value};
  return {say: `${name}: GPA ${hex(exit.gpa)} reads ${hex(value, digits)}, put into kvm_run`, go: 'kvm_cpu_exec'};
}

/** Each write that KVM noted down reaches its device, in the order in which the guest made them. */
export function flushCoalescedWrites(host: Host): number {
  const {coalescedWrites: ring} = host;
  const {count} = ring;
  for (let write = ring.removeFirst(); write !== undefined; write = ring.removeFirst()) {
    const data = new Uint8Array(8);
    new DataView(data.buffer).setBigUint64(0, write.value, true);
    const exit: VmExit = {
      reason: 'mmio',
      direction: 'write',
      gpa: gpa(write.gpa),
      data: data.subarray(0, write.bytes),
    };
    const done = host.board.handleExit(exit);
    if (done !== 'continue') host.finish(done);
  }
  return count;
}

function flush(host: Host): StepResult {
  const count = flushCoalescedWrites(host);
  return {
    say: `${count} ${count === 1 ? 'write reaches its device' : 'writes reach their devices'}, for one exit to user space`,
    go: 'kvm_cpu_exec+1',
  };
}

/** KVM is told where writes can wait. */
function coalesceRegion(host: Host): StepResult {
  const zone = host.coalescedZone;
  if (zone === undefined) return {say: 'no region whose writes could wait', go: 'kvm_init_vcpu'};
  return ioctl(
    'KVM_REGISTER_COALESCED_MMIO',
    `ioctl(KVM_REGISTER_COALESCED_MMIO): writes to GPA ${hex(zone.start)} … ${hex(zone.end - 1)} can wait`,
  )(host);
}

const user = (name: string, ...steps: HostRoutine<Host>['steps']): HostRoutine<Host> => ({name, actor: 'vmm', steps});

export const QEMU_MEMORY_ROUTINES: readonly HostRoutine<Host>[] = [
  user('kvm_coalesce_mmio_region', coalesceRegion, () => ({say: 'the region is registered', go: 'kvm_init_vcpu'})),
  user('address_space_rw', accessMemory),
  user('kvm_flush_coalesced_mmio_buffer', flush),
];
