// Events for an SVM guest: injected by EVENTINJ, waited for by V_IRQ, repeated by EXITINTINFO, and NMIs by way of their IRET.

import {assertExists, hex} from '@hyperscope/base';
import {svmExitCode} from '@hyperscope/isa';
import {describe, expect, test} from 'vitest';
import {CONFORMANCE_CASES} from '../../conformance/cases.js';
import {listing} from '../../conformance/listing.js';
import {startImage} from '../../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../../testing/run-guest.js';
import type {FinishedRun} from '../../testing/run-guest.js';
import {HypervisorRun} from '../hypervisor-run.js';
import type {IrqchipPlace} from '../virtual-chipset.js';
import {svmNpt} from './svm-techniques.js';

const STEPS = 200_000;

function start(code: string, handlers: Readonly<Record<number, string>>, irqchip: IrqchipPlace = 'kernel') {
  const bytes: Record<number, Uint8Array> = {};
  for (const [vector, source] of Object.entries(handlers)) bytes[Number(vector)] = listing(source);
  const image = startImage({title: '', mode: 'real', code: listing(code), handlers: bytes, expect: {}});
  const options = {image, ports: TEST_PORTS, profile: undefined, costModel: undefined};
  const run = new HypervisorRun(options, svmNpt({}, {irqchip}));
  return {run, finished: runToEnd(run, STEPS)};
}
/** Nested page faults depend on what was touched before. */
const exits = ({events}: FinishedRun): readonly string[] =>
  events
    .flatMap(event => (event.kind === 'vm-exit' ? [svmExitCode(event.exit.reason).name] : []))
    .filter(name => name !== 'VMEXIT_NPF');
const injections = ({events}: FinishedRun): readonly string[] =>
  events.flatMap(event => (event.kind === 'injection' ? [`${hex(event.vector)} ${event.decision}`] : []));
const told = ({events}: FinishedRun, routine: string): readonly string[] =>
  events.flatMap(event => (event.kind === 'host-step' && event.routine === routine ? [event.sentence] : []));

/** IRQ 0 at vector 18h, all others off; the timer with a count of 16, again and again. */
const TIMER = `
  fa b0 11 e6 20 b0 18 e6 21 b0 04 e6 21 b0 01 e6 21 b0 fe e6 21
  b0 14 e6 43 b0 10 e6 40
`;

describe.each(['user', 'kernel'] as const)('interrupt controllers in %s space', place => {
  test('a running guest is left by the host’s timer, and the guest’s interrupt is injected', () => {
    const {finished} = start(`${TIMER} fb eb fe`, {0x18: 'fa f4'}, place);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(exits(finished).slice(-2)).toEqual(['VMEXIT_INTR', 'VMEXIT_HLT']);
    expect(injections(finished)).toEqual(['0x18 injected']);
    expect(told(finished, 'kvm_check_and_inject_events').at(-1)).toContain('EVENTINJ 0x80000018');
  });

  test('with RFLAGS.IF = 0 the interrupt waits: V_IRQ with the VINTR intercept tells when it can be taken', () => {
    // mov cx, f000h; dec cx; jnz; sti; nop; jmp $
    const {finished} = start(`${TIMER} b9 00 f0 49 75 fd fb 90 eb fe`, {0x18: 'fa f4'}, place);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(injections(finished)).toEqual(['0x18 window-requested', '0x18 injected']);
    const others = exits(finished).filter(name => name !== 'VMEXIT_INTR');
    expect(others.slice(-2)).toEqual(['VMEXIT_VINTR', 'VMEXIT_HLT']);
    const [first] = told(finished, 'kvm_check_and_inject_events');
    expect(first).toContain('V_IRQ ← 1 with the highest priority, VINTR intercept ← 1');
  });

  test('STI shields one instruction: the interrupt that waits comes behind it', () => {
    // Wait until the request is in the 8259; mov bx, 7 / sti / inc bx / inc bx / inc bx / cli / hlt
    const wait = 'b0 30 e6 43 b0 10 e6 40 b0 00 e6 40 b0 0a e6 20 e4 20 a8 01 74 fa';
    const pic = 'fa b0 11 e6 20 b0 18 e6 21 b0 04 e6 21 b0 01 e6 21 b0 fe e6 21';
    const {run, finished} = start(`${pic} ${wait} bb 07 00 fb 43 43 43 fa f4`, {0x18: '89 d9 cf'}, place);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(run.guestRegisters()).toMatchObject({RBX: 10n, RCX: 8n});
  });
});

describe('an exit in the middle of a delivery', () => {
  const STACK_ELSEWHERE = 'bc 00 50'; // mov sp, 5000h: a page that nobody has touched

  test('the interrupt of EXITINTINFO goes back into EVENTINJ, and is delivered once', () => {
    // inc bx on each delivery
    const {run, finished} = start(`31 db ${TIMER} ${STACK_ELSEWHERE} fb eb fe`, {0x18: '43 fa f4'});
    expect(injections(finished)).toEqual(['0x18 injected']);
    const repeated = told(finished, 'svm_handle_exit').filter(sentence => sentence.includes('EXITINTINFO'));
    // The page of the interrupt vectors, and that of the stack.
    expect(repeated).toHaveLength(2);
    for (const sentence of repeated)
      expect(sentence).toContain(
        'the delivery of interrupt 0x18, which the next VMRUN will repeat (VMCB: EVENTINJ 0x80000018)',
      );
    expect(run.guestRegisters().RBX).toBe(1n);
  });

  test('INT n is not injected again: RIP is still at it, and the guest executes it again', () => {
    const {run, finished} = start(`31 db ${STACK_ELSEWHERE} cd 18 43 43 f4`, {0x18: '80 c3 10 cf'}); // add bl, 10h / iret
    expect(told(finished, 'svm_handle_exit').some(sentence => sentence.includes('execute the instruction again'))).toBe(
      true,
    );
    expect(finished.events.some(event => event.kind === 'vm-entry' && event.injected !== undefined)).toBe(false);
    expect(run.guestRegisters().RBX).toBe(0x12n);
  });
});

describe('NMIs', () => {
  const nmi = CONFORMANCE_CASES.find(each => each.title === 'an NMI that comes while one is handled waits for IRET');

  test('the window of an NMI in service is its IRET, which the guest is stepped over with RFLAGS.TF', () => {
    const image = startImage(assertExists(nmi, 'the case of two NMIs'));
    const options = {image, ports: TEST_PORTS, profile: undefined, costModel: undefined};
    const run = new HypervisorRun(options, svmNpt());
    const finished = runToEnd(run, STEPS);
    expect(injections(finished)).toEqual(['0x2 injected', '0x2 window-requested', '0x2 injected']);
    // The second handler's IRET is intercepted too, but nothing waits for it.
    expect(exits(finished)).toEqual(['VMEXIT_IRET', 'VMEXIT_EXCP1', 'VMEXIT_IRET', 'VMEXIT_HLT']);
    expect(told(finished, 'db_interception')[0]).toContain('the guest never hears of it');
    expect(run.guestRegisters()).toMatchObject({NMI_BLOCKING: 0n, DR6: 0xffff_0ff0n});
    expect((run.guestRegisters().RFLAGS ?? 0n) & 0x1_0100n).toBe(0n);
  });
});

test('an exception has its error code in EVENTINJ in protected mode, and none in real mode', () => {
  const {run} = start('f4', {});
  const {hardware} = run.host;
  hardware.inject({kind: 'exception', vector: 13, errorCode: 0x18});
  expect(hardware.pendingInjection()).toEqual({kind: 'exception', vector: 13, errorCode: undefined});
  hardware.set('CR0', 0x11n);
  hardware.inject({kind: 'exception', vector: 13, errorCode: 0x18});
  expect(hardware.pendingInjection()).toEqual({kind: 'exception', vector: 13, errorCode: 0x18});
});

test('a breakpoint of the guest strikes: MOV DR exits, but DR7 and DR6 are the processor’s', () => {
  // mov eax, 2000h / mov dr0, eax / mov eax, 30001h (DR0, a write of 1 byte... R/W0 = 1) / mov dr7, eax / mov [2000h], al / hlt
  const {run, finished} = start('66 b8 00 20 00 00 0f 23 c0 66 b8 01 00 01 00 0f 23 f8 a2 00 20 43 f4', {
    1: '0f 21 f3 f4',
  });
  expect(exits(finished)).toEqual(['VMEXIT_DR0_WRITE', 'VMEXIT_DR7_WRITE', 'VMEXIT_DR6_READ', 'VMEXIT_HLT']);
  // mov ebx, dr6: B0.
  expect((run.guestRegisters().RBX ?? 0n) & 0xfn).toBe(1n);
});
