// Everything around the processor of a PC, wired as a PC is wired. It needs to know little of the machine: how many
// cycles have passed, where CR8 and IA32_APIC_BASE are, where a non-maskable interrupt goes. So it can stand behind a guest on
// bare metal, or in the user-space half of a hypervisor that asks it for interrupts.
//
//   PIT ──IRQ 0──┐          ┌── LINT0 (ExtINT) ──┐
//   8042 ─IRQ 1──┤          │                    ├── local APIC ── INTR, NMI ── processor
//   UART ─IRQ 4──┤                               │
//   virtio IRQ 5─┼── 8259 pair                   │
//   RTC ──IRQ 8──┤                               │
//   IDE ─IRQ 14──┴── IOAPIC (IRQ 0 at pin 2) ────┘

import {
  HOST_BRIDGE,
  IDE_CONTROLLER,
  IO_APIC,
  ISA_BRIDGE,
  TEST_DEVICE,
  DeviceClock,
  FirmwareConfiguration,
  IdeDisk,
  IoApic,
  KeyboardController8042,
  LocalApic,
  PciConfiguration,
  Pic8259Pair,
  Pit8254,
  PmTimer,
  PowerManagement,
  ResetAndA20,
  RtcCmos,
  SpeakerPort,
  SystemControlPortA,
  TestDevice,
  VgaText,
  apicModeOf,
  reportedMemory,
} from '@hyperscope/machine';
import type {
  ApicMode,
  Bank,
  BankedDevice,
  CalendarDate,
  InterruptController,
  InterruptLine,
  Level,
  MmioRegion,
  PortMap,
  Uart16550,
  VirtioConsole,
  WillWrite,
} from '@hyperscope/machine';
import type {RunOutcome} from '../technique.js';
import {registerPage} from './register-page.js';

const TIMER_IRQ = 0,
  KEYBOARD_IRQ = 1,
  UART_IRQ = 4,
  VIRTIO_IRQ = 5,
  RTC_IRQ = 8,
  DISK_IRQ = 14;
/** On a PC with an IOAPIC the timer is at pin 2, where the 8259 pair has its cascade. */
const TIMER_PIN = 2;
/** The IOAPIC has more inputs than the 8259 pair. */
const PIC_LINES = 16;
/** The address in IA32_APIC_BASE. */
const APIC_ADDRESS = 0xf_ffff_ffff_f000n;

/** The processor that the chipset serves. */
export interface ChipsetProcessor {
  /** Cycles since RESET. */
  cycles(): number;
  /** Cycles in a second. */
  readonly hertz: number;
  /** The time-stamp counter; the cycles where it is left out, which is what it counts until software sets it. */
  timeStamp?(): bigint;
  getTaskPriority(): number;
  setTaskPriority(value: number): void;
  /** IA32_APIC_BASE. */
  apicBase(): bigint;
  raiseNmi(): void;
}

export interface ChipsetOptions {
  readonly processor: ChipsetProcessor;
  readonly memoryBytes: number;
  /** The first serial port, which is there with or without the rest. */
  readonly uart: Uart16550;
  /** A console that has an interrupt line, where the board has one. */
  readonly virtioConsole?: VirtioConsole | undefined;
  /** The date at cycle 0. */
  readonly date?: CalendarDate | undefined;
  /** The contents of up to two hard disks, multiples of 512 bytes; they are written to. None where absent. */
  readonly disks?: readonly Uint8Array[] | undefined;
  /** The clock of the timers that an in-kernel interrupt controller does not have; the chipset's own where absent. */
  readonly userClock?: DeviceClock | undefined;
  /** What stands between a device and the controllers where they are on two sides of a system call. */
  readonly interruptWire?: ((irq: number, line: InterruptLine) => InterruptLine) | undefined;
}

export class PcChipset implements InterruptController {
  readonly clock: DeviceClock;
  readonly wires = new ResetAndA20();
  readonly pic = new Pic8259Pair();
  readonly localApic: LocalApic;
  readonly ioApic: IoApic;
  readonly pit: Pit8254;
  readonly rtc: RtcCmos;
  readonly keyboard: KeyboardController8042;
  readonly vga: VgaText;
  readonly disk: IdeDisk | undefined;
  /** Memory-mapped registers. */
  readonly regions: readonly MmioRegion[];
  readonly #pci: PciConfiguration;
  readonly #speaker: SpeakerPort;
  readonly #portA: SystemControlPortA;
  readonly #pmTimer: PmTimer;
  readonly #power = new PowerManagement();
  readonly #firmware: FirmwareConfiguration;
  readonly #test = new TestDevice();

  constructor(options: ChipsetOptions) {
    const {processor, memoryBytes, uart, virtioConsole, date, disks = []} = options;
    const wire = (irq: number): InterruptLine => options.interruptWire?.(irq, this.#line(irq)) ?? this.#line(irq);
    this.clock = new DeviceClock(() => processor.cycles(), processor.hertz);
    const apicMode = (): ApicMode => apicModeOf(processor.apicBase());
    this.localApic = new LocalApic(this.clock, {
      getTaskPriority: () => processor.getTaskPriority(),
      setTaskPriority: value => processor.setTaskPriority(value),
      get mode() {
        return apicMode();
      },
      timeStamp: () => processor.timeStamp?.() ?? BigInt(processor.cycles()),
      raiseNmi: () => processor.raiseNmi(),
      // An INIT ends at the reset vector, where this machine has no firmware: as a reset, it is the end.
      initialize: () => this.wires.requestReset(),
      broadcastEoi: vector => this.ioApic.endOfInterrupt(vector),
    });
    this.ioApic = new IoApic(this.localApic);
    this.pit = new Pit8254(this.clock, this.#line(TIMER_IRQ));
    this.rtc = new RtcCmos({
      clock: options.userClock ?? this.clock,
      line: wire(RTC_IRQ),
      memoryBytes,
      ...(date === undefined ? {} : {date}),
    });
    this.keyboard = new KeyboardController8042(this.wires, wire(KEYBOARD_IRQ));
    this.vga = new VgaText(this.clock);
    this.disk = disks.length === 0 ? undefined : new IdeDisk(disks, wire(DISK_IRQ));
    this.#pci = new PciConfiguration(this.wires, [
      HOST_BRIDGE,
      ISA_BRIDGE,
      ...(disks.length === 0 ? [] : [IDE_CONTROLLER]),
    ]);
    this.#speaker = new SpeakerPort(this.clock, this.pit);
    this.#portA = new SystemControlPortA(this.wires);
    this.#pmTimer = new PmTimer(this.clock);
    this.#firmware = new FirmwareConfiguration(memoryBytes, [{name: 'etc/e820', bytes: memoryReport(memoryBytes)}]);
    this.#test.onLine = (irq, level) => wire(irq).set(level);
    const uartLine = wire(UART_IRQ);
    uart.onInterrupt = level => uartLine.set(level);
    const virtioLine = wire(VIRTIO_IRQ);
    if (virtioConsole !== undefined) virtioConsole.onInterrupt = level => virtioLine.set(level);
    this.regions = [
      registerPage(
        'IOAPIC',
        () => IO_APIC.start,
        this.ioApic,
        () => 'present',
      ),
      // IA32_APIC_BASE says where the page lies, above RAM; and in x2APIC mode there is none.
      registerPage(
        'local APIC',
        () => Number(processor.apicBase() & APIC_ADDRESS),
        this.localApic,
        () => (apicMode() === 'xAPIC' ? 'present' : 'absent'),
      ),
      {
        name: 'test device',
        start: TEST_DEVICE.start,
        length: this.#test.memoryBytes,
        read: (offset, bytes) => this.#test.readMemory(offset, bytes),
        write: (offset, bytes, value) => this.#test.writeMemory(offset, bytes, value),
      },
    ];
  }

  /** Puts the devices at their ports. What is attached already keeps its ports. */
  attach(ports: PortMap): void {
    const devices = [
      this.pic,
      this.pit,
      this.rtc,
      this.keyboard,
      this.#speaker,
      this.#portA,
      this.#pci,
      this.vga,
      this.#pmTimer,
      this.#power,
      this.#firmware,
      this.#test,
    ];
    for (const device of devices) ports.attach(device);
    if (this.disk !== undefined) ports.attach(this.disk);
  }

  /** The state of what is not at a port; the port map knows the rest. */
  get banks(): readonly Bank[] {
    const banks = this.#behindPorts.map(device => device.bank);
    return this.disk === undefined ? banks : [...banks, ...this.disk.contents];
  }
  observe(willWrite: WillWrite | undefined): void {
    for (const device of this.#behindPorts) device.willWrite = willWrite;
  }
  get #behindPorts(): readonly BankedDevice[] {
    return [this.clock, this.wires, this.localApic, this.ioApic];
  }

  /** How the guest asked for its run to end, if it did: through the reset line, or ACPI's soft-off. */
  get outcome(): RunOutcome | undefined {
    if (this.wires.isResetRequested) return {kind: 'power-off', by: 'reset'};
    return this.#power.isOff ? {kind: 'power-off'} : undefined;
  }

  // ── as the processor sees it ────────────────────────────────────────────────────────────────────────────────────

  get requested(): number | undefined {
    const vector = this.localApic.requested;
    if (vector !== undefined) return vector;
    const external = this.pic.requested;
    return external !== undefined && this.localApic.acceptsExternal ? external : undefined;
  }
  acknowledge(): void {
    const vector = this.localApic.requested;
    if (vector === undefined) this.pic.acknowledge();
    else this.localApic.acknowledge(vector);
  }

  /** The line of a device that is not the chipset's own. */
  interruptLine(irq: number): InterruptLine {
    return this.#line(irq);
  }

  /** An IRQ goes to both controllers; which of them lets it through is the program's choice. */
  #line(irq: number): InterruptLine {
    const pin = irq === TIMER_IRQ ? TIMER_PIN : irq;
    const isHeard = (): boolean =>
      (irq < PIC_LINES && this.localApic.acceptsExternal && this.pic.hears(irq)) || this.ioApic.hears(pin);
    return {
      set: (level: Level) => {
        if (irq < PIC_LINES) this.pic.setLine(irq, level);
        this.ioApic.setLine(pin, level);
      },
      get isHeard() {
        return isHeard();
      },
    };
  }
}

/** Start, length and type of each stretch of memory: 1 RAM, 2 reserved. QEMU, docs/specs/fw_cfg.rst, "etc/e820". */
function memoryReport(memoryBytes: number): Uint8Array {
  const areas = reportedMemory(memoryBytes);
  const view = new DataView(new ArrayBuffer(20 * areas.length));
  areas.forEach(({start, end, kind}, index) => {
    view.setBigUint64(20 * index, BigInt(start), true);
    view.setBigUint64(20 * index + 8, BigInt(end - start), true);
    view.setUint32(20 * index + 16, kind === 'RAM' ? 1 : 2, true);
  });
  return new Uint8Array(view.buffer);
}
