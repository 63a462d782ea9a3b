// The 512-byte image of FXSAVE, which is also the first part of an XSAVE area. SDM vol. 1, "FXSAVE Area".
// In an image the x87 registers stand from the top of the stack (ST0 first); in the bank they stand by number (R0 first).

import {vectorPlace} from '@hyperscope/isa';
import {Checklist, shown} from './faults.js';
import {is64Bit} from './modes.js';
import type {Processor} from './processor.js';
import type {Fault} from './trouble.js';

export const LEGACY_BYTES = 512;
const REGISTER_BYTES = 10;
const STACK = 32;
const XMM = vectorPlace('XMM0').offset;

/** MXCSR bits that may be 1. Denormals-are-zeros came with SSE2; before, MXCSR_MASK reads as 0 and means FFBFh. */
export const mxcsrMask = (cpu: Processor): number => (cpu.features.sse2 ? 0xffff : 0xffbf);

export function checkMxcsr(cpu: Processor, value: bigint, source: string): Fault | undefined {
  const checks = new Checklist(source);
  const reserved = value & ~BigInt(mxcsrMask(cpu));
  return checks.require('reserved bits of MXCSR = 0', reserved === 0n, shown('MXCSR', value))
    ? undefined
    : checks.fault('#GP', 0);
}

const top = (cpu: Processor): number => (cpu.vectors.number('FSW') >> 11) & 7;

/** Bytes 0 to 23 and 32 to 159. `wide`: 64-bit instruction and data pointers instead of selector and offset. */
export function fillX87(cpu: Processor, image: Uint8Array, wide: boolean): void {
  const {vectors} = cpu;
  image.set(vectors.slice(0, 24), 0);
  if (!wide) {
    const view = new DataView(image.buffer, image.byteOffset);
    view.setUint32(12, vectors.number('FCS'), true);
    view.setUint32(20, vectors.number('FDS'), true);
  }
  for (let n = 0; n < 8; n++) {
    image.set(vectors.slice(STACK + 16 * ((top(cpu) + n) & 7), REGISTER_BYTES), STACK + 16 * n);
  }
}

export function loadX87(cpu: Processor, image: Uint8Array, wide: boolean): void {
  const {vectors} = cpu;
  const view = new DataView(image.buffer, image.byteOffset);
  vectors.set('FCW', BigInt((view.getUint16(0, true) & 0x1f3f) | 0x40));
  vectors.set('FSW', BigInt(view.getUint16(2, true)));
  vectors.set('FTW', BigInt(view.getUint8(4)));
  vectors.set('FOP', BigInt(view.getUint16(6, true) & 0x7ff));
  vectors.set('FIP', wide ? view.getBigUint64(8, true) : BigInt(view.getUint32(8, true)));
  vectors.set('FDP', wide ? view.getBigUint64(16, true) : BigInt(view.getUint32(16, true)));
  vectors.set('FCS', wide ? 0n : BigInt(view.getUint16(12, true)));
  vectors.set('FDS', wide ? 0n : BigInt(view.getUint16(20, true)));
  for (let n = 0; n < 8; n++) {
    vectors.put(STACK + 16 * ((top(cpu) + n) & 7), image.slice(STACK + 16 * n, STACK + 16 * n + REGISTER_BYTES));
  }
  vectors.summarizeExceptions();
}

/** How many XMM registers the mode reaches: an image made outside 64-bit mode leaves the others alone. */
export const xmmBytes = (cpu: Processor): number => (is64Bit(cpu.registers) ? 256 : 128);

export function fillXmm(cpu: Processor, image: Uint8Array): void {
  image.set(cpu.vectors.slice(XMM, xmmBytes(cpu)), XMM);
}
export function loadXmm(cpu: Processor, image: Uint8Array): void {
  cpu.vectors.put(XMM, image.slice(XMM, XMM + xmmBytes(cpu)));
}

export function fillMxcsr(cpu: Processor, image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset);
  view.setUint32(24, cpu.vectors.number('MXCSR'), true);
  view.setUint32(28, cpu.features.sse2 ? mxcsrMask(cpu) : 0, true);
}

export const mxcsrOf = (image: Uint8Array): bigint =>
  BigInt(new DataView(image.buffer, image.byteOffset).getUint32(24, true));
