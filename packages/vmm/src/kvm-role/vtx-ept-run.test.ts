import {gpa} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {exitReasonName} from '@hyperscope/isa';
import type {StepReport} from '../technique.js';
import {TEST_PORTS, realModeImage, runToEnd} from '../testing/run-guest.js';
import type {AnyEvent, FinishedRun} from '../testing/run-guest.js';
import {VTX_EPT_CONTROLS} from './vmx/controls.js';
import {GUEST_RAM} from '../host/host-layout.js';
import {HypervisorRun} from './hypervisor-run.js';
import type {HypervisorDefinition} from './hypervisor-run.js';
import {vtxEpt} from './vmx/vtx-ept.js';

const HELLO = [0xba, 0xf8, 0x03, 0xb0, 0x48, 0xee, 0xf4]; // mov dx, 3f8h; mov al, 'H'; out dx, al; hlt

function start(
  bytes: readonly number[],
  definition: HypervisorDefinition = vtxEpt(),
): {readonly run: HypervisorRun; readonly finished: FinishedRun} {
  const run = new HypervisorRun(
    {image: realModeImage(bytes), ports: TEST_PORTS, profile: undefined, costModel: undefined},
    definition,
  );
  return {run, finished: runToEnd(run)};
}
const ofKind = <K extends AnyEvent['kind']>(
  events: readonly AnyEvent[],
  kind: K,
): readonly Extract<AnyEvent, {kind: K}>[] =>
  events.filter((event): event is Extract<AnyEvent, {kind: K}> => event.kind === kind);
const exits = (events: readonly AnyEvent[]): readonly string[] =>
  ofKind(events, 'vm-exit').map(({exit}) => exitReasonName(exit.reason));

test('a guest that prints and halts: the byte arrives and the outcome is halted', () => {
  const {run, finished} = start(HELLO);
  expect(finished.outcome).toEqual({kind: 'halted'});
  expect(run.serialOutput()).toEqual(Uint8Array.of(0x48));
  expect(exits(finished.events)).toEqual(['EPT_VIOLATION', 'IO_INSTRUCTION', 'HLT']);
});

test('the VMXON life cycle comes in the manual’s order before the first VM entry', () => {
  const {events} = start(HELLO).finished;
  const names = ofKind(events, 'vmx-instruction')
    .map(event => event.name)
    .filter(name => name !== 'VMWRITE' && name !== 'VMREAD');
  expect(names).toEqual(['VMXON', 'VMCLEAR', 'VMPTRLD']);
  expect(ofKind(events, 'vm-entry').map(event => event.how)).toEqual(['VMLAUNCH', 'VMRESUME', 'VMRESUME']);
  expect(ofKind(events, 'vmx-instruction').every(event => event.outcome === 'VMsucceed')).toBe(true);
});

test('the route of an OUT: guest, KVM, QEMU’s UART, KVM, guest', () => {
  const {reports} = start(HELLO).finished;
  const changes = reports
    .filter((report, index) => report.actor !== reports[index - 1]?.actor)
    .map(report => report.actor);
  expect(changes.slice(-9)).toEqual([
    'guest-kernel',
    'hypervisor',
    'guest-kernel',
    'hypervisor',
    'vmm',
    'hypervisor',
    'guest-kernel',
    'hypervisor',
    'vmm',
  ]);
});

test('each host step has its own routine, sentence and address, KVM in ring 0 and QEMU in ring 3', () => {
  const {run, finished} = start(HELLO);
  const hostReports = finished.reports.filter(
    (report: StepReport) => report.actor === 'hypervisor' || report.actor === 'vmm',
  );
  const steps = ofKind(finished.events, 'host-step');
  expect(steps.length).toBe(hostReports.length);
  for (const [index, report] of hostReports.entries()) {
    expect(report.rip >= 0xffff_8000_0000_0000n).toBe(report.actor === 'hypervisor');
    expect(run.code.symbolAt(report.rip)?.symbol.split('+')[0]).toBe(steps[index]?.routine);
    expect(steps[index]?.sentence).not.toBe('');
  }
});

test('every SYSCALL has its SYSRET, and every ioctl that is called returns, but for the last KVM_RUN’s caller', () => {
  const {events} = start(HELLO).finished;
  const rings = ofKind(events, 'ring').map(({from, to}) => `${from}→${to}`);
  expect(rings.every((ring, index) => ring === (index % 2 === 0 ? '3→0' : '0→3'))).toBe(true);
  const ioctls = ofKind(events, 'ioctl');
  expect(ioctls.filter(event => event.direction === 'call').map(event => event.name)).toEqual(
    ioctls.filter(event => event.direction === 'return').map(event => event.name),
  );
});

test('exits say who answered them: EPT violations KVM, I/O and HLT user space', () => {
  const {events} = start(HELLO).finished;
  expect(ofKind(events, 'exit-handled').map(({reason, route}) => [reason, route])).toEqual([
    [48, 'kvm'],
    [30, 'user-space'],
    [12, 'user-space'],
  ]);
});

test('no guest-physical address equals its host-physical one', () => {
  const {run} = start(HELLO);
  expect(run.guestToHost(gpa(0x1000))).toBe(GUEST_RAM + 0x1000);
});

test('EPT maps on first touch: with 4 KiB pages one exit a page, with 2 MiB pages one in all', () => {
  // mov [2000h], al; mov [3000h], al; mov [2004h], al; hlt
  const touches = [0xa2, 0, 0x20, 0xa2, 0, 0x30, 0xa2, 4, 0x20, 0xf4];
  const violations = (page: '4K' | '2M'): number =>
    exits(start(touches, vtxEpt({}, {nestedPage: page})).finished.events).filter(name => name === 'EPT_VIOLATION')
      .length;
  expect(violations('4K')).toBe(3);
  // 1 MiB of RAM is no whole 2 MiB page, so it is mapped by small ones all the same.
  expect(violations('2M')).toBe(3);
});

test('a control that is flipped changes what exits: with RDTSC exiting, RDTSC leaves the guest', () => {
  const rdtsc = [0x0f, 0x31, 0xf4];
  expect(exits(start(rdtsc).finished.events)).toEqual(['EPT_VIOLATION', 'HLT']);
  const flipped = start(rdtsc, vtxEpt({primary: [...VTX_EPT_CONTROLS.primary, 'RDTSC exiting']}));
  expect(exits(flipped.finished.events)).toEqual(['EPT_VIOLATION', 'RDTSC', 'HLT']);
});

describe('how runs end', () => {
  test('a debug exit has QEMU’s status', () => {
    expect(start([0xb0, 0x10, 0xe6, 0xf4]).finished.outcome).toEqual({kind: 'debug-exit', value: 0x21});
  });
  test('a triple fault tells the chain of faults', () => {
    // lidt [1010h] with a limit of 0; ud2
    const {outcome} = start([0x0f, 0x01, 0x1e, 0x10, 0x10, 0x0f, 0x0b]).finished;
    expect(outcome).toMatchObject({kind: 'triple-fault'});
    expect(outcome?.kind === 'triple-fault' ? outcome.chain.map(link => link.vector) : []).toEqual([6, 13, 8, 13]);
  });
  test('a fetch outside the guest’s memory is named, not guessed', () => {
    const {outcome} = start([0xea, 0xff, 0xff, 0xff, 0xff]).finished; // jmp ffffh:ffffh: beyond 1 MiB, where no memory is
    expect(outcome).toMatchObject({kind: 'unsupported', address: 0x10_ffefn});
    expect(outcome?.kind === 'unsupported' ? outcome.what : '').toContain('0x10ffef');
  });
  test('a VM entry that the processor refuses is told with its error', () => {
    const {outcome} = start(
      HELLO,
      vtxEpt({primary: [...VTX_EPT_CONTROLS.primary, 'activate tertiary controls']}),
    ).finished;
    expect(outcome).toMatchObject({kind: 'error'});
    expect(outcome?.kind === 'error' ? outcome.message : '').toContain('0x7');
  });
});

test('what a step changes was announced before: undoing the announcements gives the first state back', () => {
  const run = new HypervisorRun(
    {image: realModeImage(HELLO), ports: TEST_PORTS, profile: undefined, costModel: undefined},
    vtxEpt(),
  );
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

test('two runs of the same guest tell the same story', () => {
  const story = (): string =>
    JSON.stringify(start(HELLO).finished.events, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  expect(story()).toBe(story());
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
    CPL: 0n,
  });
});
