// Robin and Irvine's sensitive instructions that do not trap, each in a guest kernel: what it leaves in a register in ring 0, and
// what a deprivileged kernel finds on an ordinary processor. Where everything sensitive traps, the same VMM gives ring 0's answer.

import {describe, expect, test} from 'vitest';
import {BareRun} from '../bare/bare-run.js';
import {listing} from '../conformance/listing.js';
import {START, startImage} from '../conformance/start-state.js';
import type {TechniqueOptions, TechniqueRun} from '../technique.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {RingLayout} from './rings.js';
import {TrapAndEmulateRun} from './trap-and-emulate-run.js';

interface Card {
  readonly mnemonic: string;
  /** In 32-bit protected mode; the answer is in EAX. */
  readonly code: string;
  readonly native: bigint;
  readonly ring1: bigint;
  readonly ring3: bigint;
}

/** 48h: a local descriptor table of eight bytes at 9000h. */
const LDT = {gpa: START.gdt + 0x48, bytes: [7, 0, 0, 0x90, 0, 0x82, 0, 0]};

const CARDS: readonly Card[] = [
  // sgdt [esp-8] / mov eax, [esp-6]
  {mnemonic: 'SGDT', code: '0f 01 44 24 f8 8b 44 24 fa', native: 0x500n, ring1: 0xffe2_0000n, ring3: 0xffe2_0000n},
  {mnemonic: 'SIDT', code: '0f 01 4c 24 f8 8b 44 24 fa', native: 0x4000n, ring1: 0xffe0_1000n, ring3: 0xffe0_1000n},
  // mov ax, 48h / lldt ax / sldt eax
  {mnemonic: 'SLDT', code: '66 b8 48 00 0f 00 d0 0f 00 c0', native: 0x48n, ring1: 0xff60n, ring3: 0xff60n},
  {mnemonic: 'SMSW', code: '31 c0 66 0f 01 e0', native: 0x11n, ring1: 0x31n, ring3: 0x31n},
  // cli / pushf / pop eax / and eax, 200h
  {mnemonic: 'PUSHF', code: 'fa 9c 58 25 00 02 00 00', native: 0n, ring1: 0x200n, ring3: 0x200n},
  // sti / push 2 / popf / pushf / pop eax / and eax, 200h
  {mnemonic: 'POPF, of IF', code: 'fb 6a 02 9d 9c 58 25 00 02 00 00', native: 0n, ring1: 0x200n, ring3: 0x200n},
  // push 3002h / popf / pushf / pop eax / and eax, 3000h
  {mnemonic: 'POPF, of IOPL', code: '68 02 30 00 00 9d 9c 58 25 00 30 00 00', native: 0x3000n, ring1: 0n, ring3: 0n},
  // mov eax, 8 / lar eax, eax / and eax, f0ff00h
  {
    mnemonic: 'LAR',
    code: 'b8 08 00 00 00 0f 02 c0 25 00 ff f0 00',
    native: 0xc0_9b00n,
    ring1: 0xc0_bb00n,
    ring3: 0xc0_fb00n,
  },
  {mnemonic: 'LSL', code: 'b8 08 00 00 00 0f 03 c0', native: 0xffff_ffffn, ring1: 0xffdf_ffffn, ring3: 0xffff_ffffn},
  {mnemonic: 'STR', code: '0f 00 c8', native: 0x40n, ring1: 0xff80n, ring3: 0xff80n},
  {mnemonic: 'MOV r, CS', code: '8c c8', native: 8n, ring1: 9n, ring3: 0xbn},
  {mnemonic: 'MOV r, SS', code: '8c d0', native: 0x18n, ring1: 0x19n, ring3: 0x1bn},
  {mnemonic: 'PUSH CS', code: '0e 58 83 e0 03', native: 0n, ring1: 1n, ring3: 3n},
  // call 8:8007h / mov eax, [esp+4]
  {mnemonic: 'CALL far', code: '9a 07 80 00 00 08 00 8b 44 24 04', native: 8n, ring1: 9n, ring3: 0xbn},
  {mnemonic: 'JMP far', code: 'ea 07 80 00 00 08 00 8c c8', native: 8n, ring1: 9n, ring3: 0xbn},
  // push 8 / push 8008h / retf / mov eax, cs: the return traps, for its RPL; what reads CS behind it does not
  {mnemonic: 'RET far', code: '6a 08 68 08 80 00 00 cb 8c c8', native: 8n, ring1: 9n, ring3: 0xbn},
  // push 18h / pop ds / mov eax, ds; mov ax, 18h / verr ax / setz al: right, because the shadow's DPLs are pushed with the ring
  {mnemonic: 'POP DS', code: '6a 18 1f 8c d8', native: 0x18n, ring1: 0x18n, ring3: 0x18n},
  {mnemonic: 'VERR', code: 'b8 18 00 00 00 0f 00 e0 0f 94 c0', native: 1n, ring1: 1n, ring3: 1n},
  {mnemonic: 'VERW', code: 'b8 18 00 00 00 0f 00 e8 0f 94 c0', native: 1n, ring1: 1n, ring3: 1n},
];

function answer({code}: Card, start: (options: TechniqueOptions) => TechniqueRun): bigint | undefined {
  const image = startImage({title: '', mode: 'protected', code: listing(`${code} f4`), memory: [LDT], expect: {}});
  const run = start({image, ports: TEST_PORTS, profile: undefined, costModel: undefined});
  expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
  return run.guestRegisters().RAX;
}
const deprivileged =
  (profile: string, rings: RingLayout) =>
  (options: TechniqueOptions): TechniqueRun =>
    new TrapAndEmulateRun({...options, profile, rings});

describe.each(CARDS)('$mnemonic', card => {
  test('in ring 0', () => {
    expect(answer(card, options => new BareRun(options))).toBe(card.native);
  });
  test('in ring 1 of an ordinary processor', () => {
    expect(answer(card, deprivileged('westmere', '0/1/3'))).toBe(card.ring1);
  });
  test('in ring 3 of an ordinary processor', () => {
    expect(answer(card, deprivileged('westmere', '0/3/3'))).toBe(card.ring3);
  });
  test('in rings 1 and 3 where everything sensitive traps', () => {
    expect(answer(card, deprivileged('westmere,+strict', '0/1/3'))).toBe(card.native);
    expect(answer(card, deprivileged('westmere,+strict', '0/3/3'))).toBe(card.native);
  });
});

test('UMIP makes five of them trap at last: SGDT, SIDT, SLDT, SMSW and STR are right in ring 1 of a processor that has it', () => {
  for (const card of CARDS.filter(({mnemonic}) => ['SGDT', 'SIDT', 'SLDT', 'SMSW', 'STR'].includes(mnemonic)))
    expect([card.mnemonic, answer(card, deprivileged('westmere,+umip', '0/1/3'))]).toEqual([
      card.mnemonic,
      card.native,
    ]);
});

test('INT n traps, because the gates of the VMM have DPL 0: the guest’s handler finds the frame of ring 0', () => {
  // mov ebx, esp / int 3; handler: sub ebx, esp / hlt
  const code = listing('89 e3 cd 03 f4');
  const handlers = {3: listing('29 e3 f4')};
  const image = startImage({title: '', mode: 'protected', code, handlers, expect: {}});
  const run = new TrapAndEmulateRun({image, ports: TEST_PORTS, profile: 'westmere', costModel: undefined});
  runToEnd(run);
  expect(run.guestRegisters().RBX).toBe(12n);
});
