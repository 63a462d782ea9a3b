// VT-x with shadow page tables: which exits there are where EPT has others, and how real mode gets by without its own mode.

import {describe, expect, test} from 'vitest';
import {exitReasonName} from '@hyperscope/isa';
import {listing} from '../../conformance/listing.js';
import type {ConformanceCase} from '../../conformance/conformance-case.js';
import {startImage} from '../../conformance/start-state.js';
import type {GuestImage} from '../../technique.js';
import {TEST_PORTS, realModeImage, runToEnd} from '../../testing/run-guest.js';
import type {AnyEvent, FinishedRun} from '../../testing/run-guest.js';
import {HypervisorRun} from '../hypervisor-run.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {vtxEpt} from './vtx-ept.js';
import {vtxShadow} from './vtx-shadow.js';

const VM = 1n << 17n;
const IOPL = 3n << 12n;

interface Ran {
  readonly run: HypervisorRun;
  readonly finished: FinishedRun;
}

const begin = (image: GuestImage, definition: HypervisorDefinition = vtxShadow()): HypervisorRun =>
  new HypervisorRun({image, ports: TEST_PORTS, profile: undefined, costModel: undefined}, definition);

function start(image: GuestImage, definition: HypervisorDefinition = vtxShadow()): Ran {
  const run = begin(image, definition);
  return {run, finished: runToEnd(run)};
}
const realMode = (code: string, more: Partial<ConformanceCase> = {}): GuestImage =>
  startImage({title: '', mode: 'real', code: listing(code), expect: {}, ...more});
const longMode = (code: string): GuestImage => startImage({title: '', mode: 'long', code: listing(code), expect: {}});

const ofKind = <K extends AnyEvent['kind']>({finished}: Ran, kind: K): readonly Extract<AnyEvent, {kind: K}>[] =>
  finished.events.filter((event): event is Extract<AnyEvent, {kind: K}> => event.kind === kind);
const exits = (ran: Ran): readonly string[] => ofKind(ran, 'vm-exit').map(({exit}) => exitReasonName(exit.reason));
const reasons = (ran: Ran): string =>
  ofKind(ran, 'exit-handled')
    .map(({why}) => why)
    .join('\n');
const emulated = (ran: Ran): readonly string[] => ofKind(ran, 'emulation').map(({text}) => text);
const sentences = (ran: Ran, routine: string): readonly string[] =>
  ofKind(ran, 'host-step')
    .filter(step => step.routine === routine)
    .map(({sentence}) => sentence);
/** Vectors of the exceptions that left the guest. */
const vectors = (ran: Ran): readonly number[] =>
  ofKind(ran, 'vm-exit')
    .filter(({exit}) => exit.reason === 0)
    .map(({exit}) => exit.interruptionInformation & 0xff);

describe('page faults', () => {
  const touch = 'a1 00 00 00 00 01 00 00 00 f4'; // mov eax, [100000000h] / hlt: no page is mapped there
  const image = longMode(touch);

  test('where EPT has violations, exit 48, shadow paging has page faults: exit 0, vector 14', () => {
    const [nested, shadow] = [start(image, vtxEpt()), start(image)];
    expect(exits(nested)).toContain('EPT_VIOLATION');
    expect(exits(nested)).not.toContain('EXCEPTION_NMI');
    expect(exits(shadow)).toContain('EXCEPTION_NMI');
    expect(exits(shadow)).not.toContain('EPT_VIOLATION');
    expect(new Set(vectors(shadow))).toEqual(new Set([14]));
  });

  test('hidden ones mend the shadow, a true one is injected with its error code and CR2', () => {
    const ran = start(image);
    expect(reasons(ran)).toContain('a hidden page fault');
    expect(reasons(ran).match(/a true page fault/g)).toHaveLength(1);
    expect(ran.run.guestRegisters().CR2).toBe(0x1_0000_0000n);
    const delivered = ofKind(ran, 'delivery').map(({vector}) => vector);
    expect(delivered).toEqual([14]);
  });

  test('the guest’s #PF whose delivery has to wait for the shadow of its stack is injected again, not made a double fault', () => {
    const ran = start(image);
    const again = sentences(ran, 'vmx_handle_exit').filter(each => each.includes('interrupted the delivery of #PF'));
    expect(again.length).toBeGreaterThan(0);
    expect(ran.finished.outcome).toEqual({kind: 'halted'});
  });

  test('a true fault while a true fault is delivered becomes #DF, and one more shuts the guest down', () => {
    const ran = start(longMode(`48 bc 00 10 00 00 01 00 00 00 ${touch}`)); // mov rsp, 100001000h: not mapped either
    const injected = ofKind(ran, 'vm-entry').flatMap(event => (event.injected === undefined ? [] : [event.injected]));
    expect([...new Set(injected)]).toEqual([14, 8]);
    const {outcome} = ran.finished;
    expect(outcome?.kind === 'triple-fault' ? outcome.chain.map(({vector}) => vector) : []).toEqual([8, 14]);
  });

  test('MOV to CR3 exits with shadow paging alone, and the guest reads back what it wrote', () => {
    const code = '0f 20 d8 0f 22 d8 0f 20 db f4'; // mov rax, cr3 / mov cr3, rax / mov rbx, cr3 / hlt
    const [nested, shadow] = [start(longMode(code), vtxEpt()), start(longMode(code))];
    expect(exits(nested).filter(name => name === 'CR_ACCESS')).toEqual([]);
    expect(exits(shadow).filter(name => name === 'CR_ACCESS')).toHaveLength(3);
    expect(shadow.run.guestRegisters()).toMatchObject({RAX: 0x1000n, RBX: 0x1000n, CR3: 0x1000n});
  });

  test.each([
    ['INVLPG', '0f 01 3c 25 00 00 20 00'],
    ['MOV to CR3', '0f 20 d8 0f 22 d8'],
  ])(
    'a write to the guest’s page directory is carried out in software, and the page is the new one after %s',
    (_, flush) => {
      const ran = start(
        longMode(`
        c7 04 25 00 00 20 00 11 00 00 00 ; mov dword [200000h], 11h
        c7 04 25 00 00 00 00 22 00 00 00 ; mov dword [0], 22h
        48 c7 04 25 08 30 00 00 87 00 00 00 ; mov qword [3008h], 87h      2 MiB ff. are the page at 0 now
        ${flush}
        8b 04 25 00 00 20 00          ; mov eax, [200000h]
        f4                            ; hlt
      `),
      );
      expect(emulated(ran)).toEqual(['mov qword [0x3008], 0x87']);
      expect(ofKind(ran, 'shadow-paging').map(({action}) => action)).toContain('page-table-write');
      expect(ran.run.guestRegisters().RAX).toBe(0x22n);
    },
  );

  test('INVLPG exits with shadow paging alone', () => {
    const code = '0f 01 3c 25 00 00 20 00 f4';
    expect(exits(start(longMode(code), vtxEpt()))).not.toContain('INVLPG');
    expect(exits(start(longMode(code)))).toContain('INVLPG');
  });
});

test.each([
  ['vtx-ept', vtxEpt],
  ['vtx-shadow', vtxShadow],
])('%s: a guest that starts under PAE paging has its four PDPTEs before its first instruction', (_, definition) => {
  const image = startImage({
    title: '',
    mode: 'protected',
    code: listing('a1 00 00 20 00 f4'), // mov eax, [200000h] / hlt
    registers: {CR0: 0x8000_0011n, CR3: 0x2000n, CR4: 0x20n},
    memory: [
      {gpa: 0x2000, bytes: [0x01, 0x30]}, // PDPTE 0: the page directory
      {gpa: 0x20_0000, bytes: [0x78, 0x56, 0x34, 0x12]},
    ],
    expect: {},
  });
  const {run, finished} = start(image, definition());
  expect(finished.outcome).toEqual({kind: 'halted'});
  expect(run.guestRegisters()).toMatchObject({RAX: 0x1234_5678n, PDPTE0: 0x3001n});
});

describe('real mode', () => {
  test('runs in virtual-8086 mode at CPL 3, and the guest’s registers do not show it', () => {
    const run = begin(realMode('90 90 f4'));
    let report = run.step();
    while (report.actor === 'hypervisor' || report.actor === 'vmm') report = run.step();
    expect(report.actor).toBe('guest-kernel');
    while (run.machine.registers.get('VMX_OPERATION') !== 2n) run.step();
    const {registers} = run.machine;
    expect(registers.get('RFLAGS') & (VM | IOPL)).toBe(VM | IOPL);
    expect(registers.get('CPL')).toBe(3n);
    expect(registers.get('CR0') & 0x8001_0001n).toBe(0x8001_0001n);
    expect(run.guestRegisters()).toMatchObject({RFLAGS: 2n, CPL: 0n, CR0: 0x10n, CR4: 0n, 'CS.attributes': 0x9bn});
  });

  test('HLT is #GP there, which KVM takes for what it is: the instruction is carried out in software', () => {
    const ran = start(realMode('f4'));
    expect(vectors(ran).filter(vector => vector !== 14)).toEqual([13]);
    expect(emulated(ran)).toEqual(['hlt']);
    expect(sentences(ran, 'handle_exception_nmi').join()).toContain('#GP in virtual-8086 mode');
    expect(sentences(ran, 'kvm_emulate_halt')).not.toEqual([]);
    expect(ran.finished.outcome).toEqual({kind: 'halted'});
  });

  test('INT n goes through the guest’s own vector table without an exit', () => {
    const ran = start(realMode('cd 10 f4', {handlers: {16: listing('b0 77 cf')}})); // int 10h / hlt; mov al, 77h / iret
    expect(vectors(ran).filter(vector => vector !== 14)).toEqual([13]); // the HLT
    expect(emulated(ran)).toEqual(['hlt']);
    expect(ran.run.guestRegisters().RAX).toBe(0x77n);
  });

  test('what virtual-8086 mode cannot hide: PUSHF shows the IOPL of 3 under which the guest runs', () => {
    const pushed = (definition: HypervisorDefinition): bigint =>
      start(realMode('9c 58 f4'), definition).run.guestRegisters().RAX ?? 0n; // pushf / pop ax / hlt
    expect(pushed(vtxEpt()) & IOPL).toBe(0n);
    expect(pushed(vtxShadow()) & IOPL).toBe(IOPL);
  });

  test('an exception is delivered by KVM, through the vector table', () => {
    const ran = start(realMode('31 c9 f7 f1 f4')); // xor cx, cx / div cx
    expect(vectors(ran).filter(vector => vector !== 14)).toEqual([0, 13]);
    expect(reasons(ran)).toContain('KVM delivers it through the vector table of real mode');
    expect(ofKind(ran, 'kvm-exit').flatMap(({exit}) => (exit.reason === 'io' ? [exit.port] : []))).toEqual([0xe0]);
  });

  test('an exception without a vector table is a triple fault, with its chain', () => {
    // lidt [1010h] with a limit of 0; ud2
    const {outcome} = start(realModeImage([0x0f, 0x01, 0x1e, 0x10, 0x10, 0x0f, 0x0b])).finished;
    expect(outcome).toMatchObject({kind: 'triple-fault'});
    expect(outcome?.kind === 'triple-fault' ? outcome.chain.map(link => link.vector) : []).toEqual([6, 13, 8, 13]);
  });
});

describe('states that VM entry would refuse', () => {
  const toProtectedMode = realMode(
    `
      fa                            ; cli
      0f 01 16 00 90                ; lgdt [9000h]
      b8 03 00 8e d8                ; mov ax, 3 / mov ds, ax           in protected mode this will be RPL 3
      0f 20 c0 0c 01                ; mov eax, cr0 / or al, 1
      0f 22 c0                      ; mov cr0, eax
      ea 18 80 08 00                ; jmp 8:8018h
      b8 10 00 00 00 8e d8          ; mov eax, 10h / mov ds, ax        32-bit code
      b8 78 56 34 12                ; mov eax, 12345678h
      f4                            ; hlt
    `,
    {
      memory: [
        {gpa: 0x9000, bytes: [0x17, 0x00, 0x00, 0x91, 0x00, 0x00]},
        {gpa: 0x9108, bytes: [0xff, 0xff, 0x00, 0x00, 0x00, 0x9b, 0xcf, 0x00]},
        {gpa: 0x9110, bytes: [0xff, 0xff, 0x00, 0x00, 0x00, 0x93, 0xcf, 0x00]},
      ],
    },
  );

  test('between MOV to CR0 and the last segment load, KVM emulates; the reason is told', () => {
    const ran = start(toProtectedMode);
    expect(sentences(ran, 'handle_invalid_guest_state')).toHaveLength(3);
    expect(sentences(ran, 'vcpu_enter_guest').join()).toContain('DS has DPL 0 with a selector of RPL 3');
    expect(emulated(ran)).toEqual([
      'lgdt [0x9000]',
      'mov eax, cr0',
      'mov cr0, eax',
      'jmp 0x8:0x8018',
      'mov eax, 0x10',
      'mov ds, ax',
    ]);
    expect(ran.run.guestRegisters()).toMatchObject({RAX: 0x1234_5678n, CR0: 0x11n, 'CS.selector': 8n});
    expect(ran.run.machine.registers.get('VMX_OPERATION')).toBe(1n);
  });

  test('an emulated instruction is no exit, so no exit is said to have been handled', () => {
    const ran = start(toProtectedMode);
    expect(ofKind(ran, 'exit-handled').length).toBe(exits(ran).length);
  });

  test('“unreal” mode, real mode with a 4 GiB segment, is emulated from the first instruction to the last', () => {
    const image = realMode('67 66 a1 00 00 02 00 e6 80 f4', {registers: {'DS.limit': 0xffff_ffffn, RAX: 0xffffn}});
    const ran = start(image); // mov eax, [20000h] / out 80h, al / hlt
    expect(ofKind(ran, 'vm-entry')).toEqual([]);
    expect(emulated(ran)).toEqual(['mov eax, [dword 0x20000]', 'out 0x80, al', 'hlt']);
    expect(sentences(ran, 'vcpu_enter_guest').join()).toContain('a limit of FFFFh, and DS has 0xffffffff');
    expect(ran.run.captured(0x80)).toEqual(Uint8Array.of(0));
    expect(ran.finished.outcome).toEqual({kind: 'halted'});
  });
});

test('what a step changes was announced before: undoing the announcements gives the first state back', () => {
  const run = begin(longMode('a1 00 00 00 00 01 00 00 00 f4'));
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
