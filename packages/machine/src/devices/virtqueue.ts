// A split virtqueue, the device's side: three tables in the guest's memory by which a driver hands over buffers and gets
// them back. Virtual I/O Device (VIRTIO) 1.2, "Split Virtqueues".
//
//   descriptor table   16 bytes each: address (8) · length (4) · flags (2): 0 NEXT, 1 WRITE, 2 INDIRECT · next (2)
//   available ring     flags (2): 0 NO_INTERRUPT · idx (2) · the head of a chain (2), `size` times      driver → device
//   used ring          flags (2) · idx (2) · head (4) and bytes written (4), `size` times                device → driver
//
// Both indexes only grow, modulo 65,536. All of it was written by the guest, so nothing of it is believed.

import type {DeviceMemory} from './device-memory.js';

/** Where the driver put a queue, and how far the device has come. */
export interface QueueState {
  /** Descriptors, a power of 2. */
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  /** The index behind the last chain that was taken. */
  readonly taken: number;
  /** The index behind the last chain that was given back. */
  readonly returned: number;
}

export interface QueueBuffer {
  readonly gpa: number;
  readonly length: number;
}

/** The buffers of one chain, all of the direction that the queue is for. */
export interface DescriptorChain {
  readonly head: number;
  readonly buffers: readonly QueueBuffer[];
}

/** What is wrong with a queue, each with the number that shows it. */
export const QUEUE_TROUBLES = [
  'table-outside-memory',
  'index-ran-away',
  'no-such-head',
  'no-such-next',
  'loop',
  'empty-buffer',
  'buffer-outside-memory',
  'wrong-direction',
  'indirect',
  'chain-too-long',
  'bad-size',
  'misaligned',
] as const;
export type QueueTroubleKind = (typeof QUEUE_TROUBLES)[number];

export interface QueueTrouble {
  readonly trouble: QueueTroubleKind;
  /** A guest-physical address, a descriptor's number or a count, whatever the kind speaks of. */
  readonly at: number;
}

/** What the buffers of a queue are for: the device reads what the driver sends, and writes what it receives. */
export type QueueDirection = 'device-reads' | 'device-writes';

const DESCRIPTOR_BYTES = 16;
const USED_BYTES = 8;
const RING = 4;
const NEXT = 1,
  WRITE = 2,
  INDIRECT = 4;
const NO_INTERRUPT = 1;
/** Bytes of one chain that a device of this machine moves. The specification allows 4 GiB. */
export const CHAIN_BYTES = 0x10_0000;

interface Descriptor extends QueueBuffer {
  readonly flags: number;
  readonly next: number;
}

/** The next chain that the driver has made available; undefined when there is none. Changes nothing. */
export function nextChain(
  memory: DeviceMemory,
  queue: QueueState,
  direction: QueueDirection,
): DescriptorChain | QueueTrouble | undefined {
  const index = read16(memory, queue.available + 2);
  if (index === undefined) return {trouble: 'table-outside-memory', at: queue.available};
  const waiting = (index - queue.taken) & 0xffff;
  if (waiting === 0) return undefined;
  if (waiting > queue.size) return {trouble: 'index-ran-away', at: waiting};
  const head = read16(memory, queue.available + RING + 2 * (queue.taken % queue.size));
  if (head === undefined) return {trouble: 'table-outside-memory', at: queue.available};
  return head < queue.size ? followChain(memory, queue, head, direction) : {trouble: 'no-such-head', at: head};
}

/** A chain may not be longer than the table: then it has met one of its descriptors again. */
function followChain(
  memory: DeviceMemory,
  queue: QueueState,
  head: number,
  direction: QueueDirection,
): DescriptorChain | QueueTrouble {
  const buffers: QueueBuffer[] = [];
  let at = head;
  let total = 0;
  for (;;) {
    const descriptor = readDescriptor(memory, queue.descriptors + DESCRIPTOR_BYTES * at);
    if (descriptor === undefined) return {trouble: 'table-outside-memory', at: queue.descriptors};
    const wrong = troubleOf(descriptor, at, direction);
    if (wrong !== undefined) return wrong;
    total += descriptor.length;
    if (total > CHAIN_BYTES) return {trouble: 'chain-too-long', at: total};
    buffers.push({gpa: descriptor.gpa, length: descriptor.length});
    if ((descriptor.flags & NEXT) === 0) return {head, buffers};
    if (descriptor.next >= queue.size) return {trouble: 'no-such-next', at: descriptor.next};
    if (buffers.length === queue.size) return {trouble: 'loop', at: descriptor.next};
    at = descriptor.next;
  }
}

function troubleOf({flags, length}: Descriptor, at: number, direction: QueueDirection): QueueTrouble | undefined {
  if ((flags & INDIRECT) !== 0) return {trouble: 'indirect', at};
  if (length === 0) return {trouble: 'empty-buffer', at};
  const writable = (flags & WRITE) !== 0;
  return writable === (direction === 'device-writes') ? undefined : {trouble: 'wrong-direction', at};
}

/** The bytes of a chain that the driver sends. */
export function readChain(memory: DeviceMemory, {buffers}: DescriptorChain): Uint8Array | QueueTrouble {
  const parts: Uint8Array[] = [];
  for (const {gpa, length} of buffers) {
    const bytes = memory.read(gpa, length);
    if (bytes === undefined) return {trouble: 'buffer-outside-memory', at: gpa};
    parts.push(bytes);
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Puts bytes into a chain that receives; gives how many found room. */
export function writeChain(memory: DeviceMemory, {buffers}: DescriptorChain, bytes: Uint8Array): number | QueueTrouble {
  let done = 0;
  for (const {gpa, length} of buffers) {
    const part = bytes.subarray(done, done + length);
    if (part.length === 0) break;
    if (!memory.write(gpa, part)) return {trouble: 'buffer-outside-memory', at: gpa};
    done += part.length;
  }
  return done;
}

/** Gives a chain back: the entry first, then the index that makes it true. Undefined when it is done. */
export function returnChain(
  memory: DeviceMemory,
  queue: QueueState,
  head: number,
  written: number,
): QueueTrouble | undefined {
  const entry = new DataView(new ArrayBuffer(USED_BYTES));
  entry.setUint32(0, head, true);
  entry.setUint32(4, written, true);
  const index = new DataView(new ArrayBuffer(2));
  index.setUint16(0, (queue.returned + 1) & 0xffff, true);
  const at = queue.used + RING + USED_BYTES * (queue.returned % queue.size);
  const done = memory.write(at, bytesOf(entry)) && memory.write(queue.used + 2, bytesOf(index));
  return done ? undefined : {trouble: 'table-outside-memory', at: queue.used};
}

/** Whether the driver wants to be interrupted when a chain comes back. */
export function wantsInterrupt(memory: DeviceMemory, {available}: QueueState): boolean {
  return ((read16(memory, available) ?? 0) & NO_INTERRUPT) === 0;
}

/** What is wrong with where a driver puts a queue, before it is used. "Split Virtqueues": sizes and alignments. */
export function layoutTrouble(
  {size, descriptors, available, used}: QueueState,
  most: number,
): QueueTrouble | undefined {
  if (size === 0 || size > most || (size & (size - 1)) !== 0) return {trouble: 'bad-size', at: size};
  if (descriptors % 16 !== 0) return {trouble: 'misaligned', at: descriptors};
  if (available % 2 !== 0) return {trouble: 'misaligned', at: available};
  return used % 4 === 0 ? undefined : {trouble: 'misaligned', at: used};
}

function readDescriptor(memory: DeviceMemory, at: number): Descriptor | undefined {
  const bytes = memory.read(at, DESCRIPTOR_BYTES);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    gpa: Number(view.getBigUint64(0, true)),
    length: view.getUint32(8, true),
    flags: view.getUint16(12, true),
    next: view.getUint16(14, true),
  };
}
function read16(memory: DeviceMemory, at: number): number | undefined {
  const bytes = memory.read(at, 2);
  return bytes === undefined ? undefined : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
}
const bytesOf = (view: DataView): Uint8Array => new Uint8Array(view.buffer);
