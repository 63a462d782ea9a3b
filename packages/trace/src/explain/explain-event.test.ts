import {describe, expect, test} from 'vitest';
import type {VmExitInformation} from '@hyperscope/machine';
import type {Step, TraceEvent} from '../record-format.js';
import {explainEvent} from './explain-event.js';
import {explainStep, mainEvent} from './explain-step.js';
import {describeQualification, ioQualification} from './exit-qualification.js';
import {labelEvent} from './label-event.js';
import {textContext} from './step-context.js';

const exit = (changes: Partial<VmExitInformation>): VmExitInformation => ({
  reason: 30,
  qualification: 0x3f8_0000n,
  guestRip: 0x8006n,
  instructionLength: 1,
  instructionInformation: 0,
  interruptionInformation: 0,
  interruptionErrorCode: 0,
  idtVectoringInformation: 0,
  idtVectoringErrorCode: 0,
  guestLinearAddress: 0n,
  guestPhysicalAddress: 0,
  checks: [],
  ...changes,
});

const outChecks = [
  {rule: 'CPL ≤ IOPL', holds: true, values: [['CPL', '0']], source: 'SDM vol. 2B, "OUT—Output to Port"'},
  {
    rule: 'bit 0x3f8 of I/O bitmap A = 1',
    holds: true,
    values: [['bit', '1']],
    source: 'SDM vol. 3C, "I/O-Bitmap Addresses"',
  },
] as const;

describe('the explanation of an OUT that left the guest', () => {
  const told = explainEvent({kind: 'vm-exit', exit: exit({checks: outChecks})}, 'OUT DX, AL');

  test('names the instruction, the port, the reason and the qualification', () => {
    expect(told.title).toBe('OUT DX, AL left the guest');
    expect(told.sentences.join(' ')).toContain(
      'reason 30: I/O instruction — port 0x3f8 (the first serial port), out, 1 byte',
    );
    expect(told.sentences.join(' ')).toContain('EXIT_QUALIFICATION = 0x3f80000');
  });
  test('marks the last check as the one that decided, and says what else could have been', () => {
    expect(told.checks.map(check => check.decided)).toEqual([false, true]);
    expect(told.sentences.join(' ')).toContain(
      'The check that decided: “bit 0x3f8 of I/O bitmap A = 1” holds (bit 1).',
    );
    expect(told.otherwise).toBe(
      'Had “bit 0x3f8 of I/O bitmap A = 1” not held, the port access would have reached the real port, with no exit.',
    );
  });
  test('says who answers it', () => expect(told.sentences.at(-1)).toContain('KVM_EXIT_IO'));
  test('names every manual section once', () => expect(new Set(told.sources).size).toBe(told.sources.length));
});

describe('exit qualifications', () => {
  test('of I/O give port, direction, size and form', () => {
    expect(ioQualification(0x0060_0078n)).toEqual({
      port: 0x60,
      direction: 'in',
      bytes: 1,
      string: true,
      repeated: true,
      immediate: true,
    });
  });
  test.each([
    [{reason: 28, qualification: 0x703n}, 'MOV to CR3 from RDI'],
    [{reason: 28, qualification: 0x613n}, 'MOV from CR3 to RSI'],
    [{reason: 28, qualification: 0x20n}, 'CLTS'],
    [{reason: 29, qualification: 0x17n}, 'MOV from DR7 to RAX'],
    [
      {reason: 0, interruptionInformation: 0x8000_0b0e, interruptionErrorCode: 2, qualification: 0x1234n},
      '#PF, error code 0x2, linear address 0x1234',
    ],
    [
      {reason: 48, qualification: 0x182n, guestPhysicalAddress: 0x5000, guestLinearAddress: 0x5000n},
      'write of guest-physical address 0x5000, reached through linear address 0x5000; EPT has no entry for it',
    ],
    [
      {reason: 48, qualification: 0x8an, guestPhysicalAddress: 0x1000, guestLinearAddress: 0x7000n},
      'write of guest-physical address 0x1000, an entry of a guest page table on the way to linear address 0x7000; EPT allows only: read',
    ],
  ])('%o', (changes, expected) => expect(describeQualification(exit(changes))).toBe(expected));
});

const step: Step = {index: 13, who: 'guest-kernel', kind: 'instruction', rip: 0x8006n, length: 1, cycle: 100};

describe('a step', () => {
  test('with several events is told by the most important and mentions the rest', () => {
    const events: readonly TraceEvent[] = [
      {kind: 'page-walk', linear: 0x8006n, access: 'execute', references: [], outcome: 'mapped'},
      {kind: 'ring', how: 'VM exit', from: 3, to: 0},
      {kind: 'vm-exit', exit: exit({checks: outChecks})},
    ];
    expect(mainEvent(events)?.kind).toBe('vm-exit');
    const told = explainStep(step, events, {
      ...textContext('OUT DX, AL'),
      handled: {kind: 'exit-handled', reason: 30, route: 'user-space', why: 'the UART lives there'},
    });
    expect(told.title).toBe('Step 14 · OUT DX, AL left the guest');
    expect(told.sentences.join('\n')).toContain('the UART lives there');
  });
  test('without events says who ran what', () => {
    expect(explainStep(step, [], textContext('MOV AL, 0x41')).sentences[0]).toMatch(
      /^The guest kernel ran MOV AL, 0x41 at 0x8006\./,
    );
  });
});

test('a #GP is told with the check that failed and its alternative', () => {
  const told = explainEvent({
    kind: 'exception',
    vector: 13,
    errorCode: 0,
    address: undefined,
    checks: [
      {
        rule: 'CPL = 0',
        holds: false,
        values: [['CPL', '3']],
        source: 'SDM vol. 2B, "MOV—Move to/from Control Registers"',
      },
    ],
  });
  expect(told.title).toBe('#GP: general protection');
  expect(told.sentences).toContain('The check that decided: “CPL = 0” does not hold (CPL 3).');
  expect(told.otherwise).toBe('Had “CPL = 0” held, the instruction would have completed.');
});

test('every kind of event has a label and at least one sentence that ends like one', () => {
  const all: readonly TraceEvent[] = [
    {kind: 'delivery', vector: 13, from: 3, to: 0, handler: 0x1000n, stackSwitched: true},
    {kind: 'mode', from: 'real', to: 'protected'},
    {kind: 'control-register', register: 'CR3', from: 0n, to: 0x1000n},
    {kind: 'port', direction: 'out', port: 0xe9, width: 8, value: 65, device: undefined},
    {kind: 'vmx-instruction', name: 'VMXON', outcome: 'VMfailInvalid', error: undefined, operands: [], checks: []},
    {kind: 'vm-entry', how: 'VMLAUNCH', vmcs: 0x2000, guestRip: 0x8000n, injected: 13},
    {kind: 'vm-entry-failure', reason: 0x8000_0021, qualification: 0n, checks: []},
    {kind: 'triple-fault', chain: [{vector: 14, errorCode: 2, address: 0n, why: 'the IDT has no gate 14'}]},
    {kind: 'unsupported', address: 0n, bytes: '0f 77', what: 'EMMS'},
    {kind: 'host-step', actor: 'hypervisor', routine: 'vmx_handle_exit', sentence: 'read EXIT_REASON: 30'},
    {kind: 'ioctl', name: 'KVM_RUN', direction: 'call', result: undefined},
    {
      kind: 'kvm-exit',
      exit: {reason: 'io', direction: 'out', port: 0x3f8, width: 8, count: 1, data: new Uint8Array([72])},
    },
    {
      kind: 'kvm-exit',
      exit: {reason: 'hypercall', number: 0x4853_0001n, args: [0x8000n, 64n], data: new Uint8Array(8)},
    },
    {kind: 'device', name: 'virtio-console', what: 'output', sentence: 'it put out 12 bytes'},
    {kind: 'serial', byte: 72},
    {kind: 'halt'},
  ];
  for (const event of all) {
    expect(labelEvent(event)).not.toBe('');
    const told = explainEvent(event);
    expect(told.sentences.length).toBeGreaterThan(0);
    for (const text of told.sentences.slice(0, 1)) expect(text).toMatch(/[.!?:]$/);
  }
});

test.each([
  [{kind: 'ring', how: 'SYSCALL (ioctl KVM_RUN)', from: 3, to: 0}, 'ioctl(KVM_RUN): ring 3 → 0'],
  [{kind: 'ring', how: 'IRET', from: 0, to: 3}, 'IRET: ring 0 → 3'],
  [{kind: 'vm-entry', how: 'VMRESUME', vmcs: 0x5000, guestRip: 0n, injected: undefined}, 'VMRESUME'],
  [{kind: 'vm-exit', exit: exit({})}, 'exit 30 · I/O instruction'],
  [{kind: 'serial', byte: 10}, 'serial line feed'],
] satisfies readonly (readonly [TraceEvent, string])[])('the label of %o is short', (event, expected) =>
  expect(labelEvent(event)).toBe(expected),
);

test('an exit for MOV to CR0 names the value that the guest wanted to load', () => {
  const told = explainStep(step, [{kind: 'vm-exit', exit: exit({reason: 28, qualification: 0x300n})}], {
    ...textContext('mov cr0, rbx'),
    before: cell => (cell === 'RBX' ? 0x8000_0011n : 0n),
  });
  expect(told.sentences[0]).toBe(
    'The guest kernel executed mov cr0, rbx at 0x8006, to load CR0 with 0x80000011 from RBX.',
  );
});

describe('interrupts and emulated instructions', () => {
  test('an exit for an interrupt of the host came between two instructions, and tells the vector', () => {
    const interrupt = exit({reason: 1, interruptionInformation: 0x8000_00ec, checks: [outChecks[0]]});
    const told = explainEvent({kind: 'vm-exit', exit: interrupt}).sentences.join(' ');
    expect(told).toContain('It came between two instructions: at 0x8006');
    expect(told).toContain('the vector, 0xec');
  });
  test('an injection says who asked and why it may go', () => {
    const event = {kind: 'injection', vector: 0x20, decision: 'injected', why: 'the guest has RFLAGS.IF = 1'} as const;
    const told = explainEvent(event);
    expect(told.title).toBe('KVM injects interrupt 0x20 into the guest');
    expect(told.sentences.join(' ')).toContain('The guest has RFLAGS.IF = 1.');
    expect(labelEvent(event)).toBe('interrupt 0x20 injected');
  });
  test('an interrupt that must wait says what it waits for', () => {
    const told = explainEvent({kind: 'injection', vector: 0x20, decision: 'window-requested', why: 'IF = 0'});
    expect(told.title).toContain('must wait');
    expect(told.sentences[0]).toContain('as soon as the interrupt could be taken');
  });
  test('an emulated instruction tells its accesses and how it ended', () => {
    const accesses = ['write 1 byte, 0x41, to GPA 0xb8000 (VGA text memory, in user space)'];
    const event = {kind: 'emulation', rip: 0x8000n, text: 'mov [0], al', outcome: 'completed', accesses} as const;
    const told = explainEvent(event);
    expect(told.title).toBe('KVM carries out mov [0], al in software');
    expect(told.sentences[1]).toBe(`It had to ${accesses[0]}.`);
    expect(labelEvent(event)).toBe('emulated: mov [0], al');
  });
});
