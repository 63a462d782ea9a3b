// The tables by which a kernel of the nineties finds processors and IOAPICs. Intel, "MultiProcessor Specification",
// version 1.4, "MP Configuration Table". A pointer, found by its signature, then the table with one entry a thing.

import {IO_APIC, LOCAL_APIC} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import {checksum} from './table-bytes.js';

const POINTER_BYTES = 16;
const HEADER_BYTES = 44;
const VERSION_1_4 = 4;
const ISA_BUS = 0;
/** Types of interrupt: 0 vectored, 1 NMI, 3 from the 8259 pair. */
const VECTORED = 0,
  NMI = 1,
  EXTERNAL = 3;
const TIMER_PIN = 2;

/** The pointer structure, with the table right behind it, for `address`, a multiple of 16. */
export function mpTables(address: number, profile: ProcessorProfile): Uint8Array {
  const table = configuration(profile);
  const bytes = new Uint8Array(POINTER_BYTES + table.length);
  bytes.set(new TextEncoder().encode('_MP_'));
  new DataView(bytes.buffer).setUint32(4, address + POINTER_BYTES, true);
  bytes[8] = 1; // In units of 16 bytes.
  bytes[9] = VERSION_1_4;
  bytes[10] = checksum(bytes);
  bytes.set(table, POINTER_BYTES);
  return bytes;
}

function configuration(profile: ProcessorProfile): Uint8Array {
  const entries = [
    processor(profile),
    [1, ISA_BUS, ...new TextEncoder().encode('ISA   ')],
    [2, 0, 0x20, 1, ...word(IO_APIC.start)],
    // Of the sixteen ISA interrupts, 2 is the cascade of the 8259 pair, and 0 takes its place.
    ...Array.from({length: 16}, (_, irq) => irq)
      .filter(irq => irq !== 2)
      .map(irq => [3, VECTORED, 0, 0, ISA_BUS, irq, 0, irq === 0 ? TIMER_PIN : irq]),
    [4, EXTERNAL, 0, 0, ISA_BUS, 0, 0xff, 0],
    [4, NMI, 0, 0, ISA_BUS, 0, 0xff, 1],
  ];
  const bytes = Uint8Array.of(...new Uint8Array(HEADER_BYTES), ...entries.flat());
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('PCMP'));
  view.setUint16(4, bytes.length, true);
  bytes[6] = VERSION_1_4;
  bytes.set(new TextEncoder().encode('HYPER   SCOPE       '), 8);
  view.setUint16(34, entries.length, true);
  view.setUint32(36, LOCAL_APIC.start, true);
  bytes[7] = checksum(bytes);
  return bytes;
}

/** Processor 0, enabled, the one that boots; signature and features as CPUID leaf 1 gives them. */
function processor(profile: ProcessorProfile): readonly number[] {
  const [signature, , , features] = profile.cpuid.get(1)?.get(0) ?? [0, 0, 0, 0];
  return [0, 0, 0x14, 3, ...word(signature), ...word(features), 0, 0, 0, 0, 0, 0, 0, 0];
}

const word = (value: number): readonly number[] => [0, 8, 16, 24].map(shift => (value >>> shift) & 0xff);
