// The helpers of x87, MMX and SSE state, by the names that isa gives them.

import type {ProcessorHelper} from './helper-table.js';
import {placeOf, requireAlignment} from './vector-area.js';
import {loadFpuEnvironment, restoreFpuState, saveFpuState, storeFpuEnvironment} from './vector-environment.js';
import {loadMxcsr, restoreFxImage, saveFxImage} from './vector-save.js';
import {restoreExtendedState, saveExtendedState} from './vector-xsave.js';

export const VECTOR_HELPERS = {
  requireAlignment: (cpu, _, args) => requireAlignment(cpu, placeOf(args), args[2] ?? 16n),
  saveFxImage: (cpu, i, args) => saveFxImage(cpu, i, placeOf(args)),
  restoreFxImage: (cpu, i, args) => restoreFxImage(cpu, i, placeOf(args)),
  saveExtendedState: (cpu, i, args) => saveExtendedState(cpu, i, placeOf(args), args[2] ?? 0n),
  restoreExtendedState: (cpu, i, args) => restoreExtendedState(cpu, i, placeOf(args), args[2] ?? 0n),
  storeFpuEnvironment: (cpu, i, args) => storeFpuEnvironment(cpu, i, placeOf(args)),
  loadFpuEnvironment: (cpu, i, args) => loadFpuEnvironment(cpu, i, placeOf(args)),
  saveFpuState: (cpu, i, args) => saveFpuState(cpu, i, placeOf(args)),
  restoreFpuState: (cpu, i, args) => restoreFpuState(cpu, i, placeOf(args)),
  loadMxcsr: (cpu, i, args) => loadMxcsr(cpu, i, args[0] ?? 0n),
} as const satisfies Readonly<Record<string, ProcessorHelper>>;
