; nano-cpuid: what an instruction costs that always leaves a guest under VT-x, and that KVM answers itself.
;
; Nothing else happens on the way, so of all operations it comes nearest to the round trip of an exit. `hyperscope measure` times
; the same on this machine's KVM, and so a cost model can be fitted to the machine.

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

with:   mov esi, ROUNDS         ; CPUID writes EAX, EBX, ECX and EDX
.next:  xor eax, eax
        xor ecx, ecx
        cpuid
        dec esi
        jnz .next
        ret

without:
        mov esi, ROUNDS
.next:  xor eax, eax
        xor ecx, ecx
        dec esi
        jnz .next
        ret

; The stack has a page of its own: whoever translates code write-protects the page that it is in.
        align 4096
        times 256 db 0
stack:
