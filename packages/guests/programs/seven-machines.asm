; seven-machines: a kernel that was made for ring 0, in about ninety instructions.
;
; It makes its tables with interrupts off, answers a system call, keeps its program out of a page, and waits for its timer
; with interrupts on. Right is KSUT: kernel, system call, user kept out, tick. What of this leaves the guest differs on
; every machine, and so does the price.
;
; One machine gets it wrong. Where the kernel is not in ring 0, POPF leaves IF as it was and does not say so: the HLT
; behind it waits for a tick that the VMM may not deliver.
;
; The way into ring 3 is SYSRET, because it traps outside ring 0; IRETQ would be a second instruction that does not. The
; way out is INT3, because there are hosts (those of kvm_pvm) on which SYSCALL stays in ring 3, and INT 80h is refused.

        bits 64
        org 0x8000

COM1    equ 0x3f8
TABLE   equ 0x20000
REGION  equ 0x200000
CODE    equ 0x10
UDATA   equ 0x28 | 3            ; and 64-bit code behind it: SYSRET counts on that
EFER    equ 0xc0000080
STAR    equ 0xc0000081

%macro put 1
        mov dx, COM1
        mov al, %1
        out dx, al
%endmacro
%macro port 2
        mov al, %2
        out %1, al
%endmacro

start:
        cli                     ; no interrupts while the tables are made
        mov rsp, stack
        lgdt [gdt_register]
        mov ax, 0x18
        mov ss, ax
        push CODE
        mov rax, .code
        push rax
        retfq
.code:  mov rax, task_state
        mov [gdt_task + 2], ax
        mov ax, 0x38
        ltr ax
        mov rax, page_fault
        mov [gates + 14 * 16], ax
        mov rax, tick
        mov [gates + 0x20 * 16], ax
        mov rax, leaked
        mov [gates + 0x30 * 16], ax
        mov rax, system_call
        mov [gates + 3 * 16], ax
        lidt [idt_register]

        mov rax, cr3            ; the first 2 MiB are for ring 3, too; the page at REGION is the kernel's
        or qword [rax], 4
        mov rbx, [rax]
        and rbx, -4096
        or qword [rbx], 4
        mov rbx, [rbx]
        and rbx, -4096
        or qword [rbx], 4
        mov qword [TABLE], 0x100000 | 3
        mov qword [rbx + 8], TABLE | 7
        mov cr3, rax
        mov byte [REGION], 'x'  ; the kernel uses its page

        mov ecx, EFER           ; SYSRET: switch it on,
        rdmsr
        or eax, 1
        wrmsr
        mov ecx, STAR           ; and with which segments it comes to ring 3
        xor eax, eax
        mov edx, (UDATA - 8) << 16
        wrmsr
        put 'K'
        mov ecx, program        ; RIP and RFLAGS of the program: interrupts still off
        mov r11d, 2
        o64 sysret

system_call:
        put 'S'
        pop rcx                 ; what INT3 has pushed: RIP, CS, RFLAGS
        pop r11
        pop r11
        o64 sysret

page_fault:
        put 'U'                 ; the user was kept out
        jmp timer
leaked:
        put 'u'                 ; the user has read the kernel's page
        jmp timer

program:
        int3                    ; a system call
        mov al, [REGION]        ; the kernel's page
        int 0x30

; The timer, and interrupts on.
timer:
        port 0x20, 0x11         ; the interrupt controller: vectors from 20h
        port 0x21, 0x20
        port 0x21, 4
        port 0x21, 1
        port 0x21, 0xfe         ; only the timer
        port 0x43, 0x30         ; one shot,
        port 0x40, 2            ; soon
        port 0x40, 0
        pushfq
        or qword [rsp], 0x200
        popfq                   ; interrupts on
.wait:  hlt                     ; until the tick, which does not come back here
        jmp .wait
tick:   put 'T'
        put 10
        hlt                     ; the end: interrupts are off in here

        align 8
gdt:    dq 0, 0
        dq 0x00af9b000000ffff
        dq 0x00cf93000000ffff
        dq 0x00cffb000000ffff
        dq 0x00cff3000000ffff
        dq 0x00affb000000ffff
gdt_task:
        dw 103, 0
        db 0, 0x89, 0, 0
        dq 0
gdt_end:
gdt_register:
        dw gdt_end - gdt - 1
        dq gdt
        align 8
gates:
%rep 0x31
        dw 0, CODE
        db 0, 0xee              ; present, DPL 3 (ring 3 may use INT3), 64-bit interrupt gate
        dw 0
        dd 0, 0
%endrep
gates_end:
idt_register:
        dw gates_end - gates - 1
        dq gates
        align 8
task_state:
        dd 0
        dq kernel_stack
        times 92 db 0
        align 16
        times 512 db 0
kernel_stack:
        times 512 db 0
stack:
