import {expect, test} from 'vitest';
import {DeviceClock} from '../devices/device-clock.js';
import {CODE, HANDLERS, longMode, realMode} from '../machine-fixture.js';
import {GUEST_CODE, machineWithGuest} from '../vmx/testing/vmx-machine.js';
import {InterruptPins} from './interrupt-pins.js';
import type {InterruptController} from './interrupt-pins.js';

/** Asks for one interrupt until it is acknowledged. */
class OneRequest implements InterruptController {
  requested: number | undefined = 0x41;
  acknowledgements = 0;
  acknowledge(): void {
    this.requested = undefined;
    this.acknowledgements++;
  }
}

test('what was requested directly goes before the controller', () => {
  const pins = new InterruptPins();
  const controller = new OneRequest();
  pins.controller = controller;
  pins.request(0x30);
  expect(pins.requested).toBe(0x30);
  pins.acknowledge();
  expect([pins.requested, controller.acknowledgements]).toEqual([0x41, 0]);
  pins.acknowledge();
  expect([pins.requested, controller.acknowledgements]).toEqual([undefined, 1]);
});

test('the processor acknowledges when it takes the interrupt, not before IF allows it', () => {
  const t = longMode({}, 'fb 90 90'); // sti / nop / nop
  const controller = new OneRequest();
  t.machine.pins.controller = controller;
  t.steps(2); // STI holds interrupts back for one instruction.
  expect([controller.acknowledgements, t.get('RIP')]).toEqual([0, BigInt(CODE) + 2n]);
  t.steps(1);
  expect([controller.acknowledgements, t.get('RIP')]).toEqual([1, BigInt(HANDLERS + 0x41 * 16)]);
});

test('HLT goes straight to the next moment at which a device interrupts', () => {
  const t = realMode('fb f4');
  const {machine} = t;
  const clock = new DeviceClock(() => machine.cycles, 1_000_000);
  clock
    .timer(
      () => machine.requestInterrupt(0x41),
      () => true,
    )
    .arm(123_456);
  machine.deviceClock = clock;
  t.steps(2);
  expect(machine.cycles).toBeLessThan(10_000);
  const before = machine.cycles;
  const tsc = t.get('TSC');
  expect(machine.step()).toEqual({kind: 'delivery'});
  expect(t.get('TSC') - tsc).toBe(BigInt(machine.cycles - before));
  expect(machine.cycles - 123_456).toBe(machine.costModel.exception.cycles);
});

test('HLT with IF = 0, or with timers that nobody hears, is the end', () => {
  const closed = realMode('fa f4');
  const deaf = realMode('fb f4');
  for (const [t, wakes] of [
    [closed, true],
    [deaf, false],
  ] as const) {
    const clock = new DeviceClock(() => t.machine.cycles, 1_000_000);
    clock
      .timer(
        () => t.machine.requestInterrupt(0x41),
        () => wakes,
      )
      .arm(123_456);
    t.machine.deviceClock = clock;
    expect([t.run().last.kind, t.machine.cycles < 10_000]).toEqual(['halted', true]);
  }
});

test.each([
  ['acknowledged', 1, 0x8000_0041],
  ['left waiting', 0, 0],
] as const)('an interrupt that leaves a guest is %s, as the exit controls say', (_, acknowledged, information) => {
  const made = machineWithGuest([0x90]);
  const exitControls = made.vmcs.get('VM_EXIT_CONTROLS');
  made.vmcs.set('PIN_BASED_VM_EXECUTION_CONTROLS', made.vmcs.get('PIN_BASED_VM_EXECUTION_CONTROLS') | 1n);
  made.vmcs.set('VM_EXIT_CONTROLS', acknowledged === 1 ? exitControls | 0x8000n : exitControls & ~0x8000n);
  const controller = new OneRequest();
  made.machine.pins.controller = controller;
  made.vmx.enter('VMLAUNCH');
  made.machine.step();
  const exit = made.events.find(event => event.kind === 'vm-exit');
  expect(exit).toMatchObject({
    exit: {reason: 1, guestRip: BigInt(GUEST_CODE), interruptionInformation: information},
  });
  expect(controller.acknowledgements).toBe(acknowledged);
});
