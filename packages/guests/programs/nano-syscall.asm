; nano-syscall: what a system call costs, from ring 3 to ring 0 with SYSCALL and back with SYSRET.
;
; Rings are the guest's own business under VT-x: no exit, native speed. A binary translator's guest kernel runs translated, in
; a ring that is not 0, so SYSCALL arrives at the VMM and SYSRET is emulated. After Adams and Agesen, ASPLOS 2006, section
; 6.3, "syscall".

        bits 64
        org 0x8000

ROUNDS  equ 50

KERNEL_CODE equ 0x10            ; offsets into the table of segments below
USER_DATA   equ 0x28 | 3        ; | 3: requested privilege level 3
USER_CODE   equ 0x30 | 3
TASK        equ 0x38

MSR_EFER    equ 0xc0000080      ; bit 0: SYSCALL exists
MSR_STAR    equ 0xc0000081      ; the segments of SYSCALL and SYSRET
MSR_LSTAR   equ 0xc0000082      ; where SYSCALL goes
MSR_FMASK   equ 0xc0000084      ; the flags that SYSCALL clears

; ---- measuring -------------------------------------------------------------------------------------------------------
; As FrobOS did: a loop with the operation, the same loop without it, and the time-stamp counter before and after each.
; Both run once unmeasured before, so that translations are where they will be. At the end RAX has the cycles of the first
; loop, RBX those of the second, RCX how often the operation was done: (RAX - RBX) / RCX is what one costs.

%macro time 2                   ; time LOOP, REGISTER: the register gets the cycles of one call of LOOP
        rdtsc                   ; EDX:EAX
        shl rdx, 32
        or rax, rdx
        mov r12, rax            ; the time before
        call %1
        rdtsc
        shl rdx, 32
        or rax, rdx
        sub rax, r12
        mov %2, rax
%endmacro

; ---- the kernel, ring 0 ----------------------------------------------------------------------------------------------

start:
        mov rsp, kernel_stack

; Ring 3 may only use pages whose U bit is set at every level of the loader's tables.
        mov rax, cr3
        or qword [rax], 4       ; PML4 entry 0
        mov rbx, [rax]
        and rbx, -4096          ; drop the flag bits: the address of the next table
        or qword [rbx], 4       ; page-directory-pointer entry 0
        mov rbx, [rbx]
        and rbx, -4096
        or qword [rbx], 4       ; page-directory entry 0: a page of 2 MiB
        mov cr3, rax            ; forget the translations that were made before

        lgdt [gdt_register]
        push KERNEL_CODE        ; the only way to load CS is to go somewhere
        mov rax, reloaded
        push rax
        retfq
reloaded:
        mov rax, task_state     ; the stack for the #GP that ends the program
        mov [gdt_task + 2], ax
        shr rax, 16
        mov [gdt_task + 4], al
        mov ax, TASK
        ltr ax
        mov rax, general_protection
        mov [gate_gp], ax
        shr rax, 16
        mov [gate_gp + 6], ax
        lidt [idt_register]

        mov ecx, MSR_EFER
        rdmsr
        or eax, 1
        wrmsr
        mov ecx, MSR_STAR       ; 47:32: SYSCALL's CS, and SS = it + 8. 63:48: SYSRET's CS = it + 16, and SS = it + 8
        xor eax, eax
        mov edx, ((USER_DATA - 8) << 16) | KERNEL_CODE
        wrmsr
        mov ecx, MSR_LSTAR
        mov eax, system_call
        xor edx, edx
        wrmsr
        mov ecx, MSR_FMASK
        mov eax, 0x200          ; IF: the kernel is not interrupted
        xor edx, edx
        wrmsr

; Into ring 3: IRETQ takes what an interrupt would have left on the stack.
        push USER_DATA          ; SS
        push user_stack         ; RSP
        push 0x202              ; RFLAGS: interrupts on, IOPL 0
        push USER_CODE          ; CS
        push program            ; RIP
        iretq

; The system call does nothing: what is measured is the way. RCX has the program's RIP, R11 its flags.
system_call:
        o64 sysret

; The program's HLT arrives here: ring 3 may not, ring 0 may. The results are in the registers.
general_protection:
        hlt

; ---- the program, ring 3 ---------------------------------------------------------------------------------------------

program:
        call with               ; unmeasured
        call without
        time with, r14
        time without, r15
        mov rax, r14
        mov rbx, r15
        mov ecx, ROUNDS
        hlt                     ; #GP

with:   mov esi, ROUNDS         ; SYSCALL needs RCX for itself
.next:  syscall
        dec esi
        jnz .next
        ret

without:
        mov esi, ROUNDS
.next:  dec esi
        jnz .next
        ret

; ---- tables ----------------------------------------------------------------------------------------------------------

        align 8
gdt:    dq 0
        dq 0                    ; 08 (unused: the numbers are those that Linux uses)
        dq 0x00af9b000000ffff   ; 10 kernel code, 64-bit, ring 0
        dq 0x00cf93000000ffff   ; 18 kernel data
        dq 0x00cffb000000ffff   ; 20 user code, 32-bit
        dq 0x00cff3000000ffff   ; 28 user data, ring 3
        dq 0x00affb000000ffff   ; 30 user code, 64-bit, ring 3
gdt_task:
        dw 103                  ; 38 task state segment: limit,
        dw 0                    ;    base (filled in above),
        db 0, 0x89, 0, 0        ;    present, available 64-bit TSS
        dq 0                    ;    upper half of the base
gdt_end:

gdt_register:
        dw gdt_end - gdt - 1
        dq gdt

        align 8
idt:    times 13 dq 0, 0        ; vectors 0 to 12: not present
gate_gp:
        dw 0                    ; handler 15:0 (filled in above)
        dw KERNEL_CODE
        db 0                    ; no separate stack
        db 0x8e                 ; present, interrupt gate, DPL 0
        dw 0                    ; handler 31:16
        dd 0
        dd 0
idt_end:

idt_register:
        dw idt_end - idt - 1
        dq idt

        align 8
task_state:
        dd 0
        dq kernel_stack         ; RSP0: the stack for entries into ring 0
        times 92 db 0           ; the other stacks, and no I/O permission bitmap
; The stack has a page of its own: whoever translates code write-protects the page that it is in.
        align 4096
        times 256 db 0
kernel_stack:
        times 256 db 0
user_stack:
