// Devices in words, out of their banks: what their registers say, by the names of their data sheets. Where a byte lies is each
// device's own affair (machine/src/devices); what it means is told here.

import {hex, hexBytes} from '@hyperscope/base';
import {KEYBOARD_BYTES, PIT_BYTES, PIT_HERTZ, UART_BYTES, VGA_BYTES, VIRTIO_BYTES} from '@hyperscope/machine';
import {byte, listed, row, time, word, yes} from './device-row.js';
import type {DeviceRow} from './device-row.js';
import {ioApicRows, localApicRows, picRows, pinRows} from './interrupt-words.js';

export type {DeviceRow};

export interface DeviceKind {
  readonly title: string;
  /** Where software finds it. */
  readonly place: string;
  rows(bank: Uint8Array): readonly DeviceRow[];
}

// ── 8254 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
const PIT_MODES = [
  'interrupt on terminal count',
  'one-shot',
  'rate generator',
  'square wave',
  'software strobe',
  'hardware strobe',
] as const;
const PIT_PHASES = ['waits for a count', 'counts', 'stands still: its gate is low', 'waits for its gate'] as const;
const PIT_USES = ['IRQ 0', 'memory refresh of the first PCs', 'the speaker'] as const;

function pitRows(bank: Uint8Array): readonly DeviceRow[] {
  return PIT_USES.flatMap((use, counter) => {
    const base = counter * PIT_BYTES.counter;
    const mode = byte(bank, base + PIT_BYTES.MODE);
    const phase = byte(bank, base + PIT_BYTES.PHASE);
    const count = word(bank, base + PIT_BYTES.COUNT);
    const hertz = count === 0 ? '' : `, ${(PIT_HERTZ / count).toFixed(1)} Hz`;
    return [
      row(`counter ${counter}: mode`, String(mode), `${PIT_MODES[mode] ?? 'none'}; drives ${use}`),
      row(
        `counter ${counter}: count`,
        phase === 0 ? '—' : String(count),
        `${PIT_PHASES[phase] ?? ''}${phase === 0 ? '' : hertz}`,
      ),
    ];
  });
}

// ── 16550 ───────────────────────────────────────────────────────────────────────────────────────────────────────────
function uartRows(bank: Uint8Array): readonly DeviceRow[] {
  const ier = byte(bank, UART_BYTES.IER);
  const lcr = byte(bank, UART_BYTES.LCR);
  const mcr = byte(bank, UART_BYTES.MCR);
  const divisor = byte(bank, UART_BYTES.DLL) | (byte(bank, UART_BYTES.DLM) << 8);
  const enabled = ['received data', 'transmitter empty', 'line status', 'modem status'].filter((_, bit) =>
    yes(ier, 1 << bit),
  );
  const waiting = word(bank, UART_BYTES.ARRIVED) - word(bank, UART_BYTES.TAKEN);
  return [
    row('IER', hex(ier, 2), `interrupts: ${listed(enabled, 'none')}`),
    row(
      'LCR',
      hex(lcr, 2),
      `${5 + (lcr & 3)} bits, ${yes(lcr, 4) ? 'two stop bits' : 'one stop bit'}, ${yes(lcr, 8) ? 'parity' : 'no parity'}${yes(lcr, 0x80) ? '; DLAB = 1: ports 0 and 1 are the divisor' : ''}`,
    ),
    row(
      'MCR',
      hex(mcr, 2),
      listed(
        ['DTR', 'RTS', 'OUT1', 'OUT2', 'loopback'].filter((_, bit) => yes(mcr, 1 << bit)),
        'all lines low',
      ),
    ),
    row(
      'divisor',
      String(divisor),
      divisor === 0 ? 'not set' : `${Math.round(115_200 / divisor)} baud; the model sends at once`,
    ),
    row('FCR', hex(byte(bank, UART_BYTES.FCR), 2), yes(byte(bank, UART_BYTES.FCR), 1) ? 'FIFOs on' : 'FIFOs off'),
    row(
      'THRE',
      String(byte(bank, UART_BYTES.THRE_PENDING)),
      byte(bank, UART_BYTES.THRE_PENDING) === 1
        ? 'an interrupt for the empty transmitter is pending'
        : 'nothing pending',
    ),
    row('sent', String(word(bank, UART_BYTES.SENT)), 'bytes since the start'),
    row('received', String(waiting), 'bytes that wait to be read'),
  ];
}

// ── 8042 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
function keyboardRows(bank: Uint8Array): readonly DeviceRow[] {
  const status = byte(bank, KEYBOARD_BYTES.STATUS);
  const command = byte(bank, KEYBOARD_BYTES.COMMAND_BYTE);
  const full = byte(bank, KEYBOARD_BYTES.OUTPUT_FULL) === 1;
  const queued = word(bank, KEYBOARD_BYTES.QUEUE_LENGTH);
  const keys = bank.subarray(KEYBOARD_BYTES.QUEUE, KEYBOARD_BYTES.QUEUE + Math.min(queued, 8));
  return [
    row(
      'output',
      full ? hex(byte(bank, KEYBOARD_BYTES.OUTPUT), 2) : 'empty',
      full ? 'a byte waits at port 60h' : 'nothing at port 60h',
    ),
    row(
      'status',
      hex(status, 2),
      listed(
        [yes(status, 4) ? 'self-test passed' : '', yes(status, 8) ? 'last write was a command' : ''].filter(Boolean),
        'nothing of note',
      ),
    ),
    row(
      'command byte',
      hex(command, 2),
      `${yes(command, 1) ? 'interrupts on' : 'interrupts off'}, keyboard ${yes(command, 0x10) ? 'disabled' : 'enabled'}${yes(command, 0x40) ? ', scan codes are translated to set 1' : ''}`,
    ),
    row(
      'queue',
      String(queued),
      queued === 0 ? 'no key waits' : `scan codes ${hexBytes(keys)}${queued > 8 ? ' …' : ''}`,
    ),
  ];
}

// ── MC146818, VGA text, virtio ──────────────────────────────────────────────────────────────────────────────────────
function rtcRows(bank: Uint8Array): readonly DeviceRow[] {
  const [a, b] = [byte(bank, 0xa), byte(bank, 0xb)];
  const enabled = [
    [0x40, 'periodic'],
    [0x20, 'alarm'],
    [0x10, 'update'],
  ] as const;
  return [
    row('index', hex(byte(bank, 128), 2), 'the register that port 71h is'),
    row('status A', hex(a, 2), `periodic rate ${a & 0xf}`),
    row(
      'status B',
      hex(b, 2),
      `${yes(b, 2) ? '24 hours' : '12 hours'}, ${yes(b, 4) ? 'binary' : 'BCD'}; interrupts: ${listed(
        enabled.filter(([bit]) => yes(b, bit)).map(([, name]) => name),
        'none',
      )}`,
    ),
  ];
}

function vgaRows(bank: Uint8Array): readonly DeviceRow[] {
  const register = (index: number): number => byte(bank, VGA_BYTES.REGISTERS + index);
  const pair = (index: number): number => (register(index) << 8) | register(index + 1);
  const cursor = pair(VGA_BYTES.CURSOR_HIGH) - pair(VGA_BYTES.START_HIGH);
  const off = yes(register(VGA_BYTES.CURSOR_START), 0x20);
  return [
    row('index', hex(byte(bank, VGA_BYTES.INDEX), 2), 'the register that port 3d5h is'),
    row('start', String(pair(VGA_BYTES.START_HIGH)), 'first character that is shown'),
    row(
      'cursor',
      off ? 'off' : String(pair(VGA_BYTES.CURSOR_HIGH)),
      off ? '' : `row ${Math.floor(cursor / 80)}, column ${((cursor % 80) + 80) % 80}`,
    ),
  ];
}

const VIRTIO_STATUS = [
  [1, 'ACKNOWLEDGE'],
  [2, 'DRIVER'],
  [8, 'FEATURES_OK'],
  [4, 'DRIVER_OK'],
  [0x40, 'DEVICE_NEEDS_RESET'],
  [0x80, 'FAILED'],
] as const;

function virtioRows(bank: Uint8Array): readonly DeviceRow[] {
  const {QUEUES, QUEUE_BYTES, QUEUE_FIELDS} = VIRTIO_BYTES;
  const status = byte(bank, VIRTIO_BYTES.STATUS);
  const interrupt = byte(bank, VIRTIO_BYTES.INTERRUPT_STATUS);
  return [
    row(
      'Status',
      hex(status, 2),
      listed(
        VIRTIO_STATUS.filter(([bit]) => yes(status, bit)).map(([, name]) => name),
        'reset: no driver yet',
      ),
    ),
    row(
      'InterruptStatus',
      hex(interrupt, 2),
      listed(
        [yes(interrupt, 1) ? 'a buffer was used' : '', yes(interrupt, 2) ? 'the configuration changed' : ''].filter(
          Boolean,
        ),
        'nothing to tell',
      ),
    ),
    ...[0, 1].flatMap(queue => {
      const at = QUEUES + queue * QUEUE_BYTES;
      const field = (name: keyof typeof QUEUE_FIELDS): number => word(bank, at + QUEUE_FIELDS[name]);
      if (field('ready') === 0) return [row(`queue ${queue}`, 'not ready')];
      return [
        row(
          `queue ${queue}`,
          `${field('size')} descriptors`,
          `at GPA ${hex(field('descriptors'))}, available ring ${hex(field('available'))}, used ring ${hex(field('used'))}`,
        ),
        row(
          `queue ${queue}: taken`,
          String(field('taken')),
          `buffers from the driver; ${field('returned')} given back`,
        ),
      ];
    }),
  ];
}

// ── small devices ─────────────────────────────────────────────────────────────────────
const clockRows = (bank: Uint8Array): readonly DeviceRow[] => {
  const next = time(bank, 0);
  return [
    row('next deadline', Number.isFinite(next) ? String(next) : 'none', 'the cycle at which a timer acts by itself'),
  ];
};
const speakerRows = (bank: Uint8Array): readonly DeviceRow[] => [
  row(
    'port 61h',
    hex(byte(bank, 0), 2),
    `gate of counter 2 ${yes(byte(bank, 0), 1) ? 'high' : 'low'}, speaker ${yes(byte(bank, 0), 2) ? 'on' : 'off'}`,
  ),
];

/** By the name of its bank, in the order of display. */
export const DEVICE_KINDS: ReadonlyMap<string, DeviceKind> = new Map<string, DeviceKind>([
  ['pic', {title: 'Interrupt controllers (two 8259A)', place: 'ports 20h, 21h, a0h, a1h', rows: picRows}],
  ['local-apic', {title: 'Local APIC', place: 'GPA fee00000', rows: localApicRows}],
  ['io-apic', {title: 'I/O APIC', place: 'GPA fec00000', rows: ioApicRows}],
  ['interrupt-pins', {title: 'Interrupt pins of the processor', place: 'the processor', rows: pinRows}],
  ['pit', {title: 'Interval timer (8254)', place: 'ports 40h to 43h', rows: pitRows}],
  ['uart', {title: 'Serial port (16550)', place: 'ports 3f8h to 3ffh', rows: uartRows}],
  ['keyboard-controller', {title: 'Keyboard controller (8042)', place: 'ports 60h, 64h', rows: keyboardRows}],
  ['rtc', {title: 'Real-time clock (MC146818)', place: 'ports 70h, 71h', rows: rtcRows}],
  ['vga', {title: 'Text-mode video', place: 'ports 3d4h, 3d5h', rows: vgaRows}],
  ['virtio-console', {title: 'Virtio console', place: 'virtio over MMIO', rows: virtioRows}],
  ['speaker-port', {title: 'System control port B', place: 'port 61h', rows: speakerRows}],
  ['clock', {title: 'Clock of the devices', place: 'no port', rows: clockRows}],
]);
