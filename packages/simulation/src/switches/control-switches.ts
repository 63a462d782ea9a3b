// The execution controls of VT-x and the intercepts of SVM: what leaves the guest is a choice of its hypervisor's, bit by bit.
// SDM vol. 3C, "VM-Execution Control Fields"; APM vol. 2, "Intercept Operation".

import type {PinControl, PrimaryControl, SecondaryControl} from '@hyperscope/machine';
import type {SvmInterceptName} from '@hyperscope/isa';
import {on, onHardware, onSvm, onVtx, toggle, withControls} from './switch.js';
import type {Switch} from './switch.js';

const GROUP = 'execution controls';

interface Rule {
  readonly id: string;
  readonly title: string;
  readonly sentence: string;
  /** Whether KVM asks for it. */
  readonly initial: 'off' | 'on';
  readonly isOffered: Switch['isOffered'];
  readonly group?: Switch['group'];
}

const vmx =
  <K extends 'pin' | 'primary' | 'secondary'>(list: K) =>
  (
    rule: Rule,
    control: K extends 'pin' ? PinControl : K extends 'primary' ? PrimaryControl : SecondaryControl,
  ): Switch =>
    toggle({group: GROUP, ...rule}, rule.initial, settings =>
      withControls(settings, list, rule.initial === 'on' ? 'off' : 'on', [control]),
    );
const primary = vmx('primary');

const svm = (rule: Rule, ...names: readonly SvmInterceptName[]): Switch =>
  toggle({group: GROUP, ...rule}, rule.initial, settings =>
    withControls(settings, 'intercepts', rule.initial === 'on' ? 'off' : 'on', names),
  );

/** The same exit on either vendor's hardware: one switch, which changes what the machine at hand has. */
function both(rule: Rule, control: PrimaryControl, intercept: SvmInterceptName): Switch {
  const state = rule.initial === 'on' ? 'off' : 'on';
  return toggle({group: GROUP, ...rule}, rule.initial, settings =>
    withControls(withControls(settings, 'primary', state, [control]), 'intercepts', state, [intercept]),
  );
}

const exception = (vector: number, name: string, sentence: string, isOffered: Switch['isOffered']): Switch =>
  toggle(
    {
      id: `exception-${name.slice(1).toLowerCase()}`,
      title: `Exception bitmap: ${name}`,
      group: GROUP,
      sentence,
      isOffered,
    },
    'off',
    settings => ({
      ...settings,
      controls: {...settings.controls, exceptions: [...settings.controls.exceptions, vector]},
    }),
  );

const BACK = 'exits; KVM injects it back, and the guest’s handler runs as ever.';

const io: Switch = {
  id: 'io-exiting',
  title: 'I/O exiting',
  group: GROUP,
  sentence: 'Which IN and OUT leave the guest.',
  values: [
    {id: 'bitmaps', title: 'by the I/O bitmaps', sentence: 'KVM’s way; its bitmaps are all ones, so every port exits.'},
    {
      id: 'unconditional',
      title: 'unconditionally',
      sentence: '“unconditional I/O exiting”, without bitmaps: no difference to see.',
    },
    {
      id: 'off',
      title: 'none',
      sentence: 'The guest reaches the ports of the real machine: nobody there is its serial port.',
    },
  ],
  initial: 'bitmaps',
  isOffered: onVtx,
  set: (value, settings) => {
    if (value === 'bitmaps') return settings;
    const without = withControls(settings, 'primary', 'off', ['use I/O bitmaps']);
    return value === 'off' ? without : withControls(without, 'primary', 'on', ['unconditional I/O exiting']);
  },
};

export const CONTROL_SWITCHES: readonly Switch[] = [
  both(
    {
      id: 'hlt-exiting',
      title: 'HLT exiting',
      sentence: 'Without it a guest that waits keeps the processor: HLT stops the real one.',
      initial: 'on',
      isOffered: onHardware,
    },
    'HLT exiting',
    'HLT',
  ),
  io,
  svm(
    {
      id: 'ioio-intercept',
      title: 'IOIO intercept',
      sentence: 'Without it the guest reaches the ports of the real machine: nobody there is its serial port.',
      initial: 'on',
      isOffered: onSvm,
    },
    'IOIO',
  ),
  both(
    {
      id: 'rdtsc-exiting',
      title: 'RDTSC exiting',
      sentence: 'Every RDTSC leaves the guest, so that a hypervisor could tell any time it likes.',
      initial: 'off',
      isOffered: onHardware,
    },
    'RDTSC exiting',
    'RDTSC',
  ),
  both(
    {
      id: 'pause-exiting',
      title: 'PAUSE exiting',
      sentence: 'A guest that spins for a lock says so, and another could run.',
      initial: 'off',
      isOffered: onHardware,
    },
    'PAUSE exiting',
    'PAUSE',
  ),
  both(
    {
      id: 'invlpg-exiting',
      title: 'INVLPG exiting',
      sentence: 'With nested paging nobody needs it: the guest’s tables are the guest’s own.',
      initial: 'off',
      isOffered: on('vtx-ept', 'svm-npt'),
    },
    'INVLPG exiting',
    'INVLPG',
  ),
  primary(
    {
      id: 'cr3-load-exiting',
      title: 'CR3-load exiting',
      sentence: 'Every MOV to CR3 exits, as in 2005, although EPT makes that needless.',
      initial: 'off',
      isOffered: on('vtx-ept'),
    },
    'CR3-load exiting',
  ),
  primary(
    {
      id: 'mov-dr-exiting',
      title: 'MOV-DR exiting',
      sentence:
        'Reads and writes of the debug registers exit, so that KVM need not switch them for guests that use none.',
      initial: 'on',
      isOffered: onVtx,
    },
    'MOV-DR exiting',
  ),
  vmx('secondary')(
    {
      id: 'descriptor-table-exiting',
      title: 'Descriptor-table exiting',
      sentence:
        'LGDT, SGDT, LIDT, SIDT, LLDT, SLDT, LTR and STR exit. It came with later processors; POPF and PUSHF have nothing of the kind.',
      initial: 'off',
      isOffered: on('vtx-ept'),
    },
    'descriptor-table exiting',
  ),
  svm(
    {
      id: 'descriptor-table-intercepts',
      title: 'Descriptor-table intercepts',
      sentence: 'SGDT, SIDT, SLDT, STR, LGDT, LIDT, LLDT and LTR leave the guest.',
      initial: 'off',
      isOffered: onSvm,
    },
    'GDTR_READ',
    'IDTR_READ',
    'LDTR_READ',
    'TR_READ',
    'GDTR_WRITE',
    'IDTR_WRITE',
    'LDTR_WRITE',
    'TR_WRITE',
  ),
  svm(
    {
      id: 'popf-intercept',
      title: 'PUSHF and POPF intercepts',
      sentence: 'What VT-x cannot do: the two stealth instructions leave the guest. Nothing needs it; it only costs.',
      initial: 'off',
      isOffered: onSvm,
    },
    'PUSHF',
    'POPF',
  ),
  svm(
    {
      id: 'cpuid-intercept',
      title: 'CPUID intercept',
      sentence: 'On SVM a choice, on VT-x none: without it the guest reads the real processor.',
      initial: 'on',
      isOffered: onSvm,
    },
    'CPUID',
  ),
  exception(
    14,
    '#PF',
    `Every page fault of the guest ${BACK} With shadow paging this is needed; with nested paging it only costs.`,
    on('vtx-ept', 'svm-npt'),
  ),
  exception(
    6,
    '#UD',
    `An undefined instruction ${BACK} With EFER.SCE = 0 even SYSCALL would exit so: a way to watch system calls.`,
    onHardware,
  ),
  exception(13, '#GP', `A general-protection fault ${BACK}`, onHardware),
  exception(0, '#DE', `A division by zero ${BACK}`, onHardware),
];

export const BROKEN_CONTROLS: readonly Switch[] = [
  vmx('pin')(
    {
      id: 'external-interrupt-exiting',
      title: 'External-interrupt exiting',
      sentence:
        'Without it the host’s own interrupts arrive in the guest, through the guest’s IDT, and a guest that never exits cannot be stopped.',
      initial: 'on',
      isOffered: onVtx,
      group: 'break it',
    },
    'external-interrupt exiting',
  ),
  primary(
    {
      id: 'shadow-cr3-load-exiting',
      title: 'CR3-load exiting under shadow paging',
      sentence:
        'Without it the guest loads the real CR3 with its own number, and the processor walks tables that mean other memory.',
      initial: 'on',
      isOffered: on('vtx-shadow'),
      group: 'break it',
    },
    'CR3-load exiting',
  ),
  primary(
    {
      id: 'shadow-invlpg-exiting',
      title: 'INVLPG exiting under shadow paging',
      sentence: 'Without it nobody hears that the guest has changed a translation.',
      initial: 'on',
      isOffered: on('vtx-shadow'),
      group: 'break it',
    },
    'INVLPG exiting',
  ),
];
