// What the hypervisor's own code did: named steps, the KVM_RUN boundary, how an exit was answered.

import {assertUnreachable, hex} from '@hyperscope/base';
import {exitNumber, exitTitle} from '@hyperscope/isa';
import type {HypervisorEvent} from '@hyperscope/vmm';
import type {Explanation} from '../session-view.js';
import {ACTOR_NAMES} from '../record/actors.js';
import {explainControlProgram} from './explain-control-program.js';
import {explanation, sentence} from './explanation.js';
import {explainParavirtual} from './explain-paravirtual.js';
import {explainShadow} from './explain-shadow.js';
import {explainTranslation} from './explain-translation.js';
import {explainVirtualCpu, explainVmmEmulation, explainVmmInjection} from './explain-vmm.js';
import {kvmExitDetail, kvmExitDuty, kvmExitName} from './kvm-exit-words.js';

/** What an exit to user space looks like. */
const KVM_API = 'Documentation/virt/kvm/api.rst, "The kvm_run structure"';

/** Who answers which reason inside the kernel. */
const KVM_HANDLERS = 'Linux, arch/x86/kvm/vmx/vmx.c, "kvm_vmx_exit_handlers"';
const SVM_HANDLERS = 'Linux, arch/x86/kvm/svm/svm.c, "svm_exit_handlers"';

export function explainHypervisor(event: HypervisorEvent): Explanation {
  switch (event.kind) {
    case 'host-step':
      return explanation({
        title: event.routine,
        sentences: [sentence(event.sentence), `This is a step of ${ACTOR_NAMES[event.actor]}, in ${event.routine}.`],
      });
    case 'ioctl':
      return explanation({
        title: event.direction === 'call' ? `ioctl(${event.name})` : `ioctl(${event.name}) returned`,
        sentences:
          event.direction === 'call'
            ? [
                `The user-space VMM calls ioctl(${event.name}): a system call, from ring 3 to ring 0 of the host. The kernel’s KVM goes on from there.`,
              ]
            : [
                `ioctl(${event.name}) returned to the user-space VMM, from ring 0 to ring 3 of the host${event.result === undefined ? '' : `, with ${event.result}`}.`,
              ],
        sources: [`Documentation/virt/kvm/api.rst, "${event.name}"`],
      });
    case 'exit-handled':
      return explanation({
        title: event.route === 'kvm' ? 'KVM answered the exit itself' : 'KVM must ask user space',
        sentences: [
          `The ${reasonOf(event)} ` +
            (event.route === 'kvm'
              ? 'was answered inside KVM: user space never hears of it.'
              : 'cannot be answered inside KVM: ioctl(KVM_RUN) returns to user space.'),
          sentence(event.why),
        ],
        sources: [event.route === 'user-space' ? KVM_API : event.hardware === 'SVM' ? SVM_HANDLERS : KVM_HANDLERS],
      });
    case 'kvm-exit':
      return explanation({
        title: kvmExitName(event.exit),
        sentences: [
          event.exit.reason === 'interrupted'
            ? 'ioctl(KVM_RUN) came back with EINTR.'
            : `ioctl(KVM_RUN) came back with ${kvmExitName(event.exit)}: ${kvmExitDetail(event.exit)}.`,
          kvmExitDuty(event.exit),
        ],
        sources: [KVM_API],
      });
    case 'injection':
      return event.by === 'VMM' ? explainVmmInjection(event) : explainInjection(event);
    case 'emulation':
      return event.by === 'VMM' ? explainVmmEmulation(event) : explainEmulation(event);
    case 'virtual-cpu':
      return explainVirtualCpu(event);
    case 'translation':
    case 'translation-chained':
    case 'translation-invalidated':
    case 'translation-adapted':
      return explainTranslation(event);
    case 'hypercall':
    case 'page-table-update':
    case 'guest-callback':
      return explainParavirtual(event);
    case 'shadow-paging':
      return explainShadow(event);
    case 'device':
      return explanation({title: deviceTitle(event), sentences: [sentence(event.sentence)]});
    case 'control-program':
      return explainControlProgram(event);
    case 'inside-kvm':
      return explainInsideKvm(event);
    case 'serial':
      return explanation({
        title: `The serial port sent ${characterText(event.byte)}`,
        sentences: [
          `The serial port’s UART put the byte ${hex(event.byte, 2)}${isNamed(event.byte) ? ` (${characterText(event.byte)})` : ''} on the line.`,
        ],
      });
    default:
      return assertUnreachable(event);
  }
}

/** `exit for reason 30 (I/O instruction)`, `#VMEXIT with code 7Bh (I/O instruction)` */
function reasonOf({reason, hardware}: Extract<HypervisorEvent, {kind: 'exit-handled'}>): string {
  const exit = hardware === 'SVM' ? {reason, svm: {code: reason}} : {reason, svm: undefined};
  return `${hardware === 'SVM' ? '#VMEXIT with code' : 'exit for reason'} ${exitNumber(exit)} (${exitTitle(exit)})`;
}

/** What a device did without being asked at a register, in a few words. */
export function deviceTitle({name, what}: Extract<HypervisorEvent, {kind: 'device'}>): string {
  return what === 'output' ? `${name} puts out` : `${name} needs a reset`;
}

/** How an event gets into a guest, and how one that cannot yet is waited for. */
const INJECTION = {
  VMX: {
    injected: 'The VM-entry interruption-information field holds',
    entry: 'the next VM entry',
    waits: 'a window-exiting control is set',
    sources: ['SDM vol. 3C, "Event Injection"', 'SDM vol. 3C, "Other Causes of VM Exits"'],
  },
  SVM: {
    injected: 'EVENTINJ in the VMCB holds',
    entry: 'the next VMRUN',
    waits: 'a virtual interrupt is asked for and intercepted (V_IRQ, VINTR), or the IRET of an NMI handler',
    sources: ['APM vol. 2, "Event Injection"', 'APM vol. 2, "Virtual Interrupts"'],
  },
} as const;

function explainInsideKvm({name, text}: Extract<HypervisorEvent, {kind: 'inside-kvm'}>): Explanation {
  const isCounters = name === 'statistics';
  return explanation({
    title: `Inside KVM: ${name}`,
    sentences: [
      isCounters
        ? `KVM’s own counters of this vCPU moved by: ${text}. User space heard of none of it but through them.`
        : `The host’s kernel traced ${name}: ${text}. User space was not asked.`,
    ],
    sources: [isCounters ? 'Documentation/virt/kvm/api.rst, "KVM_GET_STATS_FD"' : `Linux, tracepoint kvm:${name}`],
  });
}

function explainInjection(event: Extract<HypervisorEvent, {kind: 'injection'}>): Explanation {
  const {vector, decision, why} = event;
  const words = INJECTION[event.hardware ?? 'VMX'];
  const injected = decision === 'injected';
  return explanation({
    title: injected
      ? `KVM injects interrupt ${hex(vector, 2)} into the guest`
      : `Interrupt ${hex(vector, 2)} must wait: KVM asks for an exit when the guest can take it`,
    sentences: [
      injected
        ? `${words.injected} vector ${hex(vector, 2)}: the processor delivers it through the guest’s own IDT as part of ${words.entry}.`
        : `Interrupt ${hex(vector, 2)} cannot be injected now, so ${words.waits}: the processor leaves the guest as soon as the interrupt could be taken.`,
      sentence(why),
    ],
    sources: [injected ? words.sources[0] : words.sources[1]],
  });
}

const EMULATED: Readonly<Record<Extract<HypervisorEvent, {kind: 'emulation'}>['outcome'], string>> = {
  completed: 'It is done, and the guest goes on behind it.',
  repeats: 'One round of the repetition is done; RIP stays at the instruction.',
  'needs-user-space':
    'It reads from a device that only the user-space VMM can ask, so it is begun anew with the answer.',
  fault: 'It faults as it would have on the processor, and the fault is injected into the guest.',
  failed: 'KVM cannot go on with it: KVM_EXIT_INTERNAL_ERROR.',
};

function explainEmulation(event: Extract<HypervisorEvent, {kind: 'emulation'}>): Explanation {
  return explanation({
    title: `KVM carries out ${event.text} in software`,
    sentences: [
      `The processor could not finish ${event.text} at ${hex(event.rip)}, because no memory lies behind one of its addresses. KVM’s instruction emulator does it in the processor’s place.`,
      ...(event.accesses.length === 0 ? [] : [`It had to ${event.accesses.join(', then ')}.`]),
      EMULATED[event.outcome],
    ],
    sources: ['Linux, arch/x86/kvm/emulate.c, arch/x86/kvm/x86.c, "x86_emulate_instruction"'],
  });
}

const CONTROL_NAMES: ReadonlyMap<number, string> = new Map([
  [8, 'backspace'],
  [9, 'tab'],
  [10, 'line feed'],
  [13, 'carriage return'],
  [27, 'escape'],
]);

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;
const isNamed = (byte: number): boolean => isPrintable(byte) || CONTROL_NAMES.has(byte);

/** `“H”`; control characters by their name or number. */
export function characterText(byte: number): string {
  return isPrintable(byte) ? `“${String.fromCharCode(byte)}”` : (CONTROL_NAMES.get(byte) ?? `byte ${hex(byte, 2)}`);
}
