// XSAVE, XSAVEOPT, XSAVEC and XRSTOR for the two components that exist here: 0, x87, and 1, SSE.
// SDM vol. 1, "Operation of XSAVE", "Operation of XSAVEOPT", "Operation of XSAVEC", "Operation of XRSTOR".

import {FCW_INITIAL, MXCSR_INITIAL} from '@hyperscope/isa';
import type {Instruction} from '@hyperscope/isa';
import {Checklist, isTrouble, shown} from './faults.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';
import {readArea, writeArea} from './vector-area.js';
import type {AreaPlace, Stretch} from './vector-area.js';
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

const HEADER = 512;
const AREA_BYTES = 576;
const X87 = 1n,
  SSE = 2n;
const COMPACTED = 1n << 63n;

/** XINUSE: components that are not as after a reset of their own. Tracked exactly, by looking. */
function inUse(cpu: Processor): bigint {
  const {vectors} = cpu;
  const isInitial =
    vectors.get('FCW') === FCW_INITIAL &&
    (['FSW', 'FTW', 'FOP', 'FIP', 'FDP', 'FCS', 'FDS'] as const).every(cell => vectors.get(cell) === 0n) &&
    vectors.slice(32, 128).every(byte => byte === 0);
  const hasXmm = vectors.slice(160, 256).some(byte => byte !== 0);
  return (isInitial ? 0n : X87) | (hasXmm ? SSE : 0n);
}

const isWide = (instruction: Instruction): boolean => instruction.width === 64;

/** `requested`: RFBM, already within XCR0. */
export function saveExtendedState(
  cpu: Processor,
  instruction: Instruction,
  place: AreaPlace,
  requested: bigint,
): Trouble | undefined {
  const header = readArea(cpu, {...place, offset: place.offset + BigInt(HEADER)}, 8);
  if (isTrouble(header)) return header;
  const kind = instruction.mnemonic.replace('64', '');
  const used = inUse(cpu) | (kind === 'XSAVEC' && cpu.vectors.get('MXCSR') !== MXCSR_INITIAL ? SSE : 0n);
  const saved = kind === 'XSAVE' ? requested : requested & used;
  const image = new Uint8Array(LEGACY_BYTES);
  fillX87(cpu, image, isWide(instruction));
  fillXmm(cpu, image);
  fillMxcsr(cpu, image);
  const stretches: Stretch[] = [];
  if ((saved & X87) !== 0n) stretches.push(part(image, 0, 24), part(image, 32, 160));
  if (((kind === 'XSAVEC' ? saved : requested) & SSE) !== 0n) stretches.push(part(image, 24, 32));
  if ((saved & SSE) !== 0n) stretches.push(part(image, 160, 160 + xmmBytes(cpu)));
  const old = new DataView(header.buffer).getBigUint64(0, true);
  if (kind === 'XSAVEC') stretches.push(words(requested & used, requested | COMPACTED));
  else stretches.push(words((old & ~requested) | (requested & used)));
  return writeArea(cpu, place, AREA_BYTES, stretches);
}

const part = (image: Uint8Array, at: number, end: number): Stretch => ({at, bytes: image.slice(at, end)});

/** The first words of the header: XSTATE_BV, XCOMP_BV. */
function words(...values: readonly bigint[]): Stretch {
  return {at: HEADER, bytes: new Uint8Array(BigUint64Array.from(values).buffer)};
}

export function restoreExtendedState(
  cpu: Processor,
  instruction: Instruction,
  place: AreaPlace,
  requested: bigint,
): Trouble | undefined {
  const area = readArea(cpu, place, AREA_BYTES);
  if (isTrouble(area)) return area;
  const header = new BigUint64Array(area.slice(HEADER).buffer);
  const [present = 0n, compaction = 0n] = header;
  const isCompacted = (compaction & COMPACTED) !== 0n;
  const source = instruction.form.source;
  const refused = isCompacted ? checkCompacted(cpu, header, source) : checkStandard(cpu, header, source);
  if (refused !== undefined) return refused;
  const bringsMxcsr = (requested & SSE) !== 0n && (!isCompacted || (present & SSE) !== 0n);
  const bad = bringsMxcsr ? checkMxcsr(cpu, mxcsrOf(area), source) : undefined;
  if (bad !== undefined) return bad;
  if ((requested & X87) !== 0n) restoreX87(cpu, (present & X87) === 0n ? undefined : area, isWide(instruction));
  if ((requested & SSE) !== 0n) {
    cpu.vectors.set('MXCSR', bringsMxcsr ? mxcsrOf(area) : MXCSR_INITIAL);
    loadXmm(cpu, (present & SSE) === 0n ? new Uint8Array(LEGACY_BYTES) : area);
  }
  return undefined;
}

/** A component that the area does not hold gets its initial values. */
function restoreX87(cpu: Processor, area: Uint8Array | undefined, wide: boolean): void {
  if (area !== undefined) {
    loadX87(cpu, area, wide);
    return;
  }
  cpu.vectors.initializeFpu();
  cpu.vectors.put(32, new Uint8Array(128));
}

function checkStandard(cpu: Processor, header: BigUint64Array, source: string): Trouble | undefined {
  const checks = new Checklist(source);
  const [present = 0n, compaction = 0n, next = 0n] = header;
  const fine =
    checks.require('XSTATE_BV has only bits of XCR0', (present & ~xcr0(cpu)) === 0n, shown('XSTATE_BV', present)) &&
    checks.require('bytes 23:8 of the XSAVE header = 0', (compaction | next) === 0n, shown('XCOMP_BV', compaction));
  return fine ? undefined : checks.fault('#GP', 0);
}

function checkCompacted(cpu: Processor, header: BigUint64Array, source: string): Trouble | undefined {
  const checks = new Checklist(source);
  const [present = 0n, compaction = 0n] = header;
  const components = compaction & ~COMPACTED;
  const rest = header.slice(2).every(word => word === 0n);
  const fine =
    checks.require('CPUID announces XSAVEC (XCOMP_BV bit 63 = 1)', cpu.features.xsavec) &&
    checks.require('XCOMP_BV has only bits of XCR0', (components & ~xcr0(cpu)) === 0n, shown('XCOMP_BV', compaction)) &&
    checks.require(
      'XSTATE_BV has only bits of XCOMP_BV',
      (present & ~components) === 0n,
      shown('XSTATE_BV', present),
    ) &&
    checks.require('bytes 63:16 of the XSAVE header = 0', rest);
  return fine ? undefined : checks.fault('#GP', 0);
}

const xcr0 = (cpu: Processor): bigint => cpu.registers.get('XCR0');
