import {expect, test} from 'vitest';
import type {Guest} from '@hyperscope/guests';
import type {TraceEvent} from '@hyperscope/trace';
import {runBench} from './bench/bench.js';

/** With the local APIC on and CR8 = `high`, sends itself vector 40h, looks whether it came, sets CR8 = `low` and looks again. */
const priorities = (high: number, low: number): Guest => ({
  id: 'priorities',
  title: 'Task priorities',
  teaches: '',
  loadAddress: 0x8000,
  mode: 'long',
  memoryMiB: 2,
  irqchip: 'kernel',
  programs: [],
  expectedSerial: '',
  source: `
        bits 64
        org 0x8000
APIC    equ 0xfee00000
        mov rsp, stack
        mov rax, handler
        mov [gate], ax
        mov [gate + 2], cs
        shr rax, 16
        mov [gate + 6], ax
        lidt [idt_register]
        mov edi, APIC
        mov dword [rdi + 0xf0], 0x1ff   ; spurious-interrupt vector register: the APIC is on
        mov eax, ${high}
        mov cr8, rax
        sti
        mov dword [rdi + 0x300], 0x44040 ; interrupt command register: to myself, vector 40h
        nop
        mov r8, rbx                     ; interrupts so far
        mov eax, ${low}
        mov cr8, rax
        nop
        mov r9, rbx
        mov r10, cr8
        cli
        hlt
handler:
        inc rbx
        mov edi, APIC
        mov dword [rdi + 0xb0], 0       ; end of interrupt
        iretq
        align 8
idt:    times 0x40 dq 0, 0
gate:   dw 0, 0
        db 0, 0x8e
        dw 0
        dd 0, 0
idt_end:
idt_register:
        dw idt_end - idt - 1
        dq idt
        align 16
        times 256 db 0
stack:
`,
});

function run(technique: string, high: number, low: number) {
  const reasons: number[] = [];
  const event = (each: TraceEvent): void => {
    if (each.kind === 'vm-exit') reasons.push(each.exit.reason);
  };
  const bench = {technique, profile: undefined, costModel: undefined};
  const registers = runBench(priorities(high, low), bench, {
    willWrite: () => undefined,
    event,
    hypervisorEvent: () => undefined,
  }).guestRegisters();
  return {before: registers.R8, after: registers.R9, priority: registers.R10, cr8: registers.CR8, reasons};
}

const CR_ACCESS = 28;
const TPR_BELOW_THRESHOLD = 43;

test.each(['bare', 'vtx-ept', 'vtx-shadow'])(
  '%s: an interrupt waits for the priority to fall below its own',
  technique => {
    expect(run(technique, 5, 2)).toMatchObject({before: 0n, after: 1n, priority: 2n, cr8: 2n});
    expect(run(technique, 5, 4)).toMatchObject({before: 0n, after: 0n, priority: 4n, cr8: 4n});
    expect(run(technique, 3, 1)).toMatchObject({before: 1n, after: 1n, priority: 1n, cr8: 1n});
  },
);

test.each(['vtx-ept', 'vtx-shadow'])('%s: CR8 exits only where that lets an interrupt through', technique => {
  const count = (reasons: readonly number[], reason: number): number => reasons.filter(each => each === reason).length;
  const freed = run(technique, 5, 2).reasons;
  expect([count(freed, TPR_BELOW_THRESHOLD), count(freed, CR_ACCESS)]).toEqual([1, 0]);
  const held = run(technique, 5, 4).reasons;
  expect([count(held, TPR_BELOW_THRESHOLD), count(held, CR_ACCESS)]).toEqual([0, 0]);
});
