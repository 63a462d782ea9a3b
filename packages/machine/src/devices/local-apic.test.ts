import {describe, expect, test} from 'vitest';
import {HandClock} from './device-fixture.js';
import {APIC_BUS_HERTZ} from './local-apic-timer.js';
import {APIC, IA32_TSC_DEADLINE, LocalApic} from './local-apic.js';
import type {ApicMode} from './x2apic.js';

interface Bench {
  readonly time: HandClock;
  readonly apic: LocalApic;
  readonly nmis: () => number;
  readonly eois: number[];
  cr8: number;
  inits: number;
  mode: ApicMode;
  /** By how much the time-stamp counter is ahead of the cycles. */
  timeStampOffset: bigint;
}
function bench(enable: 'enabled' | 'as after reset' = 'enabled'): Bench {
  const time = new HandClock(APIC_BUS_HERTZ);
  const eois: number[] = [];
  let nmis = 0;
  const made: Omit<Bench, 'apic'> = {
    time,
    eois,
    cr8: 0,
    inits: 0,
    mode: 'xAPIC',
    timeStampOffset: 0n,
    nmis: () => nmis,
  };
  const apic = new LocalApic(time.clock, {
    getTaskPriority: () => made.cr8,
    setTaskPriority: value => {
      made.cr8 = value;
    },
    get mode() {
      return made.mode;
    },
    timeStamp: () => BigInt(time.now) + made.timeStampOffset,
    initialize: () => made.inits++,
    raiseNmi: () => nmis++,
    broadcastEoi: vector => eois.push(vector),
  });
  if (enable === 'enabled') apic.writeRegister(APIC.spurious, 0x1ff);
  return Object.assign(made, {apic});
}

test('after reset it is off, and lets the 8259 pair through', () => {
  const {apic} = bench('as after reset');
  apic.accept(0x40, 'edge');
  expect([apic.requested, apic.acceptsExternal, apic.readRegister(APIC.version)]).toEqual([undefined, true, 0x5_0014]);
  apic.writeRegister(APIC.lint0, 0x1_0700);
  expect(apic.acceptsExternal).toBe(false);
});

test('the higher vector goes first, and only a higher class interrupts it', () => {
  const {apic} = bench();
  apic.accept(0x41, 'edge');
  apic.accept(0x52, 'edge');
  expect(apic.requested).toBe(0x52);
  apic.acknowledge(0x52);
  apic.accept(0x5f, 'edge');
  expect(apic.requested).toBeUndefined();
  apic.accept(0x60, 'edge');
  expect(apic.requested).toBe(0x60);
  apic.writeRegister(APIC.endOfInterrupt, 0);
  expect(apic.readRegister(APIC.inService + 0x20)).toBe(0);
  apic.acknowledge(0x60);
  apic.writeRegister(APIC.endOfInterrupt, 0);
  expect(apic.requested).toBe(0x5f);
});

test('the task priority holds back its own class and those below, and is CR8', () => {
  const made = bench();
  made.apic.accept(0x45, 'edge');
  made.apic.writeRegister(APIC.taskPriority, 0x4a);
  expect([made.cr8, made.apic.requested, made.apic.readRegister(APIC.processorPriority)]).toEqual([4, undefined, 0x4a]);
  made.cr8 = 3;
  expect([made.apic.requested, made.apic.readRegister(APIC.taskPriority)]).toEqual([0x45, 0x3a]);
});

test('the one-shot timer expires once, at the count times the divisor', () => {
  const {time, apic} = bench();
  apic.writeRegister(APIC.divide, 3); // 16
  apic.writeRegister(APIC.timer, 0x40);
  apic.writeRegister(APIC.initialCount, 100);
  time.to(800);
  expect([apic.readRegister(APIC.currentCount), apic.requested]).toEqual([50, undefined]);
  time.to(1600);
  expect([apic.readRegister(APIC.currentCount), apic.requested, time.clock.next]).toEqual([0, 0x40, Infinity]);
});

test('the periodic timer goes on; masked it counts without interrupting', () => {
  const {time, apic} = bench();
  apic.writeRegister(APIC.divide, 0xb); // 1
  apic.writeRegister(APIC.timer, 0x3_0040);
  apic.writeRegister(APIC.initialCount, 1000);
  time.to(1500);
  expect([apic.requested, apic.readRegister(APIC.currentCount), time.clock.nextWake]).toEqual([
    undefined,
    500,
    Infinity,
  ]);
  apic.writeRegister(APIC.timer, 0x2_0040);
  expect(time.clock.nextWake).toBe(2000);
  for (const due of [2000, 3000]) {
    time.to(due);
    expect(apic.requested).toBe(0x40);
    apic.acknowledge(0x40);
    apic.writeRegister(APIC.endOfInterrupt, 0);
  }
  apic.writeRegister(APIC.initialCount, 0);
  expect(time.clock.next).toBe(Infinity);
});

test('an IPI to itself arrives; as NMI it goes to the pin', () => {
  const {apic, nmis} = bench();
  apic.writeRegister(APIC.commandLow, 0x4_0050);
  expect(apic.requested).toBe(0x50);
  apic.writeRegister(APIC.commandLow, 0x4_0400);
  expect(nmis()).toBe(1);
  apic.acknowledge(0x50);
  apic.writeRegister(APIC.commandHigh, 5 << 24);
  apic.writeRegister(APIC.commandLow, 0x60);
  apic.writeRegister(APIC.commandLow, 0xc_0070); // All but self: nobody.
  expect(apic.requested).toBeUndefined();
});

test('EOI of a level-triggered interrupt is broadcast', () => {
  const {apic, eois} = bench();
  apic.accept(0x50, 'level');
  expect(apic.readRegister(APIC.triggerMode + 0x20)).toBe(0x1_0000);
  apic.acknowledge(0x50);
  apic.writeRegister(APIC.endOfInterrupt, 0);
  expect(eois).toEqual([0x50]);
});

test('a vector below 16 is an error, which ESR shows after it is written', () => {
  const {apic} = bench();
  apic.writeRegister(APIC.error, 0x33);
  apic.writeRegister(APIC.commandLow, 0x4_0005);
  expect([apic.requested, apic.readRegister(APIC.errorStatus)]).toEqual([0x33, 0]);
  apic.writeRegister(APIC.errorStatus, 0);
  expect(apic.readRegister(APIC.errorStatus)).toBe(0x20);
});

test('switched off by software it masks its local vectors for good', () => {
  const {apic} = bench();
  apic.writeRegister(APIC.timer, 0x40);
  apic.writeRegister(APIC.spurious, 0xff);
  expect(apic.readRegister(APIC.timer)).toBe(0x1_0040);
  apic.writeRegister(APIC.spurious, 0x1ff);
  expect(apic.readRegister(APIC.timer)).toBe(0x1_0040);
});

test('a logical destination is a set of bits in the flat model', () => {
  const {apic} = bench();
  apic.writeRegister(APIC.logicalDestination, 0x0200_0000);
  expect([2, 3, 4].map(mask => apic.isDestination(mask, 'logical'))).toEqual([true, true, false]);
  expect([0, 1, 0xff].map(id => apic.isDestination(id, 'physical'))).toEqual([true, false, true]);
});

describe('in TSC-deadline mode', () => {
  function deadlineBench(): Bench {
    const made = bench();
    made.apic.writeRegister(APIC.timer, 0x4_0040);
    return made;
  }

  test('it expires once, when the time-stamp counter gets there, and the MSR is 0 again', () => {
    const {time, apic} = deadlineBench();
    apic.writeMsr(IA32_TSC_DEADLINE, 500n);
    expect([apic.readMsr(IA32_TSC_DEADLINE), time.clock.nextWake]).toEqual([500n, 500]);
    time.to(500);
    expect([apic.requested, apic.readMsr(IA32_TSC_DEADLINE), time.clock.next]).toEqual([0x40, 0n, Infinity]);
  });

  test('a deadline that has passed expires at once', () => {
    const {time, apic} = deadlineBench();
    time.to(100);
    apic.writeMsr(IA32_TSC_DEADLINE, 100n);
    expect(apic.requested).toBe(0x40);
  });

  test('setting the time-stamp counter moves the moment', () => {
    const made = deadlineBench();
    made.apic.writeMsr(IA32_TSC_DEADLINE, 500n);
    made.timeStampOffset = 400n;
    made.apic.timeStampChanged();
    expect(made.time.clock.next).toBe(100);
  });

  test('the counter stands at 0, and leaving the mode forgets the deadline', () => {
    const {time, apic} = deadlineBench();
    apic.writeRegister(APIC.initialCount, 100);
    expect([apic.readRegister(APIC.initialCount), apic.readRegister(APIC.currentCount)]).toEqual([0, 0]);
    apic.writeMsr(IA32_TSC_DEADLINE, 500n);
    apic.writeRegister(APIC.timer, 0x40);
    expect([apic.readMsr(IA32_TSC_DEADLINE), time.clock.next]).toEqual([0n, Infinity]);
    apic.writeMsr(IA32_TSC_DEADLINE, 500n);
    expect(apic.readMsr(IA32_TSC_DEADLINE)).toBe(0n);
  });
});

describe('in x2APIC mode', () => {
  function x2apicBench(): Bench {
    const made = bench();
    made.mode = 'x2APIC';
    made.apic.baseChanged(0xfee0_0900n, 0xfee0_0d00n);
    return made;
  }

  test('registers are MSRs; those that are gone or one-way refuse', () => {
    const {apic} = x2apicBench();
    expect([apic.readMsr(0x802), apic.readMsr(0x803), apic.readMsr(0x80d)]).toEqual([0n, 0x5_0014n, 1n]);
    // EOI cannot be read; DFR and the upper half of the command do not exist; version cannot be written.
    expect([apic.readMsr(0x80b), apic.readMsr(0x80e), apic.readMsr(0x831), apic.writeMsr(0x803, 0n)]).toEqual([
      undefined,
      undefined,
      undefined,
      'refused',
    ]);
  });

  test('reserved bits refuse, and change nothing', () => {
    const {apic} = x2apicBench();
    expect([0x80b, 0x828, 0x808, 0x80f].map(msr => apic.writeMsr(msr, 0x1_0000_0000n))).toEqual(
      Array.from({length: 4}, () => 'refused'),
    );
    expect([apic.writeMsr(0x83f, 0x100n), apic.writeMsr(0x830, 0x2000n), apic.requested]).toEqual([
      'refused',
      'refused',
      undefined,
    ]);
  });

  test('the command is one register of 64 bits, with a destination of 32', () => {
    const {apic} = x2apicBench();
    apic.writeMsr(0x830, 0x1_0000_0041n);
    expect(apic.requested).toBeUndefined();
    apic.writeMsr(0x830, 0xffff_ffff_0000_0041n);
    expect([apic.requested, apic.readMsr(0x830)]).toEqual([0x41, 0xffff_ffff_0000_0041n]);
    apic.writeMsr(0x83f, 0x52n);
    expect(apic.requested).toBe(0x52);
  });

  test('enabled anew, it is as after reset', () => {
    const made = x2apicBench();
    made.apic.writeMsr(0x83f, 0x52n);
    made.mode = 'off';
    made.apic.baseChanged(0xfee0_0d00n, 0xfee0_0100n);
    expect([made.apic.requested, made.apic.acceptsExternal]).toEqual([undefined, true]);
    made.mode = 'xAPIC';
    made.apic.baseChanged(0xfee0_0100n, 0xfee0_0900n);
    expect([made.apic.readRegister(APIC.spurious), made.apic.readRegister(APIC.requests + 0x20)]).toEqual([0xff, 0]);
  });
});

test('INIT to itself is told to the board', () => {
  const made = bench();
  made.apic.writeRegister(APIC.commandLow, 0x4500);
  made.apic.writeRegister(APIC.commandLow, 0x8500);
  expect(made.inits).toBe(1);
});
