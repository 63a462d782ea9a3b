// kvm_intel: the vendor half for VT-x. Everything here goes through VMREAD and VMWRITE.
// Linux, arch/x86/kvm/vmx/vmx.c: vmx_x86_ops, and the functions that are named below.

import {bit, bits, hex} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import {GENERAL_REGISTERS, exitReasonTitle} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {VmxInstructions, controlMask, primaryControl} from '@hyperscope/machine';
import type {PrimaryControl} from '@hyperscope/machine';
import type {
  GuestEvent,
  Hardware,
  HardwareExit,
  IoExit,
  NestedFault,
  PageFaultExit,
  VendorRoutines,
} from '../hardware.js';
import type {HostRoutine} from '../../host/host-program.js';
import type {Host} from '../host-context.js';
import type {VmxOptions} from './controls.js';
import {eventInformation, eventOf} from './event-information.js';
import {decodeIo} from './exit-qualifications.js';
import {setCr0, setCr4, setEfer} from './control-registers.js';
import {IN_VCPU, IN_VMCS} from './vmcs-cells.js';
import {vmxRoutines} from './vmx-routines.js';
import {switchToGuest} from './switched-msrs.js';

const PRIMARY = 'PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS';
const STI_OR_MOV_SS = 3n;
const NMI_BLOCKING = 8n;
const WRITE_BACK_4_LEVELS = 6n | (3n << 3n);
const ACCESSED_DIRTY = 1n << 6n;

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
  readonly vmx: VmxInstructions;
  readonly routines: readonly HostRoutine<Host>[];

  constructor(host: Host, options: VmxOptions) {
    this.host = host;
    this.options = options;
    this.vmx = new VmxInstructions(host.machine);
    this.routines = vmxRoutines(this);
  }

  // ── the guest's registers ───────────────────────────────────────────────────────────────────────────────────────

  get(cell: Cell): bigint {
    const {vmx, host} = this;
    switch (cell) {
      case 'CR0':
      case 'CR4':
        return this.#believed(cell);
      case 'CPL':
        return (vmx.vmread('GUEST_SS_ACCESS_RIGHTS') >> 5n) & 3n;
      case 'INTERRUPT_SHADOW':
        return vmx.vmread('GUEST_INTERRUPTIBILITY_STATE') & STI_OR_MOV_SS;
      case 'NMI_BLOCKING':
        return (vmx.vmread('GUEST_INTERRUPTIBILITY_STATE') & NMI_BLOCKING) >> 3n;
      case 'TSC':
        return BigInt.asUintN(64, host.machine.registers.get('TSC') + vmx.vmread('TSC_OFFSET'));
      default:
        return this.#plain(cell);
    }
  }

  /** Host-owned bits of CR0 and CR4 are in the read shadow. */
  #believed(cell: 'CR0' | 'CR4'): bigint {
    const owned = cell === 'CR0' ? this.options.cr0GuestOwned : this.options.cr4GuestOwned;
    return (this.vmx.vmread(`GUEST_${cell}`) & owned) | (this.vmx.vmread(`${cell}_READ_SHADOW`) & ~owned);
  }

  #plain(cell: Cell): bigint {
    const field = IN_VMCS.get(cell);
    if (field !== undefined) return this.vmx.vmread(field);
    const slot = IN_VCPU.get(cell);
    if (slot !== undefined) return this.host.vcpu.get(slot);
    const general = GENERAL_REGISTERS.find(name => name === cell);
    return general === undefined ? 0n : this.host.vcpu.register(general);
  }

  set(cell: Cell, value: bigint): void {
    switch (cell) {
      case 'CR0':
        setCr0(this, value);
        return;
      case 'CR4':
        setCr4(this, value, bit(this.vmx.vmread('CR0_READ_SHADOW'), 31) ? 'paging' : 'no paging');
        return;
      case 'EFER':
        setEfer(this, value);
        return;
      case 'INTERRUPT_SHADOW':
        this.#setInterruptibility(STI_OR_MOV_SS, value);
        return;
      case 'NMI_BLOCKING':
        this.#setInterruptibility(NMI_BLOCKING, value << 3n);
        return;
      case 'TSC':
        this.vmx.vmwrite('TSC_OFFSET', BigInt.asUintN(64, value - this.host.machine.registers.get('TSC')));
        return;
      default:
        this.#setPlain(cell, value);
    }
  }

  #setInterruptibility(mask: bigint, value: bigint): void {
    const others = this.vmx.vmread('GUEST_INTERRUPTIBILITY_STATE') & ~mask;
    this.vmx.vmwrite('GUEST_INTERRUPTIBILITY_STATE', others | value);
  }

  #setPlain(cell: Cell, value: bigint): void {
    const field = IN_VMCS.get(cell);
    if (field !== undefined) {
      this.vmx.vmwrite(field, value);
      return;
    }
    const slot = IN_VCPU.get(cell);
    const general = GENERAL_REGISTERS.find(name => name === cell);
    if (slot !== undefined) this.host.vcpu.set(slot, value);
    else if (general !== undefined) this.host.vcpu.setRegister(general, value);
  }

  held(cell: 'CR0' | 'CR3' | 'CR4' | 'EFER'): bigint {
    return this.vmx.vmread(cell === 'EFER' ? 'GUEST_IA32_EFER' : `GUEST_${cell}`);
  }

  /** RIP ← RIP + VM-exit instruction length; blocking by STI and MOV SS ends with the instruction. */
  skipInstruction(): {readonly from: bigint; readonly to: bigint; readonly how: string} {
    const {vmx} = this;
    const from = vmx.vmread('GUEST_RIP');
    const length = vmx.vmread('VM_EXIT_INSTRUCTION_LENGTH');
    const code64 = bit(vmx.vmread('GUEST_CS_ACCESS_RIGHTS'), 13);
    const to = BigInt.asUintN(code64 ? 64 : 32, from + length);
    vmx.vmwrite('GUEST_RIP', to);
    const state = vmx.vmread('GUEST_INTERRUPTIBILITY_STATE');
    if ((state & STI_OR_MOV_SS) !== 0n) vmx.vmwrite('GUEST_INTERRUPTIBILITY_STATE', state & ~STI_OR_MOV_SS);
    return {from, to, how: `read VM_EXIT_INSTRUCTION_LENGTH: ${length}`};
  }

  // ── entry and exit ──────────────────────────────────────────────────────────────────────────────────────────────

  prepareSwitchToGuest(): string {
    switchToGuest(this);
    return 'vmx_prepare_switch_to_guest: the guest’s SYSCALL MSRs and XCR0 into the processor';
  }

  /** As vmx_vmexit read it: the VMCS is asked once for each exit. */
  exit(): HardwareExit {
    const reason = Number(bits(this.host.vcpu.get('exit_reason'), 15, 0));
    return {reason, title: exitReasonTitle(reason)};
  }
  ioExit(): IoExit {
    const {vmx} = this;
    const plain = decodeIo(vmx.vmread('EXIT_QUALIFICATION'));
    if (plain.form === 'plain') return {...plain, linear: 0n, addressWidth: 32};
    // VM-exit instruction information 9:7: 0, 1, 2 for 16, 32, 64 bits.
    const code = bits(vmx.vmread('VM_EXIT_INSTRUCTION_INFORMATION'), 9, 7);
    const addressWidth = code === 2n ? 64 : code === 1n ? 32 : 16;
    return {...plain, linear: vmx.vmread('GUEST_LINEAR_ADDRESS'), addressWidth};
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
  interruptedDelivery(): GuestEvent | undefined {
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
    return this.#setPrimary('interrupt-window exiting', state);
  }
  setNmiWindow(state: 'on' | 'off'): string {
    return this.#setPrimary('NMI-window exiting', state);
  }
  #setPrimary(control: PrimaryControl, state: 'on' | 'off'): string {
    const mask = controlMask(primaryControl(control));
    const word = this.vmx.vmread(PRIMARY);
    this.vmx.vmwrite(PRIMARY, state === 'on' ? word | mask : word & ~mask);
    return `${control} ← ${state === 'on' ? 1 : 0}`;
  }

  // ── the guest's memory ──────────────────────────────────────────────────────────────────────────────────────────

  loadMmuRoot(root: Hpa): void {
    this.vmx.vmwrite('EPT_POINTER', this.eptPointer(root));
  }
  eptPointer(root: Hpa): bigint {
    const flags = WRITE_BACK_4_LEVELS | (this.options.accessedDirtyFlags === 'on' ? ACCESSED_DIRTY : 0n);
    return BigInt(root) | flags;
  }
  flushTlb(): void {
    this.vmx.invept(this.vmx.vmread('EPT_POINTER'));
  }
}
