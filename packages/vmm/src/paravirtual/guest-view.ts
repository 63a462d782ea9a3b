// The guest's registers in the processor's and Xen's, for whoever looks on. The guest knows that it is in ring 3 and whose tables it
// uses, so nothing is virtual: they are the processor's, or where Xen has saved them. Works on a live machine and on a record.

import {hpa} from '@hyperscope/base';
import type {Cell} from '@hyperscope/isa';
import {PhysicalMemory} from '@hyperscope/machine';
import type {CellReader} from '../kvm-role/guest-view.js';
import {ENTRY_STACK, FRAME_AT, UserRegisters} from './user-registers.js';
import {FLAT_RING3_CS64, FLAT_RING3_SS64, SHARED} from './xen-interface.js';
import {SHARED_INFO, TRAP_TABLE, XEN_LINEAR, XEN_PHYSICAL} from './xen-layout.js';
import {XenVcpu} from './xen-vcpu.js';

const XEN_RING = 0n;
const GUEST_RING = 3n;
/** Stack and struct vcpu. */
const COPIED = TRAP_TABLE;

/** Reads the guest's cells. `cells` reads the processor's, `memory` is the host's. */
export function domainCells(cells: CellReader, memory: Uint8Array): CellReader {
  if (cells('CPL') !== XEN_RING) return cells;
  const copy = new PhysicalMemory(COPIED);
  copy.load(hpa(0), memory.subarray(XEN_PHYSICAL, XEN_PHYSICAL + COPIED));
  const regs = new UserRegisters(copy, 0);
  const isSaved = new XenVcpu(copy, 0).get('in_xen') !== 0n;
  return cell => {
    const segment = segmentCell(cell, cells);
    if (segment !== undefined) return segment;
    if (isSaved) return regs.cell(cell) ?? cells(cell);
    return inFrame(cell, cells, regs) ?? cells(cell);
  };
}

/** What decides whose memory the domain sees, and whether an event may come to it. */
export interface DomainFacts {
  /** Who of the guest has the processor, or had it last. */
  readonly mode: 'kernel' | 'program';
  /** Machine addresses; 0 where there is none. */
  readonly kernelRoot: number;
  readonly userRoot: number;
  readonly upcallPending: boolean;
  readonly upcallMask: boolean;
}

/** `memory` is the host's. */
export function domainFacts(memory: Uint8Array): DomainFacts {
  const copy = new PhysicalMemory(COPIED);
  copy.load(hpa(0), memory.subarray(XEN_PHYSICAL, XEN_PHYSICAL + COPIED));
  const vcpu = new XenVcpu(copy, 0);
  return {
    mode: vcpu.isKernel ? 'kernel' : 'program',
    kernelRoot: vcpu.number('guest_table') * 4096,
    userRoot: vcpu.number('guest_table_user') * 4096,
    upcallPending: memory[SHARED_INFO + SHARED.upcallPending] !== 0,
    upcallMask: memory[SHARED_INFO + SHARED.upcallMask] !== 0,
  };
}

/** Kernel and programs have the same two flat segments. SDM vol. 3C, "Guest Register State", for the attributes. */
function segmentCell(cell: Cell, cells: CellReader): bigint | undefined {
  switch (cell) {
    case 'CPL':
      return GUEST_RING;
    case 'CS.selector':
      return BigInt(FLAT_RING3_CS64);
    case 'SS.selector':
      return BigInt(FLAT_RING3_SS64);
    case 'CS.attributes':
      return 0xa0fbn;
    case 'SS.attributes':
      return 0xc0f3n;
    case 'CS.limit':
    case 'SS.limit':
      return 0xffff_ffffn;
    case 'CS.base':
    case 'SS.base':
      return 0n;
    default:
      return cell === 'INTERRUPT_SHADOW' ? cells(cell) : undefined;
  }
}

/** Between the processor's way in and Xen's first step, and between its last and the way out: a frame on the stack, or SYSCALL's registers. */
function inFrame(cell: Cell, cells: CellReader, regs: UserRegisters): bigint | undefined {
  if (cell !== 'RIP' && cell !== 'RSP' && cell !== 'RFLAGS') return undefined;
  const stack = cells('RSP') - XEN_LINEAR;
  const isOnStack = stack >= BigInt(FRAME_AT - 8) && stack <= BigInt(ENTRY_STACK);
  if (isOnStack) return regs.cell(cell);
  return cell === 'RIP' ? cells('RCX') : cell === 'RFLAGS' ? cells('R11') : cells('RSP');
}
