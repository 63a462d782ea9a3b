// A step of the hypervisor's own code, told by its routine: what it set out to do, what it said, and which fields of the
// VMCS it read and wrote on the way.

import {exitReasonTitle} from '@hyperscope/isa';
import type {HypervisorEvent} from '@hyperscope/vmm';
import type {Explanation} from '../session-view.js';
import type {TraceEvent} from '../record-format.js';
import {explainEvent} from './explain-event.js';
import {explanation, sentence, someOf} from './explanation.js';
import {mainShadowEvent, otherDecisions} from './explain-shadow.js';
import {labelEvent} from './label-event.js';

type HostStep = Extract<HypervisorEvent, {kind: 'host-step'}>;
type VmxInstruction = Extract<TraceEvent, {kind: 'vmx-instruction'}>;

/** These stand above the routine in which they happen: they are what the step is about. */
const LEADERS: readonly TraceEvent['kind'][] = [
  'vm-entry-failure',
  'vm-entry',
  'kvm-exit',
  'control-program',
  'injection',
  'emulation',
  'translation',
  'translation-invalidated',
  'translation-chained',
  'guest-callback',
  'hypercall',
  'page-table-update',
  'shadow-paging',
  'virtual-cpu',
  'exit-handled',
  'ioctl',
  'device',
  'serial',
  'mode',
  'unsupported',
];

/** How many fields a sentence names before it only counts. */
const MOST_FIELDS = 4;

/** What the routines of KVM and QEMU do in a step, as the end of a sentence that their name begins. */
const PURPOSES: ReadonlyMap<string, string> = new Map([
  ['entry_SYSCALL_64', 'takes the system call'],
  ['vmx_vmexit', 'saves the guest’s registers'],
  ['vmx_handle_exit', 'reads why the guest left'],
  ['svm_handle_exit', 'reads why the guest left'],
  ['npf_interception', 'finds out what lies at the address'],
  ['pf_interception', 'takes the guest’s page fault to the shadow MMU'],
  ['intr_interception', 'calls the host’s own interrupt handler'],
  ['iret_interception', 'lets the guest’s NMI handler return'],
  ['vcpu_enter_guest', 'prepares the processor for the guest'],
  ['skip_emulated_instruction', 'moves the guest past the instruction'],
  ['handle_ept_violation', 'finds out what lies at the address'],
  ['handle_external_interrupt', 'calls the host’s own interrupt handler'],
  ['hrtimer_interrupt', 'lets the in-kernel timers act that are due'],
  ['kvm_check_and_inject_events', 'looks what it can inject'],
  ['main_loop_wait', 'runs the timers of QEMU’s devices'],
  ['kvm_arch_pre_run', 'looks whether the guest can be given an interrupt'],
  ['qemu_wait_io_event', 'waits for something that could wake the guest'],
]);

/** Explains a step of the host; undefined when its events have no routine to tell. */
export function explainHostAction(number: string, events: readonly TraceEvent[]): Explanation | undefined {
  const step = events.find(event => event.kind === 'host-step');
  if (step === undefined) return undefined;
  const leader =
    LEADERS.map(kind => leaderOf(kind, events)).find(event => event !== undefined) ?? events.find(isLeadingInstruction);
  const told = leader === undefined ? undefined : explainEvent(leader);
  // An ioctl, an answer to KVM_RUN and a VM entry say all there is to say; elsewhere the routine's own words come first.
  const own =
    leader !== undefined &&
    leader.kind !== 'exit-handled' &&
    leader.kind !== 'vmx-instruction' &&
    leader.kind !== 'serial' &&
    leader.kind !== 'shadow-paging' &&
    leader.kind !== 'device'
      ? []
      : [sentence(step.sentence)];
  const plain = events
    .filter(event => event.kind === 'vmx-instruction')
    .filter(event => event !== leader && !isLeadingInstruction(event));
  const made = explanation({
    title: `${number} · ${titleOf(step, leader)}`,
    sentences: [
      ...own,
      ...(told?.sentences ?? []),
      ...otherDecisions(events, leader),
      ...fieldSentences(plain, step.sentence),
      ...otherSentences(events, leader),
    ],
    sources: told?.sources ?? (plain.length > 0 ? ['SDM vol. 3C, "VMX Instruction Reference"'] : []),
    otherwise: told?.otherwise,
  });
  return {...made, checks: told?.checks ?? []};
}

/** Of many decisions of the shadow MMU the one that the others serve; of everything else the first. */
const leaderOf = (kind: TraceEvent['kind'], events: readonly TraceEvent[]): TraceEvent | undefined =>
  kind === 'shadow-paging' ? mainShadowEvent(events) : events.find(event => event.kind === kind);

/** VMREAD and VMWRITE that succeed are the small change of a hypervisor; the others, and every failure, are news. */
function isLeadingInstruction(event: TraceEvent): event is VmxInstruction {
  return (
    event.kind === 'vmx-instruction' &&
    (event.outcome !== 'VMsucceed' || (event.name !== 'VMREAD' && event.name !== 'VMWRITE'))
  );
}

function titleOf(step: HostStep, leader: TraceEvent | undefined): string {
  switch (leader?.kind) {
    case 'vm-entry':
    case 'vm-entry-failure':
    case 'kvm-exit':
    case 'ioctl':
    case 'mode':
    case 'injection':
    case 'emulation':
    case 'shadow-paging':
    case 'virtual-cpu':
    case 'translation':
    case 'translation-chained':
    case 'translation-invalidated':
    case 'guest-callback':
    case 'hypercall':
    case 'page-table-update':
    case 'control-program':
    case 'unsupported':
      return explainEvent(leader).title;
    case 'exit-handled':
      return leader.route === 'kvm'
        ? `${step.routine} answers the exit inside KVM`
        : `${step.routine}: only user space can answer`;
    case 'device':
    case 'serial':
      return `${step.routine}: ${labelEvent(leader)}`;
    case 'vmx-instruction':
      return leader.outcome === 'VMsucceed' ? `${step.routine} executes ${leader.name}` : explainEvent(leader).title;
    default: {
      const purpose = PURPOSES.get(step.routine);
      return purpose === undefined ? `${step.routine}: ${firstClause(step.sentence)}` : `${step.routine} ${purpose}`;
    }
  }
}

const LONGEST_TITLE = 72;

/** The words up to the first pause; of a longer clause as many of its parts as fit. */
function firstClause(text: string): string {
  let clause = text.split(/; |\. |\.$| – | \(/, 1)[0] ?? text;
  while (clause.length > LONGEST_TITLE && clause.includes(', ')) clause = clause.slice(0, clause.lastIndexOf(', '));
  return clause;
}

/** `It wrote 10 VMCS fields: PIN_BASED_VM_EXECUTION_CONTROLS = 0x3f … and 6 more.` What the routine has said is not said again. */
function fieldSentences(instructions: readonly VmxInstruction[], said: string): readonly string[] {
  const of = (name: string): readonly VmxInstruction[] =>
    instructions.filter(event => event.name === name && !said.includes(operand(event, 'field')));
  const [read, wrote] = [of('VMREAD'), of('VMWRITE')];
  return [
    ...(read.length === 0 ? [] : [`It read ${fields(read)}.`]),
    ...(wrote.length === 0 ? [] : [`It wrote ${fields(wrote)}.`]),
  ];
}

function fields(instructions: readonly VmxInstruction[]): string {
  // A field that is read twice in a step says nothing new the second time.
  const texts = [...new Set(instructions.map(fieldText))];
  return texts.length === 1
    ? `the VMCS field ${texts[0] ?? ''}`
    : `${texts.length} VMCS fields: ${someOf(texts, MOST_FIELDS)}`;
}

/** What a zero says in fields whose bit 31 is the valid bit. */
const EMPTY: Readonly<Record<string, string>> = {
  IDT_VECTORING_INFORMATION: 'no event was being delivered',
  GUEST_INTERRUPTIBILITY_STATE: 'nothing blocks events',
  VM_ENTRY_INTERRUPTION_INFORMATION: 'nothing to inject',
};

function fieldText(event: VmxInstruction): string {
  const [field, value] = [operand(event, 'field'), operand(event, 'value')];
  if (value === '0x0' && EMPTY[field] !== undefined) return `${field} = 0x0 (${EMPTY[field]})`;
  if (field !== 'EXIT_REASON' || !value.startsWith('0x')) return `${field} = ${value}`;
  const reason = Number(value) & 0xffff;
  return `${field} = ${reason} (${exitReasonTitle(reason)})`;
}

const operand = (event: VmxInstruction, wanted: string): string =>
  event.operands.find(([name]) => name === wanted)?.[1] ?? '?';

/** What else happened: not the ring change that an ioctl or a VM entry is, not the port behind a serial byte. */
function otherSentences(events: readonly TraceEvent[], leader: TraceEvent | undefined): readonly string[] {
  const rest = events.filter(
    event =>
      event !== leader &&
      ![
        'shadow-paging',
        'host-step',
        'vmx-instruction',
        'ring',
        'port',
        'page-walk',
        'ioctl',
        'mode',
        'control-register',
      ].includes(event.kind),
  );
  return rest.length === 0 ? [] : [`In the same step: ${rest.map(labelEvent).join('; ')}.`];
}
