; nano-cr8wr: what writing CR8 costs. CR8 is the task priority: which interrupts may come.
;
; A guest with a TPR shadow writes it without an exit, as long as the new priority lets no waiting interrupt through, and
; none waits here. So hardware is as fast as native, and binary translation, which writes a byte in memory, is faster.
; After Adams and Agesen, ASPLOS 2006, section 6.3, "cr8wr".

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
        mov edi, 3
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
        mov cr8, rdi
        dec ecx
        jnz .next
        ret

without:
        mov ecx, ROUNDS
.next:  dec ecx
        jnz .next
        ret

; The stack has a page of its own: whoever translates code write-protects the page that it is in.
        align 4096
        times 256 db 0
stack:
