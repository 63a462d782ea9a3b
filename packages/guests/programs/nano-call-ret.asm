; nano-call-ret: what calling a subroutine and returning from it costs.
;
; Nothing here is sensitive, so hardware is as fast as native. A binary translator cannot let RET run as it is: the address
; on the stack is that of the original, and has to be looked up. After Adams and Agesen, ASPLOS 2006, section 6.3, "call/ret".

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
        call subroutine
        dec ecx
        jnz .next
        ret

without:
        mov ecx, ROUNDS
.next:  dec ecx
        jnz .next
        ret

subroutine:
        ret

; The stack has a page of its own: whoever translates code write-protects the page that it is in.
        align 4096
        times 256 db 0
stack:
