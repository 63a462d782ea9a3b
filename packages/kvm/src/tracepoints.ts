// What KVM does without telling user space: its tracepoints, for this thread, through perf_event_open. Which fields an
// event has is read from the kernel's own description (…/events/kvm/NAME/format), so no offset is known here.
// Documentation/trace/events.rst; perf_event_open(2), "PERF_RECORD_SAMPLE".

import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {UserError, hex, hexBytes} from '@hyperscope/base';
import type {Tracepoints} from '@hyperscope/native';
import {explained} from './kvm-error.js';
import {requireNative} from './kvm-virtual-machine.js';

/** One thing that KVM did inside, with the fields that the kernel gave. */
export interface KernelEvent {
  /** 'kvm_emulate_insn', 'kvm_msr', 'kvm_exit', … */
  readonly name: string;
  /** Nanoseconds of the monotonic clock. */
  readonly time: bigint;
  /** Numbers as they are; arrays of bytes as hexadecimal text. */
  readonly fields: Readonly<Record<string, bigint | string>>;
}

/** Tracing for this thread, or why there is none. */
export type KernelTracing =
  | {readonly available: true; readonly trace: KernelTrace}
  | {readonly available: false; readonly why: string};

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly kind: 'signed' | 'unsigned' | 'bytes';
}
interface EventFormat {
  readonly name: string;
  readonly id: number;
  readonly fields: readonly Field[];
}

/** What says what a guest did, whatever the vendor module is; those that this kernel lacks are left out. */
const WANTED: readonly string[] = [
  'kvm_exit',
  'kvm_entry',
  'kvm_cr',
  'kvm_msr',
  'kvm_cpuid',
  'kvm_pio',
  'kvm_mmio',
  'kvm_page_fault',
  'kvm_inj_exception',
  'kvm_inj_virq',
  'kvm_hypercall',
  'kvm_emulate_insn',
  'kvm_userspace_exit',
];
const SAMPLE = 9;
const LOST = 2;
const TRACEFS = 'tracefs';

/** A `field:` line of a format file: `field:__u8 insn[15]; offset:21; size:15; signed:0;` */
export function parseField(line: string): Field | undefined {
  const match = /^\s*field:(.+?)\s+\*?(\w+)(\[\w*\])?;\s*offset:(\d+);\s*size:(\d+);\s*signed:(\d);/.exec(line);
  if (match === null) return undefined;
  const [, , name = '', array, offset = '', size = '', signed] = match;
  const kind = array !== undefined ? 'bytes' : signed === '1' ? 'signed' : 'unsigned';
  return {name, offset: Number(offset), size: Number(size), kind};
}

/** A format file whole. @throws UserError when it is none. */
export function parseFormat(text: string): EventFormat {
  const name = /^name:\s*(\w+)/m.exec(text)?.[1];
  const id = /^ID:\s*(\d+)/m.exec(text)?.[1];
  if (name === undefined || id === undefined)
    throw new UserError('bad-tracepoint', 'The kernel describes a tracepoint in a way that Hyperscope does not know.');
  const fields = text.split('\n').flatMap(line => parseField(line) ?? []);
  return {name, id: Number(id), fields: fields.filter(field => !field.name.startsWith('common_'))};
}

/** Events and losses in a stretch of a perf ring. */
export function parseRing(
  bytes: Uint8Array,
  formats: ReadonlyMap<number, EventFormat>,
): {readonly events: readonly KernelEvent[]; readonly lost: number} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: KernelEvent[] = [];
  let lost = 0;
  for (let at = 0; at + 8 <= bytes.length;) {
    const [type, size] = [view.getUint32(at, true), view.getUint16(at + 6, true)];
    if (size < 8 || at + size > bytes.length) break;
    if (type === LOST) lost += Number(view.getBigUint64(at + 16, true));
    if (type === SAMPLE) {
      // After the header: u64 time, u32 size of the raw event, the event; its first word is the tracepoint's number.
      const raw = new DataView(bytes.buffer, bytes.byteOffset + at + 20, view.getUint32(at + 16, true));
      const format = formats.get(raw.getUint16(0, true));
      if (format !== undefined)
        events.push({name: format.name, time: view.getBigUint64(at + 8, true), fields: fieldsOf(raw, format)});
    }
    at += size;
  }
  return {events, lost};
}

function fieldsOf(raw: DataView, {fields}: EventFormat): Readonly<Record<string, bigint | string>> {
  const values: Record<string, bigint | string> = {};
  for (const {name, offset, size, kind} of fields) {
    if (offset + size > raw.byteLength) continue;
    const bytes = Array.from({length: size}, (_, index) => raw.getUint8(offset + index));
    if (kind === 'bytes') values[name] = hexBytes(bytes);
    else {
      const number = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
      values[name] = kind === 'signed' ? BigInt.asIntN(8 * size, number) : number;
    }
  }
  return values;
}

/** 'rip 0x1000, insn 0f a2': the fields in the kernel's order, numbers in hexadecimal. */
export function kernelEventText({fields}: KernelEvent): string {
  const texts = Object.entries(fields).map(([name, value]) =>
    typeof value === 'string' ? `${name} ${value}` : `${name} ${value < 0n ? String(value) : hex(value)}`,
  );
  return texts.join(', ');
}

/** A mounted tracefs. */
function tracefs(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map(line => line.split(' ')).find(([, , type]) => type === TRACEFS)?.[1];
}

export class KernelTrace {
  readonly #points: Tracepoints;
  readonly #formats: ReadonlyMap<number, EventFormat>;
  /** Events that the ring had no room for. */
  lost = 0;

  constructor(formats: readonly EventFormat[]) {
    this.#formats = new Map(formats.map(format => [format.id, format]));
    const {Tracepoints: Points} = requireNative();
    this.#points = explained(() => new Points(Uint32Array.from(formats, ({id}) => id)));
    this.#points.enable();
  }

  /** The names that are traced. */
  get names(): readonly string[] {
    return [...this.#formats.values()].map(({name}) => name);
  }

  /** What happened in this thread since the last call, in order. */
  take(): readonly KernelEvent[] {
    const {events, lost} = parseRing(this.#points.read(), this.#formats);
    this.lost += lost;
    return events;
  }

  close(): void {
    this.#points.close();
  }
}

/** Opens KVM's tracepoints for the calling thread, which must be the one that runs the vCPU. Never throws for want of rights. */
export function openKernelTrace(): KernelTracing {
  const root = tracefs();
  if (root === undefined)
    return {
      available: false,
      why: 'tracefs is not mounted. As root: mount -t tracefs nodev /sys/kernel/tracing',
    };
  try {
    const folder = join(root, 'events/kvm');
    const there = new Set(readdirSync(folder));
    const formats = WANTED.filter(name => there.has(name)).map(name =>
      parseFormat(readFileSync(join(folder, name, 'format'), 'utf8')),
    );
    if (formats.length === 0) return {available: false, why: 'this kernel has none of KVM’s tracepoints.'};
    return {available: true, trace: new KernelTrace(formats)};
  } catch (error) {
    if (error instanceof UserError) return {available: false, why: error.message};
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'EACCES' || code === 'EPERM')
      return {available: false, why: `${root} may only be read by root: start as root to trace inside KVM.`};
    if (code === 'ENOENT') return {available: false, why: 'this kernel describes no tracepoints of KVM.'};
    throw error;
  }
}
