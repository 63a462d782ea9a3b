// kvm_intel: the vendor half for VT-x. Everything here goes through VMREAD and VMWRITE.
// Linux, arch/x86/kvm/vmx/vmx.c: vmx_x86_ops, and the functions that are named below.

import {bit, bits, hex} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import {exitReasonTitle} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {VmxInstructions, controlMask, primaryControl} from '@hyperscope/machine';
import type {PrimaryControl} from '@hyperscope/machine';
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
import type {HostRoutine} from '../../host/host-program.js';
import {deliverInSoftware} from '../software-delivery.js';
import {isSingleStepping} from '../guest-debug.js';
import type {Host} from '../host-context.js';
import type {VmxOptions} from './controls.js';
import {eventInformation, eventOf} from './event-information.js';
import {decodeIo} from './exit-qualifications.js';
import {VmxGuestState} from './guest-state.js';
import {ShadowGuestState} from './shadow-guest-state.js';
import {whyInvalid} from './valid-state.js';
import {vmxRoutines} from './vmx-routines.js';
import {switchToGuest} from './switched-msrs.js';

const PRIMARY = 'PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS';
const STI_OR_MOV_SS = 3n;
const WRITE_BACK_4_LEVELS = 6n | (3n << 3n);
const ACCESSED_DIRTY = 1n << 6n;
/** Bits that decide what a translation is: PG and WP; PSE, PAE, PGE, PCIDE, SMEP and SMAP; NXE. */
const FLUSHING: Partial<Readonly<Record<Cell, bigint>>> = {CR0: 0x8001_0000n, CR4: 0x32_00b0n, EFER: 0x800n};

export class VmxHardware implements Hardware {
  readonly name = 'VMX';
  readonly writes = 'VMWRITE';
  readonly entryPoints: VendorRoutines = {
    enable: 'vmx_enable_virtualization_cpu',
    createVcpu: 'vmx_vcpu_create',
    run: 'vmx_vcpu_run',
  };
  readonly host: Host;
  readonly options: VmxOptions;
  readonly mmu: MmuKind;
  readonly vmx: VmxInstructions;
  readonly state: VmxGuestState;
  readonly routines: readonly HostRoutine<Host>[];

  constructor(host: Host, mmu: MmuKind, options: VmxOptions) {
    this.host = host;
    this.mmu = mmu;
    this.options = options;
    this.vmx = new VmxInstructions(host.machine);
    const State = mmu === 'nested' ? VmxGuestState : ShadowGuestState;
    this.state = new State(host, this.vmx, options);
    this.routines = vmxRoutines(this);
  }

  /** A guest in real mode that runs in virtual-8086 mode. */
  get isInRealMode(): boolean {
    return this.state instanceof ShadowGuestState && this.state.realMode.isActive;
  }

  get hasVirtualNmis(): boolean {
    return this.options.pin.includes('virtual NMIs');
  }

  // ── the guest's registers ───────────────────────────────────────────────────────────────────────────────────────

  get(cell: Cell): bigint {
    return this.state.get(cell);
  }
  set(cell: Cell, value: bigint): void {
    const flushing = FLUSHING[cell] ?? 0n;
    const changed = flushing === 0n ? 0n : (this.state.get(cell) ^ value) & flushing;
    this.state.set(cell, value);
    if (changed !== 0n) this.#forgetGuest();
  }
  /** A processor would have flushed its TLB with the write that KVM carries out here (Linux, kvm_post_set_cr0, kvm_post_set_cr4). */
  #forgetGuest(): void {
    const vpid = this.options.secondary.includes('enable VPID') ? this.vmx.vmread('VPID') : 0n;
    if (vpid !== 0n) this.vmx.invvpid(Number(vpid), 'all of it');
  }
  held(cell: 'CR0' | 'CR3' | 'CR4' | 'EFER'): bigint {
    return this.state.held(cell);
  }

  /** RIP ← RIP + VM-exit instruction length; blocking by STI and MOV SS ends with the instruction. */
  skipInstruction(): {readonly from: bigint; readonly to: bigint; readonly how: string} {
    const {vmx} = this;
    const from = vmx.vmread('GUEST_RIP');
    const emulated = this.host.vcpu.get('emulated_length');
    const length = emulated === 0n ? vmx.vmread('VM_EXIT_INSTRUCTION_LENGTH') : emulated;
    const code64 = bit(vmx.vmread('GUEST_CS_ACCESS_RIGHTS'), 13);
    const to = BigInt.asUintN(code64 ? 64 : 32, from + length);
    vmx.vmwrite('GUEST_RIP', to);
    if (isSingleStepping(this.host)) this.host.vcpu.set('singlestep_due', 1n);
    const state = vmx.vmread('GUEST_INTERRUPTIBILITY_STATE');
    if ((state & STI_OR_MOV_SS) !== 0n) vmx.vmwrite('GUEST_INTERRUPTIBILITY_STATE', state & ~STI_OR_MOV_SS);
    if (emulated === 0n) return {from, to, how: `read VM_EXIT_INSTRUCTION_LENGTH: ${length}`};
    this.host.vcpu.set('emulated_length', 0n);
    return {from, to, how: `the emulator decoded ${length} bytes`};
  }

  // ── entry and exit ──────────────────────────────────────────────────────────────────────────────────────────────

  prepareSwitchToGuest(): string {
    switchToGuest(this);
    return 'vmx_prepare_switch_to_guest: the guest’s SYSCALL MSRs and XCR0 into the processor';
  }

  /** Asked again only where segments, RFLAGS or CR0 were set by KVM: what the processor left is valid. */
  whyNotEnterable(): string | undefined {
    const {vcpu} = this.host;
    if (vcpu.get('check_guest_state') === 0n) return undefined;
    const why = whyInvalid(this.state);
    if (why === undefined) vcpu.set('check_guest_state', 0n);
    return why;
  }

  /** As vmx_vmexit read it: the VMCS is asked once for each exit. */
  exit(): HardwareExit {
    const reason = Number(bits(this.host.vcpu.get('exit_reason'), 15, 0));
    return {reason, title: exitReasonTitle(reason)};
  }
  ioExit(): IoExit {
    return decodeIo(this.vmx.vmread('EXIT_QUALIFICATION'));
  }
  nestedFault(): NestedFault {
    const qualification = this.vmx.vmread('EXIT_QUALIFICATION');
    return {
      gpa: Number(this.vmx.vmread('GUEST_PHYSICAL_ADDRESS')),
      access: bit(qualification, 2) ? 'fetch' : bit(qualification, 1) ? 'write' : 'read',
      by: bit(qualification, 8) ? 'access' : 'page walk',
    };
  }
  pageFault(): PageFaultExit {
    return {
      linear: this.vmx.vmread('EXIT_QUALIFICATION'),
      errorCode: Number(this.vmx.vmread('VM_EXIT_INTERRUPTION_ERROR_CODE')),
    };
  }
  /** In real mode it can only be an INT n, at which RIP still is: nothing is lost. */
  interruptedDelivery(): GuestEvent | undefined {
    if (this.isInRealMode) return undefined;
    return eventOf(
      this.vmx.vmread('IDT_VECTORING_INFORMATION'),
      () => this.vmx.vmread('IDT_VECTORING_ERROR_CODE'),
      () => this.vmx.vmread('VM_EXIT_INSTRUCTION_LENGTH'),
    );
  }

  // ── events for the guest ────────────────────────────────────────────────────────────────────────────────────────

  /** Linux, vmx_inject_exception, vmx_inject_irq, vmx_inject_nmi. */
  inject(event: GuestEvent): string {
    const {vmx} = this;
    if (event.kind === 'nmi' && !this.hasVirtualNmis) this.state.set('NMI_BLOCKING', 1n);
    if (this.isInRealMode) return deliverInSoftware(this.host, event);
    const sent = event.kind === 'exception' ? this.#withoutCodeInRealMode(event) : event;
    if (sent.kind === 'exception' && sent.errorCode !== undefined)
      vmx.vmwrite('VM_ENTRY_EXCEPTION_ERROR_CODE', BigInt(sent.errorCode));
    if (sent.kind === 'software') vmx.vmwrite('VM_ENTRY_INSTRUCTION_LENGTH', BigInt(sent.length));
    const information = eventInformation(sent);
    vmx.vmwrite('VM_ENTRY_INTERRUPTION_INFORMATION', information);
    return `VMWRITE VM_ENTRY_INTERRUPTION_INFORMATION ${hex(information)}`;
  }

  /** Real mode pushes no error codes. */
  #withoutCodeInRealMode(event: Extract<GuestEvent, {kind: 'exception'}>): GuestEvent {
    if (event.errorCode === undefined || bit(this.get('CR0'), 0)) return event;
    return {...event, errorCode: undefined};
  }

  pendingInjection(): GuestEvent | undefined {
    return eventOf(
      this.vmx.vmread('VM_ENTRY_INTERRUPTION_INFORMATION'),
      () => this.vmx.vmread('VM_ENTRY_EXCEPTION_ERROR_CODE'),
      () => this.vmx.vmread('VM_ENTRY_INSTRUCTION_LENGTH'),
    );
  }

  setInterruptWindow(state: 'on' | 'off'): string {
    const keep = !this.hasVirtualNmis && this.host.vcpu.get('nmi_window') !== 0n;
    return this.#setPrimary('interrupt-window exiting', keep ? 'on' : state);
  }
  /** Without virtual NMIs nothing tells when the guest's handler is done: KVM waits until the guest takes interrupts again. */
  setNmiWindow(state: 'on' | 'off'): string {
    if (this.hasVirtualNmis) return this.#setPrimary('NMI-window exiting', state);
    const keep = this.host.vcpu.get('irq_window') !== 0n;
    return this.#setPrimary('interrupt-window exiting', keep ? 'on' : state);
  }
  #setPrimary(control: PrimaryControl, state: 'on' | 'off'): string {
    const mask = controlMask(primaryControl(control));
    const word = this.vmx.vmread(PRIMARY);
    this.vmx.vmwrite(PRIMARY, state === 'on' ? word | mask : word & ~mask);
    return `${control} ← ${state === 'on' ? 1 : 0}`;
  }

  // ── the guest's memory ──────────────────────────────────────────────────────────────────────────────────────────

  loadMmuRoot(root: Hpa): void {
    if (this.mmu === 'shadow') this.vmx.vmwrite('GUEST_CR3', BigInt(root));
    else this.vmx.vmwrite('EPT_POINTER', this.eptPointer(root));
  }
  eptPointer(root: Hpa): bigint {
    const flags = WRITE_BACK_4_LEVELS | (this.options.accessedDirtyFlags === 'on' ? ACCESSED_DIRTY : 0n);
    return BigInt(root) | flags;
  }
  /** Without VPID every VM entry and VM exit empties the TLB: nothing is left to forget. */
  flushTlb(): void {
    if (this.mmu === 'nested') this.vmx.invept(this.vmx.vmread('EPT_POINTER'));
  }
}
