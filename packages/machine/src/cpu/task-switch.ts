// Task switches: the processor saves itself in one TSS and loads itself from another, by JMP, CALL, IRET or a task gate.
// Everything is checked before the old task is left; what fails while the new one is being loaded is the new task's fault.
// SDM vol. 3A, "Task Switching". IA-32e mode has none.

import {CR0, DR7, RFLAGS} from './cell-indexes.js';
import {isNull, isPresent, isSystem, limitOf, loadedFrom, readDescriptor, selectorError, typeOf} from './descriptor.js';
import type {Descriptor} from './descriptor.js';
import {Checklist, isTrouble, shown} from './faults.js';
import {RFLAGS_NT} from './modes.js';
import type {Processor} from './processor.js';
import type {TaskSwitch} from './core.js';
import {loadTask} from './task-load.js';
import {GENERAL_IN_TSS, LAYOUTS, SELECTORS_IN_TSS} from './task-state-segment.js';
import type {TssLayout} from './task-state-segment.js';
import type {Trouble} from './trouble.js';

const SOURCE = 'SDM vol. 3A, "Task Switching"';
const CR0_TS = 8n;
/** L0 to L3 and LE. */
const DR7_LOCAL = 0x155n;
const BUSY = 2n;

/** Carries the switch out. Trouble means that the old task goes on, and says why. */
export function switchTask(cpu: Processor, wanted: TaskSwitch): Trouble | undefined {
  const tss = taskDescriptor(cpu, wanted);
  if (isTrouble(tss)) return tss;
  const exit = cpu.isGuest ? cpu.unit?.interceptTaskSwitch?.(cpu, wanted) : undefined;
  if (exit !== undefined) return {kind: 'vm-exit', exit};
  const next = layoutOf(typeOf(tss));
  const oldBase = cpu.registers.get('TR.base'),
    newBase = loadedFrom(tss, wanted.selector).base;
  const unreachable = probeBoth(cpu, tss, oldBase, newBase, next);
  if (unreachable !== undefined) return unreachable;
  const trouble = saveOld(cpu, wanted, oldBase) ?? markBusy(cpu, wanted, tss);
  if (trouble !== undefined) return trouble;
  const isNested = wanted.source === 'CALL' || wanted.source === 'gate';
  if (isNested) {
    const linked = cpu.mmu.write(newBase, 2, BigInt(cpu.registers.number('TR.selector')), 'implicit');
    if (linked !== undefined) return linked;
  }
  const loaded = loadedFrom(tss, wanted.selector);
  cpu.registers.setSegment('TR', {...loaded, attributes: loaded.attributes | Number(BUSY)});
  cpu.registers.cells[CR0] = (cpu.registers.cells[CR0] ?? 0n) | CR0_TS;
  cpu.registers.cells[DR7] = (cpu.registers.cells[DR7] ?? 0n) & ~DR7_LOCAL;
  // From here on it is the new task that faults, before its first instruction.
  const fault = loadTask(cpu, next, newBase, {isNested, errorCode: wanted.errorCode});
  if (fault !== undefined) cpu.stopped = fault;
  return undefined;
}

const layoutOf = (type: number): TssLayout => LAYOUTS[(type & 8) === 0 ? 16 : 32];

function taskDescriptor(cpu: Processor, {source, selector}: TaskSwitch): Descriptor | Trouble {
  const checks = new Checklist(SOURCE);
  const isReturn = source === 'IRET';
  const invalid = isReturn ? '#TS' : '#GP';
  const error = selectorError(selector);
  const isGlobal = (selector & 4) === 0 && !isNull(selector);
  if (!checks.require('the selector of the TSS names the GDT', isGlobal, shown('selector', selector)))
    return checks.fault(invalid, error);
  const d = readDescriptor(cpu, selector, checks, invalid);
  if (isTrouble(d)) return d;
  const types = isReturn ? [3, 11] : [1, 9];
  const fits = checks.require(
    isReturn ? 'the descriptor is a busy TSS' : 'the descriptor is an available TSS',
    isSystem(d) && types.includes(typeOf(d)),
    shown('type', typeOf(d)),
  );
  if (!fits) return checks.fault(invalid, error);
  if (!checks.require('the TSS is present', isPresent(d), shown('descriptor', d.raw)))
    return checks.fault('#NP', error);
  const least = layoutOf(typeOf(d)).limit;
  return checks.require('the limit of the TSS leaves room for a task', limitOf(d) >= least, shown('limit', limitOf(d)))
    ? d
    : checks.fault('#TS', error);
}

/** Page faults come while the old task can still handle them. */
function probeBoth(cpu: Processor, tss: Descriptor, old: bigint, next: bigint, layout: TssLayout): Trouble | undefined {
  const probe = (address: bigint, bytes: number, access: 'read' | 'write'): Trouble | undefined => {
    for (let at = 0; at < bytes; at += 4) {
      const trouble = cpu.mmu.probe(BigInt.asUintN(32, address + BigInt(at)), 4, access, 'implicit');
      if (trouble !== undefined) return trouble;
    }
    return undefined;
  };
  const current = layoutOf(cpu.registers.number('TR.attributes') & 15);
  return (
    probe(old, current.limit, 'write') ??
    probe(next, layout.limit, 'read') ??
    cpu.mmu.probe(next, 2, 'write', 'implicit') ??
    cpu.mmu.probe(tss.address + 5n, 1, 'write', 'implicit')
  );
}

/** Registers into the TSS that TR names; CR3 and LDTR are not saved. */
function saveOld(cpu: Processor, {source, returnRip}: TaskSwitch, base: bigint): Trouble | undefined {
  const {registers} = cpu;
  const layout = layoutOf(registers.number('TR.attributes') & 15);
  const flags = registers.cells[RFLAGS] ?? 0n;
  const image = source === 'IRET' ? flags & ~BigInt(RFLAGS_NT) : flags;
  const write = (offset: number, bytes: number, value: bigint): Trouble | undefined =>
    cpu.mmu.write(BigInt.asUintN(32, base + BigInt(offset)), bytes, BigInt.asUintN(8 * bytes, value), 'implicit');
  const {bytes} = layout;
  let trouble = write(layout.ip, bytes, returnRip) ?? write(layout.flags, bytes, image);
  for (const [index, register] of GENERAL_IN_TSS.entries())
    trouble ??= write(layout.general + bytes * index, bytes, registers.get(register));
  for (const [index, register] of SELECTORS_IN_TSS.slice(0, layout.selectorCount).entries())
    trouble ??= write(layout.selectors + bytes * index, 2, registers.get(`${register}.selector`));
  return trouble;
}

/** JMP and IRET leave the old task for good: it is available again. The new one is busy, except that IRET finds it so. */
function markBusy(cpu: Processor, {source}: TaskSwitch, tss: Descriptor): Trouble | undefined {
  if (source === 'JMP' || source === 'IRET') {
    const checks = new Checklist(SOURCE);
    const old = readDescriptor(cpu, cpu.registers.number('TR.selector'), checks);
    if (isTrouble(old)) return old;
    const freed = cpu.mmu.write(old.address + 5n, 1, (old.raw >> 40n) & 0xffn & ~BUSY, 'implicit');
    if (freed !== undefined) return freed;
  }
  return cpu.mmu.write(tss.address + 5n, 1, ((tss.raw >> 40n) & 0xffn) | BUSY, 'implicit');
}
