// Several virtual machines on one processor: each has its own memory, registers and time, nobody can keep the processor, and what
// becomes of one is no concern of the others.

import {describe, expect, test} from 'vitest';
import {gpa, hpa} from '@hyperscope/base';
import {runToEnd} from '../../src/testing/run-guest.js';
import {consoleOf, virtualMachines} from './virtual-machines.js';
import type {SmallGuest} from './virtual-machines.js';
import type {ControlProgramRun} from '../../src/control-program/control-program-run.js';

const put = (what: string): string => `mov edx, 3f8h\nmov al, ${what}\nout dx, al\n`;
const spin: SmallGuest = {code: 'again: inc ecx\njmp again'};
/** Counts to a number, prints a letter, and stops. */
const finite = (letter: string, count = 3000): SmallGuest => ({
  code: `mov ecx, ${count}\nagain: dec ecx\njnz again\n${put(`'${letter}'`)}cli\nhlt`,
});
const steps = (run: ControlProgramRun, count: number): void => {
  for (let step = 0; step < count; step++) run.step();
};
const account = (run: ControlProgramRun, name: string) => {
  const machine = run.virtualMachines.find(each => each.name === name);
  if (machine === undefined) throw new Error(`no machine ${name}`);
  return machine.account();
};
const cycles = (run: ControlProgramRun, name: string): number => {
  const {virtualCycles, hypervisorCycles} = account(run, name);
  return virtualCycles + hypervisorCycles;
};

describe('the processor', () => {
  test('is taken from a guest that never gives it up, by an interrupt of the real timer', () => {
    const run = virtualMachines({CMS1: spin, CMS2: finite('b', 2000)}, {sharing: {quantum: 3000}});
    const {events} = runToEnd(run, 10_000);
    expect(consoleOf(run, 'CMS2')).toBe('b');
    expect(events).toContainEqual(expect.objectContaining({kind: 'delivery', vector: 0xef}));
    expect(account(run, 'CMS1').preempted).toBeGreaterThan(1);
    expect(account(run, 'CMS1').traps).toMatchObject({'slice timer': expect.any(Number)});
  });

  test.each([
    [{}, [1, 1, 1]],
    [{A: 3}, [3, 1, 1]],
    [{A: 2, C: 5}, [2, 1, 5]],
  ] as const)('is shared by weight: %j', (weights, expected) => {
    const quantum = 2000;
    const run = virtualMachines({A: spin, B: spin, C: spin}, {sharing: {weights, quantum}});
    steps(run, 20_000);
    const had = ['A', 'B', 'C'].map(name => cycles(run, name));
    const total = had.reduce((sum, each) => sum + each, 0);
    const parts = expected.reduce((sum: number, each) => sum + each, 0);
    expect(total).toBeGreaterThan(15 * quantum);
    // To two slices, with what the control program does at the end of each.
    for (const [index, part] of expected.entries())
      expect(Math.abs((had[index] ?? 0) - (total * part) / parts)).toBeLessThan(2 * (quantum + 1000));
  });

  test('is paid for by somebody, at every cycle, or nobody wanted it', () => {
    const run = virtualMachines({A: finite('a', 1000), B: finite('b')}, {sharing: {quantum: 3000}});
    runToEnd(run, 20_000);
    const paid = cycles(run, 'A') + cycles(run, 'B') + run.controlProgram.idleCycles;
    // What is left is the last step, and those before the first dispatch.
    expect(run.machine.cycles - paid).toBeLessThan(1000);
    expect(run.machine.cycles - paid).toBeGreaterThanOrEqual(0);
  });

  test('is held long enough for some of a guest’s own code, however much the way in and out costs', () => {
    const options = {sharing: {quantum: 2000}, costModel: 'westmere-2010,vmm-step=5000'};
    const run = virtualMachines(
      {A: finite('a', 400), B: {mode: 'real', code: `mov cx, 400\nagain: loop again\n${put(`'b'`)}cli\nhlt`}},
      options,
    );
    expect(runToEnd(run, 12_000).outcome).toEqual({kind: 'halted', machines: 'over'});
    expect([consoleOf(run, 'A'), consoleOf(run, 'B')]).toEqual(['a', 'b']);
    // A segment whose base is not its selector times 16 is emulated, instruction by instruction: never a native step between.
    const unreal: SmallGuest = {
      mode: 'real',
      code: `cli\nlgdt [table]\nmov eax, cr0\nor al, 1\nmov cr0, eax\nmov bx, 18h\nmov ds, bx\nand al, 0feh\nmov cr0, eax\nagain: jmp again\ntable: dw 1ffh\ndd 500h`,
    };
    const beside = virtualMachines({UNREAL: unreal, B: finite('b', 400)}, options);
    runToEnd(beside, 12_000);
    expect(consoleOf(beside, 'B')).toBe('b');
    expect(account(beside, 'UNREAL').preempted).toBeGreaterThan(2);
  });

  test('waits when everybody does, until a timer of one of them is due', () => {
    const sleeper = (letter: string): SmallGuest => ({
      code: `
        mov al, 11h
        out 20h, al
        mov al, 8
        out 21h, al
        mov al, 4
        out 21h, al
        mov al, 1
        out 21h, al
        mov al, 0feh
        out 21h, al
        mov al, 34h
        out 43h, al
        mov al, 0
        out 40h, al
        mov al, 4
        out 40h, al
        xor ebx, ebx
        sti
again:  hlt
        cmp ebx, 3
        jb again
        ${put(`'${letter}'`)}
        cli
        hlt`,
      handlers: {8: 'inc ebx\nmov al, 20h\nout 20h, al\niretd'},
    });
    const run = virtualMachines({A: sleeper('a'), B: sleeper('b')});
    const {outcome} = runToEnd(run, 60_000);
    expect(outcome).toEqual({kind: 'halted', machines: 'over'});
    expect([consoleOf(run, 'A'), consoleOf(run, 'B')]).toEqual(['a', 'b']);
    // Three ticks of 1024 / 1193182 s each, in which next to nothing was done.
    expect(run.controlProgram.idleCycles).toBeGreaterThan(0.9 * run.machine.cycles);
    expect(account(run, 'A').waits).toBe(3);
  });
});

describe('what a virtual machine has is its own', () => {
  test('modes: real, protected and 64-bit guests run side by side', () => {
    const run = virtualMachines(
      {
        REAL: {mode: 'real', code: `mov cx, 1500\nagain: loop again\n${put(`'r'`)}cli\nhlt`},
        PROT: finite('p', 1500),
        LONG: {mode: 'long', code: `mov rcx, 1500\nagain: dec rcx\njnz again\n${put(`'l'`)}cli\nhlt`},
      },
      {sharing: {quantum: 4000}},
    );
    expect(runToEnd(run, 80_000).outcome).toEqual({kind: 'halted', machines: 'over'});
    expect(['REAL', 'PROT', 'LONG'].map(name => consoleOf(run, name))).toEqual(['r', 'p', 'l']);
  });

  test('vector registers: each finds its own in XMM0 after any number of slices', () => {
    const keeper = (value: number, letter: string): SmallGuest => ({
      code: `
        mov eax, cr4
        or eax, 200h            ; OSFXSR
        mov cr4, eax
        mov eax, ${value}
        movd xmm0, eax
        mov ecx, 1500
again:  movd ebx, xmm0
        cmp ebx, ${value}
        jne wrong
        dec ecx
        jnz again
        ${put(`'${letter}'`)}
        cli
        hlt
wrong:  ${put("'!'")}
        cli
        hlt`,
    });
    const run = virtualMachines({A: keeper(0x1111, 'a'), B: keeper(0x2222, 'b')}, {sharing: {quantum: 2000}});
    runToEnd(run, 30_000);
    expect([consoleOf(run, 'A'), consoleOf(run, 'B')]).toEqual(['a', 'b']);
    expect(account(run, 'A').preempted).toBeGreaterThan(5);
  });

  test('the time-stamp counter: setting it changes it for nobody else', () => {
    const setter: SmallGuest = {
      code: `mov ecx, 10h\nxor eax, eax\nmov edx, 7777h\nwrmsr\nmov ecx, 3000\nagain: dec ecx\njnz again\nrdtsc\nmov ebx, edx\ncli\nhlt`,
    };
    const reader: SmallGuest = {code: `mov ecx, 6000\nagain: dec ecx\njnz again\nrdtsc\nmov ebx, edx\ncli\nhlt`};
    const run = virtualMachines({SETTER: setter, READER: reader}, {sharing: {quantum: 4000}});
    runToEnd(run, 60_000);
    const high = run.controlProgram.users.map(({pc}) => pc.guestRegisters().RBX);
    expect(high).toEqual([0x7777n, 0n]);
  });

  const SECRET = 0x5ec2e7;
  const victim: SmallGuest = {
    code: `
        mov dword [100000h], ${SECRET}
        mov ecx, 5000
again:  dec ecx
        jnz again
        cmp dword [100000h], ${SECRET}
        mov al, 'w'
        jne said
        mov al, 'v'
said:   mov edx, 3f8h
        out dx, al
        cli
        hlt`,
  };
  // Its page tables lead from every linear address below 1 GiB to the same guest-physical one: 4 MiB are its own, and behind
  // them, if they led to the host's memory, lie windows, pools, and the other's RAM.
  const hostile: SmallGuest = {
    mode: 'long',
    code: `
        mov rsi, 400000h
        xor ebx, ebx
        xor edi, edi
again:  mov eax, [rsi]
        cmp eax, ${SECRET}
        jne other
        inc edi
other:  cmp eax, -1
        je nothing
        inc ebx
nothing: mov dword [rsi], 0deadbeefh
        add rsi, 40000h
        cmp rsi, 2000000h
        jb again
        cli
        hlt`,
  };

  test('memory: page tables that lead anywhere lead a guest to its own RAM or to nothing', () => {
    // So that it is done before the other looks.
    const run = virtualMachines({EVIL: hostile, VICTIM: victim}, {sharing: {quantum: 2000, weights: {EVIL: 100}}});
    const evil = run.controlProgram.user(0);
    const other = run.controlProgram.user(1);
    const secret = other.pc.guestToHost(gpa(0x10_0000));
    const {events} = runToEnd(run, 60_000);
    const ends = events.flatMap(event =>
      event.kind === 'control-program' && event.what === 'end' ? [event.machine] : [],
    );
    expect(ends).toEqual(['EVIL', 'VICTIM']);
    expect(secret).toBeLessThan(0x200_0000);
    expect(run.machine.memory.read(hpa(Number(secret)), 4)).toBe(BigInt(SECRET));
    expect(evil.pc.guestRegisters()).toMatchObject({RBX: 0n, RDI: 0n, RSI: 0x200_0000n});
    expect(consoleOf(run, 'VICTIM')).toBe('v');
  });

  test('page tables: a CR3 that names a place beyond its RAM kills a guest, and nobody else', () => {
    const run = virtualMachines({
      EVIL: {mode: 'long', code: 'mov rax, 1c00000h\nmov cr3, rax\nhlt'},
      OTHER: finite('o', 500),
    });
    const {outcome} = runToEnd(run, 10_000);
    expect(outcome).toMatchObject({kind: 'triple-fault'});
    expect(consoleOf(run, 'OTHER')).toBe('o');
  });
});

describe('the end of a virtual machine', () => {
  test.each([
    ['triple fault', 'lidt [empty]\nud2\nempty: times 6 db 0', 'triple-fault'],
    ['power-off', 'mov dx, 604h\nmov ax, 2000h\nout dx, ax\nagain: jmp again', 'power-off'],
    ['reset', 'mov al, 0feh\nout 64h, al\nagain: jmp again', 'power-off'],
    ['debug exit', 'mov al, 3\nout 0f4h, al\nagain: jmp again', 'debug-exit'],
    ['disabled wait', 'cli\nhlt', 'halted'],
  ])('by %s leaves the others running', (_, code, kind) => {
    const run = virtualMachines({GONE: {code}, STAYS: finite('s')}, {sharing: {quantum: 3000}});
    const {events} = runToEnd(run, 20_000);
    expect(consoleOf(run, 'STAYS')).toBe('s');
    expect(run.virtualMachines.map(({outcome}) => outcome?.kind)).toEqual([kind, 'halted']);
    expect(events).toContainEqual(expect.objectContaining({kind: 'control-program', what: 'end', machine: 'GONE'}));
  });

  test('who waits for what cannot come ends the run, and is said to wait', () => {
    const run = virtualMachines({WAITS: {code: 'sti\nhlt'}, OTHER: finite('o', 10)});
    expect(runToEnd(run, 20_000).outcome).toEqual({kind: 'halted', machines: 'waiting'});
    expect(run.virtualMachines.map(({outcome}) => outcome?.kind)).toEqual([undefined, 'halted']);
  });
});

describe('refused', () => {
  test.each([
    ['too-many-machines', {A: spin, B: spin, C: spin, D: spin, E: spin}, {}],
    ['machine-name', {'lower case': spin}, {}],
    ['quantum', {A: spin}, {quantum: 100}],
    ['weight', {A: spin}, {weights: {B: 2}}],
    ['weight', {A: spin}, {weights: {A: 0}}],
  ] as const)('%s', (code, guests, sharing) => {
    expect(() => virtualMachines(guests, {sharing})).toThrow(expect.objectContaining({code}));
  });
});
