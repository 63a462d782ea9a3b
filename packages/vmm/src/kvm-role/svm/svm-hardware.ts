// kvm_amd: KVM's vendor half for SVM. Where kvm_intel asks the processor with VMREAD and VMWRITE, this reads and writes the
// VMCB, which is memory like any other. Linux, arch/x86/kvm/svm/svm.c: svm_x86_ops.

import {bit, bits, hex} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import {svmExitCode} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {SvmInstructions} from '@hyperscope/machine';
import type {Vmcb} from '@hyperscope/machine';
import type {HostRoutine} from '../../host/host-program.js';
import type {
  GuestEvent,
  Hardware,
  HardwareExit,
  IoExit,
  MmuKind,
  NestedFault,
  PageFaultExit,
  VendorRoutines,
} from '../hardware.js';
import type {Host} from '../host-context.js';
import {SvmGuestState} from './guest-state.js';
import {eventInjection, interruptedEvent, pendingEvent} from './events.js';
import {decodeIo} from './io-interception.js';
import {maskNmi, requestNmiWindow} from './nmi-window.js';
import {svmRoutines} from './svm-routines.js';
import {switchToGuest} from './switched-registers.js';
import {setBit, setIntercept} from './vmcb-controls.js';
import type {SvmOptions} from './vmcb-controls.js';

const CR0_WP = 1n << 16n;
const CR0_CD_NW = 3n << 29n;
const CR0_PG = 1n << 31n;
const CR0_PAGING = CR0_PG | CR0_WP;
const CR4_PAE = 1n << 5n;
/** PSE PAE PGE SMEP SMAP. */
const CR4_PAGING = 0x30_00b0n;
/** SMEP, SMAP, PKE: without paging of the guest's own they have nothing to protect. */
const CR4_NEEDS_PAGING = 7n << 20n;
const EFER_LME = 1n << 8n;
const EFER_LMA = 1n << 10n;
const EFER_NXE = 1n << 11n;
const EFER_SVME = 1n << 12n;
const IOIO = 0x7b;
const FLUSH_ALL = 1n;
const IN_GUEST_TABLES = 33;
const V_IRQ = 1n << 8n;
const V_INTR_PRIO = 0xfn << 16n;
const WRITE = 1;
const FETCH = 4;
const CS_LONG = 13;

export class SvmHardware implements Hardware {
  readonly name = 'SVM';
  readonly writes = 'VMCB:';
  readonly entryPoints: VendorRoutines = {
    enable: 'svm_enable_virtualization_cpu',
    createVcpu: 'svm_vcpu_create',
    run: 'svm_vcpu_run',
  };
  readonly host: Host;
  readonly mmu: MmuKind;
  readonly options: SvmOptions;
  readonly svm: SvmInstructions;
  readonly state: SvmGuestState;
  readonly routines: readonly HostRoutine<Host>[];

  constructor(host: Host, mmu: MmuKind, options: SvmOptions) {
    this.host = host;
    this.mmu = mmu;
    this.options = options;
    this.svm = new SvmInstructions(host.machine);
    this.state = new SvmGuestState(host.machine.memory);
    this.routines = svmRoutines(this);
  }

  get vmcb(): Vmcb {
    return this.state.vmcb;
  }

  // ── the guest's registers ───────────────────────────────────────────────────────────────────────────────────────

  get(cell: Cell): bigint {
    if (cell === 'TSC') return BigInt.asUintN(64, this.host.machine.registers.get('TSC') + this.vmcb.get('TSC_OFFSET'));
    return this.state.get(cell) ?? 0n;
  }

  set(cell: Cell, value: bigint): void {
    switch (cell) {
      case 'CR0':
        return this.#setCr0(value);
      case 'CR3':
        this.state.set('CR3', value);
        if (this.mmu === 'nested') this.vmcb.set('CR3', value);
        return undefined;
      case 'CR4':
        return this.#setCr4(value);
      case 'EFER':
        return this.#setEfer(value);
      case 'TSC':
        return this.vmcb.set('TSC_OFFSET', value - this.host.machine.registers.get('TSC'));
      default:
        return this.state.set(cell, value);
    }
  }

  /**
   * Linux, svm_set_cr0. With nested paging the processor holds what the guest believes, but for the caches, which stay on; as
   * long as it does, only writes of more than TS and MP exit. With shadow paging PG and WP are always 1.
   */
  #setCr0(value: bigint): void {
    const efer = this.get('EFER');
    if ((efer & EFER_LME) !== 0n) {
      const long = (value & CR0_PG) === 0n ? efer & ~EFER_LMA : efer | EFER_LMA;
      if (long !== efer) this.#setEfer(long);
    }
    this.#flushOnChange(this.get('CR0') ^ value, CR0_PAGING);
    this.state.set('CR0', value);
    const held = (value & ~CR0_CD_NW) | (this.mmu === 'shadow' ? CR0_PG | CR0_WP : 0n);
    this.vmcb.set('CR0', held);
    const intercepted = held === value ? 'off' : 'on';
    setBit(this.vmcb, 'INTERCEPT_CR_READ', 0, intercepted);
    setBit(this.vmcb, 'INTERCEPT_CR_WRITE', 0, intercepted);
    if (this.mmu === 'shadow') this.#setCr4(this.get('CR4'));
  }

  /** Linux, svm_set_cr4. Shadow page tables have entries of 8 bytes, whatever the guest's have. */
  #setCr4(value: bigint): void {
    this.#flushOnChange(this.get('CR4') ^ value, CR4_PAGING);
    this.state.set('CR4', value);
    const needless = (this.get('CR0') & CR0_PG) === 0n ? CR4_NEEDS_PAGING : 0n;
    this.vmcb.set('CR4', this.mmu === 'shadow' ? (value | CR4_PAE) & ~needless : value);
  }

  /** Linux, svm_set_efer. SVME has to be set in a guest too; shadow paging needs NX, and LME only together with LMA. */
  #setEfer(value: bigint): void {
    this.#flushOnChange(this.get('EFER') ^ value, EFER_NXE);
    this.state.set('EFER', value);
    const isLong = (value & EFER_LMA) !== 0n;
    const shadowed = (isLong ? value : value & ~EFER_LME) | EFER_NXE;
    this.vmcb.set('EFER', (this.mmu === 'shadow' ? shadowed : value) | EFER_SVME);
  }

  /** A processor would have flushed its TLB with the write that KVM carries out here (Linux, kvm_post_set_cr0, kvm_post_set_cr4). */
  #flushOnChange(changed: bigint, mask: bigint): void {
    if ((changed & mask) !== 0n) this.flushTlb();
  }

  held(cell: 'CR0' | 'CR3' | 'CR4' | 'EFER'): bigint {
    return this.vmcb.get(cell);
  }

  /** NRIP where the processor tells it; EXITINFO2 of I/O instructions always does; else the instruction is decoded. */
  skipInstruction(): {readonly from: bigint; readonly to: bigint; readonly how: string} {
    const from = this.get('RIP');
    const {next, how} = this.#nextRip(from);
    const to = bit(this.get('CS.attributes'), CS_LONG) ? next : BigInt.asUintN(32, next);
    this.vmcb.set('RIP', to);
    if (this.get('INTERRUPT_SHADOW') !== 0n) this.vmcb.set('INTERRUPT_SHADOW', 0n);
    return {from, to, how};
  }

  #nextRip(rip: bigint): {readonly next: bigint; readonly how: string} {
    const told = this.host.machine.processor.features.nrips ? this.vmcb.get('NRIP') : 0n;
    if (told !== 0n) return {next: told, how: `read NRIP: ${hex(told)}`};
    if (this.exitCode === IOIO) {
      const next = this.vmcb.get('EXITINFO2');
      return {next, how: `read EXITINFO2: ${hex(next)}`};
    }
    const fetched = this.host.emulator.fetch();
    const length = 'microcode' in fetched ? fetched.microcode.instruction.bytes.length : 0;
    return {next: rip + BigInt(length), how: `this processor tells no next RIP: fetched and decoded ${length} bytes`};
  }

  // ── entry and exit ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Linux, svm_prepare_switch_to_guest. */
  prepareSwitchToGuest(): string {
    this.svm.vmsave(this.hostSaveArea);
    switchToGuest(this);
    return 'svm_prepare_switch_to_guest: VMSAVE keeps the host’s FS, GS, TR and SYSCALL MSRs; the guest’s TSC_AUX and XCR0 into the processor';
  }
  get hostSaveArea(): number {
    return Number(this.host.machine.registers.get('VM_HSAVE_PA'));
  }

  /** EXITCODE as a number: −1 for VMEXIT_INVALID. */
  get exitCode(): number {
    return Number(BigInt.asIntN(64, this.vmcb.get('EXITCODE')));
  }
  exit(): HardwareExit {
    return {reason: this.exitCode, title: svmExitCode(this.exitCode).title};
  }
  ioExit(): IoExit {
    return decodeIo(this);
  }
  nestedFault(): NestedFault {
    const info = this.vmcb.get('EXITINFO1');
    const access = bit(info, FETCH) ? 'fetch' : bit(info, WRITE) ? 'write' : 'read';
    return {
      gpa: Number(this.vmcb.get('EXITINFO2')),
      access,
      by: bit(info, IN_GUEST_TABLES) ? 'page walk' : 'access',
    };
  }
  pageFault(): PageFaultExit {
    return {linear: this.vmcb.get('EXITINFO2'), errorCode: Number(bits(this.vmcb.get('EXITINFO1'), 31, 0))};
  }
  interruptedDelivery(): GuestEvent | undefined {
    return interruptedEvent(this.vmcb);
  }

  // ── events for the guest ────────────────────────────────────────────────────────────────────────────────────────

  inject(event: GuestEvent): string {
    const sent = this.#withoutCodeInRealMode(event);
    const information = eventInjection(sent);
    if (sent.kind === 'exception' && sent.errorCode !== undefined)
      this.vmcb.set('EVENTINJ_ERROR_CODE', BigInt(sent.errorCode));
    if (event.kind === 'software') this.vmcb.set('NRIP', this.get('RIP') + BigInt(event.length));
    this.vmcb.set('EVENTINJ', information);
    const written = `VMCB: EVENTINJ ${hex(information)}`;
    return event.kind === 'nmi' ? `${written}; ${maskNmi(this)}` : written;
  }
  /** Real mode pushes no error codes. */
  #withoutCodeInRealMode(event: GuestEvent): GuestEvent {
    if (event.kind !== 'exception' || event.errorCode === undefined || bit(this.get('CR0'), 0)) return event;
    return {...event, errorCode: undefined};
  }
  pendingInjection(): GuestEvent | undefined {
    return pendingEvent(this.vmcb);
  }

  /** Linux, svm_set_vintr, svm_clear_vintr: a virtual interrupt of no vector that is intercepted instead of taken. */
  setInterruptWindow(state: 'on' | 'off'): string {
    const others = this.vmcb.get('VIRTUAL_INTERRUPT') & ~(V_IRQ | V_INTR_PRIO);
    this.vmcb.set('VIRTUAL_INTERRUPT', state === 'on' ? others | V_IRQ | V_INTR_PRIO : others);
    setIntercept(this.vmcb, 'VINTR', state);
    return state === 'on'
      ? 'V_IRQ ← 1 with the highest priority, VINTR intercept ← 1'
      : 'V_IRQ ← 0, VINTR intercept ← 0';
  }
  setNmiWindow(state: 'on' | 'off'): string {
    return requestNmiWindow(this, state);
  }

  // ── the guest's memory ──────────────────────────────────────────────────────────────────────────────────────────

  /** With another CR3 in the VMCB, what the TLB holds for the guest's ASID is of the old one. */
  loadMmuRoot(root: Hpa): void {
    this.flushTlb();
    this.vmcb.set(this.mmu === 'nested' ? 'N_CR3' : 'CR3', BigInt(root));
  }
  /** INVLPGA for one page; for all of them, TLB_CONTROL of the next VMRUN. */
  flushTlb(linear?: bigint): void {
    if (linear === undefined) this.vmcb.set('TLB_CONTROL', FLUSH_ALL);
    else this.svm.invlpga(linear, Number(this.vmcb.get('GUEST_ASID')));
  }
}
