import {hpa} from '@hyperscope/base';
import {LOCAL_APIC, PhysicalMemory, PortMap, Uart16550} from '@hyperscope/machine';
import type {Bank} from '@hyperscope/machine';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {PcChipset} from './pc-chipset.js';

/** A chipset without a processor: time, CR8 and IA32_APIC_BASE are moved by hand. */
class Bench {
  cycles = 0;
  taskPriority = 0;
  apicBase = 0xfee0_0900n;
  nmis = 0;
  readonly ports = new PortMap();
  readonly memory = new PhysicalMemory(0x10_0000);
  readonly chipset: PcChipset;

  constructor() {
    const uart = new Uart16550();
    this.ports.attach(uart);
    this.chipset = new PcChipset({
      processor: {
        cycles: () => this.cycles,
        hertz: 2_660_000_000,
        getTaskPriority: () => this.taskPriority,
        setTaskPriority: value => {
          this.taskPriority = value;
        },
        apicBase: () => this.apicBase,
        raiseNmi: () => this.nmis++,
      },
      memoryBytes: this.memory.size,
      uart,
      disks: [new Uint8Array(8 * 512), new Uint8Array(512)],
    });
    this.chipset.attach(this.ports);
    for (const region of this.chipset.regions) this.memory.addRegion(region);
  }

  get banks(): readonly Bank[] {
    return [...this.ports.devices.map(device => device.bank), ...this.chipset.banks];
  }
  out(port: number, ...values: readonly number[]): void {
    for (const value of values) this.ports.write(port, 1, value);
  }
  /** IRQ 0 to 7 at 20h, 8 to 15 at 28h, everything unmasked. */
  programPic(): void {
    this.out(0x20, 0x11);
    this.out(0x21, 0x20, 4, 1, 0);
    this.out(0xa0, 0x11);
    this.out(0xa1, 0x28, 2, 1, 0);
  }
}

test('each bank has a name of its own', () => {
  const names = new Bench().banks.map(bank => bank.name);
  expect(new Set(names).size).toBe(names.length);
});

test('at power-on nothing asks, no timer runs, and HLT has nothing to wait for', () => {
  const {chipset} = new Bench();
  expect([chipset.requested, chipset.clock.next, chipset.clock.nextWake, chipset.outcome]).toEqual([
    undefined,
    Infinity,
    Infinity,
    undefined,
  ]);
});

test('the local APIC goes before the 8259 pair', () => {
  const made = new Bench();
  made.programPic();
  made.chipset.keyboard.type(Uint8Array.of(1));
  expect(made.chipset.requested).toBe(0x21);
  made.memory.write(hpa(LOCAL_APIC.start + 0xf0), 4, 0x1ffn);
  made.chipset.localApic.accept(0x60, 'edge');
  expect(made.chipset.requested).toBe(0x60);
  made.chipset.acknowledge();
  expect(made.chipset.requested).toBe(0x21);
  made.chipset.acknowledge();
  expect(made.chipset.requested).toBeUndefined();
});

test('an APIC that IA32_APIC_BASE switches off does not answer, and lets the 8259 pair through', () => {
  const made = new Bench();
  made.programPic();
  made.memory.write(hpa(LOCAL_APIC.start + 0xf0), 4, 0x1ffn);
  made.memory.write(hpa(LOCAL_APIC.start + 0x350), 4, 0x1_0000n);
  made.chipset.keyboard.type(Uint8Array.of(1));
  expect(made.chipset.requested).toBeUndefined();
  made.apicBase = 0xfee0_0100n;
  expect(made.chipset.requested).toBe(0x21);
  expect(made.memory.read(hpa(LOCAL_APIC.start + 0x30), 4)).toBe(0xffff_ffffn);
});

test('registers of the APIC can be read in parts, and written whole only', () => {
  const {memory} = new Bench();
  expect([memory.read(hpa(LOCAL_APIC.start + 0x30), 4), memory.read(hpa(LOCAL_APIC.start + 0x32), 1)]).toEqual([
    0x5_0014n,
    5n,
  ]);
  memory.write(hpa(LOCAL_APIC.start + 0xf0), 1, 0n);
  expect(memory.read(hpa(LOCAL_APIC.start + 0xf0), 4)).toBe(0xffn);
});

test('a timer whose IRQ is masked wakes nobody', () => {
  const made = new Bench();
  made.programPic();
  made.out(0x43, 0x34);
  made.out(0x40, 0, 0x10);
  expect(made.chipset.clock.nextWake).toBe(made.chipset.clock.next);
  made.out(0x21, 1);
  expect([made.chipset.clock.nextWake, made.chipset.clock.next < Infinity]).toEqual([Infinity, true]);
});

test('the clock’s IRQ 8 comes through the second controller', () => {
  const made = new Bench();
  made.programPic();
  made.out(0x70, 0xb);
  made.out(0x71, 0x12);
  expect(made.chipset.clock.nextWake).toBe(2_660_000_000);
  made.cycles = 2_660_000_000;
  made.chipset.clock.run();
  expect(made.chipset.requested).toBe(0x28);
});

const PORTS = [
  0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0xcf8, 0xcf9, 0xcfc,
  0x3d4, 0x3d5, 0x3da, 0x600, 0x602, 0x604, 0x608, 0x510, 0x511, 0xe0, 0xec, 0x2003, 0x1f0, 0x1f1, 0x1f2, 0x1f3, 0x1f6,
  0x1f7, 0x3f6, 0x3f8, 0x3f9, 0x3fa, 0x3fc,
] as const;
const action = fc.oneof(
  {weight: 4, arbitrary: fc.record({kind: fc.constant('out'), port: fc.constantFrom(...PORTS), value: fc.nat(0xff)})},
  {
    weight: 2,
    arbitrary: fc.record({kind: fc.constant('in'), port: fc.constantFrom(...PORTS), value: fc.constantFrom(1, 2, 4)}),
  },
  {
    weight: 2,
    arbitrary: fc.record({kind: fc.constant('apic'), port: fc.nat(0x3f).map(n => 16 * n), value: fc.nat(0x7_ffff)}),
  },
  {weight: 2, arbitrary: fc.record({kind: fc.constant('wait'), port: fc.nat(50_000_000), value: fc.constant(0)})},
  {weight: 1, arbitrary: fc.record({kind: fc.constant('INTA'), port: fc.constant(0), value: fc.constant(0)})},
);

test('whatever a program does: nothing breaks, no timer stays due, and every change was announced', () =>
  fc.assert(
    fc.property(fc.array(action, {maxLength: 120}), actions => {
      const made = new Bench();
      const first = made.banks.map(bank => bank.bytes.slice());
      const undo: (() => void)[] = [];
      const willWrite = (name: string, offset: number, length: number): void => {
        const bytes = made.banks.find(bank => bank.name === name)?.bytes;
        const old = bytes?.slice(offset, offset + length);
        undo.push(() => void (old !== undefined && bytes?.set(old, offset)));
      };
      made.ports.observe(willWrite);
      made.chipset.observe(willWrite);
      for (const {kind, port, value} of actions) {
        if (kind === 'out') made.out(port, value);
        else if (kind === 'in') expect(made.ports.read(port, value)).toBeGreaterThanOrEqual(0);
        else if (kind === 'apic') made.memory.write(hpa(LOCAL_APIC.start + port), 4, BigInt(value));
        else if (kind === 'wait') made.cycles += port;
        else if (made.chipset.requested !== undefined) made.chipset.acknowledge();
        made.chipset.clock.run();
        expect(made.chipset.clock.next).toBeGreaterThan(made.cycles);
        const {requested} = made.chipset;
        expect(requested === undefined || (requested >= 0 && requested <= 255)).toBe(true);
      }
      while (undo.length > 0) undo.pop()?.();
      // As text: an element at a time would take most of the test's time, for the larger banks.
      const shown = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
      made.banks.forEach((bank, index) => {
        const same = shown(bank.bytes) === shown(first[index] ?? new Uint8Array());
        expect({bank: bank.name, same}).toEqual({bank: bank.name, same: true});
      });
    }),
    {numRuns: 60},
  ));
