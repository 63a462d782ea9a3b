// What code of the cache does in more than one instruction: the guest's state at each of them is one that bare metal has, and an
// interrupt may come at any of them. Then what each sequence leaves to the VMM, and what it does not.

import {describe, expect, test} from 'vitest';
import {BareRun} from '../bare/bare-run.js';
import type {ConformanceCase} from '../conformance/conformance-case.js';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {GUEST_CELLS} from '../kvm-role/guest-view.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {AnyEvent} from '../testing/run-guest.js';
import type {TrapAndEmulateRun} from '../trap-and-emulate/trap-and-emulate-run.js';
import type {RegisterValues} from '../virtual-machine.js';
import {startBinaryTranslation} from './binary-translation-run.js';

type Guest = Pick<ConformanceCase, 'mode'> & {readonly code: string} & Partial<
    Pick<ConformanceCase, 'handlers' | 'memory' | 'registers'>
  >;
const optionsOf = (guest: Guest) => ({
  image: startImage({title: '', expect: {}, ...guest, code: listing(guest.code)}),
  ports: TEST_PORTS,
  profile: 'westmere',
  costModel: undefined,
});
const start = (guest: Guest): TrapAndEmulateRun => startBinaryTranslation(optionsOf(guest));

const CLOCKS: readonly string[] = ['CYCLES', 'TSC', 'INSTRUCTIONS', 'INTERRUPT_SHADOW'];
const COMPARED = GUEST_CELLS.filter(cell => !CLOCKS.includes(cell));
const seen = (registers: RegisterValues): string =>
  COMPARED.map(cell => `${cell}=${(registers[cell] ?? 0n).toString(16)}`).join(' ');

/**
 * Twice round: direct CALL, CALL through memory and through a register, each with its RET; PUSHF, CLI, PUSHF, STI, PUSHF, three POPFs;
 * JMP through a register; then HLT. CX, AX and DX are all in use.
 */
const ROUND = {
  real: `b9 02 00 51 b8 34 12 f9 e8 1d 00 ff 16 33 80 ba 2b 80 ff d2 9c fa 9c fb 9c 9d 9d 9d ba 21 80 ff e2 fd fc 59 49
    75 dc f4 01 c8 c3 91 c3 83 e8 07 c2 00 00 2d 80`,
  protected: `b9 02 00 00 00 51 b8 34 12 00 00 f9 e8 23 00 00 00 ff 15 3f 80 00 00 ba 37 80 00 00 ff d2 9c fa 9c fb 9c 9d
    9d 9d ba 2d 80 00 00 ff e2 fd fc 59 49 75 d2 f4 01 c8 c3 91 c3 83 e8 07 c2 00 00 39 80 00 00`,
  long: `b9 02 00 00 00 51 b8 34 12 00 00 f9 e8 2f 00 00 00 ff 15 37 00 00 00 48 ba 44 80 00 00 00 00 00 00 ff d2 9c fa
    9c fb 9c 9d 9d 9d 48 ba 37 80 00 00 00 00 00 00 ff e2 fd fc 59 48 ff c9 75 c6 f4 48 01 c8 c3 48 91 c3 48 83 e8 07 c2 00 00
    47 80 00 00 00 00 00 00`,
} as const;
/** The handler counts in a byte. */
const MOST_INJECTED = 200;
/** inc byte [9100h] / iret */
const COUNT = {
  real: 'fe 06 00 91 cf',
  protected: 'fe 05 00 91 00 00 cf',
  long: 'fe 04 25 00 91 00 00 48 cf',
} as const;
const MODES = ['real', 'protected', 'long'] as const;
const guestOf = (mode: (typeof MODES)[number]): Guest => ({
  mode,
  code: ROUND[mode],
  handlers: {2: listing(COUNT[mode])},
  registers: {RFLAGS: 0x202n},
});

describe.each(MODES)('in %s mode', mode => {
  test('the guest has at every step what it has on bare metal before or behind an instruction', () => {
    const bare = new BareRun(optionsOf(guestOf(mode)));
    const states: string[] = [seen(bare.guestRegisters())];
    while (bare.step().outcome === undefined) states.push(seen(bare.guestRegisters()));
    const run = start(guestOf(mode));
    let at = 0;
    let inCache = 0;
    for (let step = 0; step < 5000; step++) {
      const now = seen(run.guestRegisters());
      if (now !== states[at]) expect([step, now]).toEqual([step, states[++at]]);
      if (run.machine.registers.get('CPL') !== 0n) inCache++;
      if (run.step().outcome !== undefined) break;
    }
    expect(at).toBeGreaterThan(states.length - 3);
    expect(inCache).toBeGreaterThan(150);
  });

  test('an interrupt may come at every instruction of the cache', () => {
    const guest = {...guestOf(mode), code: ROUND[mode].replace('b9 02', 'b9 50')};
    const run = start(guest);
    const visits = new Map<bigint, number>();
    let injected = 0;
    for (let step = 0; step < 200_000; step++) {
      const {registers} = run.machine;
      const rip = registers.get('RIP');
      const seenBefore = visits.get(rip) ?? 0;
      // One at a time, and where look-ups find something already.
      const isFree = run.vmm.memory.read(0x9100, 1) === BigInt(injected) && run.vmm.vcpu.get('NMI_BLOCKING') === 0n;
      if (registers.get('CPL') !== 0n) visits.set(rip, seenBefore < 0 ? -1 : seenBefore + 1);
      if (registers.get('CPL') !== 0n && seenBefore >= 2 && injected < MOST_INJECTED && isFree) {
        run.vmm.vcpu.setSlot('nmi_pending', 1);
        injected++;
        visits.set(rip, -1);
      }
      if (run.step().outcome !== undefined) break;
    }
    const bare = new BareRun(optionsOf(guest));
    runToEnd(bare, 40_000);
    expect(seen(run.guestRegisters())).toBe(seen(bare.guestRegisters()));
    expect(injected).toBeGreaterThan(60);
    expect(run.vmm.memory.read(0x9100, 1)).toBe(BigInt(injected));
  });

  test('returns and indirect jumps call the VMM the first time only', () => {
    const {events} = runToEnd(start({...guestOf(mode), code: ROUND[mode].replace('b9 02', 'b9 30')}), 40_000);
    const emulated = emulations(events).filter(text => /^(?:ret|call|jmp)/u.test(text));
    expect(emulated.length).toBeGreaterThan(3);
    expect(emulated.length).toBeLessThan(9);
  });
});

const emulations = (events: readonly AnyEvent[]): readonly string[] =>
  events.flatMap(event => (event.kind === 'emulation' ? [event.text] : []));

function ended(guest: Guest, steps = 40_000): {readonly run: TrapAndEmulateRun; readonly events: readonly AnyEvent[]} {
  const run = start(guest);
  const {outcome, events} = runToEnd(run, steps);
  expect(outcome).toEqual({kind: 'halted'});
  const bare = new BareRun(optionsOf(guest));
  runToEnd(bare, steps);
  expect(seen(run.guestRegisters())).toBe(seen(bare.guestRegisters()));
  return {run, events};
}

describe('the shadow of STI', () => {
  // PIC: vectors from 18h, IRQ 1 alone / mov cx, 3 / 801ah: sti / nop / cli / loop 801ah / hlt
  const code = `b0 11 e6 20 b0 18 e6 21 b0 04 e6 21 b0 01 e6 21 b0 fd e6 21 b9 03 00 90 90 90 fb 90 fa e2 fb f4`;
  /** inc byte [9100h] / push ax / in al, 60h / mov al, 20h / out 20h, al / pop ax / iret */
  const handlers = {0x19: listing('fe 06 00 91 50 e4 60 b0 20 e6 20 58 cf')};
  const guest: Guest = {mode: 'real', code, handlers, registers: {RFLAGS: 2n}};
  const STI = 0x801an;
  const NOP = 0x801bn;
  const CLI = 0x801cn;

  test('lasts for one instruction, wherever between them an interrupt comes', () => {
    const plain = start(guest);
    const places = new Map<string, number>();
    for (let step = 0; step < 2000; step++) {
      const {registers} = plain.machine;
      const {RIP = 0n} = plain.guestRegisters();
      if (registers.get('CPL') !== 0n && (RIP === STI || RIP === NOP))
        places.set(`${RIP} ${registers.get('RIP')}`, step);
      if (plain.step().outcome !== undefined) break;
    }
    expect(places.size).toBeGreaterThan(5);
    for (const place of [...places.values()].filter((_, index) => index % 2 === 0)) {
      const run = start(guest);
      for (let step = 0; step < place; step++) run.step();
      run.pressKeys(Uint8Array.of(0x1e));
      runToEnd(run, 4000);
      // The handler counted one, and the frame says where it came.
      expect([place, run.vmm.memory.read(0x9100, 1)]).toEqual([place, 1n]);
      expect([place, run.vmm.memory.read(0x7efa, 2)]).toEqual([place, CLI]);
    }
  });
});

describe('a look-up', () => {
  test('is not led astray by an address with the same low byte', () => {
    // mov ecx, 4 / again: mov eax, 8100h / call eax / mov eax, 8200h / call eax / dec ecx / jnz again / hlt; inc ebx / ret; inc edx / ret
    const code = 'b9 04 00 00 00 b8 00 81 00 00 ff d0 b8 00 82 00 00 ff d0 49 75 ef f4';
    const memory = [
      {gpa: 0x8100, bytes: [0x43, 0xc3]},
      {gpa: 0x8200, bytes: [0x42, 0xc3]},
    ];
    const {run} = ended({mode: 'protected', code, memory, registers: {RBX: 0n, RDX: 0n}});
    expect([run.guestRegisters().RBX, run.guestRegisters().RDX]).toEqual([4n, 4n]);
  });

  test.each([
    ['RET', '68 00 00 00 00 c3'], // push 0 / ret
    ['JMP', '31 c0 ff e0'], // xor eax, eax / jmp eax
  ])('of address 0 finds nothing that is not there: %s', (_name, code) => {
    const memory = [{gpa: 0, bytes: [0x43, 0xf4]}]; // inc ebx / hlt
    ended({mode: 'protected', code, memory, registers: {RBX: 0n}});
  });

  test('finds the new code where the old was written over', () => {
    // mov ecx, 3 / again: call 8020 / mov byte [8021], cl / dec ecx / jnz again / hlt; 8020: mov al, 9 / add bl, al / ret
    const code = 'b9 03 00 00 00 e8 16 00 00 00 88 0d 21 80 00 00 49 75 f2 f4';
    const memory = [{gpa: 0x8020, bytes: [0xb0, 9, 0x00, 0xc3, 0xc3]}];
    const {run} = ended({mode: 'protected', code, memory, registers: {RAX: 0n, RBX: 0n}});
    expect(run.guestRegisters().RBX).toBe(14n);
  });

  test('with a target outside the segment is #GP at the RET, with the stack as it was', () => {
    // push 7fffffff / ret in a segment of 64 KiB … the handler: mov eax, [esp+4] / hlt
    const {run} = ended({
      mode: 'protected',
      code: '68 ff ff ff 7f c3',
      handlers: {13: listing('8b 44 24 04 f4')},
      registers: {'CS.limit': 0xffffn, 'CS.attributes': 0x409bn},
    });
    expect(run.guestRegisters().RAX).toBe(0x8005n);
  });

  test('of RET reads the stack where a page fault may say no: CR2 and RIP are the guest’s', () => {
    // mov rsp, 80000000h (nothing is mapped there) / ret; #PF on the same broken stack is #DF, then a shutdown
    const code = '48 c7 c4 00 00 00 40 c3';
    const run = start({mode: 'long', code});
    const bare = new BareRun(optionsOf({mode: 'long', code}));
    expect(runToEnd(run, 5000).outcome?.kind).toBe(runToEnd(bare, 5000).outcome?.kind);
    expect(run.guestRegisters().CR2).toBe(bare.guestRegisters().CR2);
  });
});

describe('PUSHF and POPF', () => {
  test('call the VMM for TF and IOPL, and for nothing else', () => {
    // push 3202h / popf (IOPL 3) / pushf / pop ebx / push 202h / popf / push 2 / popf / pushf / pop ecx / hlt
    const code = '68 02 32 00 00 9d 9c 5b 68 02 02 00 00 9d 6a 02 9d 9c 59 f4';
    const {events, run} = ended({mode: 'protected', code});
    // With IOPL 3 both are callouts; with IOPL 0 none is.
    expect(emulations(events)).toEqual(['popfd', 'pushfd', 'popfd', 'hlt']);
    expect([run.guestRegisters().RBX, run.guestRegisters().RCX]).toEqual([0x3202n, 2n]);
  });

  test('of a guest that watches data are callouts, as are returns: a breakpoint must not strike in between', () => {
    // mov eax, 9000h / mov dr0, eax / mov eax, d0001h (write, 4 bytes) / mov dr7, eax / pushf / popf / call 8018 / hlt; inc ebx / ret
    const code = 'b8 00 90 00 00 0f 23 c0 b8 01 00 0d 00 0f 23 f8 9c 9d e8 01 00 00 00 f4 43 c3';
    const {events} = ended({mode: 'protected', code, registers: {RBX: 0n}});
    expect(emulations(events)).toEqual(['mov dr0, eax', 'mov dr7, eax', 'pushfd', 'popfd', 'ret', 'hlt']);
  });
});

test('STI calls the VMM where an interrupt waits, and only there', () => {
  const {events} = ended({mode: 'protected', code: 'fb fa fb fa fb 90 fa f4'});
  expect(emulations(events)).toEqual(['hlt']);
});

describe('MOV to CR8', () => {
  test.each([
    ['rax', 'b8 0f 00 00 00 44 0f 22 c0 f4'],
    ['r9', '49 c7 c1 05 00 00 00 45 0f 22 c1 44 0f 20 c3 f4'],
    ['rcx', 'b9 02 00 00 00 44 0f 22 c1 31 c9 f4'],
    ['rax, 0', '31 c0 44 0f 22 c0 f4'],
  ])('is a store to the virtual CPU: %s', (_name, code) => {
    const {events} = ended({mode: 'long', code, registers: {CR8: 1n}});
    expect(emulations(events)).toEqual(['hlt']);
  });

  test.each(['b8 10 00 00 00', 'b8 00 01 00 00', '48 b8 05 00 00 00 01 00 00 00'])(
    'calls the VMM where it is #GP: %s',
    code => {
      const {events} = ended({
        mode: 'long',
        code: `${code} 44 0f 22 c0 f4`,
        handlers: {13: listing('48 8b 5c 24 08 f4')},
      });
      expect(emulations(events)[0]).toBe('mov cr8, rax');
    },
  );
});

describe('an instruction that writes to a page table', () => {
  // The page table at b000h maps 200000h to 9000h.
  const memory = [
    {gpa: 0x3008, bytes: [0x07, 0xb0, 0, 0, 0, 0, 0, 0]},
    {gpa: 0xb000, bytes: [0x07, 0x90, 0, 0, 0, 0, 0, 0]},
  ];
  /** mov eax, [200000h] / mov esi, b008h / mov ecx, n / 8011: mov dword [rsi], 0 / dec ecx / jnz 8011 */
  const writes = (times: string): string =>
    `8b 04 25 00 00 20 00 be 08 b0 00 00 b9 ${times} 00 00 00 c7 06 00 00 00 00 ff c9 75 f6`;
  const stores = (events: readonly AnyEvent[]): readonly string[] =>
    emulations(events).filter(text => text.includes('[rsi], 0'));
  const adapted = (events: readonly AnyEvent[]) =>
    events.flatMap(event => (event.kind === 'translation-adapted' ? [[event.rip, event.to]] : []));

  test('traps three times, and is a callout from then on', () => {
    const {events} = ended({mode: 'long', memory, code: `${writes('20')} f4`});
    expect(adapted(events)).toEqual([[0x8011n, 'callout']]);
    expect(events.filter(event => event.kind === 'exception' && event.address === 0xb008n)).toHaveLength(3);
    expect(stores(events)).toHaveLength(32);
  });

  test('is copied again when it has left page tables alone sixteen times', () => {
    // cmp esi, 9200h / je hlt / mov esi, 9200h / mov ecx, 28h / jmp 8011
    const code = `${writes('08')} 81 fe 00 92 00 00 74 0c be 00 92 00 00 b9 28 00 00 00 eb e2 f4`;
    const {events} = ended({mode: 'long', memory, code});
    expect(adapted(events)).toEqual([
      [0x8011n, 'callout'],
      [0x8011n, 'ident'],
    ]);
    expect(stores(events)).toHaveLength(8 + 16);
  });
});
