; tiny-svm: a hypervisor on AMD's SVM, small enough to be read in one sitting.
;
; It is a guest program like the others, but it runs on a processor that has SVM, and becomes the hypervisor of a guest of
; its own: 16-bit code in real mode, with memory behind nested page tables. Each time that guest is left, the hypervisor
; prints the exit code, says what it was, and answers.
;
;   VMRUN    host -> guest   RAX is the address of the VMCB: 4 KiB that say what the guest is and what it may do
;   #VMEXIT  guest -> host   the instruction after VMRUN; the reason stands in the VMCB
;
; Compare tiny-vmx, which does the same on VT-x: there the control block is closed and has to be asked for field by field.
; Here it is plain memory, read and written by MOV.

        bits 64
        org 0x8000

COM1        equ 0x3f8
EFER        equ 0xc0000080
EFER_SVME   equ 1 << 12
VM_HSAVE_PA equ 0xc0010117

; Pages of our own, above the code.
VMCB        equ 0x20000         ; the guest's control block
HOST_SAVE   equ 0x21000         ; where VMRUN keeps us meanwhile
IOPM        equ 0x22000         ; 12 KiB: a bit for each port that the guest must not use by itself
MSRPM       equ 0x25000         ; 8 KiB: two bits for each model-specific register
NPT         equ 0x27000         ; nested page tables, four pages
GUEST       equ 0x30000         ; the guest's memory: 8 KiB that it takes for physical addresses 0 to 1fff

; Fields of the VMCB: the control area …
INTERCEPT_3 equ VMCB + 0x00c    ; intercepts, word 3
INTERCEPT_4 equ VMCB + 0x010    ; and word 4
IOPM_BASE   equ VMCB + 0x040
MSRPM_BASE  equ VMCB + 0x048
ASID        equ VMCB + 0x058
EXITCODE    equ VMCB + 0x070
EXITINFO1   equ VMCB + 0x078
EXITINFO2   equ VMCB + 0x080
NP_ENABLE   equ VMCB + 0x090
NESTED_CR3  equ VMCB + 0x0b0
NEXT_RIP    equ VMCB + 0x0c8    ; the processor knows how long the instruction was
; … and the guest's state.
G_CS        equ VMCB + 0x410    ; each segment: selector, attributes, limit, base
G_EFER      equ VMCB + 0x4d0
G_CR0       equ VMCB + 0x558
G_DR7       equ VMCB + 0x560
G_DR6       equ VMCB + 0x568
G_RFLAGS    equ VMCB + 0x570
G_RIP       equ VMCB + 0x578
G_RSP       equ VMCB + 0x5d8
G_RAX       equ VMCB + 0x5f8
G_PAT       equ VMCB + 0x668

; Exit codes.
EXIT_CPUID  equ 0x72
EXIT_HLT    equ 0x78
EXIT_IOIO   equ 0x7b
EXIT_VMMCALL equ 0x81
EXIT_NPF    equ 0x400

; ---- switch SVM on ---------------------------------------------------------------------------------------------------

start:
        mov rsp, stack
        mov eax, 0x80000001     ; does CPUID announce SVM? Extended leaf 1, bit 2 of ECX
        cpuid
        bt ecx, 2
        jnc no_svm
        mov eax, 0x8000000a     ; and what of it: nested paging (bit 0), the next RIP (bit 3)?
        cpuid
        and edx, (1 << 0) | (1 << 3)
        cmp edx, (1 << 0) | (1 << 3)
        jne too_old

        mov ecx, EFER
        rdmsr
        or eax, EFER_SVME       ; without this bit, VMRUN is an undefined opcode
        wrmsr
        mov ecx, VM_HSAVE_PA
        mov eax, HOST_SAVE
        xor edx, edx
        wrmsr

        mov rsi, text_on
        call print

; ---- describe the guest ----------------------------------------------------------------------------------------------

; Its memory: guest-physical 0 to 1fff lie at GUEST. One entry on each level; at the last level two pages. Every access of a
; guest counts as a user access in these tables, so the U bit (4) must be set.
        mov qword [NPT], (NPT + 0x1000) | 7
        mov qword [NPT + 0x1000], (NPT + 0x2000) | 7
        mov qword [NPT + 0x2000], (NPT + 0x3000) | 7
        mov qword [NPT + 0x3000], GUEST | 7
        mov qword [NPT + 0x3008], (GUEST + 0x1000) | 7
        mov qword [NP_ENABLE], 1
        mov qword [NESTED_CR3], NPT

; Its program.
        mov rsi, guest_code
        mov rdi, GUEST + 0x1000
        mov ecx, guest_end - guest_code
        rep movsb

; What it must ask for: CPUID (bit 18), HLT (24), ports (27, by the map), shutdown (31); VMRUN (0, required) and VMMCALL (1).
        mov eax, (1 << 18) | (1 << 24) | (1 << 27) | (1 << 31)
        mov [INTERCEPT_3], eax
        mov dword [INTERCEPT_4], (1 << 0) | (1 << 1)
        mov qword [IOPM_BASE], IOPM
        mov qword [MSRPM_BASE], MSRPM
        mov byte [IOPM + COM1 / 8], 1 << COM1 % 8       ; the bit of port 3f8
        mov dword [ASID], 1             ; 0 is the host's own

; How it begins: real mode, at 0100:0000, which is guest-physical 1000.
        mov qword [G_CS], 0x009b0100    ; selector 0100; attributes 09b: present, code, readable
        mov dword [G_CS + 4], 0xffff    ; limit
        mov qword [G_CS + 8], 0x1000    ; base: selector * 16
        mov rdi, VMCB + 0x400           ; ES; SS and DS follow CS
        call data_segment
        mov rdi, VMCB + 0x420
        call data_segment
        mov rdi, VMCB + 0x430
        call data_segment
        mov qword [G_EFER], EFER_SVME   ; required, in the guest too
        mov qword [G_CR0], 0x10         ; ET; not PE: real mode
        mov dword [G_DR6], 0xffff0ff0   ; a 64-bit store would extend the sign, and bits 63:32 must be 0
        mov qword [G_DR7], 0x400
        mov qword [G_RFLAGS], 2
        mov qword [G_RSP], 0x1000
        mov rax, 0x0007040600070406     ; memory types, as after reset
        mov [G_PAT], rax

; ---- run it, and answer ----------------------------------------------------------------------------------------------

run:
        mov eax, VMCB
        vmrun                   ; … until something happens that we wanted to know

        mov rsi, text_exit      ; "exit 72: "
        call print
        mov rax, [EXITCODE]
        call print_hex
        mov rsi, text_colon
        call print

        mov rax, [EXITCODE]
        cmp rax, EXIT_CPUID
        je on_cpuid
        cmp rax, EXIT_IOIO
        je on_port
        cmp rax, EXIT_VMMCALL
        je on_call
        cmp rax, EXIT_NPF
        je on_nested_fault
        cmp rax, EXIT_HLT
        je on_halt
        mov rsi, text_unknown
        jmp finish

on_cpuid:                       ; tell it what we like: EBX of leaf 0 says "tiny"
        mov ebx, 'tiny'         ; registers other than RAX are simply still there
        mov rsi, text_cpuid
        call print
        jmp skip

on_port:                        ; EXITINFO1: bit 0 is IN, bits 31:16 are the port
        mov rsi, text_port
        call print
        mov rax, [EXITINFO1]
        shr rax, 16
        call print_hex
        mov al, ' '
        call put
        mov al, [G_RAX]         ; the character that it wanted to send
        call put
        mov al, 10
        call put
        jmp skip

on_call:
        mov rsi, text_call
        call print
        jmp skip

on_nested_fault:                ; EXITINFO2: the guest-physical address that is not mapped
        mov rsi, text_fault
        call print
        mov rax, [EXITINFO2]
        call print_hex
        mov al, 10
        call put
        mov qword [NPT + 0x3010], GUEST | 7     ; let page 2 be page 0: the instruction will run again
        jmp run

on_halt:
        mov rsi, text_halt
finish: call print
        hlt

; An intercept comes before the instruction has done anything: whoever answers must also step over it.
skip:
        mov rax, [NEXT_RIP]
        mov [G_RIP], rax
        jmp run

no_svm:
        mov rsi, text_none
        jmp finish
too_old:
        mov rsi, text_too_old
        jmp finish

; ---- small routines --------------------------------------------------------------------------------------------------

; A real-mode data segment of base 0 at RDI.
data_segment:
        mov dword [rdi], 0x00930000     ; selector 0; attributes 093: present, data, writable
        mov dword [rdi + 4], 0xffff
        mov qword [rdi + 8], 0
        ret

; The character in AL.
put:    mov dx, COM1
        out dx, al
        ret

; The text at RSI, up to a zero.
print:  lodsb
        test al, al
        jz .done
        call put
        jmp print
.done:  ret

; RAX in hexadecimal, without leading zeros.
print_hex:
        mov rdi, rax
        bsr rcx, rax            ; the highest bit that is set
        jz .zero
        and ecx, -4             ; rounded down to a digit
        jmp .digit
.zero:  xor ecx, ecx
.digit: mov rax, rdi
        shr rax, cl
        and eax, 15
        cmp al, 10
        jb .small
        add al, 'a' - '0' - 10
.small: add al, '0'
        call put
        sub ecx, 4
        jns .digit
        ret

text_on:      db 'tiny-svm: SVM is on', 10, 0
text_none:    db 'tiny-svm: this processor has no SVM', 10, 0
text_too_old: db 'tiny-svm: this SVM has no nested paging, or does not tell the next RIP', 10, 0
text_exit:    db 'exit ', 0
text_colon:   db ': ', 0
text_cpuid:   db 'CPUID', 10, 0
text_port:    db 'port ', 0
text_call:    db 'VMMCALL', 10, 0
text_fault:   db 'nested page fault at ', 0
text_halt:    db 'HLT, the end', 10, 0
text_unknown: db 'something else', 10, 0

; ---- the guest: 16-bit code, at its own physical address 1000 --------------------------------------------------------

        bits 16
guest_code:
        xor ax, ax
        cpuid                   ; who are you?
        mov al, bl              ; the first letter of the answer
        mov dx, COM1
        out dx, al
        vmmcall                 ; a call to the hypervisor
        mov [0x2000], al        ; beyond its memory
        hlt
guest_end:

        times 512 db 0          ; the host's stack
stack:
