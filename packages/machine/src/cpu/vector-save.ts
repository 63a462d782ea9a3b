// FXSAVE, FXRSTOR and LDMXCSR. SDM vol. 2, each under its name.

import type {Instruction} from '@hyperscope/isa';
import {CR4} from './cell-indexes.js';
import {isTrouble} from './faults.js';
import {CR4_OSFXSR, low} from './modes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';
import {readArea, writeArea} from './vector-area.js';
import type {AreaPlace} from './vector-area.js';
import {
  LEGACY_BYTES,
  checkMxcsr,
  fillMxcsr,
  fillX87,
  fillXmm,
  loadX87,
  loadXmm,
  mxcsrOf,
  xmmBytes,
} from './vector-image.js';

const isWide = (instruction: Instruction): boolean => instruction.width === 64;

/** With CR4.OSFXSR = 0 the XMM registers and MXCSR may be left out, and are. */
const savesSse = (cpu: Processor): boolean => (low(cpu.registers, CR4) & CR4_OSFXSR) !== 0;

export function saveFxImage(cpu: Processor, instruction: Instruction, place: AreaPlace): Trouble | undefined {
  const image = new Uint8Array(LEGACY_BYTES);
  fillX87(cpu, image, isWide(instruction));
  const x87 = [
    {at: 0, bytes: image.slice(0, 24)},
    {at: 32, bytes: image.slice(32, 160)},
  ];
  if (!savesSse(cpu)) return writeArea(cpu, place, LEGACY_BYTES, x87);
  fillMxcsr(cpu, image);
  fillXmm(cpu, image);
  const end = 160 + xmmBytes(cpu);
  return writeArea(cpu, place, LEGACY_BYTES, [{at: 0, bytes: image.slice(0, end)}]);
}

export function restoreFxImage(cpu: Processor, instruction: Instruction, place: AreaPlace): Trouble | undefined {
  const image = readArea(cpu, place, LEGACY_BYTES);
  if (isTrouble(image)) return image;
  if (savesSse(cpu)) {
    const refused = checkMxcsr(cpu, mxcsrOf(image), instruction.form.source);
    if (refused !== undefined) return refused;
    cpu.vectors.set('MXCSR', mxcsrOf(image));
    loadXmm(cpu, image);
  }
  loadX87(cpu, image, isWide(instruction));
  return undefined;
}

export function loadMxcsr(cpu: Processor, instruction: Instruction, value: bigint): Trouble | undefined {
  const refused = checkMxcsr(cpu, value, instruction.form.source);
  if (refused === undefined) cpu.vectors.set('MXCSR', value);
  return refused;
}
