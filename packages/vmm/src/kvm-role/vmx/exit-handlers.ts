// Exit handlers that decode what VT-x reports, and then call the generic half.
// Linux, arch/x86/kvm/vmx/vmx.c: the functions of the same names.

import {bit, bits, hex} from '@hyperscope/base';
import type {StepResult} from '../../host/host-program.js';
import {debugException, isSingleStepping} from '../guest-debug.js';
import {exceptionName} from '../guest-event-name.js';
import {CR0_PE, injectException, nameOf} from '../guest-registers.js';
import {readControlRegister, writeControlRegister} from '../kvm-cr.js';
import {readDebugRegister, writeDebugRegister} from '../kvm-dr.js';
import {cannotEmulate} from '../kvm-emulation-failure.js';
import {invalidatePage} from '../kvm-exit-handlers.js';
import {hostInterrupt} from '../kvm-interrupts.js';
import {handleIo} from '../kvm-io.js';
import {nestedPageFault} from '../kvm-tdp.js';
import type {VmxHardware} from './vmx-hardware.js';

const DB = 1;
const UD = 6;
const SS = 12;
const GP = 13;
const PF = 14;
const CR0_TS = 8n;
const PRIVILEGED_SOFTWARE_EXCEPTION = 5n;
const SOFTWARE_EXCEPTION = 6n;
/** B0 to B3, BD, BS. */
const DR6_REPORTED = 0xe00fn;

/** An exception that the bitmap asked for: it goes back to the guest it came from. */
export function handleException(hardware: VmxHardware): StepResult {
  const {host, vmx} = hardware;
  const information = vmx.vmread('VM_EXIT_INTERRUPTION_INFORMATION');
  const vector = Number(bits(information, 7, 0));
  const read = `read VM_EXIT_INTERRUPTION_INFORMATION: ${hex(information)}`;
  if (vector === PF && hardware.mmu === 'shadow')
    return {say: `${read}, #PF: whether it is the guest’s own, the shadow MMU decides`, go: 'kvm_handle_page_fault'};
  if (vector === DB && isSingleStepping(host)) return debugException(host, read);
  if (hardware.isInRealMode) return handleRealModeException(hardware, vector, read);
  if (vector === PF) host.vcpu.set('cr2', vmx.vmread('EXIT_QUALIFICATION'));
  if (bit(information, 11)) vmx.vmwrite('VM_ENTRY_EXCEPTION_ERROR_CODE', vmx.vmread('VM_EXIT_INTERRUPTION_ERROR_CODE'));
  vmx.vmwrite('VM_ENTRY_INSTRUCTION_LENGTH', vmx.vmread('VM_EXIT_INSTRUCTION_LENGTH'));
  vmx.vmwrite('VM_ENTRY_INTERRUPTION_INFORMATION', information & ~(1n << 12n));
  const name = exceptionName(vector);
  host.handled('kvm', `${name} is the guest’s own: it is injected back`);
  return {
    say: `${read}, ${name}; the next VM entry injects it`,
    go: 'vcpu_enter_guest',
  };
}

/**
 * A guest in real mode faults in virtual-8086 mode where it would not have: then the instruction is carried out in software.
 * Everything else goes through its vector table. Linux, handle_rmode_exception.
 */
function handleRealModeException({host, vmx}: VmxHardware, vector: number, read: string): StepResult {
  const name = exceptionName(vector);
  if ((vector === GP || vector === SS) && vmx.vmread('VM_EXIT_INTERRUPTION_ERROR_CODE') === 0n)
    return {
      say: `${read}, ${name} in virtual-8086 mode, which the guest takes for real mode: the instruction has to be carried out in software`,
      go: 'x86_emulate_instruction',
    };
  const type = bits(vmx.vmread('VM_EXIT_INTERRUPTION_INFORMATION'), 10, 8);
  if (type === SOFTWARE_EXCEPTION || type === PRIVILEGED_SOFTWARE_EXCEPTION)
    return {
      say: `${read}, ${name} by an instruction of the guest’s: carried out in software, it goes through the vector table of real mode`,
      go: 'x86_emulate_instruction',
    };
  if (vector === DB) host.vcpu.set('dr6', host.vcpu.get('dr6') | (vmx.vmread('EXIT_QUALIFICATION') & DR6_REPORTED));
  host.handled('kvm', `${name} is the guest’s own: KVM delivers it through the vector table of real mode`);
  return {
    say: `${read}: ${host.hardware.inject({kind: 'exception', vector, errorCode: undefined})}`,
    go: 'vcpu_enter_guest',
  };
}

export function handleExternalInterrupt({host, vmx}: VmxHardware): StepResult {
  const vector = Number(bits(vmx.vmread('VM_EXIT_INTERRUPTION_INFORMATION'), 7, 0));
  return hostInterrupt(host, vector, `read VM_EXIT_INTERRUPTION_INFORMATION: vector ${hex(vector)}`);
}

/** Exit qualification: 3:0 register · 5:4 0 MOV to, 1 MOV from, 2 CLTS, 3 LMSW · 11:8 general register · 31:16 LMSW source */
export function handleCr({host, vmx}: VmxHardware): StepResult {
  const qualification = vmx.vmread('EXIT_QUALIFICATION');
  const register = Number(bits(qualification, 3, 0));
  const general = nameOf(Number(bits(qualification, 11, 8)));
  const read = `read EXIT_QUALIFICATION: ${hex(qualification)}`;
  switch (Number(bits(qualification, 5, 4))) {
    case 0: {
      const say = `${read}: MOV to CR${register} from ${general}`;
      return writeControlRegister(host, register, host.hardware.get(general), say);
    }
    case 1:
      return readControlRegister(host, register, general, `${read}: MOV from CR${register} to ${general}`);
    case 2:
      return writeControlRegister(host, 0, host.hardware.get('CR0') & ~CR0_TS, `${read}: CLTS`);
    default: {
      const source = bits(qualification, 31, 16);
      const old = host.hardware.get('CR0');
      const value = (old & ~0xen) | (old & CR0_PE) | (source & 0xfn);
      return writeControlRegister(host, 0, value, `${read}: LMSW of ${hex(source)}`);
    }
  }
}

/** Exit qualification: 2:0 debug register · 4 from it · 11:8 general register. */
export function handleDr({host, vmx}: VmxHardware): StepResult {
  const qualification = vmx.vmread('EXIT_QUALIFICATION');
  const number = Number(bits(qualification, 2, 0));
  const general = nameOf(Number(bits(qualification, 11, 8)));
  return bit(qualification, 4)
    ? readDebugRegister(host, number, general)
    : writeDebugRegister(host, number, () => host.hardware.get(general));
}

export function handleIoInstruction({host, vmx}: VmxHardware): StepResult {
  return handleIo(host, `read EXIT_QUALIFICATION: ${hex(vmx.vmread('EXIT_QUALIFICATION'))}`);
}

export function handleInvlpg({host, vmx}: VmxHardware): StepResult {
  return invalidatePage(host, vmx.vmread('EXIT_QUALIFICATION'));
}

export function handleEptViolation({host, vmx}: VmxHardware): StepResult {
  const qualification = vmx.vmread('EXIT_QUALIFICATION');
  return nestedPageFault(host, `read EXIT_QUALIFICATION: ${hex(qualification)}`);
}

export const handleEptMisconfiguration = ({host}: VmxHardware): StepResult =>
  cannotEmulate(host, 'an EPT entry is malformed');

export const handleDescriptorTables = ({host}: VmxHardware): StepResult => ({
  say: `${host.hardware.exit().title}: the instruction has to be carried out in software`,
  go: 'x86_emulate_instruction',
});

export function handleVmxInstruction({host}: VmxHardware): StepResult {
  const why = 'this KVM does not offer VMX to its guests: #UD';
  injectException(host, UD);
  host.handled('kvm', why);
  return {say: `${host.hardware.exit().title}: ${why}`, go: 'vcpu_enter_guest'};
}
