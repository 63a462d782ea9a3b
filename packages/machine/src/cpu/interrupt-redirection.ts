// INT n in virtual-8086 mode under CR4.VME: a bit map in the TSS says for each vector whether the 8086 program's own handler
// runs, without leaving the mode. SDM vol. 3B, "Handling Software Interrupts in Virtual-8086 Mode".

import {CR4, RFLAGS, RIP} from './cell-indexes.js';
import type {DeliverableEvent} from './core.js';
import {Checklist, counted, isTrouble, shown} from './faults.js';
import {CR4_VME, RFLAGS_AC, RFLAGS_IF, RFLAGS_RF, RFLAGS_TF, RFLAGS_VIF, isVirtual8086, low} from './modes.js';
import type {Processor} from './processor.js';
import {realModeSegment} from './segment-load.js';
import {currentStack, pushFrame, setStackPointer} from './stack-frame.js';
import type {Trouble} from './trouble.js';

const SOURCE = 'SDM vol. 3B, "Handling Software Interrupts in Virtual-8086 Mode"';
/** Bytes of the redirection bit map, which ends where the I/O permission bit map begins. */
const MAP_BYTES = 32;
const RFLAGS_IOPL = 0x3000n;

/**
 * Hands INT n to the 8086 program where the bit map says so. 'not redirected': it goes through the IDT; trouble where IOPL
 * does not allow that.
 */
export function redirectInterrupt(cpu: Processor, event: DeliverableEvent): 'done' | 'not redirected' | Trouble {
  const {registers} = cpu;
  if (!isVirtual8086(registers) || (low(registers, CR4) & CR4_VME) === 0) return 'not redirected';
  const checks = new Checklist(SOURCE);
  const leaves = staysInMonitor(cpu, event.vector, checks);
  if (isTrouble(leaves)) return leaves;
  if (!leaves) return runOwnHandler(cpu, event) ?? 'done';
  const iopl = iopLevel(cpu);
  if (checks.require('IOPL = 3 (INT n that is not redirected)', iopl === 3, counted('IOPL', iopl)))
    return 'not redirected';
  return checks.fault('#GP', 0);
}

const iopLevel = (cpu: Processor): number => (low(cpu.registers, RFLAGS) >> 12) & 3;

/** The bit of the vector: 1 sends it through the IDT. */
function staysInMonitor(cpu: Processor, vector: number, checks: Checklist): boolean | Trouble {
  const base = cpu.registers.get('TR.base');
  const limit = cpu.registers.number('TR.limit');
  const mapBase = cpu.mmu.read(BigInt.asUintN(32, base + 0x66n), 2, 'implicit');
  if (typeof mapBase !== 'bigint') return mapBase;
  const at = Number(mapBase) - MAP_BYTES + (vector >> 3);
  const inside = checks.require(
    'the redirection bit of the vector lies within the TSS',
    limit >= 0x67 && at <= limit,
    counted('vector', vector),
    shown('TSS limit', limit),
  );
  if (!inside) return checks.fault('#GP', 0);
  const bits = cpu.mmu.read(BigInt.asUintN(32, base + BigInt(at)), 1, 'implicit');
  return typeof bits === 'bigint' ? ((Number(bits) >> (vector & 7)) & 1) === 1 : bits;
}

/** As an 8086: through the table at address 0. With IOPL below 3 the program sees and clears VIF in the place of IF. */
function runOwnHandler(cpu: Processor, event: DeliverableEvent): Trouble | undefined {
  const {registers} = cpu;
  const entry = cpu.mmu.read(BigInt(event.vector * 4), 4, 'implicit');
  if (typeof entry !== 'bigint') return entry;
  const flags = registers.cells[RFLAGS] ?? 0n;
  const isVirtual = iopLevel(cpu) < 3;
  const virtualIf = (flags & BigInt(RFLAGS_VIF)) === 0n ? 0n : BigInt(RFLAGS_IF);
  const image = isVirtual ? (flags & ~BigInt(RFLAGS_IF)) | virtualIf | RFLAGS_IOPL : flags;
  const frame = [image & 0xffffn, BigInt(registers.number('CS.selector')), event.returnRip & 0xffffn];
  const pointer = pushFrame(cpu, currentStack(cpu), frame, 2);
  if (typeof pointer !== 'bigint') return pointer;
  setStackPointer(cpu, pointer);
  registers.setSegment('CS', realModeSegment(cpu, 'CS', Number(entry >> 16n)));
  registers.cells[RIP] = entry & 0xffffn;
  const cleared = RFLAGS_TF | RFLAGS_RF | RFLAGS_AC | (isVirtual ? RFLAGS_VIF : RFLAGS_IF);
  registers.cells[RFLAGS] = flags & ~BigInt(cleared);
  cpu.charge(cpu.costModel.exception.cycles);
  cpu.emit({kind: 'delivery', vector: event.vector, from: 3, to: 3, handler: entry & 0xffffn, stackSwitched: false});
  return undefined;
}
