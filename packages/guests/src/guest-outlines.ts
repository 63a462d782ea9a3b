// The guests that ship, in the order in which a newcomer meets them, all but their texts: a page lists them before it has those.

import {CARD_OUTLINES} from './cards/cards.js';
import {CMS_OUTLINES} from './cms-guests.js';
import {EXPERIMENT_OUTLINES} from './experiments.js';
import type {GuestOutline} from './guest.js';

/** What mini-os prints, and its port. */
const MINI_OS_PRINTS =
  'mini-os: 64-bit mode, paging on\nmini-os: the timer ticks\n' +
  'mini-os: a page of zeros, on demand, for 40010000\nmini-os: a page of zeros, on demand, for 40011000\n' +
  'A: primes below 4096: 564\n' +
  'mini-os: program A exited, and lost the processor at least three times\n' +
  'B: most Collatz steps from a number below 100: 118\n' +
  'mini-os: program B was stopped by exception 0e, error code 05, and lost the processor at least three times\n' +
  'mini-os: power off\n';

export const GUEST_OUTLINES: readonly GuestOutline[] = [
  {
    id: 'hello-kvm',
    title: 'Hello, KVM',
    teaches: 'Four ways of leaving, and not leaving, a guest: OUT, CPUID, MOV CR3 and HLT.',
    programs: ['hello-kvm'],
    loadAddress: 0x8000,
    mode: 'long',
    memoryMiB: 2,
    expectedSerial: 'Hi\n=\n',
  },
  {
    id: 'hello-real',
    title: 'Hello from real mode',
    teaches: 'The boot sector of a PC: 16-bit code that prints through a serial port, one exit a character.',
    programs: ['hello-real'],
    loadAddress: 0x7c00,
    mode: 'real',
    memoryMiB: 1,
    expectedSerial: 'Hello from real mode\r\n',
  },
  {
    id: 'rings',
    title: 'Rings',
    teaches: 'A kernel enters ring 3, answers a SYSCALL and catches a #GP; under VT-x none of it exits.',
    programs: ['rings'],
    loadAddress: 0x8000,
    mode: 'long',
    memoryMiB: 2,
    expectedSerial: '03G3\n',
  },
  {
    id: 'popf',
    title: 'POPF',
    teaches: 'The instruction that made x86 hard to virtualize: it switches interrupts on, or silently does not.',
    programs: ['popf'],
    loadAddress: 0x8000,
    mode: 'long',
    memoryMiB: 2,
    expectedSerial: 'IF 0\nPOPF 1\n',
  },
  {
    id: 'seven-machines',
    title: 'A kernel made for ring 0',
    teaches:
      'One guest for seven machines, of about ninety instructions: tables, a system call, a guarded page, a timer, and POPF.',
    programs: ['seven-machines'],
    loadAddress: 0x8000,
    mode: 'long',
    memoryMiB: 2,
    irqchip: 'kernel',
    expectedSerial: 'KSUT\n',
  },
  {
    id: 'mini-os',
    title: 'mini-os',
    teaches:
      'A whole kernel: from real mode to 64 bits, two programs in ring 3, system calls, a timer, memory on demand.',
    programs: ['mini-os'],
    loadAddress: 0x7c00,
    mode: 'real',
    memoryMiB: 1,
    irqchip: 'kernel',
    expectedSerial: MINI_OS_PRINTS,
  },
  {
    id: 'mini-os-pv',
    title: 'mini-os, ported to Xen',
    teaches:
      'The same kernel with its hardware layer replaced by hypercalls: no real mode, page tables that Xen validates, events instead of interrupts.',
    programs: ['mini-os-pv'],
    loadAddress: 0x7c00,
    mode: 'xen',
    memoryMiB: 1,
    needs: {technique: 'paravirtual', portOf: 'mini-os'},
    expectedSerial: MINI_OS_PRINTS,
  },
  {
    id: 'output-ways',
    title: 'Ways to put out a text',
    teaches:
      'The same kilobyte by OUT, REP OUTS, video memory, coalesced writes, a virtio ring and a hypercall: what each costs in exits.',
    programs: ['output-ways'],
    loadAddress: 0x8000,
    mode: 'long',
    memoryMiB: 2,
    adapts: 'to its machine',
    expectedSerial: 'This very line is put out again and again, in six ways to do it\n'.repeat(32),
  },
  {
    id: 'tiny-vmx',
    title: 'tiny-vmx',
    teaches: 'A hypervisor on VT-x, to be read: it runs a guest of its own, and says why it was left each time.',
    programs: ['tiny-vmx'],
    loadAddress: 0x8000,
    mode: 'long',
    memoryMiB: 2,
    needs: {technique: 'bare', processor: 'westmere'},
    expectedSerial:
      'tiny-vmx: VMX operation\nexit a: CPUID\nexit 1e: port 3f8 t\nexit 12: VMCALL\n' +
      'exit 30: EPT violation at 2000\nexit c: HLT, the end\n',
  },
  {
    id: 'tiny-svm',
    title: 'tiny-svm',
    teaches: 'The same hypervisor on AMD’s SVM: its control block is plain memory.',
    programs: ['tiny-svm'],
    loadAddress: 0x8000,
    mode: 'long',
    memoryMiB: 2,
    needs: {technique: 'bare', processor: 'amd-svm'},
    expectedSerial:
      'tiny-svm: SVM is on\nexit 72: CPUID\nexit 7b: port 3f8 t\nexit 81: VMMCALL\n' +
      'exit 400: nested page fault at 2000\nexit 78: HLT, the end\n',
  },
];

/** The guest, the experiment, the card or the single-user system with this id, without its text; undefined when there is none. */
export function findOutline(id: string): GuestOutline | undefined {
  return [...GUEST_OUTLINES, ...EXPERIMENT_OUTLINES, ...CARD_OUTLINES, ...CMS_OUTLINES].find(guest => guest.id === id);
}
