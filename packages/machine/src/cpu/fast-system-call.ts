// SYSCALL, SYSRET, SYSENTER, SYSEXIT and SWAPGS: into ring 0 and back without touching memory.
// The segments are not read from the GDT; they become flat by definition. SDM vol. 2, "SYSCALL—Fast System Call".
// AMD invented SYSCALL and has it in every mode (APM vol. 3, "SYSCALL", "SYSRET"); Intel has SYSENTER in long mode too.

import type {Instruction} from '@hyperscope/isa';
import {RFLAGS, RIP, RSP} from './cell-indexes.js';
import {Checklist, shown} from './faults.js';
import {RFLAGS_IF, RFLAGS_RF, RFLAGS_VM, is64Bit, isCanonical, isLongMode} from './modes.js';
import type {Processor} from './processor.js';
import type {SegmentValues} from './register-file.js';
import type {Trouble} from './trouble.js';

/** Flat segments, present, accessed, with G: code 64-bit (L), code 32-bit (D), data (B). */
const CODE_64 = 0xa09b;
const CODE_32 = 0xc09b;
const DATA = 0xc093;

const flat = (selector: number, attributes: number, dpl: number): SegmentValues => ({
  selector,
  base: 0n,
  limit: 0xffff_ffff,
  attributes: attributes | (dpl << 5),
});

/** #UD: SYSCALL and SYSRET outside 64-bit mode on Intel's processors, SYSENTER and SYSEXIT in long mode on AMD's. */
export function requireSystemCallMode(cpu: Processor, {mnemonic, form}: Instruction): Trouble | undefined {
  const isAmd = cpu.profile.maker === 'AMD';
  const checks = new Checklist(isAmd ? `APM vol. 3, "${mnemonic}"` : form.source);
  const exists =
    mnemonic === 'SYSCALL' || mnemonic === 'SYSRET'
      ? checks.require("64-bit mode, on Intel's processors", isAmd || is64Bit(cpu.registers))
      : checks.require("outside long mode, on AMD's processors", !isAmd || !isLongMode(cpu.registers));
  return exists ? undefined : checks.fault('#UD');
}

/** APM vol. 3, "SYSCALL": in legacy mode EIP and the selectors are in STAR; nothing but VM, IF and RF changes in EFLAGS. */
function legacySyscall(cpu: Processor): undefined {
  const {registers} = cpu;
  const star = registers.get('STAR');
  const selector = Number((star >> 32n) & 0xfffcn);
  registers.set('RCX', (registers.cells[RIP] ?? 0n) & 0xffff_ffffn);
  registers.cells[RIP] = star & 0xffff_ffffn;
  registers.cells[RFLAGS] = (registers.cells[RFLAGS] ?? 0n) & ~BigInt(RFLAGS_VM | RFLAGS_IF | RFLAGS_RF);
  registers.setSegment('CS', flat(selector, CODE_32, 0));
  registers.setSegment('SS', flat(selector + 8, DATA, 0));
  cpu.charge(cpu.costModel.syscall.cycles);
  cpu.enterRing(0, 'SYSCALL');
}

/** In compatibility mode of AMD's processors the handler is at CSTAR. */
export function syscall(cpu: Processor): undefined {
  if (!isLongMode(cpu.registers)) return legacySyscall(cpu);
  const {registers} = cpu;
  const flags = registers.cells[RFLAGS] ?? 0n;
  registers.set('RCX', registers.cells[RIP] ?? 0n);
  registers.set('R11', flags & ~BigInt(RFLAGS_RF));
  registers.cells[RIP] = registers.get(is64Bit(registers) ? 'LSTAR' : 'CSTAR');
  registers.cells[RFLAGS] = (flags & ~registers.get('FMASK') & ~BigInt(RFLAGS_RF)) | 2n;
  const selector = Number((registers.get('STAR') >> 32n) & 0xfffcn);
  registers.setSegment('CS', flat(selector, CODE_64, 0));
  registers.setSegment('SS', flat(selector + 8, DATA, 0));
  cpu.charge(cpu.costModel.syscall.cycles);
  cpu.enterRing(0, 'SYSCALL');
}

/** To 64-bit mode with REX.W, to compatibility mode without. */
export function sysret(cpu: Processor, instruction: Instruction): Trouble | undefined {
  if (cpu.profile.maker === 'AMD') return amdSysret(cpu, instruction);
  const {registers} = cpu;
  const isLong = instruction.width === 64;
  const target = registers.get('RCX');
  // Intel's processors fault here while still in ring 0, with the user's stack: the source of a famous family of bugs.
  const checks = new Checklist('SDM vol. 2, "SYSRET—Return From Fast System Call"');
  if (!checks.require('RCX is canonical', !isLong || isCanonical(target), shown('RCX', target)))
    return checks.fault('#GP', 0);
  const base = Number((registers.get('STAR') >> 48n) & 0xffffn);
  const code = ((isLong ? base + 16 : base) | 3) & 0xffff;
  registers.cells[RIP] = isLong ? target : target & 0xffff_ffffn;
  registers.cells[RFLAGS] = (registers.get('R11') & 0x3c_7fd7n) | 2n;
  registers.setSegment('CS', flat(code, isLong ? CODE_64 : CODE_32, 3));
  registers.setSegment('SS', flat(((base + 8) | 3) & 0xffff, DATA, 3));
  cpu.charge(cpu.costModel.syscall.cycles);
  cpu.enterRing(3, 'SYSRET');
  return undefined;
}

/**
 * APM vol. 3, "SYSRET": the target is not checked here (a non-canonical one faults at its fetch, in ring 3), SS keeps its
 * hidden part, and in legacy mode IF is set, because EFLAGS was not saved.
 */
function amdSysret(cpu: Processor, instruction: Instruction): undefined {
  const {registers} = cpu;
  const isLong = instruction.width === 64;
  const target = registers.get('RCX');
  const base = Number((registers.get('STAR') >> 48n) & 0xffffn);
  registers.cells[RIP] = isLong ? target : target & 0xffff_ffffn;
  registers.cells[RFLAGS] = is64Bit(registers)
    ? (registers.get('R11') & 0x3c_7fd7n) | 2n
    : (registers.cells[RFLAGS] ?? 0n) | BigInt(RFLAGS_IF);
  registers.setSegment('CS', flat(((isLong ? base + 16 : base) | 3) & 0xffff, isLong ? CODE_64 : CODE_32, 3));
  registers.set('SS.selector', BigInt((base + 8) & 0xffff));
  cpu.charge(cpu.costModel.syscall.cycles);
  cpu.enterRing(3, 'SYSRET');
}

/** The selector is 0 until the system has written IA32_SYSENTER_CS. */
function sysenterSelector(cpu: Processor, name: string): number | Trouble {
  const selector = Number(cpu.registers.get('SYSENTER_CS') & 0xfffcn);
  const checks = new Checklist(`SDM vol. 2, "${name}"`);
  return checks.require('IA32_SYSENTER_CS names a segment', selector !== 0, shown('IA32_SYSENTER_CS', selector))
    ? selector
    : checks.fault('#GP', 0);
}

/** Nothing is saved: the caller knows where to return to. In IA-32e mode the handler is 64-bit code. */
export function sysenter(cpu: Processor): Trouble | undefined {
  const selector = sysenterSelector(cpu, 'SYSENTER—Fast System Call');
  if (typeof selector !== 'number') return selector;
  const {registers} = cpu;
  const isLong = isLongMode(registers);
  const width = isLong ? 64 : 32;
  registers.cells[RFLAGS] = (registers.cells[RFLAGS] ?? 0n) & ~BigInt(RFLAGS_VM | RFLAGS_IF | RFLAGS_RF);
  registers.cells[RIP] = BigInt.asUintN(width, registers.get('SYSENTER_EIP'));
  registers.cells[RSP] = BigInt.asUintN(width, registers.get('SYSENTER_ESP'));
  registers.setSegment('CS', flat(selector, isLong ? CODE_64 : CODE_32, 0));
  registers.setSegment('SS', flat(selector + 8, DATA, 0));
  cpu.charge(cpu.costModel.syscall.cycles);
  cpu.enterRing(0, 'SYSENTER');
  return undefined;
}

/** To EDX with the stack ECX; with REX.W to 64-bit mode, whose selectors lie 16 further on. */
export function sysexit(cpu: Processor, instruction: Instruction): Trouble | undefined {
  const selector = sysenterSelector(cpu, 'SYSEXIT—Fast Return from Fast System Call');
  if (typeof selector !== 'number') return selector;
  const {registers} = cpu;
  const isLong = instruction.width === 64;
  const [target, stack] = [registers.get('RDX'), registers.get('RCX')];
  const checks = new Checklist('SDM vol. 2, "SYSEXIT—Fast Return from Fast System Call"');
  const isFine = !isLong || (isCanonical(target) && isCanonical(stack));
  if (!checks.require('RDX and RCX are canonical', isFine, shown('RDX', target), shown('RCX', stack)))
    return checks.fault('#GP', 0);
  const code = selector + (isLong ? 32 : 16);
  registers.cells[RIP] = isLong ? target : target & 0xffff_ffffn;
  registers.cells[RSP] = isLong ? stack : stack & 0xffff_ffffn;
  registers.setSegment('CS', flat(code | 3, isLong ? CODE_64 : CODE_32, 3));
  registers.setSegment('SS', flat((code + 8) | 3, DATA, 3));
  cpu.charge(cpu.costModel.syscall.cycles);
  cpu.enterRing(3, 'SYSEXIT');
  return undefined;
}

export function swapgs(cpu: Processor): undefined {
  const {registers} = cpu;
  const visible = registers.get('GS.base');
  registers.set('GS.base', registers.get('KERNEL_GS_BASE'));
  registers.set('KERNEL_GS_BASE', visible);
}
