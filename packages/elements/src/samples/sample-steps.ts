// A short run written by hand, so that elements can be tried and tested without a simulator: it prints a letter through
// the serial port under VT-x, asks CPUID, and halts. The lab itself never shows it.

import type {Actor, CodeLine, Explanation, StepKind, TraceEvent} from '@hyperscope/trace';

/** One scripted step: who acts, at what cost, what it changes and what it means. */
export interface SampleStep {
  readonly who: Actor;
  readonly kind: StepKind;
  readonly rip: bigint;
  readonly length: number;
  readonly cost: number;
  readonly set: Readonly<Record<string, bigint>>;
  readonly events: readonly TraceEvent[];
  readonly why: Explanation;
  readonly serial: string;
}

type ExitEvent = Extract<TraceEvent, {kind: 'vm-exit'}>;

const SDM_EXITS = 'SDM vol. 3C, "Instructions That Cause VM Exits Conditionally"';

function because(title: string, sentence: string, more: Partial<Explanation> = {}): Explanation {
  return {title, sentences: [sentence], checks: [], sources: [], otherwise: undefined, ...more};
}

function guest(rip: bigint, length: number, title: string, set: Readonly<Record<string, bigint>>): SampleStep {
  const after = {RIP: rip + BigInt(length), ...set};
  return {
    who: 'guest-kernel',
    kind: 'instruction',
    rip,
    length,
    cost: 1,
    set: after,
    events: [],
    serial: '',
    why: because(title, 'It stays inside the guest: nothing about it is sensitive.'),
  };
}

function host(
  who: 'hypervisor' | 'vmm',
  cost: number,
  title: string,
  sentence: string,
  events: readonly TraceEvent[] = [],
  serial = '',
): SampleStep {
  return {
    who,
    kind: 'host-action',
    rip: 0xffff_8000_0000_1000n,
    length: 0,
    cost,
    set: {},
    events,
    serial,
    why: because(title, sentence),
  };
}

function exitEvent(reason: number, qualification: bigint, rip: bigint, length: number, rule: string): ExitEvent {
  return {
    kind: 'vm-exit',
    exit: {
      reason,
      qualification,
      guestRip: rip,
      instructionLength: length,
      instructionInformation: 0,
      interruptionInformation: 0,
      interruptionErrorCode: 0,
      idtVectoringInformation: 0,
      idtVectoringErrorCode: 0,
      guestLinearAddress: 0n,
      guestPhysicalAddress: 0,
      checks: [{rule, holds: true, values: [], source: SDM_EXITS}],
    },
  };
}

function exitStep(event: ExitEvent, title: string, sentence: string, otherwise: string): SampleStep {
  const {exit} = event;
  return {
    who: 'guest-kernel',
    kind: 'instruction',
    rip: exit.guestRip,
    length: exit.instructionLength,
    cost: 1240,
    events: [event],
    serial: '',
    set: {VMX_OPERATION: 1n, RIP: 0xffff_8000_0000_1000n},
    why: {
      title,
      sentences: [sentence],
      otherwise,
      sources: [SDM_EXITS, 'SDM vol. 3C, "VM Exits"'],
      checks: [
        {
          text: 'CPL ≤ IOPL, so that no #GP comes first',
          holds: true,
          decided: false,
          source: 'SDM vol. 1, "I/O Privilege Level"',
        },
        ...exit.checks.map(check => ({text: check.rule, holds: check.holds, decided: true, source: check.source})),
      ],
    },
  };
}

function entryStep(how: 'VMLAUNCH' | 'VMRESUME', rip: bigint, set: Readonly<Record<string, bigint>> = {}): SampleStep {
  return {
    ...host(
      'hypervisor',
      860,
      `${how} enters the guest`,
      'All checks on controls, host state and guest state held; the processor loads the guest state from the VMCS.',
      [{kind: 'vm-entry', how, vmcs: 0x7e000, guestRip: rip, injected: undefined}],
    ),
    kind: 'instruction',
    length: 3,
    set: {VMX_OPERATION: 2n, RIP: rip, ...set},
  };
}

function output(rip: bigint, byte: string, resume: bigint): readonly SampleStep[] {
  const exit = exitEvent(30, 0x3f8_0000n, rip, 1, 'bit 0x3f8 of the I/O bitmap is set');
  const data = new Uint8Array([byte.charCodeAt(0)]);
  return [
    exitStep(
      exit,
      'OUT DX, AL left the guest',
      'The guest kernel ran at ring 0, yet it may not touch the serial port: bit 0x3f8 of the I/O bitmap is set. The processor stored the guest state in the VMCS and loaded the host state.',
      'With the bit clear, the OUT would have reached the host’s own port 0x3f8.',
    ),
    host(
      'hypervisor',
      60,
      'KVM reads the exit reason',
      'VMREAD of EXIT_REASON gives 30, I/O instruction; the qualification names port 0x3f8.',
    ),
    host('hypervisor', 420, 'KVM cannot emulate a serial port', 'ioctl(KVM_RUN) returns to QEMU with KVM_EXIT_IO.', [
      {kind: 'exit-handled', reason: 30, route: 'user-space', why: 'no device of KVM owns port 0x3f8'},
      {kind: 'kvm-exit', exit: {reason: 'io', direction: 'out', port: 0x3f8, width: 8, count: 1, data}},
      {kind: 'ioctl', name: 'KVM_RUN', direction: 'return', result: 'KVM_EXIT_IO'},
    ]),
    host(
      'vmm',
      700,
      'QEMU’s UART sends a byte',
      `The byte ${byte} goes out.`,
      [{kind: 'serial', byte: byte.charCodeAt(0)}],
      byte,
    ),
    host('vmm', 380, 'QEMU calls ioctl(KVM_RUN)', 'The guest may go on.', [
      {kind: 'ioctl', name: 'KVM_RUN', direction: 'call', result: undefined},
    ]),
    entryStep('VMRESUME', resume),
  ];
}

/** The run, step by step. */
export const SAMPLE_STEPS: readonly SampleStep[] = [
  host('vmm', 380, 'QEMU calls ioctl(KVM_RUN)', 'The guest may start.', [
    {kind: 'ioctl', name: 'KVM_RUN', direction: 'call', result: undefined},
  ]),
  entryStep('VMLAUNCH', 0x8000n),
  guest(0x8000n, 5, 'EDX becomes 0x3f8', {RDX: 0x3f8n}),
  guest(0x8005n, 2, 'AL becomes ‘H’', {RAX: 0x48n}),
  ...output(0x8007n, 'H', 0x8008n),
  guest(0x8008n, 2, 'AL becomes ‘i’', {RAX: 0x69n}),
  ...output(0x800an, 'i', 0x800bn),
  guest(0x800bn, 2, 'EAX becomes 0', {RAX: 0n, RFLAGS: 0x46n}),
  exitStep(
    exitEvent(10, 0n, 0x800dn, 2, 'CPUID always exits'),
    'CPUID left the guest',
    'CPUID causes a VM exit unconditionally: the hypervisor decides which processor the guest believes it has.',
    'There is no control that would keep it inside.',
  ),
  host(
    'hypervisor',
    210,
    'KVM answers CPUID itself',
    'It fills EAX, EBX, ECX and EDX from the table that QEMU gave it; user space is not asked.',
    [{kind: 'exit-handled', reason: 10, route: 'kvm', why: 'the table of KVM_SET_CPUID2 is in the kernel'}],
  ),
  entryStep('VMRESUME', 0x800fn, {RAX: 0xdn, RBX: 0x756e_6547n}),
  exitStep(
    exitEvent(12, 0n, 0x800fn, 1, 'HLT exiting is 1'),
    'HLT left the guest',
    'A guest that halts must not stop the host’s processor.',
    'With HLT exiting 0 the logical processor itself would have halted.',
  ),
  host('hypervisor', 300, 'KVM has no interrupt to deliver', 'KVM_RUN returns with KVM_EXIT_HLT: the run ends.', [
    {kind: 'kvm-exit', exit: {reason: 'hlt'}},
    {kind: 'ioctl', name: 'KVM_RUN', direction: 'return', result: 'KVM_EXIT_HLT'},
  ]),
];

const EXITS = {label: 'exits', why: 'causes a VM exit here'} as const;
const PRIVILEGED = {label: 'privileged', why: 'faults unless CPL is 0'} as const;

/** The program that the steps run. */
export const SAMPLE_CODE: readonly CodeLine[] = [
  {address: 0x8000n, bytes: 'BA F8 03 00 00', text: 'mov     edx, 0x3f8', sourceLine: 3, chips: []},
  {address: 0x8005n, bytes: 'B0 48', text: 'mov     al, 0x48', sourceLine: 4, chips: []},
  {
    address: 0x8007n,
    bytes: 'EE',
    text: 'out     dx, al',
    sourceLine: 5,
    chips: [EXITS, {label: 'IOPL-sensitive', why: 'depends on CPL and IOPL'}],
  },
  {address: 0x8008n, bytes: 'B0 69', text: 'mov     al, 0x69', sourceLine: 6, chips: []},
  {address: 0x800an, bytes: 'EE', text: 'out     dx, al', sourceLine: 7, chips: [EXITS]},
  {address: 0x800bn, bytes: '31 C0', text: 'xor     eax, eax', sourceLine: 8, chips: []},
  {
    address: 0x800dn,
    bytes: '0F A2',
    text: 'cpuid',
    sourceLine: 9,
    chips: [EXITS, {label: 'stealth', why: 'sensitive, yet it does not fault in ring 3'}],
  },
  {address: 0x800fn, bytes: 'F4', text: 'hlt', sourceLine: 10, chips: [EXITS, PRIVILEGED]},
];

/** Its source. */
export const SAMPLE_SOURCE = `bits 64
; print two letters, ask who we are, stop
start:  mov edx, 0x3f8
        mov al, 'H'
        out dx, al        ; COM1
        mov al, 'i'
        out dx, al
        xor eax, eax
        cpuid
        hlt`;
