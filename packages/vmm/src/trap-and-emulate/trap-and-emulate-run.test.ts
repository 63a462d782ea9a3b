// The VMM at work: what traps and what it makes of it, in which ring the guest really is, where the VMM hides and what protects
// it there, and the corners of the architecture, each held against the same guest on bare metal.

import {describe, expect, test} from 'vitest';
import {gpa, recordOf} from '@hyperscope/base';
import type {Cell} from '@hyperscope/isa';
import {BareRun} from '../bare/bare-run.js';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import type {ConformanceCase} from '../conformance/conformance-case.js';
import type {TechniqueRun} from '../technique.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {FinishedRun} from '../testing/run-guest.js';
import {RING_LAYOUTS} from './rings.js';
import type {RingLayout} from './rings.js';
import {TrapAndEmulateRun} from './trap-and-emulate-run.js';
import {TSS_32, TSS_64, VIRTUAL_CPU, inWindow, linearOf} from './vmm-layout.js';

type Guest = Pick<ConformanceCase, 'mode'> & {readonly code: string} & Partial<
    Pick<ConformanceCase, 'handlers' | 'memory' | 'registers'>
  >;

function start(guest: Guest, profile: string, rings?: RingLayout): TrapAndEmulateRun {
  const image = startImage({title: '', expect: {}, ...guest, code: listing(guest.code)});
  return new TrapAndEmulateRun({image, ports: TEST_PORTS, profile, costModel: undefined, rings});
}
function ended(run: TechniqueRun): FinishedRun {
  const finished = runToEnd(run, 20_000);
  expect(finished.outcome).toEqual({kind: 'halted'});
  return finished;
}

describe('a trap', () => {
  // mov eax, 1000h / mov cr3, eax / mov ebx, cr3 / hlt
  const guest: Guest = {mode: 'protected', code: 'b8 00 10 00 00 0f 22 d8 0f 20 db f4'};

  test('of MOV to CR3 is a real #GP from the guest’s ring, and changes what the guest believes, not what the processor holds', () => {
    const run = start(guest, 'westmere', '0/1/3');
    const {events} = ended(run);
    const first = events.findIndex(event => event.kind === 'exception' && event.vector === 13);
    expect(events[first + 1]).toMatchObject({kind: 'ring', from: 1, to: 0});
    expect(events).toContainEqual(
      expect.objectContaining({
        kind: 'virtual-cpu',
        register: 'CR3',
        from: 0n,
        to: 0x1000n,
        why: 'mov cr3, eax at virtual CPL 0',
      }),
    );
    expect(run.guestRegisters().CR3).toBe(0x1000n);
    expect(run.guestRegisters().RBX).toBe(0x1000n);
    expect(run.machine.registers.get('CR3')).not.toBe(0x1000n);
  });

  test('is told step by step, by the VMM’s routines', () => {
    const {events} = ended(start(guest, 'westmere', '0/1/3'));
    const routines = events.flatMap(event => (event.kind === 'host-step' ? [event.routine] : []));
    const from = routines.indexOf('vmm_entry_13');
    expect(routines.slice(from, from + 5)).toEqual([
      'vmm_entry_13',
      'vmm_dispatch',
      'vmm_emulate',
      'vmm_return',
      'vmm_resume',
    ]);
  });
});

describe('the guest’s kernel', () => {
  test.each([
    ['protected', '0/1/3', 1n, 9n],
    ['protected', '0/3/3', 3n, 0xbn],
    ['long', '0/1/3', 1n, 0x11n],
    ['long', '0/3/3', 3n, 0x13n],
    ['long', undefined, 3n, 0x13n],
    ['protected', undefined, 1n, 9n],
  ] as const)(
    'of %s mode really runs, under %s, in ring %s with CS %s, and believes to be in ring 0',
    (mode, rings, ring, cs) => {
      const run = start({mode, code: '90 90 f4'}, 'westmere', rings);
      while (run.machine.registers.get('CPL') === 0n) run.step();
      expect(run.machine.registers.get('CPL')).toBe(ring);
      expect(run.machine.registers.get('CS.selector')).toBe(cs);
      expect(run.guestRegisters()).toMatchObject({CPL: 0n, 'CS.selector': cs & ~3n});
    },
  );

  test('of real mode runs in virtual-8086 mode', () => {
    const run = start({mode: 'real', code: '90 90 f4'}, 'westmere');
    while (run.machine.registers.get('CPL') === 0n) run.step();
    expect(run.machine.mode).toBe('virtual-8086');
    expect(run.guestRegisters().CPL).toBe(0n);
  });
});

describe('the window in which the VMM hides', () => {
  // mov dword [ffe08000h], 12345678h / mov eax, [ffe08000h] / hlt
  const at = '00 80 e0 ff';
  const write: Guest = {mode: 'protected', code: `c7 05 ${at} 78 56 34 12 a1 ${at} f4`};

  test.each(RING_LAYOUTS)(
    'is not touched by a 32-bit guest under %s: its access traps, and finds what the guest has there',
    rings => {
      const run = start(write, 'westmere', rings);
      ended(run);
      expect(run.guestRegisters().RAX).toBe(0xffff_ffffn); // no memory there
      expect(run.vmm.vcpu.get('RAX')).toBe(0xffff_ffffn);
    },
  );

  test('under 0/1/3 is beyond the limits of the guest’s segments: the access is #GP; under 0/3/3 it is #PF', () => {
    const vectors = (rings: RingLayout): readonly number[] =>
      ended(start({mode: 'protected', code: `a1 ${at} f4`}, 'westmere', rings)).events.flatMap(event =>
        event.kind === 'exception' ? [event.vector] : [],
      );
    // The first #PF is the code page's, the last #GP is HLT's.
    expect(vectors('0/1/3').filter(vector => vector === 13)).toHaveLength(2);
    expect(vectors('0/3/3').filter(vector => vector === 13)).toHaveLength(1);
    expect(vectors('0/3/3').filter(vector => vector === 14)).toHaveLength(
      vectors('0/1/3').filter(v => v === 14).length + 1,
    );
  });

  // mov rax, [abs ffe02004h]: RSP0 of the VMM's TSS
  const peek: Guest = {mode: 'long', code: `b8 04 20 e0 ff 48 8b 00 f4`};

  test('in 64-bit mode is closed to ring 3 by its supervisor pages: the guest gets the #PF that its own tables call for', () => {
    const run = start(peek, 'westmere', '0/3/3');
    const {events} = ended(run);
    expect(run.guestRegisters()).toMatchObject({RAX: 0xffe0_2004n, CR2: 0xffe0_2004n});
    expect(events).toContainEqual(expect.objectContaining({kind: 'port', direction: 'out', port: 0xee}));
  });

  test('in 64-bit mode is open to ring 1: there are no limits, and ring 1 is supervisor', () => {
    const run = start(peek, 'westmere', '0/1/3');
    ended(run);
    expect(run.guestRegisters().RAX).toBe(run.machine.memory.read(inWindow(TSS_64 + 4), 8));
    expect(run.guestRegisters().RAX).toBe(linearOf(0x8000));
  });

  test('in 64-bit mode ring 1 can destroy the VMM: a write to the virtual CPU changes a register of the guest’s own', () => {
    // mov eax, ffe08008h (RCX of the virtual CPU) / mov dword [rax], 77h / hlt
    const run = start({mode: 'long', code: 'b8 08 80 e0 ff c7 00 77 00 00 00 f4'}, 'westmere', '0/1/3');
    while (run.machine.memory.read(inWindow(VIRTUAL_CPU + 8), 8) !== 0x77n) run.step();
    expect(run.machine.registers.get('CPL')).toBe(1n);
  });

  test('is where a 32-bit processor finds the VMM’s stack, from whatever guest it comes', () => {
    const run = start({mode: 'protected', code: 'f4'}, 'westmere');
    expect(run.machine.memory.read(inWindow(TSS_32 + 4), 4)).toBe(linearOf(0x8000));
  });
});

/** What a program may compare: not the clocks, and not what firmware or a chipset keeps. */
const COMPARED: readonly Cell[] = [
  ...(['RAX', 'RBX', 'RCX', 'RDX', 'RSI', 'RDI', 'RBP', 'RSP', 'RIP', 'RFLAGS', 'CPL'] as const),
  ...(['CR0', 'CR2', 'CR3', 'CR4', 'EFER', 'DR6', 'DR7', 'GDTR.base', 'IDTR.base'] as const),
  ...(['CS', 'SS', 'DS', 'ES', 'FS', 'GS', 'LDTR', 'TR'] as const).flatMap(
    name => [`${name}.selector`, `${name}.base`, `${name}.limit`, `${name}.attributes`] as const,
  ),
];

const CORNERS: readonly (Guest & {readonly title: string})[] = [
  {
    title: 'single step: #DB behind each instruction, also behind one that is emulated',
    mode: 'protected',
    // pushf / or dword [esp], 100h / popf / nop / mov eax, cr0 / nop / pushf / and dword [esp], ~100h / popf / hlt
    code: '9c 81 0c 24 00 01 00 00 9d 90 0f 20 c0 90 9c 81 24 24 ff fe ff ff 9d f4',
    handlers: {1: listing('43 cf')}, // inc ebx / iret
  },
  {
    title: 'an instruction breakpoint: #DB before the instruction, and DR6 tells which',
    mode: 'protected',
    // mov eax, 8011h / mov dr0, eax / mov eax, 402h / mov dr7, eax / nop / nop / inc ebx / hlt
    code: 'b8 11 80 00 00 0f 23 c0 b8 02 04 00 00 0f 23 f8 90 90 43 f4',
    handlers: {1: listing('0f 21 f1 81 4c 24 08 00 00 01 00 cf')}, // mov ecx, dr6 / or dword [esp+8], RF / iret
  },
  {
    title: 'SYSENTER goes to its MSRs, in ring 0',
    mode: 'protected',
    // 174h ← 8, 175h ← 7000h, 176h ← target / sysenter / hlt / target: mov ebx, esp / hlt
    code: 'b9 74 01 00 00 b8 08 00 00 00 31 d2 0f 30 41 b8 00 70 00 00 0f 30 41 b8 22 80 00 00 0f 30 0f 34 f4 90 89 e3 f4',
  },
  {
    title: 'division by zero is the guest’s own',
    mode: 'protected',
    code: '31 c9 f7 f1 43 f4',
    handlers: {0: listing('83 04 24 02 cf')}, // add dword [esp], 2 / iret
  },
  {
    title: 'a fault whose gate is not present is a double fault',
    mode: 'protected',
    memory: [{gpa: 0x4005, bytes: [0x0e]}],
    code: '31 c9 f7 f1 f4', // xor ecx, ecx / div ecx / hlt
  },
  {
    title: 'a triple fault, and the faults that led to it',
    mode: 'protected',
    // sub esp, 8 / mov dword [esp], 0 / mov dword [esp+4], 0 / lidt [esp] / ud2
    code: '83 ec 08 c7 04 24 00 00 00 00 c7 44 24 04 00 00 00 00 0f 01 1c 24 0f 0b',
  },
  {
    title: 'a 16-bit stack: the upper half of ESP stays the guest’s own over a trap',
    mode: 'protected',
    memory: [{gpa: 0x548, bytes: [0xff, 0xff, 0, 0, 0, 0x93, 0, 0]}],
    // mov ax, 48h / mov ss, ax / mov esp, 12347000h / mov ebx, cr0 / mov ecx, esp / hlt
    code: '66 b8 48 00 8e d0 bc 00 70 34 12 0f 20 c3 89 e1 f4',
  },
  {
    title: 'a data segment that begins where the VMM hides, and one that expands downwards',
    mode: 'protected',
    memory: [
      {gpa: 0x548, bytes: [0xff, 0xff, 0, 0x80, 0xe0, 0x93, 0xcf, 0xff]}, // base ffe08000h
      {gpa: 0x528, bytes: [0xff, 0x0f, 0, 0, 0, 0x97, 0x40, 0]}, // above offset 0fffh
      {gpa: 0x9000, bytes: [1, 2, 3, 4]},
    ],
    // mov ax, 48h / mov fs, ax / mov byte fs:[0], 55h / mov bl, fs:[0] / mov ax, 28h / mov gs, ax / mov ecx, gs:[9000h]
    // mov byte gs:[9001h], 77h / mov edx, [9000h] / hlt
    code: '66 b8 48 00 8e e0 64 c6 05 00 00 00 00 55 64 8a 1d 00 00 00 00 66 b8 28 00 8e e8 65 8b 0d 00 90 00 00 65 c6 05 01 90 00 00 77 8b 15 00 90 00 00 f4',
  },
  {
    title: 'a segment of a local descriptor table',
    mode: 'protected',
    memory: [
      {gpa: 0x548, bytes: [0xf, 0, 0, 0x90, 0, 0x82, 0, 0]},
      {gpa: 0x9008, bytes: [0xff, 0xf, 0, 0xa0, 0, 0x93, 0, 0]}, // base a000h
      {gpa: 0xa004, bytes: [0x44, 0x33, 0x22, 0x11]},
    ],
    // mov ax, 48h / lldt ax / mov ax, 0ch / mov fs, ax / mov ebx, fs:[4] / hlt
    code: '66 b8 48 00 0f 00 d0 66 b8 0c 00 8e e0 64 8b 1d 04 00 00 00 f4',
  },
  {
    title: 'a descriptor that the guest changes after it has loaded it: the register keeps what it held',
    mode: 'protected',
    // mov ax, 18h / mov fs, ax / mov byte [51fh], 7fh (base 31:24) / mov eax, cr0 / mov ecx, fs:[9000h] / hlt
    memory: [{gpa: 0x9000, bytes: [1, 2, 3, 4]}],
    code: '66 b8 18 00 8e e0 c6 05 1f 05 00 00 7f 0f 20 c0 64 8b 0d 00 90 00 00 f4',
  },
  {
    title: 'SWAPGS and the bases of FS and GS',
    mode: 'long',
    // c0000101h ← 9000h, c0000102h ← a000h / swapgs / inc r8 / rdmsr c0000101h / mov bl, gs:[0] / hlt
    code: 'b9 01 01 00 c0 b8 00 90 00 00 31 d2 0f 30 41 b8 00 a0 00 00 0f 30 0f 01 f8 49 ff c0 b9 01 01 00 c0 0f 32 65 8a 1c 25 00 00 00 00 f4',
    memory: [{gpa: 0xa000, bytes: [0x5a]}],
  },
  {
    title: 'from 64-bit mode to compatibility mode and back',
    mode: 'long',
    // push 8 / push 800ah / retfq / nop; 32-bit: mov eax, 12345678h / jmp 10h:back; back: mov rbx, rax / hlt
    code: '6a 08 68 0a 80 00 00 48 cb 90 b8 78 56 34 12 ea 16 80 00 00 10 00 48 89 c3 f4',
  },
  {
    title: 'real mode to protected mode and back, with a flat segment left in DS ("unreal mode")',
    mode: 'real',
    memory: [
      {gpa: 0x508, bytes: [0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0]},
      {gpa: 0x600, bytes: [0xf, 0, 0, 5, 0, 0]},
      {gpa: 0x11_2345, bytes: [0x77]},
    ],
    // lgdt [600h] / mov eax, cr0 / or al, 1 / mov cr0, eax / mov bx, 8 / mov ds, bx / and al, feh / mov cr0, eax
    // mov eax, 112345h / mov cl, [eax] (67h) / hlt
    code: '0f 01 16 00 06 0f 20 c0 0c 01 0f 22 c0 bb 08 00 8e db 24 fe 0f 22 c0 66 b8 45 23 11 00 67 8a 08 f4',
  },
];

const state = (run: TechniqueRun): unknown => {
  const registers = run.guestRegisters();
  return recordOf(COMPARED, cell => registers[cell]);
};

describe.each(CORNERS)('$title', guest => {
  test.each(RING_LAYOUTS)('ends under %s as on bare metal', rings => {
    const image = startImage({expect: {}, ...guest, code: listing(guest.code)});
    const bare = new BareRun({image, ports: TEST_PORTS, profile: 'westmere', costModel: undefined});
    const native = runToEnd(bare, 20_000).outcome;
    const run = start(guest, 'westmere,+strict', rings);
    expect(runToEnd(run, 20_000).outcome).toEqual(native);
    expect(state(run)).toEqual(state(bare));
    expect(run.guestToHost(gpa(0x9000))).not.toBe(bare.guestToHost(gpa(0x9000)));
  });
});
