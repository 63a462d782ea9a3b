// What a program finds that starts after a PC's firmware: interrupts that end somewhere, and services that say no.

import {expect, test} from 'vitest';
import {listing} from '../conformance/listing.js';
import {TEST_PORTS, realModeImage, runToEnd} from '../testing/run-guest.js';
import {BareRun} from './bare-run.js';

function run(code: string): {run: BareRun; outcome: string | undefined} {
  const image = {...realModeImage([...listing(code)]), startedBy: 'firmware'} as const;
  const started = new BareRun({image, ports: TEST_PORTS, profile: undefined, costModel: undefined});
  return {run: started, outcome: runToEnd(started, 2000).outcome?.kind};
}

test('the timer runs: HLT wakes, and the ticks since midnight count', () => {
  const {run: ended, outcome} = run(`
    fb f4 f4 f4                   ; sti / hlt / hlt / hlt
    a1 6c 04                      ; mov ax, [46ch]
    fa f4                         ; cli / hlt
  `);
  expect([outcome, ended.guestRegisters().RAX]).toEqual(['halted', 3n]);
});

test('a BIOS service comes back with CF set and AH = 86h', () => {
  const {run: ended, outcome} = run(`
    b4 02 f8 cd 13                ; mov ah, 2 / clc / int 13h
    9c 5b                         ; pushf / pop bx
    fa f4                         ; cli / hlt
  `);
  const {RAX = 0n, RBX = 0n} = ended.guestRegisters();
  expect([outcome, RAX >> 8n, RBX & 1n]).toEqual(['halted', 0x86n, 1n]);
});

test('a jump to the reset vector pulls the reset line', () => expect(run('ea f0 ff 00 f0').outcome).toBe('power-off'));

test('an interrupt of the second controller is acknowledged at both', () => {
  const {run: ended, outcome} = run(`
    b0 00 e6 a1                   ; mov al, 0 / out 0a1h, al     IRQ 8 to 15 on
    ba 0b 20 b0 01                ; mov dx, 200bh / mov al, 1     the test device's line 11
    fb ee 90 fa                   ; sti / out dx, al / nop / cli
    b0 0b e6 a0 e4 a0             ; mov al, 0bh / out 0a0h, al / in al, 0a0h     in service
    f4                            ; hlt
  `);
  expect([outcome, (ended.guestRegisters().RAX ?? 0n) & 0xffn]).toEqual(['halted', 0n]);
  // Its request is gone as well, though the line is still high: it was taken.
  expect(ended.chipset.pic.requested).toBeUndefined();
});
