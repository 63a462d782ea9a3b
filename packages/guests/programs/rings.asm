; rings: a kernel in ring 0, a program in ring 3, and the four ways between them.
;
;   IRETQ    ring 0 -> 3   a return that never was a call: the kernel makes up the frame
;   SYSCALL  ring 3 -> 0   the program asks for a service
;   SYSRET   ring 0 -> 3   the kernel answers
;   #GP      ring 3 -> 0   the program tries HLT, which ring 3 may not; the processor calls the kernel
;
; What to watch: under VT-x none of these four leaves the guest. Rings are the guest's own business; the guest kernel
; really is in ring 0, of non-root mode. Only the OUT instructions of the kernel and its last HLT exit.

        bits 64
        org 0x8000

COM1        equ 0x3f8
KERNEL_CODE equ 0x10            ; offsets into the table of segments below
KERNEL_DATA equ 0x18
USER_DATA   equ 0x28 | 3        ; | 3: requested privilege level 3
USER_CODE   equ 0x30 | 3
TASK        equ 0x38

MSR_EFER    equ 0xc0000080      ; bit 0: SYSCALL exists
MSR_STAR    equ 0xc0000081      ; the segments of SYSCALL and SYSRET
MSR_LSTAR   equ 0xc0000082      ; where SYSCALL goes
MSR_FMASK   equ 0xc0000084      ; the flags that SYSCALL clears

%macro put 1                    ; print one character
        mov dx, COM1
        mov al, %1
        out dx, al
%endmacro

; ---- the kernel, ring 0 ---------------------------------------------------------------------------------------------

start:
        mov rsp, kernel_stack

; Ring 3 may only use pages whose U bit is set at every level. The loader's tables are for the kernel alone: set the bit
; in the three entries that lead to the first 2 MiB.
        mov rax, cr3
        or qword [rax], 4       ; PML4 entry 0
        mov rbx, [rax]
        and rbx, -4096          ; drop the flag bits: the address of the next table
        or qword [rbx], 4       ; page-directory-pointer entry 0
        mov rbx, [rbx]
        and rbx, -4096
        or qword [rbx], 4       ; page-directory entry 0: a page of 2 MiB
        mov cr3, rax            ; forget the translations that were made before

; Our own segments. In 64-bit mode they hardly translate; what is left of them is the ring.
        lgdt [gdt_register]
        mov ax, KERNEL_DATA
        mov ss, ax
        mov ds, ax
        mov es, ax
        push KERNEL_CODE        ; the only way to load CS is to go somewhere
        mov rax, reloaded
        push rax
        retfq
reloaded:

; The task state segment holds the stack for entries from ring 3.
        mov rax, task_state
        mov [gdt_task + 2], ax  ; the base is spread over the descriptor
        shr rax, 16
        mov [gdt_task + 4], al
        mov ax, TASK
        ltr ax

; The gate for #GP, vector 13.
        mov rax, general_protection
        mov [gate_gp], ax       ; so is the address of a handler
        shr rax, 16
        mov [gate_gp + 6], ax
        lidt [idt_register]

; SYSCALL and SYSRET.
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
        mov ecx, MSR_FMASK      ; keep interrupts off in the kernel
        mov eax, 0x200
        xor edx, edx
        wrmsr

        put '0'                 ; we are in ring 0

; Into ring 3: IRETQ takes what an interrupt would have left on the stack.
        push USER_DATA          ; SS
        push user_stack         ; RSP
        push 0x202              ; RFLAGS: interrupts on, IOPL 0
        push USER_CODE          ; CS: its low two bits become the ring
        push program            ; RIP
        iretq

; SYSCALL arrives here: RCX has the program's RIP, R11 its flags. The stack is still the program's, so we use none.
system_call:
        mov r8, rcx             ; keep the way back
        mov dx, COM1
        out dx, al              ; the service: print the character in AL
        mov rcx, r8
        o64 sysret

; #GP arrives here on the kernel's stack: error code, RIP, CS, RFLAGS, RSP, SS.
general_protection:
        mov rbx, [rsp + 16]     ; the CS that was interrupted
        and ebx, 3              ; its ring
        put 'G'
        mov al, '0'
        add al, bl
        out dx, al
        put 10
        hlt                     ; ring 0 may: the run is over

; ---- the program, ring 3 --------------------------------------------------------------------------------------------

program:
        mov al, '3'             ; we are in ring 3, and ask the kernel to say so
        syscall
        hlt                     ; ring 3 may not: #GP
        jmp $

; ---- tables ---------------------------------------------------------------------------------------------------------

        align 8
gdt:    dq 0
        dq 0                    ; 08 (unused: the numbers below are those that Linux uses)
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
        align 16
        times 512 db 0
kernel_stack:
        times 512 db 0
user_stack:
