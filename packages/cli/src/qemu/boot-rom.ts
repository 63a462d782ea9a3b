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
const APIC_SPURIOUS = 0xfee0_00f0;
const APIC_LINT0 = 0xfee0_0350;
const CR0_PE = 1n;
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

/** A PIIX4's ACPI registers answer where its PCI configuration says, from 600h on as firmware has it: power off is port 604h. */
const POWER_MANAGEMENT = `
  mov dx, 0xcf8
  mov eax, 0x80000b40   ; bus 0, device 1, function 3: PMBA
  out dx, eax
  mov dx, 0xcfc
  mov eax, 0x601
  out dx, eax
  mov dx, 0xcf8
  mov eax, 0x80000b80   ; PMREGMISC: decode it
  out dx, eax
  mov dx, 0xcfc
  mov al, 1
  out dx, al`;

/**
 * Into protected mode by segments of the ROM's own, and INTR of the interrupt controllers through the local APIC to the
 * processor ("virtual wire mode", MultiProcessor Specification 1.4, section 3.6.2.2): after reset LINT0 is masked, a firmware
 * opens it, and a guest that knows only the 8259 relies on that.
 */
function start(r: Registers): string {
  return `
bits 16
org ${hex(ROM)}
  o32 lgdt [cs:own_gdtr - ${hex(ROM)}]
  mov eax, ${hex(CR0_PE)}
  mov cr0, eax
  jmp dword 8:protected
own_gdt:
  dq 0
  dq 0x00cf9b000000ffff  ; 8: code, flat, 32 bits
  dq 0x00cf93000000ffff  ; 16: data, flat
  dq 0x00009b0f0000ffff  ; 24: code as in real mode, here
  dq 0x000093000000ffff  ; 32: data as in real mode
own_gdtr: dw 39
  dd own_gdt
gdtr: dw ${hex(r('GDTR.limit'))}
  dd ${hex(r('GDTR.base'))}, 0
idtr: dw ${hex(r('IDTR.limit'))}
  dd ${hex(r('IDTR.base'))}, 0
bits 32
protected:
  mov ax, 16
  mov ds, ax
  mov ss, ax
${POWER_MANAGEMENT}
  mov dword [${hex(APIC_SPURIOUS)}], 0x1ff   ; the APIC is on
  mov dword [${hex(APIC_LINT0)}], 0x700      ; ExtINT: ask the 8259 for the vector
`;
}

function realMode(r: Registers): string {
  return `${start(r)}
  jmp 24:back - ${hex(ROM)}
bits 16
back:
  mov ax, 32
  mov ds, ax
  mov ss, ax
  mov eax, ${hex(r('CR0'))}
  mov cr0, eax
  jmp 0xf000:real - ${hex(ROM)}
real:
  o32 lgdt [cs:gdtr - ${hex(ROM)}]
  lidt [cs:idtr - ${hex(ROM)}]
${dataSegments(r)}
${general(r, 'e')}
  jmp ${hex(r('CS.selector'))}:${hex(r('RIP'))}
`;
}

/**
 * The guest's control registers, its descriptor table and its task, from the ROM's 32-bit segment: MOV CR0 that enters IA-32e
 * mode from a segment with L = 1 is a #GP.
 */
function intoState(r: Registers, beforePaging: string): string {
  return `${start(r)}
  ; LTR wants an available TSS and leaves it busy, as the loader's table has it
  and byte [${hex(r('GDTR.base') + r('TR.selector') + 5n)}], 0xfd
  mov eax, ${hex(r('CR4'))}
  mov cr4, eax
  mov eax, ${hex(r('CR3'))}
  mov cr3, eax
${beforePaging}
  mov eax, ${hex(r('CR0'))}
  mov cr0, eax
  lgdt [gdtr]
`;
}

const guestSegments = (r: Registers): string => `${dataSegments(r)}
  mov ax, ${hex(r('TR.selector'))}
  ltr ax
`;

function protectedMode(r: Registers): string {
  return `${intoState(r, '')}
${guestSegments(r)}
  lidt [idtr]
${general(r, 'e')}
  jmp ${hex(r('CS.selector'))}:${hex(r('RIP'))}
`;
}

function longMode(r: Registers): string {
  const efer = `
  mov ecx, 0xc0000080
  mov eax, ${hex(r('EFER') & ~EFER_LMA)}
  xor edx, edx
  wrmsr`;
  return `${intoState(r, efer)}
  jmp ${hex(r('CS.selector'))}:long
bits 64
long:
${guestSegments(r)}
  lidt [abs idtr]
${general(r, 'r')}
  jmp [rel entry]
entry: dq ${hex(r('RIP'))}
`;
}
