// The instruction emulator at work: fetch and decode, carry out, ask user space for what only it has, go on.
// Linux, arch/x86/kvm/x86.c: x86_emulate_instruction, complete_emulated_mmio, vcpu_mmio_read, vcpu_mmio_write;
// arch/x86/kvm/emulate.c: x86_decode_insn, x86_emulate_insn.

import {bit, hex} from '@hyperscope/base';
import type {Trouble} from '@hyperscope/machine';
import type {Emulation, FetchedInstruction} from './guest-emulator.js';
import {exceptionName} from './guest-event-name.js';
import {CR0_PG, injectException} from './guest-registers.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {cannotEmulate, deliveryInterrupted} from './kvm-emulation-failure.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {MmioAccess} from './kvm-mmio.js';
import {COMPLETE} from './kvm-vcpu.js';

const TF = 8;
const DB = 1;
const PF = 14;
/** DR6.BS. */
const SINGLE_STEP = 1n << 14n;

const NOTED = 'the write lies in a zone of coalesced MMIO: KVM notes it down, and user space sees it at the next exit';

const hexBytes = (bytes: Uint8Array): string => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' ');

function fetchAndDecode(host: Host): StepResult {
  if (host.hardware.interruptedDelivery() !== undefined) return deliveryInterrupted(host);
  const fetched = host.emulator.fetch();
  if (!('microcode' in fetched)) return refused(host, fetched, 'the fetch of the instruction');
  const {microcode, rip, gpa, text} = fetched;
  const {bytes} = microcode.instruction;
  const paging = (host.hardware.get('CR0') & CR0_PG) !== 0n;
  return {
    say: `fetch ${bytes.length} ${bytes.length === 1 ? 'byte' : 'bytes'} at guest RIP ${hex(rip)} (GPA ${hex(gpa)}${paging ? ', by the guest’s own page tables' : ''}): ${hexBytes(bytes)}; decode: ${text}`,
  };
}

function carryOut(host: Host): StepResult {
  const fetched = host.emulator.fetch();
  if (!('microcode' in fetched)) return refused(host, fetched, 'the fetch of the instruction');
  const emulation = host.emulator.execute(fetched.microcode);
  const {accesses} = host.emulator;
  switch (emulation.kind) {
    case 'needs-read':
      tell(host, fetched, 'needs-user-space');
      return askUserSpace(host, emulation.access, accesses.at(-1) ?? '');
    case 'trouble':
      tell(host, fetched, emulation.trouble.kind === 'fault' ? 'fault' : 'failed');
      host.emulator.reads.clear();
      return refused(host, emulation.trouble, fetched.text);
    default:
      return finish(host, fetched, emulation);
  }
}

function tell(
  host: Host,
  {rip, text}: FetchedInstruction,
  outcome: 'completed' | 'repeats' | 'needs-user-space' | 'fault' | 'failed',
): void {
  host.tell({kind: 'emulation', rip, text, outcome, accesses: host.emulator.accesses});
}

/** The read becomes KVM_EXIT_MMIO; the instruction is begun anew with the answer. */
function askUserSpace(host: Host, {gpa, bytes}: MmioAccess, what: string): StepResult {
  host.vcpu.mmio = {direction: 'read', gpa, bytes, value: 0n};
  host.vcpu.exitReason = KVM_EXIT.MMIO;
  host.vcpu.set('complete_userspace_io', COMPLETE.mmioRead);
  host.handled('user-space', `the instruction must ${what}: KVM_EXIT_MMIO`);
  return {say: `${what}: only user space can answer`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

function finish(host: Host, fetched: FetchedInstruction, {result}: Extract<Emulation, {kind: 'done'}>): StepResult {
  const {emulator} = host;
  const flags = host.hardware.get('RFLAGS');
  const accesses = emulator.accesses;
  const before = host.coalescedWrites.count;
  emulator.writes.clear();
  if (!emulator.commit())
    return cannotEmulate(host, `${fetched.text} writes to more places of user space than KVM keeps`);
  emulator.reads.clear();
  tell(host, fetched, result);
  if (bit(flags, TF)) {
    host.vcpu.set('dr6', host.vcpu.get('dr6') | SINGLE_STEP);
    injectException(host, DB);
  }
  const did = accesses.length === 0 ? 'done' : accesses.join('; ');
  const to = `guest RIP ${result === 'repeats' ? 'stays, the repetition goes on' : `→ ${hex(host.hardware.get('RIP'))}`}`;
  const noted = host.coalescedWrites.count;
  if (emulator.writes.count === 0) {
    host.handled(
      'kvm',
      noted > before ? NOTED : 'the instruction emulator and the devices in the kernel could do it all',
    );
    const ring = noted > before ? ` KVM notes the write down: ${noted} wait for user space.` : '';
    return {say: `${did}; ${to}.${ring}`, go: 'vcpu_enter_guest'};
  }
  const first = emulator.writes.at(0);
  const wasFull = first !== undefined && host.coalescedWrites.covers(first);
  const full = wasFull ? ', for the ring of coalesced writes is full' : '';
  host.handled('user-space', `${accesses.at(-1) ?? 'a device'} is for user space${full}: KVM_EXIT_MMIO`);
  passWriteOn(host);
  return {say: `${did}; ${to}. The write goes to user space.`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

/** The next write that waits becomes KVM_EXIT_MMIO. */
function passWriteOn(host: Host): void {
  const write = host.emulator.writes.removeFirst();
  if (write === undefined) return;
  host.vcpu.mmio = {direction: 'write', ...write};
  host.vcpu.exitReason = KVM_EXIT.MMIO;
  host.vcpu.set('complete_userspace_io', COMPLETE.mmioWrite);
}

/** A fault of the instruction goes to the guest; what no processor here could do ends the run. */
function refused(host: Host, trouble: Trouble, what: string): StepResult {
  if (trouble.kind !== 'fault') {
    const why = trouble.kind === 'unsupported' ? trouble.what : 'an exit inside the emulator';
    return cannotEmulate(host, `KVM’s instruction emulator met ${what}: ${why}`);
  }
  const {vector, errorCode, address} = trouble;
  if (vector === PF && address !== undefined) host.vcpu.set('cr2', address);
  injectException(host, vector, errorCode);
  const name = exceptionName(vector);
  host.handled('kvm', `${what} raises ${name}, as it would on the processor: injected into the guest`);
  const code = errorCode === undefined ? '' : `, error code ${hex(errorCode)}`;
  return {
    say: `${what}: ${name}${code}${address === undefined ? '' : `, CR2 ← ${hex(address)}`}; it goes to the guest`,
    go: 'vcpu_enter_guest',
  };
}

/** User space has answered a read, or has done a write. */
export function completeMmio(host: Host, pending: bigint): StepResult {
  const {gpa, bytes, value} = host.vcpu.mmio;
  if (pending === COMPLETE.mmioRead) {
    if (!host.emulator.reads.add({gpa, bytes, value: BigInt.asUintN(8 * bytes, value)}))
      return cannotEmulate(host, 'an instruction reads from more places of user space than KVM keeps');
    return {
      say: `complete_emulated_mmio: user space gave ${hex(BigInt.asUintN(8 * bytes, value))} for GPA ${hex(gpa)}; the instruction is begun anew with it`,
      go: 'x86_emulate_instruction+1',
    };
  }
  if (host.emulator.writes.count === 0)
    return {say: 'complete_emulated_mmio: user space has done the write', go: 'vcpu_enter_guest'};
  passWriteOn(host);
  return {
    say: 'complete_emulated_mmio: one write is done, the next goes to user space',
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}

export const EMULATE_ROUTINES: readonly HostRoutine<Host>[] = [
  {name: 'x86_emulate_instruction', actor: 'hypervisor', steps: [fetchAndDecode, carryOut]},
];
