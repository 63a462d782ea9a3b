// Where trap-and-emulate goes wrong on an ordinary x86, and why: the instructions that are sensitive and do not trap. For each
// ring layout the cases that fail, by title, with the instruction that nobody was told of. All others must pass; and a case
// that is listed here and passes is an error too. Robin and Irvine 2000; facts of each instruction: SDM vol. 2.

import type {RingLayout} from '../trap-and-emulate/rings.js';

export interface StealthFailure {
  readonly title: string;
  /** The instruction that did not trap. */
  readonly instruction: string;
  /** What it did instead, as a sentence. */
  readonly because: string;
  /** The promises that are broken, word for word, as `brokenPromises` tells them. */
  readonly broken: readonly string[];
}

/** The real ring shows in CS: 1 or 3. */
const selectorFailures = (ring: 1 | 3): readonly StealthFailure[] => [
  {
    title: 'SMSW shows the low half of CR0',
    instruction: 'SMSW',
    because: 'SMSW reads the real CR0, in which the VMM has NE = 1',
    broken: ['RAX is 0x31, not 0x11'],
  },
  {
    title: 'a far jump reloads CS from its descriptor',
    instruction: 'MOV r, CS',
    because: `MOV from CS shows the real ring, ${ring}, in the low two bits`,
    broken: [`RAX is 0x${(8 + ring).toString(16)}, not 0x8`],
  },
  {
    title: 'LGDT and SGDT agree',
    instruction: 'SGDT',
    because: 'SGDT shows the VMM’s shadow GDT, and with it where the VMM hides',
    broken: ['RAX is 0xffff, not 0x4f', 'RBX is 0xffe20000, not 0x500'],
  },
  {
    title: 'SYSCALL from ring 0 goes to LSTAR with RIP in RCX and RFLAGS in R11',
    instruction: 'MOV r, CS',
    because: `MOV from CS shows the real ring, ${ring}, in the low two bits`,
    broken: [`RBX is 0x${(0x10 + ring).toString(16)}, not 0x10`],
  },
  {
    title: 'SYSCALL from ring 3 raises to ring 0',
    instruction: 'MOV r, CS',
    because: `MOV from CS shows the real ring, ${ring}, in the low two bits`,
    broken: [`RBX is 0x${(0x10 + ring).toString(16)}, not 0x10`],
  },
];

/**
 * With kernel and user in ring 3, IRETQ to the user's segments is a return within one ring: it completes, and the VMM goes on
 * believing in virtual CPL 0. What the user program must not do then is emulated as if the kernel did it.
 */
const enteredUser = (title: string, effect: string, ...broken: readonly string[]): StealthFailure => ({
  title,
  instruction: 'IRETQ',
  because: `IRETQ from ring 3 to ring 3 does not trap: the virtual CPL stays 0, and ${effect}`,
  broken,
});

export const STEALTH_FAILURES: Readonly<Record<RingLayout, readonly StealthFailure[]>> = {
  '0/1/3': selectorFailures(1),
  '0/3/3': [
    ...selectorFailures(3),
    enteredUser(
      'IRETQ leads to ring 3, where HLT is #GP',
      'the program’s HLT halts the machine',
      'it wrote nothing, not 0x0 to 0x80, 0x8015 to 0x80',
    ),
    enteredUser(
      'CLI in ring 3 with IOPL 0 is #GP',
      'the program’s CLI clears the virtual IF',
      'it wrote nothing, not 0x31 to 0xed',
    ),
    enteredUser(
      'OUT in ring 3 without an I/O bitmap is #GP',
      'the program’s OUT reaches the port',
      'it wrote 0x32 to 0x80, not 0x32 to 0xed',
    ),
    enteredUser(
      'POPFQ in ring 3 keeps IF and does not fault',
      'the program’s last HLT halts the machine',
      'it wrote nothing, not 0x33 to 0xed',
    ),
    enteredUser(
      'POPFQ in ring 3 cannot set IOPL',
      'the program’s last HLT halts the machine',
      'it wrote nothing, not 0x34 to 0xed',
    ),
    enteredUser(
      'writing ring 3 pages needs the write bit: #PF with error code 7',
      'the page fault is told as a supervisor’s',
      'it wrote 0x3 to 0x80, not 0x7 to 0x80',
    ),
    enteredUser(
      'XMM registers copy memory and find its zeros; FNSTCW and STMXCSR show the initial state',
      'the program’s last HLT halts the machine',
      'it wrote nothing, not 0x1 to 0xed',
    ),
  ],
};
