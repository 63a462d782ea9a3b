// Small guests that use the devices of a PC, on bare metal: interrupts really arrive, and time is the machine's own.

import {expect, test} from 'vitest';
import type {ConformanceCase} from '../conformance/conformance-case.js';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import {BareRun} from './bare-run.js';

type Mode = ConformanceCase['mode'];

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function start(mode: Mode, code: string, handlers: Readonly<Record<number, string>> = {}, disk?: Uint8Array): BareRun {
  const bytes: Record<number, Uint8Array> = {};
  for (const [vector, hex] of Object.entries(handlers)) bytes[Number(vector)] = listing(hex);
  return new BareRun({
    image: startImage({title: '', mode, code: listing(code), handlers: bytes, expect: {}}),
    ports: TEST_PORTS,
    profile: undefined,
    costModel: undefined,
    disks: disk === undefined ? [] : [disk],
  });
}

/** IRQ 0 to 7 at vectors 18h to 1Fh, of which `mask` stay off. */
const pic = (mask: string): string => `
  fa                            ; cli
  b0 11 e6 20                   ; mov al, 11h / out 20h, al     ICW1
  b0 18 e6 21                   ; ICW2
  b0 04 e6 21                   ; ICW3
  b0 01 e6 21                   ; ICW4
  b0 ${mask} e6 21              ; mov al, mask / out 21h, al    OCW1
`;
/** 1193 ticks: a thousand interrupts a second. */
const PIT = `
  b0 34 e6 43                   ; mov al, 34h / out 43h, al     counter 0, mode 2
  b0 a9 e6 40                   ; mov al, a9h / out 40h, al
  b0 04 e6 40                   ; mov al, 04h / out 40h, al
`;
const setDx = (mode: Mode): string => (mode === 'real' ? 'ba f8 03' : '66 ba f8 03');
const sleepThrice = (mode: Mode): string => `
  31 db                         ; xor ebx, ebx
  fb                            ; sti
  f4                            ; again: hlt
  b0 30 00 d8                   ; mov al, '0' / add al, bl
  ${setDx(mode)} ee             ; mov dx, 3f8h / out dx, al
  80 fb 03                      ; cmp bl, 3
  75 ${mode === 'real' ? 'f2' : 'f1'} ; jne again
  fa f4                         ; cli / hlt
`;
/** Counts in BL, and tells the first 8259. */
const TICK: Readonly<Record<Mode, string>> = {
  real: '43 b0 20 e6 20 cf', // inc bx / mov al, 20h / out 20h, al / iret
  protected: '43 b0 20 e6 20 cf',
  long: 'ff c3 b0 20 e6 20 48 cf', // inc ebx / … / iretq
};

test.each(['real', 'protected', 'long'] as const)('three timer interrupts in %s mode, by PIC and PIT', mode => {
  const run = start(mode, pic('fe') + PIT + sleepThrice(mode), {0x18: TICK[mode]});
  const {outcome, reports} = runToEnd(run);
  expect([outcome, text(run.serialOutput())]).toEqual([{kind: 'halted'}, '123']);
  expect(reports.filter(report => report.kind === 'delivery')).toHaveLength(3);
  // 3 × 1193 ticks of 1/1193182 s, at 2.66 GHz, and what setting up and the last round cost.
  const cycles = run.machine.cycles;
  const ticks = (3 * 1193 * 2_660_000_000) / 1_193_182;
  expect(cycles).toBeGreaterThan(ticks);
  expect(cycles - ticks).toBeLessThan(60_000);
  const again = start(mode, pic('fe') + PIT + sleepThrice(mode), {0x18: TICK[mode]});
  runToEnd(again);
  expect(again.machine.cycles).toBe(cycles);
});

test('three interrupts of the local APIC’s own timer', () => {
  const run = start(
    'protected',
    `
      c7 05 f0 00 e0 fe ff 01 00 00 ; mov dword [fee000f0h], 1ffh     spurious vector, enable
      c7 05 e0 03 e0 fe 0b 00 00 00 ; mov dword [fee003e0h], 0bh      divide by 1
      c7 05 20 03 e0 fe 1f 00 02 00 ; mov dword [fee00320h], 2001fh   periodic
      c7 05 80 03 e0 fe 40 42 0f 00 ; mov dword [fee00380h], 1000000  a millisecond
      ${sleepThrice('protected')}
    `,
    {0x1f: 'ff c3 c7 05 b0 00 e0 fe 00 00 00 00 cf'}, // inc ebx / mov dword [fee000b0h], 0 / iret
  );
  expect([runToEnd(run).outcome, text(run.serialOutput())]).toEqual([{kind: 'halted'}, '123']);
  expect(Math.round(run.machine.cycles / 2_660_000)).toBe(3);
});

test('HLT does not wait for an interrupt that is masked, and not without IF', () => {
  const masked = start('real', `${pic('ff')}${PIT} fb f4`);
  expect(runToEnd(masked).outcome).toEqual({kind: 'halted'});
  const closed = start('real', `${pic('fe')}${PIT} fa f4`);
  expect(runToEnd(closed).outcome).toEqual({kind: 'halted'});
  expect(closed.machine.cycles).toBeLessThan(100_000);
});

test('a running program is interrupted when its time is up', () => {
  // A count of 16 is some 36,000 cycles: so often does JMP $ run before.
  const run = start('real', `${pic('fe')} b0 14 e6 43 b0 10 e6 40 fb eb fe`, {0x18: 'fa f4'});
  const {outcome, reports} = runToEnd(run, 50_000);
  expect(outcome).toEqual({kind: 'halted'});
  expect(reports.length).toBeGreaterThan(30_000);
});

test('a key that is pressed interrupts, and its scan code is read at 60h', () => {
  const run = start('real', `${pic('fd')} fb eb fe`, {0x19: 'e4 60 e6 80 fa f4'});
  for (let step = 0; step < 100; step++) expect(run.step().outcome).toBeUndefined();
  run.chipset.keyboard.type(Uint8Array.of(0x1e));
  expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
  expect(run.captured(0x80)).toEqual(Uint8Array.of(0x1e));
});

test('a byte on the serial line interrupts through IRQ 4', () => {
  const code = `${pic('ef')}
    ba fc 03 b0 08 ee             ; OUT2
    ba f9 03 b0 01 ee             ; received data
    fb eb fe`;
  const run = start('real', code, {0x1c: 'ba f8 03 ec e6 80 fa f4'});
  for (let step = 0; step < 100; step++) run.step();
  run.sendSerial(Uint8Array.of(0x5a));
  expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
  expect(run.captured(0x80)).toEqual(Uint8Array.of(0x5a));
});

test('the same interrupt through the IOAPIC, with the 8259 pair masked', () => {
  const run = start(
    'protected',
    `
      c7 05 f0 00 e0 fe ff 01 00 00 ; local APIC on
      c7 05 00 00 c0 fe 12 00 00 00 ; IOAPIC: entry of pin 1
      c7 05 10 00 c0 fe 1e 00 00 00 ; vector 1Eh, to APIC 0
      fb eb fe
    `,
    {0x1e: 'e4 60 e6 80 fa f4'},
  );
  for (let step = 0; step < 20; step++) run.step();
  run.chipset.keyboard.type(Uint8Array.of(0x2a));
  expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
  expect(run.captured(0x80)).toEqual(Uint8Array.of(0x2a));
});

test('with A20 off, the second megabyte is the first', () => {
  const write = 'b8 ff ff 8e d8 c6 06 10 96 77'; // mov ax, ffffh / mov ds, ax / mov byte [9610h], 77h: 109600h
  const on = start('real', `${write} f4`);
  runToEnd(on);
  expect([on.machine.memory.bytes[0x9600], on.machine.memory.bytes[0x10_9600]]).toEqual([0, 0x77]);
  const off = start('real', `b0 00 e6 92 ${write} f4`);
  runToEnd(off);
  expect([off.machine.memory.bytes[0x9600], off.machine.memory.bytes[0x10_9600]]).toEqual([0x77, 0]);
});

test.each([
  ['the keyboard controller', 'b0 fe e6 64'],
  ['port 92h', 'b0 03 e6 92'],
  ['the reset control register', 'ba f9 0c b0 06 ee'],
])('%s resets, which ends the run', (_, code) => {
  expect(runToEnd(start('real', `${code} eb fe`)).outcome).toEqual({kind: 'power-off', by: 'reset'});
});

test('a boot loader reads a sector of the disk, word by word', () => {
  const disk = new Uint8Array(4 * 512);
  disk.set(new TextEncoder().encode('second sector'), 512);
  const code = `
    ba f2 01 b0 01 ee             ; one sector
    42 b0 01 ee                   ; number 1
    42 b0 00 ee 42 ee
    42 b0 e0 ee                   ; LBA, first drive
    42 b0 20 ee                   ; READ SECTORS
    ec a8 08 74 fb                ; wait for DRQ
    31 c0 8e c0 bf 00 90          ; es:di = 0:9000h
    b9 00 01 ba f0 01 f3 6d f4    ; rep insw
  `;
  const run = start('real', code, {}, disk);
  expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
  expect(text(run.machine.memory.bytes.subarray(0x9000, 0x900d))).toBe('second sector');
});

test('ports that a PC has none at still read all ones and are counted', () => {
  const run = start('real', 'e4 99 f4');
  runToEnd(run);
  expect([(run.guestRegisters().RAX ?? 0n) & 0xffn, run.unknownPorts()]).toEqual([0xffn, new Map([[0x99, 1]])]);
});

test('text at B8000 can be shown', () => {
  const run = start('real', 'b8 00 b8 8e d8 c7 06 00 00 48 1f f4'); // mov ax, b800h / mov ds, ax / mov word [0], 1f48h
  runToEnd(run);
  expect(run.chipset.vga.screen(run.machine.memory.bytes).cells[0]).toEqual({character: 0x48, attribute: 0x1f});
});

test('every bank tells before it changes: undone step by step, the machine is where it started, and runs again', () => {
  const run = start('long', pic('fe') + PIT + sleepThrice('long'), {0x18: TICK.long});
  const state = (): Uint8Array[] => run.banks.map(bank => bank.bytes.slice());
  // Four megabytes: compared byte by byte here, and only the names of the banks that differ are shown.
  const differing = (wanted: readonly Uint8Array[]): string[] =>
    run.banks.flatMap(({name, bytes}, index) =>
      bytes.every((byte, at) => byte === wanted[index]?.[at]) ? [] : [name],
    );
  const first = state();
  const undo: (() => void)[] = [];
  run.observe({
    willWrite: (name, offset, length) => {
      const bytes = run.banks.find(bank => bank.name === name)?.bytes;
      const old = bytes?.slice(offset, offset + length);
      undo.push(() => void (old !== undefined && bytes?.set(old, offset)));
    },
    event: () => undefined,
    hypervisorEvent: () => undefined,
  });
  // The run ends with the last instruction; stop just before, for a run that has ended stays so.
  const step = (): void => {
    for (let steps = 0; text(run.serialOutput()) !== '123' && steps < 200; steps++) run.step();
  };
  step();
  expect(text(run.serialOutput())).toBe('123');
  const last = state();
  while (undo.length > 0) undo.pop()?.();
  run.banks[0]?.bytes.set(first[0] ?? new Uint8Array());
  expect(differing(first)).toEqual([]);
  expect(differing(last)).not.toEqual([]);
  step();
  expect(differing(last)).toEqual([]);
});
