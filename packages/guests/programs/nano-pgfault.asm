; nano-pgfault: what a page fault costs that is the guest's own, from the fault to the return from its handler.
;
; Bare metal and nested paging: the processor finds the entry not present, and calls the guest's handler. With shadow page
; tables the hypervisor has to see every page fault, because it might be one of its own making; finding that it is not, it
; hands it to the guest. After Adams and Agesen, ASPLOS 2006, section 6.3, "pgfault".

        bits 64
        org 0x8000

ROUNDS  equ 50
TABLE   equ 0x20000             ; a page of zeros

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

start:
        mov rsp, stack
        mov rdx, page_fault
        mov [gate], dx          ; the address of a handler is spread over the gate
        shr rdx, 16
        mov [gate + 6], dx
        lidt [idt_register]
        mov [gate + 2], cs

; An empty page table for the second 2 MiB of the loader's mapping: no page there is present.
        mov rax, cr3
        mov rbx, [rax]          ; PML4 entry 0
        and rbx, -4096
        mov rbx, [rbx]          ; page-directory-pointer entry 0
        and rbx, -4096
        mov qword [rbx + 8], TABLE | 3  ; page-directory entry 1
        mov cr3, rax            ; forget the translations that were made before
        mov edi, 0x200000
        call with               ; unmeasured
        call without
        time with, r14
        time without, r15
        mov rax, r14
        mov rbx, r15
        mov ecx, ROUNDS
        hlt

with:   mov ecx, ROUNDS
.next:
        mov al, [rdi]           ; 2 bytes
        dec ecx
        jnz .next
        ret

without:
        mov ecx, ROUNDS
.next:  dec ecx
        jnz .next
        ret

; #PF, vector 14: error code, RIP, CS, RFLAGS, RSP, SS are on the stack.
page_fault:
        add rsp, 8
        add qword [rsp], 2      ; go on behind the MOV
        iretq

; The loader's code segment is where CS points; the gate uses it.
        align 8
idt:    times 14 dq 0, 0       ; the vectors before: not present
gate:   dw 0                    ; handler 15:0 (filled in above)
        dw 0                    ; selector (filled in above)
        db 0                    ; no separate stack
        db 0x8e                 ; present, interrupt gate, DPL 0
        dw 0                    ; handler 31:16
        dd 0
        dd 0
idt_end:

idt_register:
        dw idt_end - idt - 1
        dq idt

; The stack has a page of its own: whoever translates code write-protects the page that it is in.
        align 4096
        times 256 db 0
stack:
