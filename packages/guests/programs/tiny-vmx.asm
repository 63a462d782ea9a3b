; tiny-vmx: a hypervisor on Intel's VT-x, small enough to be read in one sitting.
;
; It is a guest program like the others, but it runs on a processor that has VT-x, and becomes the hypervisor of a guest of
; its own: 16-bit code in real mode, with memory behind extended page tables (EPT). Each time that guest is left, the
; hypervisor prints the exit reason, says what it was, and answers.
;
;   VMXON      opens VMX operation: from now on we are in "root operation"
;   VMPTRLD    makes a control structure (VMCS) the current one; VMWRITE and VMREAD reach its fields, MOV does not
;   VMLAUNCH   host -> guest, the first time; VMRESUME every other time
;   VM exit    guest -> host, at HOST_RIP; the reason stands in the VMCS
;
; Compare tiny-svm, which does the same on AMD's SVM, in half as much text.

        bits 64
        org 0x8000

COM1            equ 0x3f8
FEATURE_CONTROL equ 0x3a
VMX_BASIC       equ 0x480

; Pages of our own, above the code.
VMXON_REGION    equ 0x20000
VMCS            equ 0x21000
IO_BITMAP       equ 0x22000     ; two pages: a bit for each port
EPT             equ 0x24000     ; extended page tables, four pages
GUEST           equ 0x30000     ; the guest's memory: 8 KiB that it takes for physical addresses 0 to 1fff

; Exit reasons.
EXIT_CPUID      equ 10
EXIT_HLT        equ 12
EXIT_VMCALL     equ 18
EXIT_IO         equ 30
EXIT_EPT        equ 48

%macro field 2                  ; field ENCODING, VALUE: write a field of the VMCS
        mov eax, %1
        mov rbx, %2
        vmwrite rax, rbx
%endmacro

; A control word may not have just any bits: a capability MSR says which must be 1 (its low half) and which may be (its high
; half). We ask for what we want, add what is demanded and drop what does not exist.
%macro control 3                ; control ENCODING, CAPABILITY MSR, WANTED BITS
        mov ecx, %2
        rdmsr
        or eax, %3
        and eax, edx
        mov ebx, eax
        mov eax, %1
        vmwrite rax, rbx
%endmacro

%macro guest_segment 4          ; guest_segment NUMBER, SELECTOR, BASE, ACCESS RIGHTS; the limit is ffff
        field 0x0800 + 2 * %1, %2
        field 0x4800 + 2 * %1, 0xffff
        field 0x4814 + 2 * %1, %4
        field 0x6806 + 2 * %1, %3
%endmacro

; ---- switch VT-x on --------------------------------------------------------------------------------------------------

start:
        mov rsp, stack
        mov eax, 1              ; does CPUID announce VMX? Leaf 1, bit 5 of ECX
        cpuid
        bt ecx, 5
        jnc no_vmx
        mov ecx, 0x482          ; what the primary controls may be: bit 31, are there secondary ones?
        rdmsr
        bt edx, 31
        jnc too_old
        mov ecx, 0x48b          ; and may they have EPT (bit 1) and unrestricted guest (bit 7)?
        rdmsr
        and edx, (1 << 1) | (1 << 7)
        cmp edx, (1 << 1) | (1 << 7)
        jne too_old

        mov rax, cr4
        or rax, 1 << 13         ; VMXE: without it, VMXON is an undefined opcode
        mov cr4, rax
        mov rax, cr0
        or rax, 1 << 5          ; NE: VT-x wants it
        mov cr0, rax
        mov ecx, FEATURE_CONTROL
        rdmsr
        test al, 1              ; locked: firmware has decided, and nobody may write it any more
        jnz .decided
        or eax, 5               ; allow VMXON, and lock it ourselves
        wrmsr
.decided:

        mov ecx, VMX_BASIC
        rdmsr                   ; bits 30:0: the revision of this processor's VMCS format
        mov [VMXON_REGION], eax
        mov [VMCS], eax
        vmxon [vmxon_pointer]
        jna failed              ; CF or ZF: it did not work
        mov rsi, text_on
        call print
        vmclear [vmcs_pointer]
        jna failed
        vmptrld [vmcs_pointer]
        jna failed

; We need a task register: VM exits load one. Its contents hardly matter.
        lgdt [gdt_register]
        mov ax, 0x20
        ltr ax

; ---- what the guest must ask for -------------------------------------------------------------------------------------

        control 0x4000, 0x481, 0                        ; pin-based: nothing
        control 0x4002, 0x482, (1 << 7) | (1 << 25) | (1 << 31) ; HLT exits; ports by the bitmaps; there are secondary controls
        control 0x401e, 0x48b, (1 << 1) | (1 << 7)      ; EPT; unrestricted guest: it may begin in real mode
        control 0x400c, 0x483, 1 << 9                   ; the host is in 64-bit mode
        control 0x4012, 0x484, 0                        ; the guest is not
        field 0x4004, 0                                 ; exceptions stay in the guest
        field 0x2000, IO_BITMAP
        field 0x2002, IO_BITMAP + 0x1000
        mov byte [IO_BITMAP + COM1 / 8], 1 << COM1 % 8  ; the bit of port 3f8
        field 0x2800, -1                                ; no VMCS behind this one

; Its memory: guest-physical 0 to 1fff lie at GUEST. Bits 0 to 2 are read, write, execute; 6 << 3 is write-back memory.
        mov qword [EPT], (EPT + 0x1000) | 7
        mov qword [EPT + 0x1000], (EPT + 0x2000) | 7
        mov qword [EPT + 0x2000], (EPT + 0x3000) | 7
        mov qword [EPT + 0x3000], GUEST | 7 | (6 << 3)
        mov qword [EPT + 0x3008], (GUEST + 0x1000) | 7 | (6 << 3)
        field 0x201a, EPT | 6 | (3 << 3)                ; the tables are write-back; four levels

; Its program.
        mov rsi, guest_code
        mov rdi, GUEST + 0x1000
        mov ecx, guest_end - guest_code
        rep movsb

; ---- how the guest begins: real mode, at 0100:0000, which is guest-physical 1000 -------------------------------------

        guest_segment 0, 0, 0, 0x93 ; ES: present, data, writable, accessed
        guest_segment 1, 0x100, 0x1000, 0x9b ; CS: code, readable
        guest_segment 2, 0, 0, 0x93 ; SS
        guest_segment 3, 0, 0, 0x93 ; DS
        guest_segment 4, 0, 0, 0x93 ; FS
        guest_segment 5, 0, 0, 0x93 ; GS
        guest_segment 6, 0, 0, 0x10000 ; LDTR: unusable
        guest_segment 7, 0, 0, 0x8b ; TR: a busy task
        field 0x4810, 0xffff                            ; GDTR limit
        field 0x4812, 0x3ff                             ; IDTR limit: the table of real mode
        mov ecx, 0x486                                  ; CR0 bits that must be 1 …
        rdmsr
        and eax, 0x7ffffffe                             ; … but for PE and PG, which an unrestricted guest may clear
        or eax, 0x10
        mov ebx, eax
        mov eax, 0x6800
        vmwrite rax, rbx                                ; CR0
        mov ecx, 0x488                                  ; CR4 bits that must be 1
        rdmsr
        mov ebx, eax
        mov eax, 0x6804
        vmwrite rax, rbx                                ; CR4
        field 0x681a, 0x400                             ; DR7
        field 0x681c, 0x1000                            ; RSP
        field 0x681e, 0                                 ; RIP
        field 0x6820, 2                                 ; RFLAGS

; ---- where the host goes on ------------------------------------------------------------------------------------------

        field 0x0c02, 0x10                              ; CS
        field 0x0c0c, 0x20                              ; TR; the other selectors may be 0
        mov rbx, cr0
        mov eax, 0x6c00
        vmwrite rax, rbx
        mov rbx, cr3
        mov eax, 0x6c02
        vmwrite rax, rbx
        mov rbx, cr4
        mov eax, 0x6c04
        vmwrite rax, rbx
        field 0x6c0a, task_state                        ; TR base
        field 0x6c0c, gdt                               ; GDTR base
        field 0x6c14, stack
        field 0x6c16, on_exit

        vmlaunch                                        ; … and away, to come back at on_exit
failed:
        mov rsi, text_failed
        call print
        mov eax, 0x4400                                 ; the VM-instruction error says why
        vmread rax, rax
        call print_hex
        mov rsi, text_end
        jmp finish

; ---- answer ----------------------------------------------------------------------------------------------------------

on_exit:
        mov [guest_rax], rax    ; no general register is switched: what the guest had is still here
        mov [guest_rbx], rbx
        mov rsi, text_exit      ; "exit a: "
        call print
        mov eax, 0x4402         ; exit reason
        vmread rax, rax
        mov [reason], rax
        call print_hex
        mov rsi, text_colon
        call print

        mov rax, [reason]
        cmp rax, EXIT_CPUID
        je on_cpuid
        cmp rax, EXIT_IO
        je on_port
        cmp rax, EXIT_VMCALL
        je on_call
        cmp rax, EXIT_EPT
        je on_ept_violation
        cmp rax, EXIT_HLT
        je on_halt
        mov rsi, text_unknown
        jmp finish

on_cpuid:                       ; tell it what we like: EBX of leaf 0 says "tiny"
        mov qword [guest_rbx], 'tiny'
        mov rsi, text_cpuid
        call print
        jmp skip

on_port:                        ; exit qualification: bit 3 is IN, bits 31:16 are the port
        mov rsi, text_port
        call print
        mov eax, 0x6400
        vmread rax, rax
        shr rax, 16
        call print_hex
        mov al, ' '
        call put
        mov al, [guest_rax]     ; the character that it wanted to send
        call put
        mov al, 10
        call put
        jmp skip

on_call:
        mov rsi, text_call
        call print
        jmp skip

on_ept_violation:               ; the guest-physical address that is not mapped
        mov rsi, text_fault
        call print
        mov eax, 0x2400
        vmread rax, rax
        call print_hex
        mov al, 10
        call put
        mov qword [EPT + 0x3010], GUEST | 7 | (6 << 3)  ; let page 2 be page 0: the instruction will run again
        jmp resume

on_halt:
        mov rsi, text_halt
finish: call print
        hlt

; An exit comes before the instruction has done anything: whoever answers must also step over it.
skip:
        mov eax, 0x440c         ; the instruction's length
        vmread rcx, rax
        mov eax, 0x681e
        vmread rbx, rax
        add rbx, rcx
        vmwrite rax, rbx
resume:
        mov rax, [guest_rax]
        mov rbx, [guest_rbx]
        vmresume
        jmp failed

no_vmx:
        mov rsi, text_none
        jmp finish
too_old:
        mov rsi, text_too_old
        jmp finish

; ---- small routines --------------------------------------------------------------------------------------------------

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

text_on:      db 'tiny-vmx: VMX operation', 10, 0
text_none:    db 'tiny-vmx: this processor has no VT-x', 10, 0
text_too_old: db 'tiny-vmx: this VT-x has no EPT, or no unrestricted guest', 10, 0
text_failed:  db 'tiny-vmx: a VMX instruction failed, error ', 0
text_end:     db 10, 0
text_exit:    db 'exit ', 0
text_colon:   db ': ', 0
text_cpuid:   db 'CPUID', 10, 0
text_port:    db 'port ', 0
text_call:    db 'VMCALL', 10, 0
text_fault:   db 'EPT violation at ', 0
text_halt:    db 'HLT, the end', 10, 0
text_unknown: db 'something else', 10, 0

        align 8
vmxon_pointer: dq VMXON_REGION
vmcs_pointer:  dq VMCS
guest_rax:     dq 0
guest_rbx:     dq 0
reason:        dq 0

gdt:    dq 0
        dq 0
        dq 0x00af9b000000ffff   ; 10 code, 64-bit, ring 0
        dq 0x00cf93000000ffff   ; 18 data
        dw 103                  ; 20 task state segment: limit,
        dw task_state           ;    base (all of it: we lie in the first 64 KiB),
        db 0, 0x89, 0, 0        ;    present, available 64-bit TSS
        dq 0
gdt_end:
gdt_register:
        dw gdt_end - gdt - 1
        dq gdt

; ---- the guest: 16-bit code, at its own physical address 1000 --------------------------------------------------------

        bits 16
guest_code:
        xor ax, ax
        cpuid                   ; who are you?
        mov al, bl              ; the first letter of the answer
        mov dx, COM1
        out dx, al
        vmcall                  ; a call to the hypervisor
        mov [0x2000], al        ; beyond its memory
        hlt
guest_end:

        align 8
task_state:
        times 104 db 0
        times 512 db 0          ; the host's stack
stack:
