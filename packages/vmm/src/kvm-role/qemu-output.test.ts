// Ways from a guest to QEMU's devices that are cheaper than an exit for each byte: rings in memory, writes that KVM only notes
// down, hypercalls.

import {describe, expect, test} from 'vitest';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {AnyEvent, FinishedRun} from '../testing/run-guest.js';
import {VIRTIO_GUESTS} from '../testing/virtio-guest.js';
import {GUEST_RAM} from '../host/host-layout.js';
import type {HypervisorOptions} from './host-context.js';
import {HypervisorRun} from './hypervisor-run.js';
import {svmNpt} from './svm/svm-techniques.js';
import {vtxEpt} from './vmx/vtx-ept.js';

function start(
  code: string,
  handlers: Readonly<Record<number, string>> = {},
  options: Partial<HypervisorOptions> = {},
): HypervisorRun {
  const bytes = Object.fromEntries(Object.entries(handlers).map(([vector, source]) => [vector, listing(source)]));
  return new HypervisorRun(
    {
      image: startImage({title: '', mode: 'protected', code: listing(code), handlers: bytes, expect: {}}),
      ports: TEST_PORTS,
      profile: undefined,
      costModel: undefined,
    },
    vtxEpt({}, options),
  );
}
const ofKind = <K extends AnyEvent['kind']>({events}: FinishedRun, kind: K): readonly Extract<AnyEvent, {kind: K}>[] =>
  events.filter((event): event is Extract<AnyEvent, {kind: K}> => event.kind === kind);
/** What user space was told: 'mmio write b8000', 'hlt', … */
const told = (run: FinishedRun): readonly string[] =>
  ofKind(run, 'kvm-exit').map(({exit}) =>
    exit.reason === 'mmio' ? `${exit.direction} ${exit.gpa.toString(16)}` : exit.reason,
  );
const videoText = (run: HypervisorRun, at: number, length: number): string =>
  new TextDecoder().decode(run.machine.memory.bytes.subarray(GUEST_RAM + at, GUEST_RAM + at + length));

describe.each(['user', 'kernel'] as const)('the virtio console, with interrupt controllers in %s space', irqchip => {
  test.each(['PIC', 'IOAPIC'] as const)('one kick sends all that waits, and its interrupt comes by the %s', by => {
    const {code, handlers, output} = VIRTIO_GUESTS[by];
    const run = start(code, handlers, {irqchip});
    const finished = runToEnd(run, 20_000);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(new TextDecoder().decode(run.console.output)).toBe(output);
    expect(run.guestRegisters().RBX).toBe(1n);
    expect(told(finished).filter(exit => exit === 'write feb00050')).toHaveLength(1);
    expect(ofKind(finished, 'injection').map(({vector, decision}) => [vector, decision])).toEqual([[0x1d, 'injected']]);
    expect(ofKind(finished, 'device').map(({sentence}) => sentence)).toEqual([
      'virtio-console put out 5 bytes, “Ring!”, from 2 chains of its transmit ring, at one kick',
    ]);
  });

  test('what is spoiled by the guest ends in DEVICE_NEEDS_RESET, and the guest goes on', () => {
    const {code, handlers} = VIRTIO_GUESTS.PIC;
    const spoiled = code.replace('c7 05 08 00 01 00 03 00 00 00', 'c7 05 08 00 01 00 00 00 00 00'); // the first length
    expect(spoiled).not.toBe(code);
    const run = start(spoiled, handlers, {irqchip});
    const finished = runToEnd(run, 20_000);
    expect([finished.outcome, run.console.output.length]).toEqual([{kind: 'halted'}, 0]);
    expect(ofKind(finished, 'device')).toEqual([
      expect.objectContaining({
        what: 'trouble',
        sentence: 'virtio-console needs a reset: descriptor 0 has the length 0',
      }),
    ]);
    expect(run.guestRegisters().RBX).toBe(1n); // the interrupt tells it of the change
  });
});

test('stepping back over kicks, rings and interrupts restores every byte', () => {
  const {code, handlers, output} = VIRTIO_GUESTS.PIC;
  const run = start(`66 c7 05 00 c0 0b 00 41 42 ${code}`, handlers); // mov word [bc000h], 'AB' first
  const first = run.banks.map(bank => bank.bytes.slice());
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
  for (let steps = 0; run.step().outcome === undefined && steps < 20_000; steps++);
  expect(new TextDecoder().decode(run.console.output)).toBe(output);
  while (undo.length > 0) undo.pop()?.();
  run.banks[0]?.bytes.set(first[0] ?? new Uint8Array());
  const differing = run.banks.flatMap(({name, bytes}, index) =>
    Buffer.compare(bytes, first[index] ?? new Uint8Array()) === 0 ? [] : [name],
  );
  expect(differing).toEqual([]);
});

describe('coalesced writes', () => {
  // mov byte [bc000h], 41h / mov byte [bc001h], 42h / mov byte [b8000h], 43h / hlt
  const THREE = 'c6 05 00 c0 0b 00 41 c6 05 01 c0 0b 00 42 c6 05 00 80 0b 00 43 f4';

  test.each([
    ['half', ['write b8000', 'hlt']],
    ['all', ['hlt']],
    ['off', ['write bc000', 'write bc001', 'write b8000', 'hlt']],
  ] as const)('%s: user space is asked for %o, and every byte arrives', (coalescedMmio, expected) => {
    const run = start(THREE, {}, {coalescedMmio});
    const finished = runToEnd(run);
    expect([finished.outcome, told(finished)]).toEqual([{kind: 'halted'}, expected]);
    expect([videoText(run, 0xb_c000, 2), videoText(run, 0xb_8000, 1)]).toEqual(['AB', 'C']);
    const routes = ofKind(finished, 'emulation').length;
    expect(routes).toBe(3); // each still leaves the guest, and is carried out in software
  });

  test('they reach the device before what comes after them: a read of the same place sees them', () => {
    // mov byte [bc000h], 41h / mov al, [bc000h] / hlt
    const run = start('c6 05 00 c0 0b 00 41 a0 00 c0 0b 00 f4');
    const finished = runToEnd(run);
    expect(told(finished)).toEqual(['read bc000', 'hlt']);
    expect((run.guestRegisters().RAX ?? 0n) & 0xffn).toBe(0x41n);
  });

  test('the ring takes 169 writes; the next asks user space, in the right order', () => {
    // mov edi, bc000h / mov ecx, 400 / again: mov [edi], cl / inc edi / dec ecx / jnz again / hlt
    const run = start('bf 00 c0 0b 00 b9 90 01 00 00 88 0f 47 49 75 fa f4');
    const finished = runToEnd(run, 20_000);
    expect(told(finished)).toEqual(['write bc0a9', 'write bc153', 'hlt']);
    const flushed = ofKind(finished, 'host-step').filter(({routine}) => routine === 'kvm_flush_coalesced_mmio_buffer');
    expect(flushed.map(({sentence}) => sentence.split(' ')[0])).toEqual(['169', '169', '60']);
    const expected = Array.from({length: 400}, (_, index) => (400 - index) & 0xff);
    const at = GUEST_RAM + 0xb_c000;
    expect([...run.machine.memory.bytes.subarray(at, at + 400)]).toEqual(expected);
    const whys = ofKind(finished, 'exit-handled').map(({why}) => why);
    expect(whys.filter(why => why.includes('the ring of coalesced writes is full'))).toHaveLength(2);
  });

  test('a guest that sleeps in the kernel for ever has its text on the screen', () => {
    const run = start('c6 05 00 c0 0b 00 41 fa f4', {}, {irqchip: 'kernel'});
    expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
    expect(videoText(run, 0xb_c000, 1)).toBe('A');
  });
});

describe.each([
  ['VMCALL', '0f 01 c1', vtxEpt()],
  ['VMMCALL', '0f 01 d9', svmNpt()],
] as const)('the console hypercall by %s', (_name, instruction, definition) => {
  /** RAX = 48530001h, RBX = 9000h, RCX = 3, and the text there. */
  const call = (number: string, ring: 0 | 3 = 0): HypervisorRun => {
    const code = `c7 05 00 90 00 00 61 62 63 00 b8 ${number} bb 00 90 00 00 b9 03 00 00 00 ${instruction} f4`;
    const image = startImage({
      title: '',
      mode: 'protected',
      code: listing(code),
      ...(ring === 0 ? {} : {registers: RING_3}),
      expect: {},
    });
    return new HypervisorRun({image, ports: TEST_PORTS, profile: undefined, costModel: undefined}, definition);
  };
  const RING_3 = {
    'CS.selector': 0x23n,
    'CS.attributes': 0xc0fbn,
    'SS.selector': 0x2bn,
    'SS.attributes': 0xc0f3n,
    'DS.selector': 0x2bn,
    'DS.attributes': 0xc0f3n,
    CPL: 3n,
  };

  test('is answered by user space, which reads the guest’s memory itself', () => {
    const run = call('01 00 53 48');
    const finished = runToEnd(run);
    expect([finished.outcome, told(finished)]).toEqual([{kind: 'halted'}, ['hypercall', 'hlt']]);
    expect([run.guestRegisters().RAX, new TextDecoder().decode(run.hypercallOutput)]).toEqual([3n, 'abc']);
    expect(ofKind(finished, 'exit-handled').map(({route, why}) => [route, why])).toContainEqual([
      'user-space',
      'the console is a device, and devices are user space’s: KVM_EXIT_HYPERCALL',
    ]);
  });

  test('another number is −KVM_ENOSYS, and user space never hears of it', () => {
    const run = call('02 00 53 48');
    expect(told(runToEnd(run))).toEqual(['hlt']);
    expect(BigInt.asIntN(64, run.guestRegisters().RAX ?? 0n)).toBe(-1000n);
  });

  test('from ring 3 it is −KVM_EPERM', () => {
    const run = call('01 00 53 48', 3);
    const finished = runToEnd(run);
    expect(told(finished)).not.toContain('hypercall');
    expect(BigInt.asIntN(64, run.guestRegisters().RAX ?? 0n)).toBe(-1n);
  });
});
