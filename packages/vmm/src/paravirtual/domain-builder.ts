// The domain before its first instruction: memory, a list of its frames, page tables that the processor can walk at once, a start-info
// page, registers. There is no real mode and no firmware: the kernel begins in 64-bit mode, with paging on, in ring 3.
// Xen, xen/include/public/xen.h, "Start-of-day memory layout". From the image's end on, each at the next page:
//
//   list of frames   8 bytes each: the machine frame of pseudo-physical frame n
//   start_info       its address is in RSI
//   page tables      L4, L3, L2, and an L1 for every 2 MiB: linear = pseudo-physical, read-only where they lie themselves
//   stack            one page; RSP is its end

import {UserError, hex, hpa} from '@hyperscope/base';
import type {StepResult} from '../host/host-program.js';
import {FLAT_RING3_CS64, FLAT_RING3_SS64, START_INFO, START_MAGIC} from './xen-interface.js';
import {IDLE_L4, SHARED_INFO} from './xen-layout.js';
import {GUEST_KERNEL} from './direct-paging.js';
import {FRAME_TYPE} from './frame-table.js';
import {DOMAIN, FIRST_MFN, routine} from './xen.js';
import type {Xen, XenRoutine} from './xen.js';

const PAGE = 4096;
const ENTRIES = 512;
/** P, R/W, U/S, A, D. */
const TABLE_ENTRY = 0x67n;
/** For the kernel alone: not global, or its programs would find its translations. Xen, xen/arch/x86/pv/dom0_build.c, "L1_PROT". */
const READ_WRITE = TABLE_ENTRY | GUEST_KERNEL;
const READ_ONLY = READ_WRITE & ~2n;
const pagesFor = (bytes: number): number => Math.ceil(bytes / PAGE);

/** Pseudo-physical frames of what the builder adds. */
interface Layout {
  readonly frames: number;
  readonly list: number;
  readonly startInfo: number;
  readonly l4: number;
  readonly l3: number;
  readonly l2: number;
  readonly l1: number;
  readonly l1Count: number;
  readonly stack: number;
  readonly end: number;
}

function layoutOf({memoryBytes, image}: Pick<Xen, 'memoryBytes' | 'image'>): Layout {
  const frames = pagesFor(memoryBytes);
  const list = pagesFor(image.end);
  const startInfo = list + pagesFor(8 * frames);
  const l4 = startInfo + 1;
  const l1Count = Math.ceil(frames / ENTRIES);
  const stack = l4 + 3 + l1Count;
  return {frames, list, startInfo, l4, l3: l4 + 1, l2: l4 + 2, l1: l4 + 3, l1Count, stack, end: stack + 1};
}

/** @throws UserError 'image-too-large' where the domain's memory has no room for what the builder adds. */
export function checkDomain(parts: Pick<Xen, 'memoryBytes' | 'image'>): void {
  const {end, frames} = layoutOf(parts);
  if (end <= frames && parts.memoryBytes <= SHARED_INFO) return;
  throw new UserError(
    'image-too-large',
    end > frames
      ? 'The program, the list of its frames and its first page tables do not fit its memory. Give it more with --memory.'
      : 'A paravirtual domain has at most 15 MiB here: its own addresses and those of the machine are not to be mistaken for each other. Give it less with --memory.',
  );
}

const machineOf = (frame: number): number => (FIRST_MFN + frame) * PAGE;

/** Every frame of the domain is given to it; so is the page that it shares with Xen, which is writable from the beginning. */
function giveMemory(xen: Xen): StepResult {
  const {frames} = layoutOf(xen);
  const table = xen.paging.frames;
  for (let frame = 0; frame < frames; frame++) table.assign(FIRST_MFN + frame, DOMAIN);
  table.assign(SHARED_INFO / PAGE, DOMAIN);
  table.setType(SHARED_INFO / PAGE, FRAME_TYPE.writable);
  table.setValidated(SHARED_INFO / PAGE, 'validated');
  xen.shared.setUpcallMask('masked');
  return {
    say: `domain ${DOMAIN} gets the machine frames ${hex(FIRST_MFN)} to ${hex(FIRST_MFN + frames - 1)}, its pseudo-physical frames 0 to ${hex(frames - 1)}, and a shared-info page, frame ${hex(SHARED_INFO / PAGE)}`,
  };
}

function writeTables(xen: Xen): StepResult {
  const {memory} = xen.machine;
  const layout = layoutOf(xen);
  const {frames, list, l4, l3, l2, l1, l1Count} = layout;
  for (let frame = 0; frame < frames; frame++)
    memory.write(hpa(machineOf(list) + 8 * frame), 8, BigInt(FIRST_MFN + frame));
  const entry = (frame: number, bits: bigint): bigint => BigInt(machineOf(frame)) | bits;
  memory.write(hpa(machineOf(l4)), 8, entry(l3, TABLE_ENTRY));
  memory.write(hpa(machineOf(l3)), 8, entry(l2, TABLE_ENTRY));
  for (let index = 0; index < l1Count; index++)
    memory.write(hpa(machineOf(l2) + 8 * index), 8, entry(l1 + index, TABLE_ENTRY));
  for (let frame = 0; frame < frames; frame++) {
    const isTable = frame >= l4 && frame < l1 + l1Count;
    memory.write(hpa(machineOf(l1) + 8 * frame), 8, entry(frame, isTable ? READ_ONLY : READ_WRITE));
  }
  return {
    say: `the list of frames is at ${hex(list * PAGE)}, the first page tables from ${hex(l4 * PAGE)} on: they hold machine addresses, and map themselves read-only`,
  };
}

function writeStartInfo(xen: Xen): StepResult {
  const {memory} = xen.machine;
  const {frames, list, startInfo, l4, l1Count} = layoutOf(xen);
  const at = machineOf(startInfo);
  memory.load(hpa(at + START_INFO.magic), new TextEncoder().encode(START_MAGIC));
  const put = (offset: number, value: number): void => memory.write(hpa(at + offset), 8, BigInt(value));
  put(START_INFO.pages, frames);
  put(START_INFO.sharedInfo, SHARED_INFO);
  put(START_INFO.pageTableBase, l4 * PAGE);
  put(START_INFO.pageTableFrames, 3 + l1Count);
  put(START_INFO.frameList, list * PAGE);
  xen.updateTime();
  return {say: `the start-info page is at ${hex(startInfo * PAGE)}`};
}

/** The root becomes an L4 table: all that it leads to is looked at, as with every table that the guest will make. */
function validate(xen: Xen): StepResult {
  const {l4} = layoutOf(xen);
  const {paging, machine, vcpu} = xen;
  const mfn = FIRST_MFN + l4;
  const errno = paging.pin(mfn, 4, []);
  if (errno !== undefined || !paging.getTable(mfn, 4, [])) return xen.crash('its first page tables are not valid');
  vcpu.set('guest_table', mfn);
  machine.registers.set('CR3', BigInt(mfn) << 12n);
  machine.tlb.flushAll();
  return {
    say: `frame ${hex(mfn)} is validated as an L4 table and pinned; CR3 goes from ${hex(IDLE_L4)} to ${hex(mfn * PAGE)}`,
  };
}

function setRegisters(xen: Xen): StepResult {
  const {regs, vcpu, image} = xen;
  const {startInfo, end} = layoutOf(xen);
  regs.set('RIP', image.entry);
  regs.set('RSP', BigInt(end * PAGE));
  regs.set('RSI', BigInt(startInfo * PAGE));
  regs.set('RFLAGS', 0x202n);
  regs.set('CS', BigInt(FLAT_RING3_CS64));
  regs.set('SS', BigInt(FLAT_RING3_SS64));
  vcpu.set('kernel_mode', 1);
  vcpu.set('kernel_ss', FLAT_RING3_SS64);
  vcpu.set('kernel_sp', end * PAGE);
  return {
    say: `the guest’s kernel begins at ${hex(image.entry)}, in ring 3 and 64-bit mode, RSI at the start-info page, events masked`,
    go: 'test_all_events',
  };
}

export const BUILDER_ROUTINES: readonly XenRoutine[] = [
  routine('construct_dom', giveMemory, writeTables, writeStartInfo, validate, setRegisters),
];
