// What becomes of guest kernel code: which instructions are copied and which are not, what the guest can see of it (nothing), and
// what makes a translation wrong. Each guest is held against the same guest on bare metal.

import {describe, expect, test} from 'vitest';
import {BareRun} from '../bare/bare-run.js';
import type {ConformanceCase} from '../conformance/conformance-case.js';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {AnyEvent} from '../testing/run-guest.js';
import type {TrapAndEmulateRun} from '../trap-and-emulate/trap-and-emulate-run.js';
import {linearOf} from '../trap-and-emulate/vmm-layout.js';
import {startBinaryTranslation} from './binary-translation-run.js';
import {CACHE, CACHE_BYTES} from './translation-layout.js';

type Guest = Pick<ConformanceCase, 'mode'> & {readonly code: string} & Partial<
    Pick<ConformanceCase, 'handlers' | 'memory' | 'registers'>
  >;
const STEPS = 80_000;

const optionsOf = (guest: Guest) => ({
  image: startImage({title: '', expect: {}, ...guest, code: listing(guest.code)}),
  ports: TEST_PORTS,
  profile: 'westmere',
  costModel: undefined,
});
const start = (guest: Guest): TrapAndEmulateRun => startBinaryTranslation(optionsOf(guest));

/** Runs to the guest's HLT. Registers and memory must be what bare metal leaves. */
function ended(guest: Guest): {readonly run: TrapAndEmulateRun; readonly events: readonly AnyEvent[]} {
  const run = start(guest);
  const {outcome, events} = runToEnd(run, STEPS);
  expect(outcome).toEqual({kind: 'halted'});
  const bare = new BareRun(optionsOf(guest));
  expect(runToEnd(bare, STEPS).outcome).toEqual({kind: 'halted'});
  const {CYCLES: _c, TSC: _t, INSTRUCTIONS: _i, ...left} = run.guestRegisters();
  expect(bare.guestRegisters()).toMatchObject(left);
  return {run, events};
}
const translations = (events: readonly AnyEvent[]) =>
  events.flatMap(event => (event.kind === 'translation' ? event.instructions : []));
const count = (events: readonly AnyEvent[], kind: AnyEvent['kind']): number =>
  events.filter(event => event.kind === kind).length;

describe('an instruction', () => {
  test('is copied where it is innocuous, done on the virtual CPU where it can be, and called out where not', () => {
    // xor edx, edx / cli / mov eax, cr0 / mov ebx, cs / smsw ecx / hlt
    const {events, run} = ended({mode: 'protected', code: '31 d2 fa 0f 20 c0 8c cb 0f 01 e1 f4'});
    expect(translations(events).map(({text, translation}) => [text, translation])).toEqual([
      ['xor edx, edx', 'ident'],
      ['cli', 'in-cache'],
      ['mov eax, cr0', 'in-cache'],
      ['mov ebx, cs', 'in-cache'],
      ['smsw ecx', 'callout'],
      ['hlt', 'callout'],
    ]);
    expect(run.guestRegisters().RBX).toBe(8n);
  });

  test('CLI is a store: no exception, the virtual IF is 0, and the real IF stays 1', () => {
    const run = start({mode: 'protected', code: 'fa 90 90 f4', registers: {RFLAGS: 0x202n}});
    let exceptions = 0;
    const event = (told: AnyEvent): void => void (exceptions += told.kind === 'exception' ? 1 : 0);
    run.observe({willWrite: () => undefined, event, hypervisorEvent: () => undefined});
    while (run.guestRegisters().RIP !== 0x8001n) run.step();
    expect([run.guestRegisters().RFLAGS, run.machine.registers.get('RFLAGS') & 0x200n]).toEqual([2n, 0x200n]);
    // The fetch from the cache's page, which was never mapped before, does not fault: it is the VMM's.
    expect(exceptions).toBe(0);
  });

  test.each([
    ['real', 'fa 0f 20 c0 8c cb 0e 59 9c 5a f4'], // cli / mov eax, cr0 / mov bx, cs / push cs / pop cx / pushf / pop dx
    ['protected', 'fb 9c 58 fa 9c 5b 6a 02 9d 9c 59 f4'], // sti / pushf / pop eax / cli / pushf / pop ebx / push 2 / popf / pushf / pop ecx
    ['long', 'fa 44 0f 20 c0 0f 20 db 8c c9 66 8c d2 f4'], // cli / mov rax, cr8 / mov rbx, cr3 / mov ecx, cs / mov dx, ss
    ['long', '48 8d 05 f9 ff ff ff 8b 1d f3 ff ff ff ff 05 20 10 00 00 f4'], // lea rax, [rip-7] / mov ebx, [rip-13] / inc dword [rip+1020h]
    ['protected', '64 a1 00 90 00 00 65 8b 1d 00 90 00 00 2e 8b 0d 00 80 00 00 f4'], // fs:, gs:, cs:
  ] as const)('in %s mode does what it does on bare metal: %s', (mode, code) => {
    ended({mode, code, memory: [{gpa: 0x9000, bytes: [1, 2, 3, 4]}]});
  });
});

describe('control flow', () => {
  test('CALL pushes the guest’s own return address, and RET finds it', () => {
    const {run} = ended({mode: 'protected', code: 'e8 01 00 00 00 f4 5b 53 c3'}); // call 8006 / hlt / pop ebx / push ebx / ret
    expect(run.guestRegisters().RBX).toBe(0x8005n);
  });

  test('a loop is chained: the VMM sees its first rounds only', () => {
    const {events} = ended({mode: 'protected', code: 'b9 e8 03 00 00 49 75 fd f4'}); // mov ecx, 1000 / dec ecx / jnz / hlt
    expect(count(events, 'translation-chained')).toBe(3);
    expect(count(events, 'exception')).toBeLessThan(8);
  });

  test('a fragment takes the place of the stub that asked for it, where that is the last', () => {
    const {events} = ended({mode: 'protected', code: 'eb 00 90 f4'}); // jmp 8002 / nop / hlt
    const chained = events.find(event => event.kind === 'translation-chained');
    expect(chained).toMatchObject({from: linearOf(CACHE), to: linearOf(CACHE), rip: 0x8002n});
  });

  test.each([
    ['real', 'b9 05 00 01 cb e2 fc e3 01 f4 67 e3 01 f4 74 01 f4 75 fe f4'],
    [
      'protected',
      'b9 05 00 00 00 01 cb e2 fc e3 01 f4 b8 20 80 00 00 ff e0 f4 90 90 90 90 90 90 90 90 90 90 90 90 ff 25 26 80 00 00 2c 80 00 00 90 90 f4',
    ],
    ['long', 'b9 05 00 00 00 01 cb e2 fc e8 01 00 00 00 f4 c2 00 00'],
  ] as const)('of %s mode goes where it goes on bare metal: %s', (mode, code) => {
    ended({mode, code});
  });
});

describe('the guest sees its own addresses', () => {
  test('while the processor is in the cache', () => {
    const run = start({mode: 'protected', code: 'b9 03 00 00 00 49 75 fd f4'});
    let inCache = 0;
    for (let step = 0; step < 400 && run.step().outcome === undefined; step++) {
      const {registers} = run.machine;
      if (registers.get('CPL') === 0n) continue;
      inCache++;
      expect(registers.get('CS.base')).toBe(linearOf(CACHE));
      expect(registers.get('RIP')).toBeLessThan(BigInt(CACHE_BYTES));
      expect([0x8000n, 0x8005n, 0x8006n, 0x8008n]).toContain(run.guestRegisters().RIP);
    }
    expect(inCache).toBeGreaterThan(5);
  });

  test('in the frame of an exception in the middle of a block', () => {
    // xor ecx, ecx / inc eax / div ecx; the handler: mov ebx, [esp] / hlt
    const {run} = ended({mode: 'protected', code: '31 c9 40 f7 f1 90 f4', handlers: {0: listing('8b 1c 24 f4')}});
    expect(run.guestRegisters().RBX).toBe(0x8003n);
  });

  test('under TF, an instruction at a time', () => {
    // push 102h / popf / inc ecx / cli / call 8008 / hlt; #DB: add ebx, [esp] / iret
    const handlers = {1: listing('03 1c 24 cf')};
    ended({mode: 'protected', code: '68 02 01 00 00 9d 41 fa e8 00 00 00 00 68 02 00 00 00 9d f4', handlers});
  });
});

describe('a translation is thrown away', () => {
  test('when its source is written, in its own page and by its own block', () => {
    // mov eax, 1 / add ebx, eax / mov byte [8001h], 5 / dec ecx / jnz 8000 / hlt
    const code = 'b8 01 00 00 00 01 c3 c6 05 01 80 00 00 05 49 75 ef f4';
    const {run, events} = ended({mode: 'protected', code, registers: {RBX: 0n, RCX: 3n}});
    expect(run.guestRegisters().RBX).toBe(11n);
    expect(events).toContainEqual(expect.objectContaining({kind: 'translation-invalidated', rip: 0x8000n}));
  });

  test('when a later instruction of the same block is written: it is the new one that runs', () => {
    const {run} = ended({mode: 'protected', code: 'c6 05 08 80 00 00 07 b8 01 00 00 00 f4'}); // mov byte [8008h], 7 / mov eax, 1
    expect(run.guestRegisters().RAX).toBe(7n);
  });

  test('when its page was writable before it was translated', () => {
    // mov dword [a000h], code / call a000 / mov ebx, eax / mov byte [a001h], 2 / call a000 / hlt; the code: mov al, n / ret
    const code = 'c7 05 00 a0 00 00 b0 01 c3 90 e8 f1 1f 00 00 89 c3 c6 05 01 a0 00 00 02 e8 e3 1f 00 00 f4';
    const {run, events} = ended({mode: 'protected', code, registers: {RAX: 0n}});
    expect([run.guestRegisters().RBX, run.guestRegisters().RAX]).toEqual([1n, 2n]);
    expect(events).toContainEqual(expect.objectContaining({kind: 'shadow-paging', action: 'write-protect'}));
  });

  test('when the page tables say that its address is another memory’s', () => {
    // call 20a000 / mov ebx, eax / mov dword [3008h], e7h / invlpg [20a000h] / call 20a000 / hlt
    const code = 'e8 fb 1f 20 00 89 c3 c7 04 25 08 30 00 00 e7 00 00 00 0f 01 3c 25 00 a0 20 00 e8 e1 1f 20 00 f4';
    const memory = [
      {gpa: 0x20_a000, bytes: [0xb0, 1, 0xc3]},
      {gpa: 0xa000, bytes: [0xb0, 2, 0xc3]},
    ];
    const {run, events} = ended({mode: 'long', code, memory, registers: {RAX: 0n}});
    expect([run.guestRegisters().RBX, run.guestRegisters().RAX]).toEqual([1n, 2n]);
    expect(events).toContainEqual(expect.objectContaining({kind: 'translation-invalidated', rip: 0x20_a000n}));
  });

  test('when the cache is full: all of them', () => {
    const {events} = ended({mode: 'protected', code: `${'40 eb 00 '.repeat(4200)}f4`}); // inc eax / jmp to the next
    const emptied = events.filter(event => event.kind === 'translation-invalidated' && event.rip === undefined);
    expect(emptied).toHaveLength(1);
  });
});

test('data in a page of translated code is written in software, and nothing is thrown away', () => {
  const {events, run} = ended({mode: 'protected', code: 'c7 05 00 81 00 00 05 00 00 00 8b 1d 00 81 00 00 f4'});
  expect(run.guestRegisters().RBX).toBe(5n);
  expect(events).toContainEqual(expect.objectContaining({kind: 'shadow-paging', action: 'tracked-write'}));
  expect(count(events, 'translation-invalidated')).toBe(0);
});

test('translated code is for ring 1: another layout is refused', () => {
  const options = optionsOf({mode: 'protected', code: 'f4'});
  expect(() => startBinaryTranslation({...options, rings: '0/3/3'})).toThrow('choose 0/1/3');
});

test('what a step changes was announced before: undoing the announcements gives the first state back', () => {
  const code = 'b8 01 00 00 00 01 c3 c6 05 01 80 00 00 05 49 75 ef f4';
  const run = start({mode: 'protected', code, registers: {RBX: 0n, RCX: 3n}});
  // The registers are recorded whole.
  const banks = run.banks.filter(({name}) => name !== 'registers');
  const first = banks.map(({bytes}) => bytes.slice());
  const undo: (() => void)[] = [];
  run.observe({
    willWrite: (name, offset, length) => {
      const bytes = banks.find(bank => bank.name === name)?.bytes;
      const before = bytes?.slice(offset, offset + length);
      if (before !== undefined) undo.push(() => bytes?.set(before, offset));
    },
    event: () => undefined,
    hypervisorEvent: () => undefined,
  });
  for (let step = 0; step < STEPS && run.step().outcome === undefined; step++);
  expect(banks.some(({bytes}, index) => bytes.some((byte, at) => byte !== first[index]?.[at]))).toBe(true);
  for (const back of undo.toReversed()) back();
  for (const [index, {bytes}] of banks.entries()) expect(Buffer.compare(bytes, first[index] ?? bytes)).toBe(0);
});
