// Back to the guest: first whatever interrupts wait for its virtual interrupt flag, then the processor's registers, then IRET.

import {hex} from '@hyperscope/base';
import type {DeliverableEvent} from '@hyperscope/machine';
import type {StepResult} from '../host/host-program.js';
import {loadControlRegisters, loadGuest, modeDiffers, whyNotNative} from './guest-entry.js';
import {enterMode} from './vmm-environment.js';
import {placeOf, routine} from './vmm.js';
import type {Vmm, VmmRoutine} from './vmm.js';

const RFLAGS_IF = 1n << 9n;
/** In ACTIVITY. */
export const HALTED = 1n;
const NMI_VECTOR = 2;

export const virtualIf = ({vcpu}: Vmm): boolean => (vcpu.get('RFLAGS') & RFLAGS_IF) !== 0n;

/** What the guest can take now: an NMI, or the interrupt that the virtual controllers ask for. */
export function deliverable(vmm: Vmm): DeliverableEvent | undefined {
  const {vcpu, chipset} = vmm;
  const shadow = vcpu.get('INTERRUPT_SHADOW');
  const returnRip = vcpu.get('RIP');
  if (vcpu.slot('nmi_pending') !== 0 && vcpu.get('NMI_BLOCKING') === 0n && (shadow & 2n) === 0n)
    return {type: 'NMI', vector: NMI_VECTOR, errorCode: undefined, returnRip};
  const vector = chipset.requested;
  if (vector === undefined || shadow !== 0n || !virtualIf(vmm)) return undefined;
  return {type: 'external-interrupt', vector, errorCode: undefined, returnRip};
}

/** What has to be done before the guest can have the processor again. */
export function beforeReturn(vmm: Vmm): StepResult {
  if (vmm.outcome !== undefined) return {say: 'the guest’s run is over', go: 'vmm_return'};
  const event = deliverable(vmm);
  if (event !== undefined) return inject(vmm, event);
  if (vmm.vcpu.get('ACTIVITY') === HALTED) return wait(vmm);
  noteWaiting(vmm);
  // STI and MOV SS hold interrupts back for one instruction; the processor, which did not execute them, knows nothing of it.
  if (vmm.vcpu.get('INTERRUPT_SHADOW') !== 0n)
    return {
      say: 'interrupts are held back for one more instruction of the guest: it is emulated too',
      go: 'vmm_emulate',
    };
  const obstacle = whyNotNative(vmm);
  if (obstacle !== undefined) return {say: `${obstacle}: the next instruction is emulated`, go: 'vmm_emulate'};
  if (modeDiffers(vmm)) return {say: 'the guest is in the other great mode of the processor', go: 'vmm_switch_mode'};
  return {say: `nothing waits that the guest could take: on to ${placeOf(vmm.vcpu)}`, go: 'vmm_resume'};
}

function inject(vmm: Vmm, event: DeliverableEvent): StepResult {
  const {vcpu, virtual, chipset} = vmm;
  if (event.type === 'NMI') vcpu.setSlot('nmi_pending', 0);
  else chipset.acknowledge();
  vcpu.set('ACTIVITY', 0n);
  if (event.type === 'NMI') vcpu.set('NMI_BLOCKING', 1n);
  const why = event.type === 'NMI' ? 'an NMI asks no flag' : 'the virtual IF is 1';
  vmm.tell({kind: 'injection', by: 'VMM', vector: event.vector, decision: 'injected', why});
  vcpu.setSlot('interrupt_noted', 0);
  virtual.load();
  const outcome = virtual.interrupt(event);
  if (outcome === 'shutdown') vmm.finish({kind: 'triple-fault', chain: virtual.chain});
  else if (outcome !== 'delivered')
    vmm.finish({kind: 'unsupported', address: vcpu.get('RIP'), bytes: new Uint8Array(), what: outcome});
  else vmm.commit(`interrupt ${hex(event.vector)} delivered through the guest’s own IDT`);
  return {
    say: `vector ${hex(event.vector)}, ${why}: delivered through the guest’s own IDT, on to ${placeOf(vcpu)}`,
    go: 'vmm_return',
  };
}

/** An interrupt that the guest cannot take: the VMM looks again at the guest's next trap, and not before. */
function noteWaiting(vmm: Vmm): void {
  const {vcpu, chipset} = vmm;
  const vector = chipset.requested;
  const isNoted = vcpu.slot('interrupt_noted') !== 0;
  if (vector === undefined) vcpu.setSlot('interrupt_noted', 0);
  else if (!isNoted) {
    vcpu.setSlot('interrupt_noted', 1);
    const why = 'the virtual IF is 0: the VMM looks again when the guest traps';
    vmm.tell({kind: 'injection', by: 'VMM', vector, decision: 'window-requested', why});
  }
}

/** HLT: the VMM waits in the guest's place, until a device's time is up. */
function wait(vmm: Vmm): StepResult {
  const {machine, chipset} = vmm;
  const until = virtualIf(vmm) ? chipset.clock.nextWake : Infinity;
  if (until === Infinity) {
    vmm.finish({kind: 'halted'});
    const off = virtualIf(vmm) ? '' : ' with its virtual IF = 0';
    return {
      say: `the guest has halted${off}, and no device has an interrupt for it: the run is over`,
      go: 'vmm_return',
    };
  }
  machine.processor.charge(Math.max(0, until - machine.cycles));
  chipset.clock.run();
  return {say: 'the guest has halted: the VMM waits until a device’s time is up', go: 'vmm_return'};
}

function switchMode(vmm: Vmm): StepResult {
  const mode = vmm.isGuestLong ? 'IA-32e' : 'protected';
  enterMode(vmm.machine, mode);
  vmm.descriptors.rebuild('GDT');
  vmm.descriptors.rebuild('LDT');
  return {
    say: `paging off, EFER.LME ← ${vmm.isGuestLong ? 1 : 0}, paging on, far jump: the processor is in ${mode === 'IA-32e' ? 'IA-32e mode' : '32-bit protected mode'}, with the VMM’s tables of that format; the guest’s rings are ${vmm.layout}`,
    go: 'vmm_resume',
  };
}

function resume(vmm: Vmm): StepResult {
  const root = loadControlRegisters(vmm);
  const {cs, flags} = loadGuest(vmm);
  return {
    say: `CR3 ← ${hex(root)}, a shadow root; the frame for IRET has CS ${hex(cs)} (ring ${vmm.guestRing}) and RFLAGS ${hex(flags)}, with the real IF = 1 and IOPL = 0; the guest believes CS ${hex(vmm.vcpu.get('CS.selector'))}, CPL ${vmm.virtualRing}, IF ${virtualIf(vmm) ? 1 : 0}`,
    go: 'processor',
  };
}

function start(vmm: Vmm): StepResult {
  vmm.descriptors.rebuild('GDT');
  vmm.descriptors.rebuild('LDT');
  return {
    say: `the guest’s registers are in the virtual CPU; shadow GDT and LDT follow its tables; rings ${vmm.layout}`,
    go: 'vmm_return',
  };
}

export const RETURN_ROUTINES: readonly VmmRoutine[] = [
  routine('vmm_start', start),
  routine('vmm_return', beforeReturn),
  routine('vmm_switch_mode', switchMode),
  routine('vmm_resume', resume),
];
