// Two events at once: which is taken. One program for each pair of causes; the winner is the first vector that is delivered.
// SDM vol. 3A, "Priority Among Concurrent Events", its ten classes from the highest to the lowest:
//
//   1 reset, machine check   2 trap on a task switch   3 external hardware   4 traps of the last instruction   5 NMI
//   6 interrupts   7 breakpoint on the next instruction   8 faults of its fetch   9 faults of its decoding   10 of its execution

import {describe, expect, test} from 'vitest';
import {CODE, USER_CODE, longMode, protectedMode, pteAt} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';

const DE = 0,
  DB = 1,
  NMI = 2,
  BR = 5,
  UD = 6,
  NM = 7,
  SS = 12,
  GP = 13,
  PF = 14,
  AC_FAULT = 17,
  INTERRUPT = 0x40;
const TF = 0x100n,
  IF = 0x200n,
  AC = 0x4_0000n,
  TS = 8n,
  AM = 0x4_0000n;
/** A page that the tests make absent. */
const ABSENT = 0x9_0000;
const LAST_BYTES = 0x5_0000;

interface Pair {
  readonly causes: string;
  readonly machine: () => TestMachine;
  readonly wins: number;
}

const absent = (t: TestMachine, address = ABSENT): TestMachine => t.quad(pteAt(address), 0n);
/** 32-bit paging that maps the addresses below `end` to themselves, for everybody. */
function pagedBelow(end: number, t: TestMachine): TestMachine {
  t.quad(0x4000, 0x5007n);
  for (let page = 0; page < end / 4096; page += 2)
    t.quad(0x5000 + 4 * page, BigInt(page * 4096 + 7) | (BigInt((page + 1) * 4096 + 7) << 32n));
  return t.set({CR3: 0x4000n, CR0: 0x8000_0011n});
}
/** Code whose last bytes end a page; the next page is absent. */
function atPageEnd(code: string): TestMachine {
  const length = code.split(' ').length;
  const start = LAST_BYTES + 0x1000 - length;
  return absent(longMode({}, 'f4').bytes(start, code), LAST_BYTES + 0x1000).set({RIP: BigInt(start)});
}
function breakpointAt(t: TestMachine, address: bigint): TestMachine {
  return t.set({DR0: address, DR7: 0x402n});
}
function requesting(t: TestMachine, ...what: readonly ('NMI' | 'interrupt')[]): TestMachine {
  if (what.includes('interrupt')) t.machine.requestInterrupt(INTERRUPT);
  if (what.includes('NMI')) t.machine.pins.raiseNmi();
  return t;
}
/** CR4.OSFXSR, which makes SSE instructions exist. */
const OSFXSR = 0x200n;
const withCr0 = (t: TestMachine, bits: bigint): TestMachine => t.set({CR0: t.get('CR0') | bits});

const BETWEEN_INSTRUCTIONS: readonly Pair[] = [
  {
    causes: 'the single-step trap of the last instruction (4) over an NMI that came meanwhile (5)',
    machine: () => {
      const t = longMode({rflags: 2n | TF}, 'e6 80 90'); // out 80h, al
      t.machine.ports.attach({
        name: 'raises an NMI',
        ports: {first: 0x80, count: 1},
        widest: 1,
        bank: {name: 'raises', bytes: new Uint8Array(1)},
        willWrite: undefined,
        read: () => 0,
        write: () => {
          t.machine.pins.raiseNmi();
        },
      });
      return t;
    },
    wins: DB,
  },
  {
    causes: 'an NMI (5) over an interrupt (6)',
    machine: () => requesting(longMode({rflags: 2n | IF}, '90'), 'NMI', 'interrupt'),
    wins: NMI,
  },
  {
    causes: 'an interrupt (6) over a breakpoint on the next instruction (7)',
    machine: () => requesting(breakpointAt(longMode({rflags: 2n | IF}, '90'), BigInt(CODE)), 'interrupt'),
    wins: INTERRUPT,
  },
  {
    causes: 'an interrupt (6) over a page fault of the next fetch (8)',
    machine: () => requesting(absent(longMode({rflags: 2n | IF}, '90'), CODE), 'interrupt'),
    wins: INTERRUPT,
  },
];

const FETCH_AND_DECODE: readonly Pair[] = [
  {
    causes: 'a breakpoint on the instruction (7) over a page fault of its fetch (8)',
    machine: () => breakpointAt(absent(longMode({}, '90'), CODE), BigInt(CODE)),
    wins: DB,
  },
  {
    causes: 'a breakpoint on the instruction (7) over #UD (9)',
    machine: () => breakpointAt(longMode({}, '0f 0b'), BigInt(CODE)),
    wins: DB,
  },
  {
    causes: 'the limit of CS over a page fault, both of the fetch (8)',
    machine: () => pagedBelow(ABSENT, protectedMode({}, '90').set({'CS.limit': 0x8_ffffn, RIP: BigInt(ABSENT)})),
    wins: GP,
  },
  {
    causes: 'a page fault of the second half of the fetch (8) over the privilege of the instruction (10)',
    machine: () => atPageEnd('0f 01'),
    wins: PF,
  },
  {
    causes: 'an undefined opcode that ends its page (9), with nothing to fetch from the absent next one',
    machine: () => atPageEnd('0f 0b'),
    wins: UD,
  },
  {
    causes: 'more than 15 bytes (9) over the opcode that they lead to',
    machine: () => longMode({}, '66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 0f 0b'),
    wins: GP,
  },
  {
    causes: 'LOCK where it may not be (9) over privilege (10)',
    machine: () => longMode({cpl: 3}, 'f0 f4'),
    wins: UD,
  },
  {
    causes: '#UD of SSE without CR4.OSFXSR (9) over #NM of CR0.TS (9)',
    machine: () => withCr0(longMode({}, '0f 10 04 25 00 00 09 00'), TS),
    wins: UD,
  },
  {
    causes: '#NM of CR0.TS (9) over a page fault of the operand (10)',
    machine: () => {
      const t = absent(longMode({}, '0f 10 04 25 00 00 09 00'));
      return withCr0(t.set({CR4: t.get('CR4') | OSFXSR}), TS);
    },
    wins: NM,
  },
];

const EXECUTION: readonly Pair[] = [
  {
    causes: 'privilege over a page fault of the operand',
    machine: () => absent(longMode({cpl: 3}, '0f 01 14 25 00 00 09 00')), // lgdt [90000h]
    wins: GP,
  },
  {
    causes: 'privilege over an MSR that does not exist',
    machine: () => longMode({cpl: 3}, '0f 32').set({RCX: 0x1234_5678n}),
    wins: GP,
  },
  {
    causes: 'a limit over a page fault, both of the operand',
    machine: () => pagedBelow(ABSENT, protectedMode({}, 'a1 00 00 09 00').set({'DS.limit': 0xfffn})),
    wins: GP,
  },
  {
    causes: 'an address that is not canonical over the page fault that it would be',
    machine: () => longMode({cpl: 3}, '48 8b 03').set({RBX: 1n << 62n}),
    wins: GP,
  },
  {
    causes: 'a page fault of the divisor over #DE',
    machine: () => absent(longMode({cpl: 3}, 'f7 34 25 00 00 09 00')).set({RAX: 1n, RDX: 5n}),
    wins: PF,
  },
  {
    causes: 'a page fault of the bounds over #BR',
    machine: () => pagedBelow(ABSENT, protectedMode({}, '62 05 00 00 09 00').set({RAX: 5n})),
    wins: PF,
  },
  {
    causes: '#BR with bounds that can be read',
    machine: () => protectedMode({}, '62 05 00 00 05 00').set({RAX: 5n}),
    wins: BR,
  },
  {
    causes: 'a page fault of what PUSH reads over the stack that has no room for it',
    machine: () => absent(longMode({cpl: 3}, 'ff 34 25 00 00 09 00')).set({RSP: 1n << 62n}),
    wins: PF,
  },
  {
    causes: 'the target of a call over the stack that has no room for the return address',
    machine: () => protectedMode({cpl: 3}, 'ff d0').set({RAX: 0xffff_0000n, 'CS.limit': 0x2_ffffn, 'SS.limit': 0xfn}),
    wins: GP,
  },
  {
    causes: 'the stack that has no room, with a target that is fine',
    machine: () => protectedMode({cpl: 3}, 'ff d0').set({RAX: BigInt(USER_CODE), 'SS.limit': 0xfn}),
    wins: SS,
  },
  {
    causes: 'a segment that may not be written over the page fault behind it',
    machine: () => pagedBelow(ABSENT, protectedMode({}, 'a3 00 00 09 00').set({'DS.attributes': 0xc091n})),
    wins: GP,
  },
  {
    causes: 'a limit over #AC',
    machine: () => withCr0(protectedMode({cpl: 3, rflags: 2n | AC}, 'a1 01 00 09 00').set({'DS.limit': 0xfffn}), AM),
    wins: GP,
  },
  {
    causes: '#AC with a limit that is fine',
    machine: () => withCr0(longMode({cpl: 3, rflags: 2n | AC}, '8b 04 25 01 00 05 00'), AM),
    wins: AC_FAULT,
  },
  {
    causes: '#AC over a page fault (as measured on real processors: kvm, fault-priorities.kvmtest.ts)',
    machine: () => withCr0(absent(longMode({cpl: 3, rflags: 2n | AC}, '8b 04 25 01 00 09 00')), AM),
    wins: AC_FAULT,
  },
  {
    causes: 'alignment of MOVAPS over a page fault',
    machine: () => {
      const t = absent(longMode({cpl: 3}, '0f 28 04 25 01 00 09 00'));
      return t.set({CR4: t.get('CR4') | OSFXSR});
    },
    wins: GP,
  },
  {
    causes: 'alignment of CMPXCHG16B over a page fault',
    machine: () => absent(longMode({cpl: 3}, '48 0f c7 0c 25 08 00 09 00')),
    wins: GP,
  },
  {
    causes: 'the stack of POP over its destination',
    machine: () => absent(longMode({cpl: 3}, '8f 03').set({RBX: 1n << 62n, RSP: BigInt(ABSENT)})),
    wins: PF,
  },
  {
    causes: 'what MOVS reads over what it writes',
    machine: () => absent(longMode({cpl: 3}, '48 a5').set({RSI: BigInt(ABSENT), RDI: 1n << 62n})),
    wins: PF,
  },
  {
    causes: 'the target of CALL over its stack',
    machine: () => longMode({cpl: 3}, 'ff d3').set({RBX: 1n << 62n, RSP: 1n << 62n}),
    wins: GP,
  },
  {
    causes: 'the end of the frame that ENTER makes, which it does not write',
    machine: () => absent(longMode({cpl: 3}, 'c8 00 10 00').set({RSP: BigInt(ABSENT + 0x1008)})),
    wins: PF,
  },
  {
    causes: '#DE over the single step that would follow: a fault leaves no trap',
    machine: () => longMode({rflags: 2n | TF}, 'f7 f1').set({RCX: 0n}),
    wins: DE,
  },
  {
    causes: 'a page fault over the data breakpoint that the instruction struck before it: it was not completed',
    machine: () => {
      const t = absent(longMode({}, '48 a5').set({RSI: 0x5_0000n, RDI: BigInt(ABSENT)})); // movsq
      return t.set({DR0: 0x5_0000n, DR7: 0x403_0402n & ~0x400_0000n});
    },
    wins: PF,
  },
];

describe.each([
  ['between instructions', BETWEEN_INSTRUCTIONS],
  ['fetching and decoding', FETCH_AND_DECODE],
  ['executing', EXECUTION],
])('%s', (_, pairs) => {
  test.each(pairs.map(pair => [pair.causes, pair] as const))('%s', (__, {machine, wins}) => {
    const t = machine();
    for (let step = 0; step < 4 && t.all('delivery').length === 0; step++) t.machine.step();
    expect(t.all('delivery')[0]?.vector).toBe(wins);
  });
});

test('an access that crosses into an absent page faults with the address of that page, and has written nothing', () => {
  const t = absent(longMode({cpl: 3}, '48 89 04 25 fc ff 08 00')).set({RAX: 0x1122_3344_5566_7788n}); // mov [8fffch], rax
  t.steps(1);
  expect([t.exceptions, t.get('CR2'), t.read(0x8_fffc, 4)]).toEqual([['14:6'], BigInt(ABSENT), 0n]);
});

test('a repeated instruction that faults has done what came before, and goes on there', () => {
  const t = absent(longMode({cpl: 3}, 'f3 aa')).set({RDI: 0x8_fffen, RCX: 5n, RAX: 0x7fn}); // rep stosb
  t.steps(4);
  expect([t.get('RDI'), t.get('RCX'), t.get('CR2')]).toEqual([BigInt(ABSENT), 3n, BigInt(ABSENT)]);
});

test('a debug trap of the last instruction and an NMI: the handler of #DB is entered first, that of the NMI inside it', () => {
  const t = longMode({rflags: 2n | TF}, '90 90');
  t.machine.observe({
    willWrite: () => undefined,
    event: event => {
      t.events.push(event);
      if (event.kind === 'exception') t.machine.pins.raiseNmi();
    },
  });
  t.steps(2);
  expect(t.all('delivery').map(({vector}) => vector)).toEqual([DB, NMI]);
});
