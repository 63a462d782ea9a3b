import {hpa} from '@hyperscope/base';
import {svmExitCode} from '@hyperscope/isa';
import type {VmcbFieldName} from '@hyperscope/isa';
import {describe, expect, test} from 'vitest';
import {withFeature} from '../cpu/features.js';
import {
  GUEST_CODE,
  HOST_CODE,
  IOPM,
  MSRPM,
  NESTED_TABLES,
  SVM_PROFILE,
  VMCB,
  svmLongMachine,
  svmMachine,
} from './testing/svm-machine.js';
import type {SvmMachine} from './testing/svm-machine.js';

const exitOf = ({vmcb}: SvmMachine): string => svmExitCode(Number(BigInt.asIntN(64, vmcb.get('EXITCODE')))).name;
const setBit = (made: SvmMachine, name: VmcbFieldName, bit: number): void =>
  made.vmcb.set(name, made.vmcb.get(name) | (1n << BigInt(bit)));
/** Interrupt vector → 0:handler in the real-mode table. */
const vectorTo = ({machine}: SvmMachine, vector: number, handler: number): void =>
  machine.memory.write(hpa(4 * vector), 4, BigInt(handler));

describe('the world switch', () => {
  test('VMRUN enters a real-mode guest, HLT leaves it, and the host goes on behind VMRUN with GIF = 0', () => {
    const made = svmMachine([0xb0, 0x42, 0xf4]);
    made.machine.registers.set('RBX', 7n);
    made.run();
    const r = made.machine.registers;
    expect(exitOf(made)).toBe('VMEXIT_HLT');
    expect(made.vmcb.get('RAX') & 0xffn).toBe(0x42n);
    expect(made.vmcb.get('RIP')).toBe(BigInt(GUEST_CODE + 2));
    expect(made.vmcb.get('NRIP')).toBe(BigInt(GUEST_CODE + 3));
    expect([r.get('RIP'), r.get('RAX'), r.get('RSP'), r.get('RBX')]).toEqual([
      BigInt(HOST_CODE + 3),
      BigInt(VMCB),
      0x7000n,
      7n,
    ]);
    expect([r.get('GIF'), r.get('CR0') & 1n, r.get('EFER'), r.get('DR7')]).toEqual([0n, 1n, 0x1501n, 0x400n]);
    expect(made.machine.mode).toBe('64-bit');
  });

  test('what the entry and the exit were is told in events, with the bit that decided', () => {
    const made = svmMachine();
    made.run();
    const kinds = made.events.map(event => event.kind);
    expect(kinds.filter(kind => kind === 'vm-entry' || kind === 'vm-exit')).toEqual(['vm-entry', 'vm-exit']);
    const exit = made.events.find(event => event.kind === 'vm-exit');
    expect(exit?.kind === 'vm-exit' && exit.exit.checks[0]?.rule).toBe('the HLT intercept = 1');
  });

  test('VMSAVE and VMLOAD move what VMRUN leaves alone', () => {
    const made = svmMachine();
    const r = made.machine.registers;
    r.set('LSTAR', 0x1234_5678n);
    r.set('FS.base', 0xabc000n);
    made.machine.memory.load(hpa(HOST_CODE), Uint8Array.from([0x0f, 0x01, 0xdb, 0x0f, 0x01, 0xda]));
    made.machine.step();
    expect([made.vmcb.get('LSTAR'), made.vmcb.get('FS_BASE')]).toEqual([0x1234_5678n, 0xabc000n]);
    made.vmcb.set('LSTAR', 0x99n);
    made.vmcb.set('KERNEL_GS_BASE', 0x77n);
    made.machine.step();
    expect([r.get('LSTAR'), r.get('KERNEL_GS_BASE'), r.get('FS.base')]).toEqual([0x99n, 0x77n, 0xabc000n]);
  });

  test('without EFER.SVME there is no VMRUN, above CPL 0 no right to it, and rAX must name a page', () => {
    const vectors = (change: (made: SvmMachine) => void): unknown[] => {
      const made = svmMachine();
      change(made);
      made.machine.step();
      return made.events.filter(event => event.kind === 'exception').map(event => event.vector);
    };
    expect(vectors(({machine}) => machine.registers.set('EFER', 0x501n))[0]).toBe(6);
    expect(vectors(({machine}) => machine.registers.set('RAX', 0x5001n))[0]).toBe(13);
    const made = svmMachine();
    made.machine.memory.load(hpa(HOST_CODE), Uint8Array.from([0x0f, 0x01, 0xd9]));
    made.machine.step();
    expect(made.events.find(event => event.kind === 'exception')?.vector).toBe(6);
  });
});

describe('intercepts', () => {
  const cases: readonly (readonly [name: string, code: readonly number[], field: VmcbFieldName, bit: number])[] = [
    ['VMEXIT_POPF', [0x9d], 'INTERCEPT_WORD_3', 17],
    ['VMEXIT_PUSHF', [0x9c], 'INTERCEPT_WORD_3', 16],
    ['VMEXIT_CPUID', [0x0f, 0xa2], 'INTERCEPT_WORD_3', 18],
    ['VMEXIT_IRET', [0xcf], 'INTERCEPT_WORD_3', 20],
    ['VMEXIT_SWINT', [0xcd, 0x21], 'INTERCEPT_WORD_3', 21],
    ['VMEXIT_IDTR_READ', [0x0f, 0x01, 0x0e, 0x00, 0x10], 'INTERCEPT_WORD_3', 6],
    ['VMEXIT_RDTSC', [0x0f, 0x31], 'INTERCEPT_WORD_3', 14],
    ['VMEXIT_CR0_READ', [0x0f, 0x20, 0xc0], 'INTERCEPT_CR_READ', 0],
    ['VMEXIT_CR3_WRITE', [0x0f, 0x22, 0xd8], 'INTERCEPT_CR_WRITE', 3],
    ['VMEXIT_DR7_WRITE', [0x0f, 0x23, 0xf8], 'INTERCEPT_DR_WRITE', 7],
    ['VMEXIT_WBINVD', [0x0f, 0x09], 'INTERCEPT_WORD_4', 9],
    ['VMEXIT_EXCP6', [0x0f, 0x0b], 'INTERCEPT_EXCEPTION', 6],
    ['VMEXIT_EXCP0', [0xf6, 0xf1], 'INTERCEPT_EXCEPTION', 0],
  ];
  test.each(cases)('%s exits with its bit', (name, code, field, bit) => {
    const asked = svmMachine([...code, 0xf4]);
    setBit(asked, field, bit);
    asked.run();
    expect(exitOf(asked)).toBe(name);
    expect(asked.vmcb.get('RIP')).toBe(BigInt(GUEST_CODE));
  });
  test.each(cases.filter(([, , field]) => field === 'INTERCEPT_CR_READ' || field === 'INTERCEPT_WORD_4'))(
    '%s stays in the guest without it',
    (_, code) => {
      const made = svmMachine([...code, 0xf4]);
      made.run();
      expect(exitOf(made)).toBe('VMEXIT_HLT');
    },
  );

  test('VMMCALL exits at once; #UD where nobody asked', () => {
    const made = svmMachine([0x0f, 0x01, 0xd9]);
    made.run();
    expect(exitOf(made)).toBe('VMEXIT_VMMCALL');
  });

  test('IN exits by its bit in the I/O permissions map: port, size and the next RIP are told', () => {
    const made = svmMachine([0xba, 0xf8, 0x03, 0xec, 0xf4]);
    setBit(made, 'INTERCEPT_WORD_3', 27);
    made.machine.memory.write(hpa(IOPM + 0x7f), 1, 1n);
    made.run();
    expect(exitOf(made)).toBe('VMEXIT_IOIO');
    expect(made.vmcb.get('EXITINFO1')).toBe(0x3f8_0000n | 1n | 0x10n | 0x80n);
    expect(made.vmcb.get('EXITINFO2')).toBe(BigInt(GUEST_CODE + 4));
  });

  test('RDMSR of LSTAR exits by its bit in the second range of the map', () => {
    const code = [0x66, 0xb9, 0x82, 0x00, 0x00, 0xc0, 0x0f, 0x32, 0xf4];
    const made = svmMachine(code);
    setBit(made, 'INTERCEPT_WORD_3', 28);
    made.machine.memory.write(hpa(MSRPM + 0x800 + 0x20), 1, 1n << 4n);
    made.run();
    expect([exitOf(made), made.vmcb.get('EXITINFO1')]).toEqual(['VMEXIT_MSR', 0n]);
    const other = svmMachine(code);
    setBit(other, 'INTERCEPT_WORD_3', 28);
    other.run();
    expect(exitOf(other)).toBe('VMEXIT_HLT');
  });

  test('the selective intercept of CR0 looks at what the write would change', () => {
    const run = (value: number): string => {
      const made = svmMachine([0x66, 0xb8, value, 0, 0, 0, 0x0f, 0x22, 0xc0, 0xf4]);
      setBit(made, 'INTERCEPT_WORD_3', 5);
      made.run();
      return exitOf(made);
    };
    expect(run(0x1a)).toBe('VMEXIT_HLT');
    expect(run(0x30)).toBe('VMEXIT_CR0_SEL_WRITE');
  });
});

describe('events', () => {
  test('EVENTINJ delivers through the guest’s table before its first instruction', () => {
    const made = svmMachine();
    vectorTo(made, 0x21, GUEST_CODE + 0x100);
    made.machine.memory.load(hpa(GUEST_CODE + 0x100), Uint8Array.from([0xf4]));
    made.vmcb.set('EVENTINJ', 0x8000_0021n);
    made.run();
    expect([exitOf(made), made.vmcb.get('RIP')]).toEqual(['VMEXIT_HLT', BigInt(GUEST_CODE + 0x100)]);
    expect(made.vmcb.get('EVENTINJ') >> 31n).toBe(0n);
  });

  test('an exit while an event is being delivered tells which event in EXITINTINFO', () => {
    const made = svmMachine();
    made.vmcb.set('NESTED_CONTROL', 1n);
    made.vmcb.set('N_CR3', BigInt(NESTED_TABLES));
    made.vmcb.set('IDTR_BASE', 0x40_0000n);
    made.vmcb.set('EVENTINJ', 0x8000_0021n);
    made.run();
    expect([exitOf(made), made.vmcb.get('EXITINTINFO')]).toEqual(['VMEXIT_NPF', 0x8000_0021n]);
  });

  test('V_IRQ waits for IF and is delivered as a virtual interrupt; with the VINTR intercept it is a window', () => {
    const code = [0xfb, 0x90, 0x90, 0xf4];
    const ask = (made: SvmMachine): void =>
      made.vmcb.set('VIRTUAL_INTERRUPT', (1n << 8n) | (1n << 20n) | (0x30n << 32n));
    const delivered = svmMachine(code);
    ask(delivered);
    vectorTo(delivered, 0x30, GUEST_CODE + 0x100);
    delivered.machine.memory.load(hpa(GUEST_CODE + 0x100), Uint8Array.from([0xf4]));
    delivered.run();
    expect(delivered.vmcb.get('RIP')).toBe(BigInt(GUEST_CODE + 0x100));
    expect(delivered.vmcb.bit('VIRTUAL_INTERRUPT', 8)).toBe(false);
    const window = svmMachine(code);
    ask(window);
    setBit(window, 'INTERCEPT_WORD_3', 4);
    window.run();
    // STI shields one instruction: the window opens behind the NOP.
    expect([exitOf(window), window.vmcb.get('RIP')]).toEqual(['VMEXIT_VINTR', BigInt(GUEST_CODE + 2)]);
  });

  test('V_INTR_MASKING makes V_TPR the CR8 of the guest: the physical one is neither read nor written', () => {
    // mov eax, cr8; mov ecx, eax; mov eax, 9; mov cr8, eax; hlt: LOCK MOV CR0 is MOV CR8 outside 64-bit mode, but REX.R is plainer.
    const made = svmLongMachine([0x44, 0x0f, 0x20, 0xc0, 0x89, 0xc1, 0xb8, 9, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0, 0xf4]);
    made.vmcb.set('VIRTUAL_INTERRUPT', (1n << 24n) | (0x30n << 32n) | 5n);
    made.machine.registers.set('CR8', 2n);
    made.run();
    expect(exitOf(made)).toBe('VMEXIT_HLT');
    expect([made.machine.registers.get('RCX'), made.machine.registers.get('CR8')]).toEqual([5n, 2n]);
    expect(made.vmcb.get('VIRTUAL_INTERRUPT')).toBe((1n << 24n) | (0x30n << 32n) | 9n);
  });

  test('a guest that raises V_TPR holds its own virtual interrupt off; lowering it lets it through', () => {
    const wait = (priority: number): string => {
      // mov eax, priority; mov cr8, eax; sti; nop; nop; hlt
      const made = svmLongMachine([0xb8, priority, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0, 0xfb, 0x90, 0x90, 0xf4]);
      made.vmcb.set('VIRTUAL_INTERRUPT', (1n << 24n) | (1n << 8n) | (6n << 16n) | (0x60n << 32n) | 15n);
      setBit(made, 'INTERCEPT_WORD_3', 4);
      made.run();
      return exitOf(made);
    };
    expect([wait(6), wait(5)]).toEqual(['VMEXIT_HLT', 'VMEXIT_VINTR']);
  });

  test('a physical interrupt leaves the guest where the host’s IF allows it, whatever the guest’s IF says', () => {
    const made = svmMachine([0x90, 0x90, 0xf4]);
    setBit(made, 'INTERCEPT_WORD_3', 0);
    made.vmcb.set('VIRTUAL_INTERRUPT', 1n << 24n);
    made.machine.registers.set('RFLAGS', 0x202n);
    made.machine.step();
    made.machine.requestInterrupt(0x40);
    made.machine.step();
    expect(exitOf(made)).toBe('VMEXIT_INTR');
    expect(made.machine.pins.requested).toBe(0x40);
  });

  test('after #VMEXIT GIF holds interrupts off until STGI', () => {
    const made = svmMachine();
    made.run();
    const {machine} = made;
    machine.registers.set('RFLAGS', 0x202n);
    machine.memory.load(hpa(HOST_CODE + 3), Uint8Array.from([0x90, 0x0f, 0x01, 0xdc, 0x90]));
    machine.requestInterrupt(0x40);
    machine.step();
    expect(machine.registers.get('RIP')).toBe(BigInt(HOST_CODE + 4));
    machine.step();
    expect(machine.registers.get('GIF')).toBe(1n);
    made.events.length = 0;
    machine.step();
    expect(made.events.some(event => event.kind === 'exception' || event.kind === 'delivery')).toBe(true);
  });

  test('a triple fault is a shutdown exit, or the end of the machine without that intercept', () => {
    const fatal = (made: SvmMachine): void => made.vmcb.set('IDTR_LIMIT', 0n);
    const asked = svmMachine([0x0f, 0x0b]);
    fatal(asked);
    asked.run();
    expect(exitOf(asked)).toBe('VMEXIT_SHUTDOWN');
    const plain = svmMachine([0x0f, 0x0b]);
    fatal(plain);
    plain.vmcb.set('INTERCEPT_WORD_3', 1n << 24n);
    plain.machine.step();
    expect(plain.machine.step().kind).toBe('shutdown');
  });
});

test('a task switch of the guest is an exit where it is asked for, and the processor’s own work where not', () => {
  // A 32-bit protected guest: jmp 8:0, to an available TSS at 4000h whose task begins with HLT at 8100h.
  const made = (): SvmMachine => {
    const guest = svmMachine([0xea, 0, 0, 0, 0, 8, 0]);
    const {memory} = guest.machine;
    memory.load(hpa(GUEST_CODE + 0x100), Uint8Array.from([0xf4]));
    memory.write(hpa(0x3008), 8, 0x0000_8900_4000_0067n);
    memory.write(hpa(0x3028), 8, 0x0000_8b00_4800_0067n);
    memory.write(hpa(0x3010), 8, 0x00cf_9b00_0000_ffffn);
    memory.write(hpa(0x3018), 8, 0x00cf_9300_0000_ffffn);
    for (const [offset, value] of [
      [32, GUEST_CODE + 0x100],
      [36, 2],
      [76, 0x10],
      [80, 0x18],
      [84, 0x18],
    ] as const)
      memory.write(hpa(0x4000 + offset), 4, BigInt(value));
    guest.vmcb.set('CR0', 0x11n);
    guest.vmcb.set('CS_ATTRIB', 0xc9bn);
    guest.vmcb.set('CS_LIMIT', 0xffff_ffffn);
    guest.vmcb.set('GDTR_BASE', 0x3000n);
    guest.vmcb.set('GDTR_LIMIT', 0x2fn);
    guest.machine.registers.setSegment('TR', {selector: 0x28, base: 0x4800n, limit: 0x67, attributes: 0x8b});
    return guest;
  };
  const asked = made();
  setBit(asked, 'INTERCEPT_WORD_3', 29);
  asked.run();
  expect([exitOf(asked), asked.vmcb.get('EXITINFO1'), asked.vmcb.get('EXITINFO2')]).toEqual([
    'VMEXIT_TASK_SWITCH',
    8n,
    1n << 38n,
  ]);
  const plain = made();
  plain.run();
  expect([exitOf(plain), plain.vmcb.get('RIP')]).toEqual(['VMEXIT_HLT', BigInt(GUEST_CODE + 0x100)]);
});

describe('nested paging', () => {
  const nested = (code: readonly number[]): SvmMachine => {
    const made = svmMachine(code);
    made.vmcb.set('NESTED_CONTROL', 1n);
    made.vmcb.set('N_CR3', BigInt(NESTED_TABLES));
    return made;
  };
  const LEAF = NESTED_TABLES + 0x2000;

  test('a guest runs through the nested tables, whose A and D bits it sets', () => {
    const made = nested([0xa2, 0x00, 0x10, 0xf4]);
    made.run();
    expect(exitOf(made)).toBe('VMEXIT_HLT');
    expect(made.machine.memory.read(hpa(LEAF), 8) & 0x60n).toBe(0x60n);
  });

  test('what is not mapped is a nested page fault with the guest-physical address', () => {
    const made = nested([0xf4]);
    made.machine.memory.write(hpa(LEAF), 8, 0n);
    made.run();
    expect(exitOf(made)).toBe('VMEXIT_NPF');
    expect(made.vmcb.get('EXITINFO2')).toBe(BigInt(GUEST_CODE));
    // User, final translation; a fetch is told as such only where no-execute is on.
    expect(made.vmcb.get('EXITINFO1')).toBe((1n << 32n) | 4n);
  });

  test('all accesses are user accesses: a supervisor page of the host is out of reach', () => {
    const made = nested([0xf4]);
    made.machine.memory.write(hpa(LEAF), 8, 0x83n);
    made.run();
    expect([exitOf(made), made.vmcb.get('EXITINFO1')]).toEqual(['VMEXIT_NPF', (1n << 32n) | 5n]);
  });
});

describe('decode assists', () => {
  const fault = [0xa0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0x90, 0xf4]; // mov al, [400000h]; nop; hlt
  const fetched = ({machine, vmcb}: SvmMachine): readonly number[] =>
    Array.from(machine.memory.bytes.slice(VMCB + 0xd1, VMCB + 0xd1 + Number(vmcb.get('BYTES_FETCHED'))));

  test('a page fault of data tells the bytes of its instruction, and what follows', () => {
    const made = svmLongMachine(fault);
    made.vmcb.set('INTERCEPT_EXCEPTION', 1n << 14n);
    made.run();
    expect(exitOf(made)).toBe('VMEXIT_EXCP14');
    expect(fetched(made)).toEqual([...fault, 0, 0, 0, 0]);
  });

  test('no further than the page that was fetched from', () => {
    const made = svmLongMachine();
    made.machine.memory.load(hpa(0xaff7), Uint8Array.from(fault));
    made.vmcb.set('RIP', 0xaff7n);
    made.vmcb.set('INTERCEPT_EXCEPTION', 1n << 14n);
    made.run();
    expect(fetched(made)).toEqual(fault.slice(0, 9));
  });

  test('a fetch that faults and every other exit tell none; nor does a processor without decode assists', () => {
    const jump = svmLongMachine([0xff, 0xe1]);
    jump.machine.registers.set('RCX', 0x40_0000n);
    jump.vmcb.set('INTERCEPT_EXCEPTION', 1n << 14n);
    jump.run();
    expect([exitOf(jump), fetched(jump)]).toEqual(['VMEXIT_EXCP14', []]);
    const halt = svmLongMachine();
    halt.vmcb.set('BYTES_FETCHED', 7n);
    halt.run();
    expect([exitOf(halt), fetched(halt)]).toEqual(['VMEXIT_HLT', []]);
    const plain = svmLongMachine(fault, withFeature(SVM_PROFILE, 'decodeAssists', 'off'));
    plain.vmcb.set('INTERCEPT_EXCEPTION', 1n << 14n);
    plain.run();
    expect(fetched(plain)).toEqual([]);
  });

  test('a nested page fault tells them too', () => {
    const made = svmMachine([0xa2, 0x00, 0x10, 0xf4]);
    const {memory} = made.machine;
    made.vmcb.set('NESTED_CONTROL', 1n);
    made.vmcb.set('N_CR3', BigInt(NESTED_TABLES));
    memory.write(hpa(NESTED_TABLES + 0x2000), 8, 0x3_0007n);
    memory.write(hpa(0x3_0000 + 8 * 8), 8, 0x8007n);
    made.run();
    expect([exitOf(made), fetched(made).slice(0, 4)]).toEqual(['VMEXIT_NPF', [0xa2, 0x00, 0x10, 0xf4]]);
  });
});

describe('ASIDs', () => {
  const TABLE = 0x2_8000;
  /** A 64-bit guest that reads [40_0000h] into AL and halts; the page is mapped to 3_0000h, which holds AAh, or to 3_1000h: BBh. */
  const reader = (flags: bigint = 7n): SvmMachine => {
    const made = svmLongMachine([0xa0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0xf4], withFeature(SVM_PROFILE, 'flushByAsid', 'on'));
    const {memory} = made.machine;
    memory.write(hpa(0x1_2010), 8, BigInt(TABLE) | 7n);
    memory.write(hpa(TABLE), 8, 0x3_0000n | flags);
    memory.write(hpa(0x3_0000), 1, 0xaan);
    memory.write(hpa(0x3_1000), 1, 0xbbn);
    made.vmcb.set('CR4', 0xa0n);
    return made;
  };
  const turn = (made: SvmMachine): bigint => {
    made.vmcb.set('RIP', BigInt(GUEST_CODE));
    made.machine.registers.set('RIP', BigInt(HOST_CODE));
    made.run();
    expect(exitOf(made)).toBe('VMEXIT_HLT');
    return made.vmcb.get('RAX') & 0xffn;
  };
  const afterwards = (made: SvmMachine, between: (made: SvmMachine) => unknown): bigint => {
    expect(turn(made)).toBe(0xaan);
    made.machine.memory.write(hpa(TABLE), 8, 0x3_1007n);
    between(made);
    return turn(made);
  };
  const control = (value: bigint) => (made: SvmMachine) => made.vmcb.set('TLB_CONTROL', value);
  /** INVLPGA of 40_0000h in the host. */
  const invlpga = (asid: bigint) => (made: SvmMachine) => {
    const r = made.machine.registers;
    made.machine.memory.load(hpa(HOST_CODE + 0x20), Uint8Array.of(0x0f, 0x01, 0xdf));
    r.set('RIP', BigInt(HOST_CODE + 0x20));
    r.set('RAX', 0x40_0000n);
    r.set('RCX', asid);
    made.machine.step();
    r.set('RAX', BigInt(VMCB));
  };

  test('a guest’s translations outlive its exits, and another ASID has none of them', () => {
    expect(afterwards(reader(), () => undefined)).toBe(0xaan);
    expect(afterwards(reader(), ({vmcb}) => vmcb.set('GUEST_ASID', 2n))).toBe(0xbbn);
  });

  test.each([
    [0n, 0xaan, 0xaan],
    [1n, 0xbbn, 0xbbn],
    [3n, 0xbbn, 0xbbn],
    [7n, 0xbbn, 0xaan],
  ])('TLB_CONTROL %i: a page that is not global reads %i, a global one %i', (value, plain, global) => {
    expect(afterwards(reader(), control(value))).toBe(plain);
    expect(afterwards(reader(0x107n), control(value))).toBe(global);
  });

  test('INVLPGA forgets a page of the ASID that it names', () => {
    expect(afterwards(reader(), invlpga(1n))).toBe(0xbbn);
    expect(afterwards(reader(), invlpga(2n))).toBe(0xaan);
  });
});

describe('the checks of VMRUN', () => {
  const patients: readonly (readonly [rule: string, field: VmcbFieldName, value: bigint])[] = [
    ['EFER.SVME = 1, in the guest too', 'EFER', 0n],
    ['reserved bits of EFER = 0', 'EFER', 0x1002n],
    ['CR0.CD = 1, or CR0.NW = 0', 'CR0', 0x2000_0010n],
    ['bits 63:32 of CR0 = 0', 'CR0', 0x1_0000_0010n],
    ['CR3 lies within the physical-address width of 48 bits', 'CR3', 1n << 48n],
    ['CR4 sets only bits that CPUID announces', 'CR4', 1n << 30n],
    ['bits 63:32 of DR6 = 0', 'DR6', 1n << 32n],
    ['bits 63:32 of DR7 = 0', 'DR7', 1n << 32n],
    ['the VMRUN intercept is set', 'INTERCEPT_WORD_4', 2n],
    ['the ASID is not 0: that is the host', 'GUEST_ASID', 0n],
    ['the I/O permissions map lies within physical memory', 'IOPM_BASE_PA', 1n << 48n],
    ['the MSR permissions map lies within physical memory', 'MSRPM_BASE_PA', 1n << 48n],
    ["the event's type is 0, 2, 3 or 4 (it is 1)", 'EVENTINJ', 0x8000_0100n],
    ['an exception has a vector below 32 that is not the NMI’s', 'EVENTINJ', 0x8000_0320n],
    ['only an exception pushes an error code', 'EVENTINJ', 0x8000_0821n],
  ];
  test.each(patients)('%s', (rule, field, value) => {
    const made = svmMachine();
    made.vmcb.set(field, value);
    made.run();
    expect(exitOf(made)).toBe('VMEXIT_INVALID');
    const failure = made.events.find(event => event.kind === 'vm-entry-failure');
    expect(failure?.checks.map(each => each.rule)).toEqual([rule]);
    expect(failure?.checks[0]?.cause).toBeTypeOf('string');
    expect(made.machine.registers.get('RIP')).toBe(BigInt(HOST_CODE + 3));
    expect(made.vmcb.get('RIP')).toBe(BigInt(GUEST_CODE));
  });

  test('long mode must be complete: PAE and PE, and not both kinds of code segment', () => {
    const made = svmMachine();
    made.vmcb.set('EFER', 0x1100n);
    made.vmcb.set('CR0', 0x8000_0010n);
    made.run();
    const failure = made.events.find(event => event.kind === 'vm-entry-failure');
    expect(failure?.checks.map(each => each.rule)).toEqual([
      'with EFER.LME and CR0.PG, CR4.PAE = 1',
      'with EFER.LME and CR0.PG, CR0.PE = 1',
    ]);
  });
});
