// The clock by which a host takes the processor back from a guest that does not give it up: the timer of the real local APIC, in
// one-shot mode, whose interrupt leads into ring 0. It is programmed through the APIC's page, as a kernel does it.
// SDM vol. 3A, "APIC Timer".

import {hpa} from '@hyperscope/base';
import {APIC, APIC_BUS_HERTZ, DeviceClock, LOCAL_APIC, LocalApic} from '@hyperscope/machine';
import type {Bank, Machine, WillWrite} from '@hyperscope/machine';
import {registerPage} from '../user-space/register-page.js';

/** In the spurious-interrupt vector register: the APIC is on, vector FFh. */
const SOFTWARE_ENABLE = 0x1ff;
const DIVIDE_BY_ONE = 0xb;
/** Its bank: a guest beside it may have a local APIC, too. */
const HOST_APIC = 'host-local-apic';

export class SliceTimer {
  /** The host's time, for the machine's `deviceClock`. */
  readonly clock: DeviceClock;
  readonly #machine: Machine;
  readonly #apic: LocalApic;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.clock = new DeviceClock(() => machine.cycles, machine.costModel.second.cycles, 'host-clock');
    this.#apic = new LocalApic(this.clock, {
      getTaskPriority: () => Number(machine.registers.get('CR8')),
      setTaskPriority: value => machine.registers.set('CR8', BigInt(value)),
      mode: 'xAPIC',
      timeStamp: () => machine.registers.get('TSC'),
      raiseNmi: () => machine.pins.raiseNmi(),
      initialize: () => undefined,
      broadcastEoi: () => undefined,
    });
    machine.memory.addRegion(
      registerPage(
        'local APIC of the host',
        () => LOCAL_APIC.start,
        this.#apic,
        () => 'present',
      ),
    );
  }

  /** Switches the APIC on, with the timer on a vector. */
  start(vector: number): void {
    this.#write(APIC.spurious, SOFTWARE_ENABLE);
    this.#write(APIC.divide, DIVIDE_BY_ONE);
    this.#write(APIC.timer, vector);
  }
  /** The slice ends so many cycles from now, or at the bus clock's next tick after that. */
  arm(cycles: number): void {
    this.#write(APIC.initialCount, Math.max(1, Math.ceil((cycles * APIC_BUS_HERTZ) / this.clock.hertz)));
  }
  /**
   * No slice is under way, and none has an interrupt that waits: ring 0 lets it in for a moment (STI, NOP, CLI) and its handler
   * does nothing but end it. Else it would strike whoever gets the next slice.
   */
  stop(): void {
    this.#write(APIC.initialCount, 0);
    const waiting = this.requested;
    if (waiting === undefined) return;
    this.acknowledge(waiting);
    this.endOfInterrupt();
  }

  /** Whether the slice that was armed last is over; its interrupt may still wait for IF. */
  get isOver(): boolean {
    return this.#machine.memory.read(hpa(LOCAL_APIC.start + APIC.currentCount), 4) === 0n;
  }
  /** The vector that asks for the processor now. */
  get requested(): number | undefined {
    return this.#apic.requested;
  }
  /** The processor takes the interrupt. */
  acknowledge(vector: number): void {
    this.#apic.acknowledge(vector);
  }
  endOfInterrupt(): void {
    this.#write(APIC.endOfInterrupt, 0);
  }

  get banks(): readonly Bank[] {
    return [this.clock.bank, {name: HOST_APIC, bytes: this.#apic.bank.bytes}];
  }
  observe(willWrite: WillWrite | undefined): void {
    this.clock.willWrite = willWrite;
    this.#apic.willWrite =
      willWrite === undefined ? undefined : (_, offset, length) => willWrite(HOST_APIC, offset, length);
  }

  #write(offset: number, value: number): void {
    this.#machine.memory.write(hpa(LOCAL_APIC.start + offset), 4, BigInt(value));
  }
}
