// IN and OUT: who may, and who answers. SDM vol. 1, "I/O Permission Bit Map".

import {notePort} from './breakpoints.js';
import {CR0, RFLAGS} from './cell-indexes.js';
import {Checklist, counted, shown} from './faults.js';
import {CR0_PE, isVirtual8086, low} from './modes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';

/** Above IOPL, and always in virtual-8086 mode, each port needs its bit clear in the bit map of the TSS. */
export function checkPortPermission(cpu: Processor, port: number, bytes: number): Trouble | undefined {
  const {registers} = cpu;
  if ((low(registers, CR0) & CR0_PE) === 0) return undefined;
  const iopl = (low(registers, RFLAGS) >> 12) & 3;
  if (cpu.cpl <= iopl && !isVirtual8086(registers)) return undefined;
  const checks = new Checklist('SDM vol. 1, "I/O Permission Bit Map"');
  checks.require('CPL ≤ IOPL', false, counted('CPL', cpu.cpl), counted('IOPL', iopl));
  const limit = registers.number('TR.limit');
  const rights = registers.number('TR.attributes');
  const has = checks.require(
    'TR holds a TSS with room for a bit map',
    (rights & 9) === 9 && (rights & 0x1_0000) === 0 && limit >= 0x67,
    shown('TSS limit', limit),
  );
  if (!has) return checks.fault('#GP', 0);
  const base = registers.get('TR.base');
  const mapBase = cpu.mmu.read(BigInt.asUintN(64, base + 0x66n), 2, 'implicit');
  if (typeof mapBase !== 'bigint') return mapBase;
  const at = Number(mapBase) + (port >> 3);
  // The processor always reads two bytes, so the map ends with a byte of ones.
  if (
    !checks.require(
      'the bits of the port lie within the TSS',
      at + 1 <= limit,
      shown('port', port),
      shown('TSS limit', limit),
    )
  )
    return checks.fault('#GP', 0);
  const bits = cpu.mmu.read(BigInt.asUintN(64, base + BigInt(at)), 2, 'implicit');
  if (typeof bits !== 'bigint') return bits;
  const wanted = ((1 << bytes) - 1) << (port & 7);
  const clear = (Number(bits) & wanted) === 0;
  return checks.require('the bit map of the TSS permits the port', clear, shown('port', port), shown('bits', bits))
    ? undefined
    : checks.fault('#GP', 0);
}

export function portIn(cpu: Processor, port: number, bytes: number): bigint {
  notePort(cpu, port, bytes);
  const value = cpu.ports.read(port, bytes);
  cpu.charge(cpu.costModel.portAccess.cycles);
  report(cpu, 'in', port, bytes, value);
  return BigInt(value);
}

export function portOut(cpu: Processor, port: number, bytes: number, value: number): undefined {
  notePort(cpu, port, bytes);
  cpu.ports.write(port, bytes, value);
  cpu.charge(cpu.costModel.portAccess.cycles);
  report(cpu, 'out', port, bytes, value);
}

function report(cpu: Processor, direction: 'in' | 'out', port: number, bytes: number, value: number): void {
  if (!cpu.observed) return;
  const width = bytes === 1 ? 8 : bytes === 2 ? 16 : 32;
  cpu.emit({kind: 'port', direction, port, width, value, device: cpu.ports.deviceAt(port)?.name});
}
