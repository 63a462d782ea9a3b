// The instruction emulator at work: fetch and decode, carry out, ask user space for what only it has, go on.
// Linux, arch/x86/kvm/x86.c: x86_emulate_instruction, complete_emulated_mmio, vcpu_mmio_read, vcpu_mmio_write;
// arch/x86/kvm/emulate.c: x86_decode_insn, x86_emulate_insn.

import {bit, hex, hexBytes} from '@hyperscope/base';
import type {Trouble} from '@hyperscope/machine';
import {ON_PURPOSE} from '../deliberate-faults.js';
import {answerHandedOver} from './emulated-intercepts.js';
import {elementsAhead, portWriteText} from './emulated-ports.js';
import type {PortAccess} from './emulated-ports.js';
import type {Emulation, FetchedInstruction} from './guest-emulator.js';
import {isSingleStepping} from './guest-debug.js';
import {exceptionName} from './guest-event-name.js';
import {CR0_PG, injectException} from './guest-registers.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {cannotEmulate, cannotFetch, deliveryInterrupted} from './kvm-emulation-failure.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {MmioAccess} from './kvm-mmio.js';
import {COMPLETE} from './kvm-vcpu.js';

const TF = 8;
const DB = 1;
const PF = 14;
/** DR6.BS. */
const SINGLE_STEP = 1n << 14n;

/** KVM goes back to the guest whenever the count passes a multiple of 1,024. */
const ROUNDS_MASK = 0x3ffn;
const NOTED = 'the write lies in a zone of coalesced MMIO: KVM notes it down, and user space sees it at the next exit';

function fetchAndDecode(host: Host): StepResult {
  if (host.isExitPending && host.hardware.interruptedDelivery() !== undefined) return deliveryInterrupted(host);
  const fetched = host.emulator.fetch();
  const {nowhere} = host.emulator;
  if (nowhere !== undefined) return cannotFetch(host, `a fetch at GPA ${hex(nowhere)}`);
  if (!('microcode' in fetched)) return refused(host, fetched, 'the fetch of the instruction');
  const {microcode, rip, gpa, text} = fetched;
  const {bytes, mnemonic} = microcode.instruction;
  if (mnemonic === host.options.undecoded)
    return cannotEmulate(host, `x86_decode_insn does not know ${mnemonic}: ${ON_PURPOSE}`);
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
    case 'handed-over':
      tell(host, fetched, 'completed');
      host.emulator.reads.clear();
      return answerHandedOver(host, emulation.what, fetched.text);
    case 'needs-input':
      tell(host, fetched, 'needs-user-space');
      return askForInput(host, fetched, emulation.access);
    case 'trouble':
      host.emulator.ports.forget();
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

/** INS: the elements of the rounds to come are asked for in one go. */
function askForInput(host: Host, {microcode}: FetchedInstruction, {port, bytes}: PortAccess): StepResult {
  const count = elementsAhead(host, microcode.instruction, bytes);
  host.vcpu.io = {direction: 'in', bytes, port, count};
  host.vcpu.exitReason = KVM_EXIT.IO;
  host.vcpu.set('complete_userspace_io', COMPLETE.inputString);
  const what = `${count} ${count === 1 ? 'element' : 'elements'} of ${8 * bytes} bits from port ${hex(port)}`;
  host.handled('user-space', `no device in the kernel answers at port ${hex(port)}: KVM_EXIT_IO for ${what}`);
  return {say: `the instruction needs ${what}: only user space has them`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

/**
 * The instruction becomes true, and with it as many further rounds of a repeated one as need nobody else: KVM goes back to the
 * guest when the elements that it had read ahead are used up, and after 1,024 rounds at the latest.
 */
function finish(host: Host, fetched: FetchedInstruction, {result}: Extract<Emulation, {kind: 'done'}>): StepResult {
  const {emulator} = host;
  const accesses = [...emulator.accesses];
  const noted = host.coalescedWrites.count;
  const ahead = emulator.ports.hasReadAhead ? 'read ahead' : 'nothing read ahead';
  emulator.writes.clear();
  let rounds = 0;
  let last = result;
  for (;;) {
    const output = emulator.commit();
    if (output === 'no room')
      return cannotEmulate(host, `${fetched.text} writes to more places of user space than KVM keeps`);
    emulator.reads.clear();
    rounds++;
    if (output !== undefined) return putOut(host, fetched, last, output);
    if (last !== 'repeats' || !mayGoOn(host, ahead)) break;
    const next = emulator.execute(fetched.microcode);
    if (next.kind !== 'done') break;
    last = next.result;
  }
  tell(host, fetched, last);
  stepTrap(host);
  const more = rounds === 1 ? '' : `; ${rounds} rounds of it at once`;
  const did = accesses.length === 0 ? 'done' : accesses.join('; ');
  return leaveEmulator(host, `${did}${more}; ${ripText(host, last)}`, accesses, host.coalescedWrites.count > noted);
}

/** Whether another round of a repeated instruction can follow without going back to the guest. */
function mayGoOn(host: Host, ahead: 'read ahead' | 'nothing read ahead'): boolean {
  if (host.emulator.writes.count > 0 || bit(host.hardware.get('RFLAGS'), TF)) return false;
  if (ahead === 'read ahead') return host.emulator.ports.hasReadAhead;
  return (host.vcpu.register('RCX') & ROUNDS_MASK) !== 0n;
}

/** RFLAGS.TF: a trap behind each round. */
function stepTrap(host: Host): void {
  if (!bit(host.hardware.get('RFLAGS'), TF)) return;
  if (isSingleStepping(host)) return host.vcpu.set('singlestep_due', 1n);
  host.vcpu.set('dr6', host.vcpu.get('dr6') | SINGLE_STEP);
  injectException(host, DB);
}

const ripText = (host: Host, result: 'completed' | 'repeats'): string =>
  `guest RIP ${result === 'repeats' ? 'stays, the repetition goes on' : `→ ${hex(host.hardware.get('RIP'))}`}`;

/** An element of OUTS for a device of user space: nothing is left to be done when KVM comes back. */
function putOut(
  host: Host,
  fetched: FetchedInstruction,
  result: 'completed' | 'repeats',
  output: PortAccess,
): StepResult {
  tell(host, fetched, result);
  stepTrap(host);
  host.vcpu.io = {direction: 'out', bytes: output.bytes, port: output.port, count: 1};
  host.vcpu.ioData = output.value;
  host.vcpu.exitReason = KVM_EXIT.IO;
  host.handled('user-space', `no device in the kernel answers at port ${hex(output.port)}: KVM_EXIT_IO`);
  return {
    say: `${portWriteText(output)}, where only user space has a device; ${ripText(host, result)}`,
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}

/** Back to the guest, or on to user space with a write. */
function leaveEmulator(host: Host, did: string, accesses: readonly string[], noted: boolean): StepResult {
  const first = host.emulator.writes.at(0);
  if (first === undefined) {
    host.handled('kvm', noted ? NOTED : 'the instruction emulator and the devices in the kernel could do it all');
    const ring = noted ? `. KVM notes it down: ${host.coalescedWrites.count} writes wait for user space` : '';
    return {say: `${did}${ring}`, go: 'vcpu_enter_guest'};
  }
  const full = host.coalescedWrites.covers(first) ? ', for the ring of coalesced writes is full' : '';
  host.handled('user-space', `${accesses.at(-1) ?? 'a device'} is for user space${full}: KVM_EXIT_MMIO`);
  passWriteOn(host);
  return {say: `${did}. The write goes to user space.`, go: 'kvm_arch_vcpu_ioctl_run+1'};
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
  if (host.emulator.writes.count === 0) {
    // INS into device memory: the elements that wait would be lost if the guest were entered now.
    const go = host.emulator.ports.hasReadAhead ? 'x86_emulate_instruction+1' : 'vcpu_enter_guest';
    return {say: 'complete_emulated_mmio: user space has done the write', go};
  }
  passWriteOn(host);
  return {
    say: 'complete_emulated_mmio: one write is done, the next goes to user space',
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}

/** User space has put the elements of an INS into kvm_run (Linux, complete_emulated_pio). */
export function completeInputString(host: Host): StepResult {
  host.emulator.ports.accept();
  const {count, port} = host.vcpu.io;
  return {
    say: `complete_emulated_pio: user space gave ${count} ${count === 1 ? 'element' : 'elements'} from port ${hex(port)}; the instruction is begun anew with them`,
    go: 'x86_emulate_instruction+1',
  };
}

export const EMULATE_ROUTINES: readonly HostRoutine<Host>[] = [
  {name: 'x86_emulate_instruction', actor: 'hypervisor', steps: [fetchAndDecode, carryOut]},
];
