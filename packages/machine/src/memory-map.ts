// The physical address space of the machine, drawn, then declared.
//
//   1_0000_0000  ┌──────────────────────────┐ 4 GiB
//                │ ROM, where one is loaded │   ends at 4 GiB: the reset vector FFFF_FFF0 lies in it
//                ├──────────────────────────┤
//                │ nothing answers          │   reads all ones, but for the local APIC at FEE0_0000 and
//                │                          │   the IOAPIC at FEC0_0000, where the machine has a chipset, and
//                │                          │   a virtio console at FEB0_0000
//                ├──────────────────────────┤ end of RAM, as large as the machine was made
//                │ RAM                      │
//     10_0000    ├──────────────────────────┤ 1 MiB
//                │ RAM; a ROM's last 128 KiB│   is copied here, E_0000 to F_FFFF, as firmware expects
//      E_0000    ├──────────────────────────┤   · F_0000 tables of the firmware that was never there, without a ROM
//                │ RAM                      │   · B_8000 text-mode video memory, plain RAM that a view can show;
//                │                          │   no graphics memory, no option ROMs
//                │                          │   · 9_FC00 extended BIOS data area
//      7_C00     │   · boot sector          │
//      500       │   · free for programs    │
//      400       │   · BIOS data area       │
//      0         └──────────────────────────┘ real-mode interrupt vector table

export interface MemoryArea {
  readonly name: string;
  readonly start: number;
  /** First address behind it. */
  readonly end: number;
}

export const INTERRUPT_VECTOR_TABLE: MemoryArea = {name: 'interrupt vector table', start: 0, end: 0x400};
export const BIOS_DATA_AREA: MemoryArea = {name: 'BIOS data area', start: 0x400, end: 0x500};
export const EXTENDED_BIOS_DATA: MemoryArea = {name: 'extended BIOS data area', start: 0x9_fc00, end: 0xa_0000};
export const FIRMWARE_TABLES: MemoryArea = {name: 'tables of the firmware', start: 0xf_0000, end: 0x10_0000};
export const TEST_DEVICE: MemoryArea = {name: 'memory of the test device', start: 0xff00_0000, end: 0xff01_0000};
export const BOOT_SECTOR: MemoryArea = {name: 'boot sector', start: 0x7c00, end: 0x7e00};
export const LOW_ROM: MemoryArea = {name: 'copy of the ROM below 1 MiB', start: 0xe_0000, end: 0x10_0000};
export const VIDEO_TEXT: MemoryArea = {name: 'text-mode video memory', start: 0xb_8000, end: 0xc_0000};
/** Where QEMU's microvm machine has its first virtio-mmio device: hw/i386/microvm.c, VIRTIO_MMIO_BASE. */
export const VIRTIO_CONSOLE: MemoryArea = {name: 'virtio console', start: 0xfeb0_0000, end: 0xfeb0_0200};
export const IO_APIC: MemoryArea = {name: 'IOAPIC', start: 0xfec0_0000, end: 0xfec0_1000};
export const LOCAL_APIC: MemoryArea = {name: 'local APIC', start: 0xfee0_0000, end: 0xfee0_1000};
/** Where a ROM ends, and so where it starts: this minus its length. */
export const ROM_END = 0x1_0000_0000;
export const RESET_VECTOR = 0xffff_fff0;

export const MEMORY_MAP: readonly MemoryArea[] = [
  INTERRUPT_VECTOR_TABLE,
  BIOS_DATA_AREA,
  BOOT_SECTOR,
  EXTENDED_BIOS_DATA,
  VIDEO_TEXT,
  LOW_ROM,
  VIRTIO_CONSOLE,
  IO_APIC,
  LOCAL_APIC,
  TEST_DEVICE,
];

export interface ReportedMemory extends MemoryArea {
  readonly kind: 'RAM' | 'reserved';
}

/** What firmware reports (INT 15h E820h): which stretches a kernel may use. */
export function reportedMemory(memoryBytes: number): readonly ReportedMemory[] {
  const low = {name: 'RAM', kind: 'RAM', start: 0, end: Math.min(EXTENDED_BIOS_DATA.start, memoryBytes)} as const;
  if (memoryBytes < FIRMWARE_TABLES.end) return [low];
  const reserved = [EXTENDED_BIOS_DATA, FIRMWARE_TABLES].map(area => ({...area, kind: 'reserved'}) as const);
  if (memoryBytes === FIRMWARE_TABLES.end) return [low, ...reserved];
  return [low, ...reserved, {name: 'RAM', kind: 'RAM', start: FIRMWARE_TABLES.end, end: memoryBytes}];
}
