// Guests on the real device, through the same loop that the command line and the server use.

import {gpa} from '@hyperscope/base';
import {cellIndex} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import type {GuestImage, RegisterValues} from '@hyperscope/vmm';
import {beforeAll, describe, expect, test} from 'vitest';
import {skipKvmTests} from './skip-kvm-tests.js';
import {fingerprint} from './fingerprint.js';
import type {HostFingerprint} from './fingerprint.js';
import {KvmSession} from './kvm-session.js';
import type {KvmStep} from './kvm-session.js';
import {KvmVirtualMachine} from './kvm-virtual-machine.js';
import {QUIRKS, quirksOf} from './quirks.js';
import {runOnKvm} from './run-on-kvm.js';
import type {KvmRunResult, RunOnKvmOptions} from './run-on-kvm.js';
import {PLACES, startState} from './start-states.js';
import type {StateName} from './start-states.js';

const PORTS = {exitPort: 0xf4, powerOffPort: 0x604, capturePorts: [0xe9]} as const;
const LIMITS = {milliseconds: 5000, exits: 1000, steps: 10_000} as const;
const MEMORY = 4 << 20;

function image(mode: StateName, code: string, cpl: 0 | 3 = 0, registers: RegisterValues = {}): GuestImage {
  const state = startState(mode, cpl);
  const bytes = Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex'));
  return {
    memoryBytes: MEMORY,
    segments: [...state.segments, {gpa: gpa(PLACES.code), bytes}],
    registers: {...state.registers, ...registers},
  };
}
function run(guest: GuestImage, options: Partial<RunOnKvmOptions> = {}): KvmRunResult {
  return runOnKvm({image: guest, ports: PORTS, limits: LIMITS, ...options});
}
const cell = (result: KvmRunResult, name: Cell): bigint | undefined => result.registers[cellIndex(name)];
/** mov al, 'A'; mov dx, 3f8h; out dx, al; inc al; out dx, al; hlt */
const PRINT = {
  real: 'b041 baf803 ee fec0 ee f4',
  protected: 'b041 66baf803 ee fec0 ee f4',
  long: 'b041 66baf803 ee fec0 ee f4',
} as const;

describe.skipIf(skipKvmTests())('a guest on real KVM', {timeout: 30_000}, () => {
  let host: HostFingerprint;
  beforeAll(() => {
    host = fingerprint();
  });

  test.each(['real', 'protected', 'long'] as const)('prints and halts in %s mode', mode => {
    const result = run(image(mode, PRINT[mode]));
    expect(result.outcome).toEqual({kind: 'halted'});
    expect([Buffer.from(result.serial).toString(), result.exits]).toEqual(['AB', {io: 2, hlt: 1}]);
    expect([cell(result, 'RAX'), cell(result, 'RIP')]).toEqual([
      0x42n,
      BigInt(PLACES.code + PRINT[mode].replaceAll(' ', '').length / 2),
    ]);
  });

  describe('video memory', () => {
    /** mov ax, 0b800h; mov es, ax; xor di, di; mov al, 'x'; stosb; mov byte [es:4000h], 'y'; mov al, [es:0]; mov [500h], al; hlt */
    const code = 'b800b8 8ec0 31ff b078 aa 26c606004079 26a00000 a20005 f4';
    const told = (choice: 'off' | 'half' | 'all') => {
      const session = new KvmSession({
        image: image('real', code),
        ports: PORTS,
        limits: LIMITS,
        singleStep: 'off',
        quirks: {cpl3_step: undefined},
        clock: performance,
        coalescedMmio: choice,
      });
      try {
        const steps: KvmStep[] = [];
        while (session.outcome === undefined) steps.push(session.step());
        const memory = session.banks.find(({name}) => name === 'memory')?.bytes ?? new Uint8Array();
        const events = steps.flatMap(({events}) => events).filter(({kind}) => kind === 'device');
        return {
          exits: steps.map(({exit}) => exit.reason),
          bytes: [memory[0xb_8000], memory[0xb_c000], memory[0x500]],
          events: events.map(event => event.kind === 'device' && event.sentence.slice(0, 8)),
        };
      } finally {
        session.close();
      }
    };
    test.each([
      ['off', ['mmio', 'mmio', 'mmio', 'hlt'], []],
      ['half', ['mmio', 'mmio', 'hlt'], ['1 write ']],
      ['all', ['mmio', 'hlt'], ['2 writes']],
    ] as const)('with %s of it coalesced keeps what is written', (choice, exits, events) => {
      expect(told(choice)).toEqual({exits, bytes: [0x78, 0x79, 0x78], events});
    });
  });

  test('reads ports: the answer is in AL, and nobody answers with ones', () => {
    const result = run(image('protected', '66bafd03 ec 88c4 e460 f4')); // in al, dx; mov ah, al; in al, 60h; hlt
    expect([cell(result, 'RAX'), [...result.unknownPorts]]).toEqual([0x60ffn, [[0x60, 1]]]);
  });

  test('reports RIP after the instruction whatever the flavour of KVM, and where the instruction was', () => {
    const steps: KvmStep[] = [];
    const rips: (bigint | undefined)[] = [];
    run(image('long', 'e680 90 e4 60 f4'), {
      observer: {
        exit: (step, session) => {
          steps.push(step);
          rips.push(session.registers[cellIndex('RIP')]);
        },
      },
    });
    expect(steps.map(({rip, length}) => [rip, length])).toEqual([
      [0x8000n, 2],
      [0x8003n, 2],
      [0x8005n, 1],
    ]);
    expect(rips).toEqual([0x8002n, 0x8005n, 0x8006n]);
  });

  test('tells an exit as the ioctl that came back and what it said', () => {
    const steps: KvmStep[] = [];
    run(image('long', 'b048 66baf803 ee f4'), {
      observer: {
        exit: step => {
          steps.push(step);
        },
      },
    });
    expect(steps[0]?.events).toEqual([
      {kind: 'ioctl', name: 'KVM_RUN', direction: 'call', result: undefined},
      {kind: 'ioctl', name: 'KVM_RUN', direction: 'return', result: 'KVM_EXIT_IO'},
      {
        kind: 'kvm-exit',
        exit: {reason: 'io', direction: 'out', port: 0x3f8, width: 8, count: 1, data: new Uint8Array([0x48])},
      },
      {kind: 'serial', byte: 0x48},
    ]);
  });

  test('shows what the guest wrote to memory, announced before it changes', () => {
    const told: (readonly [number, number])[] = [];
    let seen: Uint8Array | undefined;
    run(image('protected', 'c70500001000efbeadde f4'), {
      observer: {
        // mov dword [100000h], 0deadbeefh
        willWrite: (_bank, offset, length) => {
          told.push([offset, length]);
        },
        exit: (_step, session) => {
          seen = session.banks[1]?.bytes.slice(0x10_0000, 0x10_0004);
        },
      },
    });
    expect([told.filter(([offset]) => offset >= 0x10_0000), seen]).toEqual([
      [[0x10_0000, 4]],
      new Uint8Array([0xef, 0xbe, 0xad, 0xde]),
    ]);
  });

  test('ends by debug exit, power-off, and triple fault', () => {
    expect(run(image('protected', 'b010 e6f4')).outcome).toEqual({kind: 'debug-exit', value: 0x21});
    expect(run(image('protected', '66ba0406 66b80020 66ef')).outcome).toEqual({kind: 'power-off'});
    expect(run(image('long', '0f0b', 0, {'IDTR.limit': 0n})).outcome).toEqual({kind: 'triple-fault', chain: []});
  });

  test("delivers an exception to the guest's own handler", () => {
    const result = run(image('long', '0f0b')); // ud2
    expect([[...result.unknownPorts], result.outcome]).toEqual([[[0xe6, 1]], {kind: 'halted'}]);
  });

  test('plays no device in memory: reads give ones, writes are lost', () => {
    const result = run(image('protected', 'a100006000 c7050000600001000000 f4')); // mov eax, [600000h]; mov dword [600000h], 1
    expect([cell(result, 'RAX'), result.exits]).toEqual([0xffff_ffffn, {mmio: 2, hlt: 1}]);
  });

  test('has a ROM above its memory that it can run and not write', () => {
    const guest = image('protected', 'e9fb7f5f00'); // jmp 600000h
    const rom = {gpa: gpa(0x60_0000), bytes: Uint8Array.from([0xb0, 0x77, 0xa2, 0, 0, 0x60, 0, 0xf4])}; // mov al, 77h; mov [600000h], al; hlt
    const result = run({...guest, segments: [...guest.segments, rom]});
    expect([result.outcome, result.exits, cell(result, 'RAX')]).toEqual([{kind: 'halted'}, {mmio: 1, hlt: 1}, 0x77n]);
  });

  test('spins and is stopped by the limit of wall time', () => {
    const result = run(image('long', 'ebfe'), {limits: {...LIMITS, milliseconds: 80}});
    expect(result.outcome).toEqual({kind: 'limit', limit: 'milliseconds'});
    expect(result.seconds).toBeGreaterThan(0.07);
    expect(result.seconds).toBeLessThan(3);
  });

  test('makes a VMCALL, which may loop inside KVM_RUN: the watchdog ends even that', () => {
    const result = run(image('long', '0f01c1 f4'), {limits: {...LIMITS, milliseconds: 150}});
    // Hardware: KVM answers -KVM_ENOSYS and the guest halts. kvm_pvm: patches the instruction for ever.
    expect([{kind: 'halted'}, {kind: 'limit', limit: 'milliseconds'}]).toContainEqual(result.outcome);
    expect(result.seconds).toBeLessThan(3);
  });

  test('is stopped after so many exits', () => {
    const result = run(image('long', 'e680 ebfc'), {limits: {...LIMITS, exits: 7}});
    expect([result.outcome, result.exits]).toEqual([{kind: 'limit', limit: 'exits'}, {io: 7}]);
  });

  test('uses an instruction that KVM must emulate and cannot, or runs it', () => {
    const result = run(image('protected', '0f57c0 f4', 0, {CR4: 0x600n})); // xorps xmm0, xmm0
    if (host.probes['cpl0_sse'] === 'ok') expect(result.outcome).toEqual({kind: 'halted'});
    else expect(result.outcome).toMatchObject({kind: 'error', message: expect.stringMatching(/0f 57 c0/)});
  });

  test('is counted by KVM itself', () =>
    expect(run(image('long', 'e680 e680 f4')).statistics['exits']).toBeGreaterThan(0));

  test('keeps the state that a loader gave it: every cell comes back', () => {
    const machine = new KvmVirtualMachine({memoryBytes: MEMORY, deadline: 1000});
    const given: RegisterValues = {
      ...startState('long').registers,
      RAX: 0x1122_3344_5566_7788n,
      LSTAR: 0xffff_8000_0000_0000n,
      STAR: 1n << 40n,
      FMASK: 0x700n,
      DR0: 0x1000n,
      'FS.base': 0x5000n,
      KERNEL_GS_BASE: 0x6000n,
      CR2: 0x77n,
      CR8: 5n,
    };
    machine.vcpu.setRegisters(given);
    expect(machine.vcpu.registers()).toMatchObject(given);
    machine.close();
  });

  test('takes CR8 from what was set, also after a guest has changed it', () => {
    const machine = new KvmVirtualMachine({memoryBytes: MEMORY, deadline: 1000});
    machine.load(image('long', 'b809000000 440f22c0 f4')); // mov eax, 9; mov cr8, rax; hlt
    machine.vcpu.run();
    machine.load({...image('long', '440f20c0 f4'), registers: {...startState('long').registers, CR8: 3n}}); // mov rax, cr8; hlt
    machine.vcpu.run();
    expect(machine.vcpu.registers()).toMatchObject({RAX: 3n, CR8: 3n});
    machine.close();
  });

  test('has the same registers in the shared page as in the ioctls', () => {
    const machine = new KvmVirtualMachine({memoryBytes: MEMORY, deadline: 1000});
    machine.load(image('long', 'b841000000 e680 f4'));
    machine.vcpu.run();
    const shared = machine.vcpu.registers();
    machine.vcpu.setRegisters({}); // from here on the ioctls answer
    expect(machine.vcpu.registers()).toEqual(shared);
    machine.close();
  });

  test('is refused in words where the state contradicts itself', () => {
    expect(() => run(image('long', 'f4', 0, {CR4: 0n}))).toThrow(/long mode needs PAE/);
    expect(() => run(image('long', 'f4', 0, {CURRENT_VMCS: 0n, LSTAR: 1n << 47n}))).toThrow(/LSTAR/);
    expect(() => run({...image('long', 'f4'), memoryBytes: 100})).toThrow(/multiple of 4096/);
  });

  test('steps instruction by instruction in ring 0 of long mode', () => {
    const steps: KvmStep[] = [];
    const code = '48ffc0 48ffc3 eb01 90 e680 f4'; // inc rax; inc rbx; jmp +1; nop; out 80h, al; hlt
    const keep = (step: KvmStep): void => {
      steps.push(step);
    };
    run(image('long', code), {
      singleStep: 'where-possible',
      quirks: {cpl3_step: host.probes['cpl3_step']},
      observer: {exit: keep, step: keep},
    });
    expect(steps.map(step => [step.kind, step.rip, step.length])).toEqual([
      ['kvm-step', 0x8000n, 3],
      ['kvm-step', 0x8003n, 3],
      ['kvm-step', 0x8006n, 3],
      ['kvm-exit', 0x8009n, 2],
      ['kvm-exit', 0x800bn, 1],
    ]);
  });

  test('counts a stepped IN once', () => {
    const kinds: string[] = [];
    const keep = (step: KvmStep): void => {
      kinds.push(`${step.kind} ${step.exit.reason} ${step.rip.toString(16)}`);
    };
    run(image('long', 'e460 90 f4'), {
      singleStep: 'where-possible',
      quirks: {cpl3_step: undefined},
      observer: {exit: keep, step: keep},
    });
    expect(kinds).toEqual(['kvm-exit io 8000', 'kvm-step debug 8002', 'kvm-exit hlt 8003']);
  });

  test('is not disturbed by stepping in ring 3 where KVM would give the guest the trap', () => {
    const result = run(image('long', '90 90 0f0b', 3), {
      singleStep: 'where-possible',
      quirks: {cpl3_step: host.probes['cpl3_step']},
    });
    expect([[...result.unknownPorts.keys()], result.outcome]).toEqual([[0xe6], {kind: 'halted'}]);
  });

  test("is stopped from another thread's id, and reports that somebody did", async () => {
    const session = new KvmSession({
      image: image('long', 'ebfe'),
      ports: PORTS,
      limits: LIMITS,
      singleStep: 'off',
      quirks: {cpl3_step: undefined},
      clock: performance,
    });
    const {Worker} = await import('node:worker_threads');
    const script = `import {native} from '@hyperscope/native'; setTimeout(() => { native.kick(${session.machine.vcpu.id}); }, 50);`;
    const worker = new Worker(
      new URL(
        `data:text/javascript,${encodeURIComponent(script.replace('@hyperscope/native', import.meta.resolve('@hyperscope/native')))}`,
      ),
    );
    session.step();
    expect(session.outcome).toEqual({kind: 'cancelled'});
    session.close();
    await worker.terminate();
  });
});

describe.skipIf(skipKvmTests())('the fingerprint', {timeout: 30_000}, () => {
  test('is found quickly and says what kind of KVM this is', () => {
    const before = performance.now();
    const {flavour, apiVersion, probes} = fingerprint();
    expect(performance.now() - before).toBeLessThan(5000);
    expect([apiVersion, flavour.startsWith('kvm')]).toEqual([12, true]);
    expect(['at', 'after']).toContain(probes['out_exit_rip']);
    expect(Object.keys(probes)).toEqual(
      expect.arrayContaining([
        'cpl0_sse',
        'cpl0_int_n',
        'paging32',
        'paging_pae',
        'cpl3_syscall',
        'cpl3_step',
        'cpl3_ds_selector',
        'cpl3_pushf_if0',
      ]),
    );
  });
  test('answers every probe that a quirk is read from', () => {
    const {probes} = fingerprint();
    for (const {probe} of QUIRKS) expect([probe, typeof probes[probe]]).toEqual([probe, 'string']);
    process.stderr.write(
      `[kvm] quirks of this host: ${
        quirksOf({probes})
          .map(({id}) => id)
          .join(', ') || 'none'
      }\n`,
    );
  });
  test('is the same each time, but for the speeds and the day', () => {
    const stable = ({probes}: HostFingerprint): object =>
      Object.fromEntries(Object.entries(probes).filter(([name]) => !name.endsWith('_per_insn')));
    expect(stable(fingerprint())).toEqual(stable(fingerprint()));
  });
});
