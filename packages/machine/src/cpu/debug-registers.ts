// The debug registers, as state: MOV to and from DR0 to DR7. How their breakpoints strike is in breakpoints.ts. SDM vol. 3B, "Debug Registers".

import type {Cell} from '@hyperscope/isa';
import {assertExists} from '@hyperscope/base';
import {Checklist, counted, shown} from './faults.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';

const CELLS: readonly Cell[] = ['DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7', 'DR6', 'DR7'];
const CR4_DE = 1n << 3n;
const DR7_GENERAL_DETECT = 1n << 13n;
const DR6_FIXED = 0xffff_0ff0n;
const DR7_FIXED = 0x400n;
const DR6_DEBUG_REGISTER_ACCESS = 1n << 13n;

/** DR4 and DR5 mean DR6 and DR7, unless CR4.DE makes them #UD. */
function cellOf(cpu: Processor, number: number): Cell | Trouble {
  const checks = new Checklist('SDM vol. 3B, "Debug Registers DR4 and DR5"');
  const aliased = number === 4 || number === 5;
  const isFine = checks.require(
    'CR4.DE = 0 (DR4 and DR5)',
    !aliased || (cpu.registers.get('CR4') & CR4_DE) === 0n,
    counted('register', number),
  );
  if (!isFine) return checks.fault('#UD');
  return assertExists(CELLS[number], `no debug register ${number}`);
}

function checkGeneralDetect(cpu: Processor): Trouble | undefined {
  const dr7 = cpu.registers.get('DR7');
  const checks = new Checklist('SDM vol. 3B, "Debug Control Register (DR7)"');
  if (checks.require('DR7.GD = 0', (dr7 & DR7_GENERAL_DETECT) === 0n, shown('DR7', dr7))) return undefined;
  return {...checks.fault('#DB'), debugStatus: DR6_DEBUG_REGISTER_ACCESS};
}

export function readDebugRegister(cpu: Processor, number: number): bigint | Trouble {
  const cell = cellOf(cpu, number);
  if (typeof cell !== 'string') return cell;
  return checkGeneralDetect(cpu) ?? cpu.registers.get(cell);
}

export function loadDebugRegister(cpu: Processor, number: number, value: bigint): Trouble | undefined {
  const cell = cellOf(cpu, number);
  if (typeof cell !== 'string') return cell;
  const trouble = checkGeneralDetect(cpu);
  if (trouble !== undefined) return trouble;
  const isStatus = cell === 'DR6' || cell === 'DR7';
  const checks = new Checklist('SDM vol. 3B, "Debug Registers and Intel 64 Processors"');
  if (!checks.require('bits 63:32 = 0', !isStatus || value >> 32n === 0n, shown(cell, value)))
    return checks.fault('#GP', 0);
  const fixed = cell === 'DR6' ? DR6_FIXED : cell === 'DR7' ? DR7_FIXED : 0n;
  cpu.registers.set(cell, cell === 'DR6' ? (value & 0xe00fn) | fixed : value | fixed);
  return undefined;
}
