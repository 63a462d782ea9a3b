// Where KVM gives up: its instruction emulator met what it cannot do. The run stops and says what was met.

import {bit, hex} from '@hyperscope/base';
import {NO_FETCH} from '../deliberate-faults.js';
import {KVM_EXIT, INTERNAL_ERROR} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';
import type {StepResult} from '../host/host-program.js';
import {EFER_LMA} from './guest-registers.js';
import {readGuestVirtual} from './guest-memory.js';

const LONGEST_INSTRUCTION = 15;

/** The bytes at the guest's RIP, as far as they can be read. */
function bytesAtGuestRip(host: Host): {readonly address: bigint; readonly bytes: Uint8Array} {
  const {hardware} = host;
  const rip = hardware.get('RIP');
  const code64 = bit(hardware.get('CS.attributes'), 13) && (hardware.get('EFER') & EFER_LMA) !== 0n;
  const address = code64 ? rip : rip + hardware.get('CS.base');
  const read: number[] = [];
  for (let index = 0; index < LONGEST_INSTRUCTION; index++) {
    const byte = readGuestVirtual(host, address + BigInt(index), 1);
    if (byte === undefined) break;
    read.push(Number(byte));
  }
  return {address, bytes: Uint8Array.from(read)};
}

/** An access to a device in the middle of an event's delivery: the stack or a table lies outside the guest's memory. */
export const deliveryInterrupted = (host: Host): StepResult =>
  giveUp(host, INTERNAL_ERROR.DELIVERY_EV, 'the delivery of an event touches an address outside the guest’s memory');

/** KVM_EXIT_INTERNAL_ERROR: KVM's emulator has no bytes to decode. `what`: `a fetch at GPA 0xfffffff0`. */
export const cannotFetch = (host: Host, what: string): StepResult =>
  giveUp(host, INTERNAL_ERROR.EMULATION, `${what} lies outside the guest’s memory: ${NO_FETCH}`);

/** KVM_EXIT_INTERNAL_ERROR, with a sentence for `what` this hypervisor cannot do. */
export const cannotEmulate = (host: Host, what: string): StepResult => giveUp(host, INTERNAL_ERROR.EMULATION, what);

function giveUp(host: Host, suberror: number, what: string): StepResult {
  host.vcpu.exitReason = KVM_EXIT.INTERNAL_ERROR;
  host.vcpu.unionWord = BigInt(suberror);
  host.unsupported = {kind: 'unsupported', ...bytesAtGuestRip(host), what};
  host.handled('user-space', `${what}: KVM_EXIT_INTERNAL_ERROR`);
  return {
    say: `${host.hardware.exit().title} at guest RIP ${hex(host.hardware.get('RIP'))}: ${what}`,
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}
