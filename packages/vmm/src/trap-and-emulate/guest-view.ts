// The guest's registers as the guest itself would find them, wherever they lie at the moment: in the processor while it runs,
// in the frame on the VMM's stack for a step after, in the virtual CPU from then on. For whoever looks on, at a machine or at a
// record of one; what the VMM itself takes over of a segment that the guest has loaded by itself, it looks up in its tables.

import {hpa} from '@hyperscope/base';
import {translatedFrame} from '../binary-translation/translated-frame.js';
import {GENERAL_REGISTERS, SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {PhysicalMemory} from '@hyperscope/machine';
import {frameAt, frameInProcessor, guestFlags, stackPointer, systemCallFrame, virtualRingOf} from './guest-exit.js';
import type {CellReader, GuestFrame, WindowReader} from './guest-exit.js';
import {VirtualCpu} from './virtual-cpu.js';
import {STACK_TOP, VIRTUAL_CPU, VMM_CODE, VMM_LINEAR, VMM_PHYSICAL} from './vmm-layout.js';

const VMM_RING = 0n;

/** The guest's registers while they are not in the virtual CPU; undefined where they are. */
export function nativeFrame(cells: CellReader, window: WindowReader, vcpu: VirtualCpu): GuestFrame | undefined {
  if (vcpu.slot('in_guest') === 0) return undefined;
  if (cells('CPL') !== VMM_RING) return translatedFrame(frameInProcessor(cells), window, vcpu);
  const stack = stackPointer(cells) - VMM_LINEAR;
  const isOnStack = stack >= 0n && stack <= BigInt(STACK_TOP);
  return isOnStack ? translatedFrame(frameAt(cells, window), window, vcpu) : systemCallFrame(cells, vcpu);
}

/** The whole window, of which the translation cache is a part. */
const windowOf =
  (memory: Uint8Array, window: number): WindowReader =>
  (offset, bytes) => {
    let value = 0n;
    for (let index = bytes - 1; index >= 0; index--)
      value = (value << 8n) | BigInt(memory[window + offset + index] ?? 0);
    return value;
  };

/**
 * Reads the guest's cells. `cells` reads the processor's, `memory` is the host's, of which the VMM's window is read: at `window`,
 * where there are several.
 */
export function virtualGuestCells(cells: CellReader, memory: Uint8Array, window = VMM_PHYSICAL): CellReader {
  const copy = new PhysicalMemory(VMM_CODE);
  const own = memory.subarray(window, window + VMM_CODE);
  // A record may come from anywhere, and name a place that it has not.
  if (own.length > 0) copy.load(hpa(0), own);
  const vcpu = new VirtualCpu(copy, VIRTUAL_CPU);
  const frame = nativeFrame(cells, windowOf(memory, window), vcpu);
  return cell =>
    (frame === undefined ? undefined : nativeCell(cell, frame, cells, vcpu)) ?? virtualCell(cell, cells, vcpu);
}

const CLOCKS: ReadonlySet<Cell> = new Set<Cell>(['CYCLES', 'TSC', 'INSTRUCTIONS']);
const virtualCell = (cell: Cell, cells: CellReader, vcpu: VirtualCpu): bigint =>
  CLOCKS.has(cell) ? cells(cell) : vcpu.get(cell);

function nativeCell(cell: Cell, frame: GuestFrame, cells: CellReader, vcpu: VirtualCpu): bigint | undefined {
  switch (cell) {
    case 'CPL':
      return vcpu.slot('kernel_ring') === 3 ? undefined : BigInt(virtualRingOf(frame, vcpu.number('CPL')));
    case 'RIP':
      return frame.rip;
    case 'RSP':
      return frame.rsp;
    case 'RFLAGS':
      return guestFlags(frame, vcpu);
    case 'INTERRUPT_SHADOW':
      return frame.holdsInterrupts === true ? 1n : 0n;
    default: {
      const general = GENERAL_REGISTERS.find(name => name === cell);
      if (general !== undefined) return frame.putAside?.get(general) ?? cells(cell);
      // A segment register that the guest has loaded since: what the processor holds.
      const register = SEGMENT_REGISTERS.find(name => cell.startsWith(`${name}.`));
      if (register === undefined || frame.selectors[register] === vcpu.slot(`loaded_${register}`)) return undefined;
      return cell === `${register}.selector` ? BigInt(frame.selectors[register]) : cells(cell);
    }
  }
}
