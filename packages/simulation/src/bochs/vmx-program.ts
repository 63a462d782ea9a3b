// The hypervisor that runs the cases, as text for the assembler: 64-bit code at 8000h, started by a boot sector that has set up long
// mode with identical pages (2 MiB at least) in its own tables, CS 10h. It prints through port E9h: one line of hexadecimal numbers
// for each case, `F` and the VM-instruction error where the entry failed.

import {PRINTING} from './printing.js';
import {VMX_CASES} from './vmx-cases.js';
import type {VmxCase} from './vmx-cases.js';

/** Words of a case in the program: [name, encoding of the VMCS field that it goes to as it is]. */
const DIRECT: readonly (readonly [keyof VmxCase, number])[] = [
  ['exceptions', 0x4004],
  ['cr0Mask', 0x6000],
  ['cr0Shadow', 0x6004],
  ['cr4Mask', 0x6002],
  ['inject', 0x4016],
  ['injectedLength', 0x401a],
  ['tprThreshold', 0x401c],
  ['rflags', 0x6820],
  ['activity', 0x4826],
  ['interruptibility', 0x4824],
];
const OTHER = ['pin', 'primary', 'secondary', 'eptEntry', 'rcx', 'rdx', 'rbx'] as const;
const WORDS = [...OTHER, ...DIRECT.map(([name]) => name)];
const DEFAULTS: Partial<Record<keyof VmxCase, number>> = {eptEntry: 0x3_0037, rflags: 2};
const RECORD_BYTES = 8 * (WORDS.length + 1);

const offsetOf = (name: keyof VmxCase): number => 8 * WORDS.findIndex(word => word === name);
const wordOf = (each: VmxCase, name: keyof VmxCase): string => {
  const value = each[name] ?? DEFAULTS[name] ?? 0;
  return `0x${(typeof value === 'number' ? value >>> 0 : 0).toString(16)}`;
};

/** A control word: what is asked for, and what its capability MSR demands; what does not exist is dropped, but for 'kept'. */
const control = (encoding: number, msr: number, wanted: string): string => `
        mov ecx, ${msr}
        rdmsr
        or eax, ${wanted}
        mov ebx, eax
        mov eax, ${encoding}
        vmwrite rax, rbx`;
const field = (encoding: number, value: string): string => `
        mov eax, ${encoding}
        mov rbx, ${value}
        vmwrite rax, rbx`;
const segment = (number: number, selector: number, rights: number): string =>
  field(0x0800 + 2 * number, String(selector)) +
  field(0x4800 + 2 * number, number === 6 || number === 7 ? '0x67' : '0xffffffff') +
  field(0x4814 + 2 * number, String(rights));

const SETUP = `
        bits 64
        org 0x8000
start:  mov rsp, 0x7c00
        mov rax, cr4
        or rax, 0x2000
        mov cr4, rax
        mov rax, cr0
        or rax, 0x20
        mov cr0, rax
        mov ecx, 0x3a
        rdmsr
        test al, 1
        jnz decided
        or eax, 5
        wrmsr
decided:
        mov ecx, 0x480
        rdmsr
        mov [0x20000], eax
        mov [0x21000], eax
        vmxon [vmxon_pointer]
        jna finish
        lgdt [gdt_register]
        mov ax, 0x20
        ltr ax
; The EPT of cases that have one: 1 GiB, one to one, the first 2 MiB in small pages.
        mov qword [0x28000], 0x29007
        mov qword [0x29000], 0x2a007
        mov rdi, 0x2a000
        mov rax, 0xb7
        mov ecx, 512
large:  mov [rdi], rax
        add rax, 0x200000
        add rdi, 8
        dec ecx
        jnz large
        mov qword [0x2a000], 0x2b007
        mov rdi, 0x2b000
        mov rax, 0x37
        mov ecx, 512
small:  mov [rdi], rax
        add rax, 0x1000
        add rdi, 8
        dec ecx
        jnz small
        mov r15, cases`;

const ENTRY = `
next:   mov dword [0x26080], 0x50 ; VTPR
        vmclear [vmcs_pointer]
        vmptrld [vmcs_pointer]
        mov rax, [r15 + ${offsetOf('eptEntry')}]
        mov [0x2b000 + 8 * 0x30], rax
${control(0x4000, 0x48d, `[r15 + ${offsetOf('pin')}]`)}
${control(0x4002, 0x48e, `[r15 + ${offsetOf('primary')}]`)}
        or ebx, 0x80000080
        vmwrite rax, rbx
${control(0x401e, 0x48b, `[r15 + ${offsetOf('secondary')}]`)}
${control(0x400c, 0x48f, '0x200')}
${control(0x4012, 0x490, '0x200')}
${field(0x2800, '-1')}${field(0x6822, '0')}${field(0x2802, '0')}${field(0x2012, '0x26000')}${field(0x201a, '0x2801e')}
${DIRECT.map(([name, encoding]) => field(encoding, `[r15 + ${offsetOf(name)}]`)).join('')}
${[0, 2, 3, 4, 5].map(number => segment(number, 0x18, 0xc093)).join('')}${segment(1, 0x10, 0xa09b)}
${segment(6, 0, 0x1_0000)}${segment(7, 0x20, 0x8b)}
${field(0x4810, '0x2f')}${field(0x6816, 'gdt')}${field(0x681a, '0x400')}${field(0x681c, '0x7000')}
${field(0x681e, `[r15 + ${RECORD_BYTES - 8}]`)}
${[
  ['cr0', 0x6800, 0x6c00],
  ['cr3', 0x6802, 0x6c02],
  ['cr4', 0x6804, 0x6c04],
]
  .map(
    ([register, guest, host]) => `
        mov rbx, ${register}
        mov eax, ${guest}
        vmwrite rax, rbx
        mov eax, ${host}
        vmwrite rax, rbx`,
  )
  .join('')}
${field(0x0c02, '0x10')}${field(0x0c0c, '0x20')}${field(0x6c0c, 'gdt')}${field(0x6c14, '0x7c00')}${field(0x6c16, 'on_exit')}
        mov rsi, 0x30000
        mov rdi, 0x30800
        mov rbp, 0
        mov rcx, [r15 + ${offsetOf('rcx')}]
        mov rdx, [r15 + ${offsetOf('rdx')}]
        mov rbx, [r15 + ${offsetOf('rbx')}]
        mov rax, 1
        vmlaunch
        mov al, 'F'
        call put
        mov al, ' '
        call put
        mov eax, 0x4400
        vmread rax, rax
        call hex
        jmp line`;

/** In the order of COLUMNS; RIP is printed from the guest's first byte on. */
const ENCODINGS = [0x4402, 0x6400, 0x440c, 0x440e, 0x4404, 0x4406, 0x4408, 0x640a, 0x2400];
const REPORT = `
on_exit:
${ENCODINGS.map(
  encoding => `
        mov eax, ${encoding}
        vmread rax, rax
        call hex
        mov al, ' '
        call put`,
).join('')}
        mov eax, 0x681e
        vmread rax, rax
        sub rax, [r15 + ${RECORD_BYTES - 8}]
        call hex
line:   mov al, 10
        call put
        add r15, ${RECORD_BYTES}
        cmp r15, cases_end
        jb next`;

const DATA = `
        align 16
vmxon_pointer: dq 0x20000
vmcs_pointer:  dq 0x21000
gdt_register:  dw 0x2f
               dq gdt
        align 16
gdt:    dq 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
        dq 0x0000890050000067, 0`;

/** The whole program. */
export function vmxProgram(): string {
  const records = VMX_CASES.map(
    (each, index) => `        dq ${WORDS.map(name => wordOf(each, name)).join(', ')}, code_${index}`,
  );
  const codes = VMX_CASES.map((each, index) => {
    const bytes = [...each.code.split(' ').filter(byte => byte !== ''), 'f4'].map(byte => `0x${byte}`);
    return `code_${index}: db ${bytes.join(', ')}`;
  });
  return [
    SETUP,
    ENTRY,
    REPORT,
    PRINTING,
    DATA,
    '        align 16',
    'cases:',
    ...records,
    'cases_end:',
    ...codes,
    '',
  ].join('\n');
}
