import {svmExitCode} from '@hyperscope/isa';
import {describe, expect, test} from 'vitest';
import type {StepReport} from '../../technique.js';
import {TEST_PORTS, realModeImage, runToEnd} from '../../testing/run-guest.js';
import type {AnyEvent, FinishedRun} from '../../testing/run-guest.js';
import {HypervisorRun} from '../hypervisor-run.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {svmNpt} from './svm-techniques.js';
import {SVM_DEFAULTS} from './vmcb-controls.js';

const HELLO = [0xba, 0xf8, 0x03, 0xb0, 0x48, 0xee, 0xf4]; // mov dx, 3f8h; mov al, 'H'; out dx, al; hlt

function start(
  bytes: readonly number[],
  definition: HypervisorDefinition = svmNpt(),
  profile?: string,
): {readonly run: HypervisorRun; readonly finished: FinishedRun} {
  const options = {image: realModeImage(bytes), ports: TEST_PORTS, profile, costModel: undefined};
  const run = new HypervisorRun(options, definition);
  return {run, finished: runToEnd(run)};
}
const ofKind = <K extends AnyEvent['kind']>(
  events: readonly AnyEvent[],
  kind: K,
): readonly Extract<AnyEvent, {kind: K}>[] =>
  events.filter((event): event is Extract<AnyEvent, {kind: K}> => event.kind === kind);
const exits = (events: readonly AnyEvent[]): readonly string[] =>
  ofKind(events, 'vm-exit').map(({exit}) => svmExitCode(exit.reason).name);
const sentences = ({events}: FinishedRun, routine: string): readonly string[] =>
  ofKind(events, 'host-step').flatMap(step => (step.routine === routine ? [step.sentence] : []));

test('a guest that prints and halts: the byte arrives and the outcome is halted', () => {
  const {run, finished} = start(HELLO);
  expect(finished.outcome).toEqual({kind: 'halted'});
  expect(run.serialOutput()).toEqual(Uint8Array.of(0x48));
  expect(exits(finished.events)).toEqual(['VMEXIT_NPF', 'VMEXIT_IOIO', 'VMEXIT_HLT']);
  expect(ofKind(finished.events, 'vm-entry').map(({how}) => how)).toEqual(['VMRUN', 'VMRUN', 'VMRUN']);
});

test('exits say who answered them: nested page faults KVM, I/O and HLT user space', () => {
  const {events} = start(HELLO).finished;
  expect(ofKind(events, 'exit-handled').map(({reason, route}) => [reason, route])).toEqual([
    [0x400, 'kvm'],
    [0x7b, 'user-space'],
    [0x78, 'user-space'],
  ]);
});

test('each host step has its own routine, sentence and address, KVM in ring 0 and QEMU in ring 3', () => {
  const {run, finished} = start(HELLO);
  const isHosts = (report: StepReport): boolean => report.actor === 'hypervisor' || report.actor === 'vmm';
  const reports = finished.reports.filter(isHosts);
  const steps = ofKind(finished.events, 'host-step');
  expect(steps.length).toBe(reports.length);
  for (const [index, report] of reports.entries()) {
    expect(report.rip >= 0xffff_8000_0000_0000n).toBe(report.actor === 'hypervisor');
    expect(run.code.symbolAt(report.rip)?.symbol.split('+')[0]).toBe(steps[index]?.routine);
  }
});

test('the host has its own registers back behind VMRUN: SYSCALL MSRs, TR and interrupt flags', () => {
  const {run} = start([0xf4]);
  const lstar = run.machine.registers.get('LSTAR');
  expect(lstar).toBe(run.code.address('entry_SYSCALL_64'));
  expect(run.machine.registers.get('TR.selector')).toBe(0x40n);
  expect(run.machine.registers.get('GIF')).toBe(1n);
});

test('the guest’s registers are its own, while it runs and while the host does', () => {
  const {run} = start([0xb8, 0x34, 0x12, 0xbb, 0x78, 0x56, 0xf4]);
  expect(run.machine.registers.get('VMX_OPERATION')).toBe(1n);
  expect(run.guestRegisters()).toMatchObject({
    RAX: 0x1234n,
    RBX: 0x5678n,
    RIP: 0x1007n,
    CR0: 0x6000_0010n,
    CR4: 0n,
    EFER: 0n,
    CPL: 0n,
  });
});

test('CR0: while KVM hides the caches from the processor every access exits; once nothing differs only the selective intercept is left', () => {
  // mov eax, cr0; and eax, 9fffffffh; mov cr0, eax; mov ebx, cr0; clts; mov cr0, eax; or al, 1; mov cr0, eax; then TS alone: or al, 8; mov cr0, eax; hlt
  const code = [
    [0x0f, 0x20, 0xc0, 0x66, 0x25, 0xff, 0xff, 0xff, 0x9f, 0x0f, 0x22, 0xc0, 0x0f, 0x20, 0xc3],
    [0x0f, 0x06, 0x0f, 0x22, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0x0c, 0x08, 0x0f, 0x22, 0xc0, 0xf4],
  ].flat();
  const {run, finished} = start(code);
  const wanted = ['VMEXIT_NPF', 'VMEXIT_CR0_READ', 'VMEXIT_CR0_WRITE', 'VMEXIT_CR0_SEL_WRITE', 'VMEXIT_HLT'];
  expect(exits(finished.events)).toEqual(wanted);
  expect(run.guestRegisters()).toMatchObject({CR0: 0x19n, RBX: 0x10n});
});

describe.each([
  ['amd-svm', 'the processor has no decode assists'],
  ['amd-svm,+decodeAssists', 'read EXITINFO1: 0x8000000000000000'],
])('on %s', (profile, words) => {
  test('KVM knows which register a MOV to CR4 is from', () => {
    // mov eax, 200h; mov cr4, eax; mov ebx, cr4; hlt
    const code = [0x66, 0xb8, 0, 2, 0, 0, 0x0f, 0x22, 0xe0, 0x0f, 0x20, 0xe3, 0xf4];
    const {run, finished} = start(code, svmNpt(), profile);
    expect(sentences(finished, 'cr_interception')[0]).toContain(words);
    expect(run.guestRegisters()).toMatchObject({CR4: 0x200n, RBX: 0x200n});
  });
});

test('a processor that tells no next RIP makes KVM decode the instruction to get behind it', () => {
  const cpuid = [0x66, 0x31, 0xc0, 0x0f, 0xa2, 0xf4]; // xor eax, eax; cpuid; hlt
  const told = (profile: string): readonly string[] =>
    sentences(start(cpuid, svmNpt(), profile).finished, 'skip_emulated_instruction');
  expect(told('amd-svm')).toEqual(['read NRIP: 0x1005; guest RIP 0x1003 → 0x1005']);
  expect(told('amd-svm,-nrips')).toEqual([
    'this processor tells no next RIP: fetched and decoded 2 bytes; guest RIP 0x1003 → 0x1005',
  ]);
});

test('an intercept that is flipped changes what exits: with the RDTSC intercept, RDTSC leaves the guest', () => {
  const rdtsc = [0x0f, 0x31, 0xf4];
  expect(exits(start(rdtsc).finished.events)).toEqual(['VMEXIT_NPF', 'VMEXIT_HLT']);
  const flipped = start(rdtsc, svmNpt({intercepts: [...SVM_DEFAULTS.intercepts, 'RDTSC']}));
  expect(exits(flipped.finished.events)).toEqual(['VMEXIT_NPF', 'VMEXIT_RDTSC', 'VMEXIT_HLT']);
});

describe('how runs end', () => {
  test('a debug exit has QEMU’s status', () => {
    expect(start([0xb0, 0x10, 0xe6, 0xf4]).finished.outcome).toEqual({kind: 'debug-exit', value: 0x21});
  });
  test('a triple fault tells the chain of faults', () => {
    // lidt [1010h] with a limit of 0; ud2
    const {outcome} = start([0x0f, 0x01, 0x1e, 0x10, 0x10, 0x0f, 0x0b]).finished;
    expect(outcome?.kind === 'triple-fault' ? outcome.chain.map(link => link.vector) : []).toEqual([6, 13, 8, 13]);
  });
  test('a VMCB that VMRUN refuses is told: without the VMRUN intercept, VMEXIT_INVALID', () => {
    const intercepts = SVM_DEFAULTS.intercepts.filter(name => name !== 'VMRUN');
    const {outcome, events} = start(HELLO, svmNpt({intercepts})).finished;
    expect(outcome).toMatchObject({kind: 'error'});
    expect(exits(events)).toEqual(['VMEXIT_INVALID']);
  });
});

test('what a step changes was announced before: undoing the announcements gives the first state back', () => {
  const options = {image: realModeImage(HELLO), ports: TEST_PORTS, profile: undefined, costModel: undefined};
  const run = new HypervisorRun(options, svmNpt());
  const banks = new Map(run.banks.filter(bank => bank.name !== 'registers').map(bank => [bank.name, bank.bytes]));
  const first = new Map([...banks].map(([name, bytes]) => [name, bytes.slice()]));
  const undo: {readonly name: string; readonly offset: number; readonly bytes: Uint8Array}[] = [];
  run.observe({
    willWrite: (name, offset, length) =>
      undo.push({name, offset, bytes: (banks.get(name) ?? new Uint8Array()).slice(offset, offset + length)}),
    event: () => undefined,
    hypervisorEvent: () => undefined,
  });
  for (let step = 0; step < 500 && run.step().outcome === undefined; step++);
  expect(undo.length).toBeGreaterThan(100);
  for (const {name, offset, bytes} of undo.toReversed()) banks.get(name)?.set(bytes, offset);
  for (const [name, bytes] of banks) expect(Buffer.compare(bytes, first.get(name) ?? new Uint8Array()), name).toBe(0);
});

test.each(['pentium-iii', 'westmere', 'amd-svm,-svm', 'amd-svm,-nestedPaging'])(
  '%s is refused; the processors that will do are named',
  profile => {
    expect(() => start(HELLO, svmNpt(), profile)).toThrow('Choose one of: amd-svm');
  },
);
