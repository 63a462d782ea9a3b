// A ROM that brings a processor after reset into the state that a loader asks for, and jumps to the guest. QEMU starts
// every machine at its reset vector, so a guest that begins in 64-bit mode needs somebody who was there before.
//
//   the ROM is the last 64 KiB below 4 GiB, and the same bytes below 1 MiB: F000:0000 is its first byte, F000:FFF0 the reset

import {assemble} from '@hyperscope/assembler';
import {UserError, assert, hex} from '@hyperscope/base';
import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import type {Program} from '../run/program.js';

const ROM_BYTES = 0x1_0000;
const ROM = 0xf_0000;
const RESET = 0xfff0;
const CR0_PE = 1n;
const CR0_PG = 1n << 31n;
const EFER_LMA = 1n << 10n;
const FLAGS_AFTER_RESET = 2n;
const DATA_SEGMENTS = ['DS', 'ES', 'FS', 'GS', 'SS'] as const;

type Registers = (cell: Cell) => bigint;

/** The last bytes of the ROM: a far jump to its first. */
const RESET_JUMP = [0xea, 0x00, 0x00, 0x00, 0xf0];

/** @throws UserError 'no-qemu-start' for a state that this ROM does not make. */
export function bootRom({registers}: Pick<Program['loaded']['image'], 'registers'>): Uint8Array {
  const r: Registers = cell => registers[cell] ?? 0n;
  if (r('RFLAGS') !== FLAGS_AFTER_RESET)
    throw new UserError(
      'no-qemu-start',
      `The ROM that starts a guest under QEMU leaves RFLAGS as after reset (2h), and this guest wants ${hex(r('RFLAGS'))}.`,
    );
  const assembly = assemble(romSource(r), {fileName: 'boot-rom.asm'});
  assert(assembly.ok, 'the ROM assembles');
  const rom = new Uint8Array(ROM_BYTES).fill(0xf4);
  rom.set(assembly.bytes);
  rom.set(RESET_JUMP, RESET);
  return rom;
}

function romSource(r: Registers): string {
  if ((r('CR0') & CR0_PE) === 0n) return realMode(r);
  return (r('EFER') & EFER_LMA) === 0n ? protectedMode(r) : longMode(r);
}

const dataSegments = (r: Registers): string =>
  DATA_SEGMENTS.map(name => `  mov ax, ${hex(r(`${name}.selector`))}\n  mov ${name.toLowerCase()}, ax`).join('\n');

const general = (r: Registers, prefix: 'e' | 'r'): string =>
  GENERAL_REGISTERS.filter(name => prefix === 'r' || !/^R\d/.test(name))
    .map(name => {
      const short = /^R\d/.test(name) ? name.toLowerCase() : `${prefix}${name.slice(1).toLowerCase()}`;
      return `mov ${short}, ${hex(prefix === 'r' ? r(name) : BigInt.asUintN(32, r(name)))}`;
    })
    .join('\n');

function realMode(r: Registers): string {
  return `
bits 16
org 0
  lidt [cs:idtr]
${dataSegments(r)}
${general(r, 'e')}
  jmp ${hex(r('CS.selector'))}:${hex(r('RIP'))}
idtr: dw ${hex(r('IDTR.limit'))}
  dd ${hex(r('IDTR.base'))}
`;
}

/** Into protected mode through the guest's own descriptor table, whose code segment may be one of 64-bit code. */
function enterProtected(r: Registers, bits: 16 | 32): string {
  return `
bits 16
org ${hex(ROM)}
  o32 lgdt [cs:gdtr - ${hex(ROM)}]
  mov eax, ${hex((r('CR0') & ~CR0_PG) | CR0_PE)}
  mov cr0, eax
  jmp dword ${hex(r('CS.selector'))}:protected
gdtr: dw ${hex(r('GDTR.limit'))}
  dd ${hex(r('GDTR.base'))}
idtr: dw ${hex(r('IDTR.limit'))}
  dd ${hex(r('IDTR.base'))}, 0
bits ${bits}
protected:
${dataSegments(r)}
  ; LTR wants an available TSS and leaves it busy, as the loader's table has it
  and byte [dword ${hex(r('GDTR.base') + r('TR.selector') + 5n)}], 0xfd
  mov ax, ${hex(r('TR.selector'))}
  ltr ax
  mov eax, ${hex(r('CR4'))}
  mov cr4, eax
  mov eax, ${hex(r('CR3'))}
  mov cr3, eax
`;
}

function protectedMode(r: Registers): string {
  const paging = (r('CR0') & CR0_PG) === 0n ? '' : `  mov eax, ${hex(r('CR0'))}\n  mov cr0, eax\n`;
  return `${enterProtected(r, 32)}
${paging}
  lidt [idtr]
${general(r, 'e')}
  jmp ${hex(r('CS.selector'))}:${hex(r('RIP'))}
`;
}

/** As long as EFER.LMA is 0, a descriptor of 64-bit code (L = 1, D = 0) makes a 16-bit segment. */
function longMode(r: Registers): string {
  return `${enterProtected(r, 16)}
  mov ecx, 0xc0000080
  mov eax, ${hex(r('EFER') & ~EFER_LMA)}
  mov edx, 0
  wrmsr
  mov eax, ${hex(r('CR0'))}
  mov cr0, eax
  jmp dword ${hex(r('CS.selector'))}:long
bits 64
long:
  lidt [abs idtr]
${general(r, 'r')}
  jmp [rel entry]
entry: dq ${hex(r('RIP'))}
`;
}
