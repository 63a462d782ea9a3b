; nano-divzero: what a division by zero costs, from the fault to the return from its handler.
;
; The guest's IDT says who handles it. Under VT-x the processor delivers it there by itself; a binary translator's guest
; kernel is not in ring 0, so the VMM gets it first. After Adams and Agesen, ASPLOS 2006, section 6.3, "divzero".

        bits 64
        org 0x8000

ROUNDS  equ 50

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
        mov rdx, divide_error
        mov [gate], dx          ; the address of a handler is spread over the gate
        shr rdx, 16
        mov [gate + 6], dx
        lidt [idt_register]
        mov [gate + 2], cs
        xor edi, edi
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
        div edi                 ; 2 bytes
        dec ecx
        jnz .next
        ret

without:
        mov ecx, ROUNDS
.next:  dec ecx
        jnz .next
        ret

; #DE, vector 0: RIP, CS, RFLAGS, RSP, SS are on the stack.
divide_error:
        add qword [rsp], 2      ; go on behind the DIV
        iretq

; The loader's code segment is where CS points; the gate uses it.
        align 8
idt:
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
