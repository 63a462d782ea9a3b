// The ACPI tables of the chipset: enough for a kernel to find one processor, its local APIC, the IOAPIC, the power
// management timer and the way to switch off. ACPI Specification, "ACPI Software Programming Model".
//
//   RSDP ──┬── RSDT ──┬── FADT ──┬── FACS
//          └── XSDT ──┤          └── DSDT (\_S5 and nothing else)
//                     └── MADT

import {IO_APIC, LOCAL_APIC} from '@hyperscope/machine';
import {TableBytes, checksum} from './table-bytes.js';

const OEM = 'HYPER ';
const HEADER_BYTES = 36;
const SCI_IRQ = 9;

export interface AcpiTables {
  /** Where the RSDP lies, at a multiple of 16: where kernels look for it. */
  readonly rsdp: number;
  /** Everything, from the address that was asked for. */
  readonly bytes: Uint8Array;
}

/** Lays the tables out from `start` on, a multiple of 64. */
export function acpiTables(start: number): AcpiTables {
  const block = new TableBytes(start);
  const rsdp = block.reserve(36, 16);
  const facs = block.add(facsTable(), 64);
  const dsdt = block.add(table('DSDT', 1, S5), 16);
  const fadt = block.add(fixedDescription(facs, dsdt), 16);
  const madt = block.add(interruptControllers(), 16);
  const tables = [fadt, madt];
  const rsdt = block.add(table('RSDT', 1, addresses(tables, 4)), 16);
  const xsdt = block.add(table('XSDT', 1, addresses(tables, 8)), 16);
  block.put(rsdp, rootPointer(rsdt, xsdt));
  return {rsdp, bytes: block.bytes()};
}

/** A table under the header that all have: signature, length, revision, checksum, who made it. */
function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set(ascii(signature));
  view.setUint32(4, bytes.length, true);
  bytes[8] = revision;
  bytes.set(ascii(`${OEM}SCOPE   `), 10);
  view.setUint32(24, 1, true);
  bytes.set(ascii('HYPR'), 28);
  view.setUint32(32, 1, true);
  bytes.set(body, HEADER_BYTES);
  bytes[9] = checksum(bytes);
  return bytes;
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function addresses(tables: readonly number[], width: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(width * tables.length);
  const view = new DataView(bytes.buffer);
  tables.forEach((address, index) => view.setUint32(width * index, address, true));
  return bytes;
}

function rootPointer(rsdt: number, xsdt: number): Uint8Array {
  const bytes = new Uint8Array(36);
  const view = new DataView(bytes.buffer);
  bytes.set(ascii('RSD PTR '));
  bytes.set(ascii(OEM), 9);
  bytes[15] = 2; // ACPI 2.0: the XSDT counts.
  view.setUint32(16, rsdt, true);
  view.setUint32(20, bytes.length, true);
  view.setUint32(24, xsdt, true);
  bytes[8] = checksum(bytes.subarray(0, 20));
  bytes[32] = checksum(bytes);
  return bytes;
}

/** AML for Name (\_S5, Package (4) {0, 0, 0, 0}): sleep type 0 switches the machine off. */
const S5 = Uint8Array.of(0x08, 0x5c, ...ascii('_S5_'), 0x12, 6, 4, 0, 0, 0, 0);

/** No header as the others have, and no checksum: the firmware and the kernel share it. */
function facsTable(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set(ascii('FACS'));
  new DataView(bytes.buffer).setUint32(4, bytes.length, true);
  bytes[32] = 1;
  return bytes;
}

/** Offsets are those of the specification, "Fixed ACPI Description Table (FADT)", less the header. */
function fixedDescription(facs: number, dsdt: number): Uint8Array {
  const body = new Uint8Array(244 - HEADER_BYTES);
  const view = new DataView(body.buffer);
  const byte = (at: number, value: number): void => view.setUint8(at - HEADER_BYTES, value);
  const half = (at: number, value: number): void => view.setUint16(at - HEADER_BYTES, value, true);
  const word = (at: number, value: number): void => view.setUint32(at - HEADER_BYTES, value, true);
  /** A generic address: space 1 is I/O ports. */
  const port = (at: number, bits: number, address: number): void => {
    byte(at, 1);
    byte(at + 1, bits);
    byte(at + 3, bits / 8 > 2 ? 3 : bits / 8);
    word(at + 4, address);
  };
  const [events, control, timer] = [0x600, 0x604, 0x608];
  word(36, facs);
  word(40, dsdt);
  half(46, SCI_IRQ); // No SMI command port at 48: the machine is in ACPI mode from the start.
  word(56, events);
  word(64, control);
  word(76, timer);
  byte(88, 4);
  byte(89, 2);
  byte(91, 4);
  half(96, 0xffff); // C2 and C3 do not exist.
  half(98, 0xffff);
  byte(108, 0x32); // The century in CMOS.
  half(109, 0b11); // ISA devices; a keyboard controller.
  // WBINVD works; C1 on all processors; no power button, no sleep button; a reset register.
  word(112, 1 | (1 << 2) | (1 << 4) | (1 << 5) | (1 << 10));
  port(116, 8, 0xcf9);
  byte(128, 6);
  word(132, facs);
  word(140, dsdt);
  port(148, 32, events);
  port(172, 16, control);
  port(208, 32, timer);
  return table('FACP', 3, body);
}

/** The MADT: one processor, one IOAPIC, and how the ISA interrupts reach it. */
function interruptControllers(): Uint8Array {
  const isaBus = 0;
  const entries: readonly (readonly number[])[] = [
    [...word32(LOCAL_APIC.start), ...word32(1)], // There is an 8259 pair too.
    [0, 8, 0, 0, ...word32(1)], // Processor 0, APIC id 0, enabled.
    [1, 12, 0, 0, ...word32(IO_APIC.start), ...word32(0)], // IOAPIC 0, from interrupt 0 on.
    [2, 10, isaBus, 0, ...word32(2), 0, 0], // The timer's IRQ 0 is at pin 2.
    [2, 10, isaBus, SCI_IRQ, ...word32(SCI_IRQ), 0xd, 0], // The SCI is active high, level-triggered.
    [4, 6, 0xff, 0, 0, 1], // NMI at LINT1 of all processors.
  ];
  return table('APIC', 1, Uint8Array.from(entries.flat()));
}

const word32 = (value: number): readonly number[] => [0, 8, 16, 24].map(shift => (value >>> shift) & 0xff);
