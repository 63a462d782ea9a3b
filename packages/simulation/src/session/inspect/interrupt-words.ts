// Interrupt controllers in words: the 8259A pair, the local APIC, the I/O APIC, and the processor's own pins.

import {hex} from '@hyperscope/base';
import {APIC, IO_APIC_BYTES, PIC_BYTES} from '@hyperscope/machine';
import {byte, listed, row, word, yes} from './device-row.js';
import type {DeviceRow} from './device-row.js';

// ── 8259A pair ──────────────────────────────────────────────────────────────────────────────────────────────────────
const IRQ_NAMES = [
  'timer',
  'keyboard',
  'cascade',
  'COM2',
  'COM1',
  'virtio',
  'floppy',
  'LPT1',
  'RTC',
  'free',
  'free',
  'free',
  'mouse',
  'FPU',
  'disk',
  'disk 2',
] as const;

export function picRows(bank: Uint8Array): readonly DeviceRow[] {
  return [0, 1].flatMap(chip => {
    const at = (offset: number): number => byte(bank, chip * PIC_BYTES.chip + offset);
    const lines = (set: number): string =>
      listed(
        [0, 1, 2, 3, 4, 5, 6, 7]
          .filter(irq => yes(set, 1 << irq))
          .map(irq => `IRQ ${chip * 8 + irq} ${IRQ_NAMES[chip * 8 + irq] ?? ''}`),
        'none',
      );
    const name = chip === 0 ? 'first' : 'second';
    const mask = at(PIC_BYTES.IMR);
    const base = at(PIC_BYTES.VECTORS) & 0xf8;
    return [
      row(`${name}: IRR`, hex(at(PIC_BYTES.IRR), 2), `requested: ${lines(at(PIC_BYTES.IRR))}`),
      row(`${name}: ISR`, hex(at(PIC_BYTES.ISR), 2), `in service, until EOI: ${lines(at(PIC_BYTES.ISR))}`),
      row(`${name}: IMR`, hex(mask, 2), mask === 0xff ? 'everything is masked' : `let through: ${lines(~mask & 0xff)}`),
      row(
        `${name}: vectors`,
        hex(base, 2),
        `IRQ ${chip * 8} to ${chip * 8 + 7} are vectors ${base} to ${base + 7}${base === 0 || base === 8 ? ', where the processor has its exceptions' : ''}`,
      ),
    ];
  });
}

// ── local APIC and IOAPIC ───────────────────────────────────────────────────────────────────────────────────────────
const DELIVERY = ['fixed', 'lowest priority', 'SMI', 'reserved', 'NMI', 'INIT', 'reserved', 'ExtINT'] as const;
const TIMER_MODES = ['one-shot', 'periodic', 'TSC deadline', 'reserved'] as const;
const localVector = (entry: number): string =>
  yes(entry, 0x1_0000) ? 'masked' : `${DELIVERY[(entry >> 8) & 7] ?? ''}, vector ${entry & 0xff}`;

/** Vectors that are set in one of the 256-bit registers. */
function vectors(bank: Uint8Array, base: number): string {
  const set: string[] = [];
  for (let vector = 0; vector < 256; vector++)
    if (yes(word(bank, base + 16 * (vector >> 5)), 1 << (vector & 31))) set.push(String(vector));
  return listed(set, 'none');
}

export function localApicRows(bank: Uint8Array): readonly DeviceRow[] {
  const svr = word(bank, APIC.spurious);
  const timer = word(bank, APIC.timer);
  const registers = [
    ['LVT LINT0', APIC.lint0],
    ['LVT LINT1', APIC.lint1],
    ['LVT error', APIC.error],
  ] as const;
  return [
    row('SVR', hex(svr), yes(svr, 0x100) ? 'enabled by software' : 'disabled by software'),
    row('TPR', hex(word(bank, APIC.taskPriority), 2), 'task priority: the upper half of CR8'),
    row('IRR', vectors(bank, APIC.requests), 'vectors that wait'),
    row('ISR', vectors(bank, APIC.inService), 'vectors in service, until EOI'),
    row('LVT timer', hex(timer), `${localVector(timer)}, ${TIMER_MODES[(timer >> 17) & 3] ?? ''}`),
    row('initial count', String(word(bank, APIC.initialCount)), `divide configuration ${hex(word(bank, APIC.divide))}`),
    ...registers.map(([name, at]) => row(name, hex(word(bank, at)), localVector(word(bank, at)))),
    row('ESR', hex(word(bank, APIC.errorStatus)), word(bank, APIC.errorStatus) === 0 ? 'no error' : 'errors'),
  ];
}

export function ioApicRows(bank: Uint8Array): readonly DeviceRow[] {
  const pins = Array.from({length: IO_APIC_BYTES.PINS}, (_, pin) => ({
    pin,
    entry: word(bank, IO_APIC_BYTES.TABLE + 8 * pin),
  }));
  const open = pins.filter(({entry}) => !yes(entry, 0x1_0000));
  return [
    row('lines', hex(word(bank, IO_APIC_BYTES.LINES), 6), 'inputs that are high'),
    row('masked', String(pins.length - open.length), `of ${pins.length} inputs`),
    ...open.map(({pin, entry}) =>
      row(
        `input ${pin}`,
        hex(entry),
        `${DELIVERY[(entry >> 8) & 7] ?? ''}, vector ${entry & 0xff}, ${yes(entry, 0x8000) ? 'level' : 'edge'}`,
      ),
    ),
  ];
}

// ── pins ────────────────────────────────────────────────────────────────────────────────────────────────────────────
export const pinRows = (bank: Uint8Array): readonly DeviceRow[] => [
  row(
    'INTR',
    String(byte(bank, 0)),
    byte(bank, 0) === 1 ? `vector ${byte(bank, 1)} waits` : 'nothing was requested directly',
  ),
  row('NMI', String(byte(bank, 2)), byte(bank, 2) === 1 ? 'an NMI waits' : 'none waits'),
];
