// What a PC's firmware leaves in memory before it starts a boot sector or a kernel: interrupt vectors with a few
// instructions behind them, the BIOS data area, and the tables that describe the board. No firmware runs before the guest.
//
//   0_0000 interrupt vectors · 0_0400 BIOS data area · 9_FC00 extended data area: MP tables
//   F_0000 ACPI tables · F_FE00 code

import {BIOS_DATA_AREA, EXTENDED_BIOS_DATA, FIRMWARE_TABLES, INTERRUPT_VECTOR_TABLE} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import {acpiTables} from './acpi-tables.js';
import {FIRMWARE_CODE, interruptVectors} from './firmware-code.js';
import {mpTables} from './mp-tables.js';

export interface FirmwareMemory {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What lies where, for a machine with at least 1 MiB; less memory has no room for it and gets nothing. */
export function firmwareMemory(
  memoryBytes: number,
  profile: ProcessorProfile,
  disks: number,
): readonly FirmwareMemory[] {
  if (memoryBytes < 0x10_0000) return [];
  // The extended area begins with its size in KiB; the pointer to the MP table must be at a multiple of 16.
  const extended = EXTENDED_BIOS_DATA.start;
  return [
    {at: INTERRUPT_VECTOR_TABLE.start, bytes: interruptVectors()},
    {at: BIOS_DATA_AREA.start, bytes: dataArea(disks)},
    {at: extended, bytes: Uint8Array.of((EXTENDED_BIOS_DATA.end - extended) / 1024)},
    {at: extended + 16, bytes: mpTables(extended + 16, profile)},
    {at: FIRMWARE_TABLES.start, bytes: acpiTables(FIRMWARE_TABLES.start).bytes},
    ...FIRMWARE_CODE,
  ];
}

/** IBM, "PC AT Technical Reference", "BIOS Data Area". */
function dataArea(disks: number): Uint8Array {
  const bytes = new Uint8Array(BIOS_DATA_AREA.end - BIOS_DATA_AREA.start);
  const view = new DataView(bytes.buffer);
  const half = (at: number, value: number): void => view.setUint16(at, value, true);
  half(0x00, 0x3f8); // COM1, the only serial port.
  half(0x0e, EXTENDED_BIOS_DATA.start >>> 4);
  half(0x10, (1 << 9) | (2 << 4)); // One serial port; 80 columns in colour.
  half(0x13, EXTENDED_BIOS_DATA.start / 1024);
  half(0x1a, 0x1e); // The keyboard buffer is empty: its head is its tail.
  half(0x1c, 0x1e);
  bytes[0x49] = 3; // Text mode: 80 columns, a page of 4096 bytes, the registers at 3d4h.
  half(0x4a, 80);
  half(0x4c, 0x1000);
  half(0x60, 0x0d0e);
  half(0x63, 0x3d4);
  bytes[0x75] = disks;
  half(0x80, 0x1e);
  half(0x82, 0x3e);
  bytes[0x84] = 24;
  half(0x85, 16);
  return bytes;
}
