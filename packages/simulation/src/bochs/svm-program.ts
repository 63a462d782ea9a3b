// The hypervisor that runs the cases of SVM, as text for the assembler. See vmx-program.ts, whose outline it has.

import {PRINTING} from './printing.js';
import {SVM_CASES} from './svm-cases.js';
import type {SvmCase} from './svm-cases.js';

/** Words of a case: [name, where in the VMCB it goes, bytes]; those without a place are used otherwise. */
const DIRECT: readonly (readonly [name: keyof SvmCase, offset: number, register: 'eax' | 'rax'])[] = [
  ['controlRegisters', 0x000, 'eax'],
  ['debugRegisters', 0x004, 'eax'],
  ['exceptions', 0x008, 'eax'],
  ['asid', 0x058, 'eax'],
  ['virtualInterrupt', 0x060, 'rax'],
  ['nested', 0x090, 'rax'],
  ['inject', 0x0a8, 'eax'],
  ['efer', 0x4d0, 'rax'],
  ['cr0', 0x558, 'rax'],
  ['rflags', 0x570, 'rax'],
];
const OTHER = ['word3', 'word4', 'nestedEntry', 'rcx', 'rdx', 'rbx'] as const;
const WORDS = [...OTHER, ...DIRECT.map(([name]) => name)];
const DEFAULTS: Partial<Record<keyof SvmCase, number>> = {
  nestedEntry: 0x3_0007,
  rflags: 2,
  asid: 1,
  efer: 0x1500,
  cr0: 0x8000_0031,
};
const RECORD_BYTES = 8 * (WORDS.length + 1);
const VMCB = 0x2_1000;

const offsetOf = (name: keyof SvmCase): number => 8 * WORDS.findIndex(word => word === name);
const wordOf = (each: SvmCase, name: keyof SvmCase): string => {
  const value = each[name] ?? DEFAULTS[name] ?? 0;
  return `0x${(typeof value === 'number' ? value >>> 0 : 0).toString(16)}`;
};
const store = (offset: number, value: string): string => `
        mov rax, ${value}
        mov [${VMCB + offset}], rax`;
const segment = (number: number, selector: number, attributes: number): string =>
  store(
    0x400 + 16 * number,
    `0x${(0xffff_ffff_0000_0000n | (BigInt(attributes) << 16n) | BigInt(selector)).toString(16)}`,
  );

const SETUP = `
        bits 64
        org 0x8000
start:  mov rsp, 0x7c00
        mov ecx, 0xc0000080
        rdmsr
        or eax, 0x1000
        wrmsr
        mov ecx, 0xc0010117
        mov eax, 0x20000
        xor edx, edx
        wrmsr
; Permissions maps of ones.
        mov rdi, 0x22000
        mov rax, -1
        mov ecx, 0xa00
        rep stosq
; Nested tables: 1 GiB, one to one, the first 2 MiB in small pages.
        mov qword [0x28000], 0x29007
        mov qword [0x29000], 0x2a007
        mov rdi, 0x2a000
        mov rax, 0x87
        mov ecx, 512
large:  mov [rdi], rax
        add rax, 0x200000
        add rdi, 8
        dec ecx
        jnz large
        mov qword [0x2a000], 0x2b007
        mov rdi, 0x2b000
        mov rax, 7
        mov ecx, 512
small:  mov [rdi], rax
        add rax, 0x1000
        add rdi, 8
        dec ecx
        jnz small
        mov r15, cases`;

const ENTRY = `
next:   mov rdi, ${VMCB}
        xor eax, eax
        mov ecx, 512
        rep stosq
        mov rax, [r15 + ${offsetOf('nestedEntry')}]
        mov [0x2b000 + 8 * 0x30], rax
        mov eax, [r15 + ${offsetOf('word3')}]
        or eax, 0x81000000
        mov [${VMCB + 0x00c}], eax
        mov eax, [r15 + ${offsetOf('word4')}]
        or eax, 1
        mov [${VMCB + 0x010}], eax
${store(0x040, '0x22000')}${store(0x048, '0x25000')}${store(0x0b0, '0x28000')}${store(0x668, '0x0007040600070406')}
${DIRECT.map(
  ([name, offset, register]) => `
        mov ${register}, [r15 + ${offsetOf(name)}]
        mov [${VMCB + offset}], ${register}`,
).join('')}
${segment(0, 0x18, 0xc93)}${segment(1, 0x10, 0x29b)}${segment(2, 0x18, 0xc93)}${segment(3, 0x18, 0xc93)}
${store(0x460, '0x0000001f00000000')}
        mov byte [${VMCB + 0x05c}], 1 ; TLB_CONTROL: nothing of the last case
        mov rax, cr3
        mov [${VMCB + 0x550}], rax
        mov rax, cr4
        mov [${VMCB + 0x548}], rax
${store(0x560, '0x400')}${store(0x568, '0xffff0ff0')}${store(0x578, `[r15 + ${RECORD_BYTES - 8}]`)}${store(0x5d8, '0x7000')}
${store(0x0c8, `[r15 + ${RECORD_BYTES - 8}]`)}
        mov rsi, 0x30000
        mov rdi, 0x30800
        mov rbp, 0
        mov rcx, [r15 + ${offsetOf('rcx')}]
        mov rdx, [r15 + ${offsetOf('rdx')}]
        mov rbx, [r15 + ${offsetOf('rbx')}]
        mov qword [${VMCB + 0x5f8}], 1
        mov rax, ${VMCB}
        vmrun
${[0x070, 0x078, 0x080, 0x088]
  .map(
    offset => `
        mov rax, [${VMCB + offset}]
        call hex
        mov al, ' '
        call put`,
  )
  .join('')}
        mov rax, [${VMCB + 0x0c8}]
        test rax, rax
        jz none
        sub rax, [r15 + ${RECORD_BYTES - 8}]
none:   call hex
        mov al, ' '
        call put
        mov rax, [${VMCB + 0x578}]
        sub rax, [r15 + ${RECORD_BYTES - 8}]
        call hex
        mov al, 10
        call put
        add r15, ${RECORD_BYTES}
        cmp r15, cases_end
        jb next`;

/** The whole program. */
export function svmProgram(): string {
  const records = SVM_CASES.map(
    (each, index) => `        dq ${WORDS.map(name => wordOf(each, name)).join(', ')}, code_${index}`,
  );
  const codes = SVM_CASES.map((each, index) => {
    const bytes = [...each.code.split(' ').filter(byte => byte !== ''), 'f4'].map(byte => `0x${byte}`);
    return `code_${index}: db ${bytes.join(', ')}`;
  });
  return [SETUP, ENTRY, PRINTING, '        align 16', 'cases:', ...records, 'cases_end:', ...codes, ''].join('\n');
}
