; nano-ptemod-set: what a write to a page-table entry costs that makes a page present.
;
; No translation of a page that is not present is ever remembered, so there is nothing to forget; what it costs to use the page
; afterwards is not counted. After Adams and Agesen, ASPLOS 2006, "Raw data": ptemod NP to P.

        bits 64
        org 0x8000

ROUNDS    equ 50
TABLE     equ 0x20000           ; the page table that is changed
REGION    equ 0x200000          ; the linear addresses that it maps
PAGES     equ 0x100000          ; what it maps them to

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

; A page table for the second 2 MiB of the loader's mapping. Its entries map the RAM from PAGES on.
        mov edi, TABLE
        mov eax, PAGES | 3      ; present, writable
        mov ecx, 512
.entry: mov [rdi], rax
        add rdi, 8
        add eax, 0x1000
        dec ecx
        jnz .entry
        mov rax, cr3
        mov rbx, [rax]          ; PML4 entry 0
        and rbx, -4096
        mov rbx, [rbx]          ; page-directory-pointer entry 0
        and rbx, -4096
        mov qword [rbx + 8], TABLE | 3  ; page-directory entry 1
        mov cr3, rax            ; forget the translations that were made before

        call prepare
        call with               ; unmeasured
        call without
        call prepare
        time with, r14
        time without, r15
        mov rax, r14
        mov rbx, r15
        mov ecx, ROUNDS
        hlt

; Uses every page, and then makes it not present.
prepare:
        mov ecx, ROUNDS
        mov esi, REGION
        mov edi, TABLE
.use:   or qword [rdi], 1       ; bit 0: present
        mov al, [rsi]
        mov [rsi], al
        and qword [rdi], -2
        invlpg [rsi]
        add esi, 0x1000
        add edi, 8
        dec ecx
        jnz .use
        ret

; Each round changes another entry.
with:   mov ecx, ROUNDS
        mov esi, TABLE
        mov edi, PAGES | 0x63   ; present, writable, accessed, dirty
.next:  mov [rsi], rdi          ; the operation
        add esi, 8
        add edi, 0x1000
        dec ecx
        jnz .next
        ret

without:
        mov ecx, ROUNDS
        mov esi, TABLE
        mov edi, PAGES | 0x63
.next:  add esi, 8
        add edi, 0x1000
        dec ecx
        jnz .next
        ret

; The stack has a page of its own: whoever translates code write-protects the page that it is in.
        align 4096
        times 256 db 0
stack:
