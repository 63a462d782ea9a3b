// What a VMM without hardware for virtualization did: instructions that it carried out on the virtual CPU, interrupts that it
// delivered there, and what the guest believes to be in its registers since.

import {hex} from '@hyperscope/base';
import type {HypervisorEvent} from '@hyperscope/vmm';
import type {Explanation} from '../session-view.js';
import {explanation, sentence} from './explanation.js';

type VirtualCpuEvent = Extract<HypervisorEvent, {kind: 'virtual-cpu'}>;
type Emulation = Extract<HypervisorEvent, {kind: 'emulation'}>;
type Injection = Extract<HypervisorEvent, {kind: 'injection'}>;

const TRAP_AND_EMULATE = 'Adams and Agesen 2006, section 2, "Classical virtualization"';
const VIRTUAL_CPU = 'Adams and Agesen 2006, section 2.2, "Primary and shadow structures"';

/** 'virtual CR3 0x0 → 0x1000' */
export function virtualCpuLabel({register, from, to}: VirtualCpuEvent): string {
  return `virtual ${register} ${hex(from)} → ${hex(to)}`;
}

export function explainVirtualCpu(event: VirtualCpuEvent): Explanation {
  const {register, from, to, why} = event;
  return explanation({
    title: `The guest believes: ${register} = ${hex(to)}`,
    sentences: [
      `The virtual CPU’s ${register} went from ${hex(from)} to ${hex(to)}. The processor’s own ${register} is the VMM’s affair.`,
      sentence(why),
    ],
    sources: [VIRTUAL_CPU],
  });
}

const OUTCOMES: Readonly<Record<Emulation['outcome'], string>> = {
  completed: 'It is done, and the guest goes on behind it.',
  repeats: 'One round of the repetition is done; RIP stays at the instruction.',
  'needs-user-space': 'A device has to be asked first.',
  fault: 'It faults there too, so the fault is the guest’s own, and is delivered through the guest’s IDT.',
  failed: 'The VMM cannot go on with it.',
};

export function explainVmmEmulation({text, rip, outcome, accesses}: Emulation): Explanation {
  return explanation({
    title: `The VMM carries out ${text} on the virtual CPU`,
    sentences: [
      `The processor would not carry out ${text} at ${hex(rip)} outside ring 0, or not on what lies behind its addresses. The VMM does it with the guest’s own registers and tables, by the same rules.`,
      ...(accesses.length === 0 ? [] : [`It had to ${accesses.join(', then ')}.`]),
      OUTCOMES[outcome],
    ],
    sources: [TRAP_AND_EMULATE],
  });
}

export function explainVmmInjection({vector, decision, why}: Injection): Explanation {
  const injected = decision === 'injected';
  return explanation({
    title: injected
      ? `The VMM delivers interrupt ${hex(vector, 2)} to the guest`
      : `Interrupt ${hex(vector, 2)} must wait for the guest’s next trap`,
    sentences: [
      injected
        ? `The VMM pushes the frame on the guest’s stack and takes the handler’s address from the guest’s own IDT, as the guest’s processor would.`
        : `Interrupt ${hex(vector, 2)} cannot be delivered now, and nothing will tell the VMM when it can: it looks again whenever the guest traps.`,
      sentence(why),
    ],
    sources: [TRAP_AND_EMULATE],
  });
}
