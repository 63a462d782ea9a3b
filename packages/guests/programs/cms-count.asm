; cms-count: a user who only computes. It never waits and asks for nothing, so it would keep the processor for ever: the slice
; timer takes it away. Under the control program it is added beside others, to see how the processor is shared.

        bits 32
        org 0x8000

COM1            equ 0x3f8
READER_IRQ      equ 3
READER          equ 0xc00
PUNCH           equ 0xd00
READER_VECTOR   equ 0x20 + READER_IRQ
LIMIT           equ 60          ; starting values

        call nucleus
        xor esi, esi            ; the most steps so far
        mov ecx, 1              ; the starting value
.start: mov eax, ecx
        xor edx, edx            ; steps of this one
.step:  cmp eax, 1
        je .end
        inc edx
        test al, 1
        jz .even
        lea eax, [eax + eax * 2 + 1]
        jmp .step
.even:  shr eax, 1
        jmp .step
.end:   cmp edx, esi
        jbe .less
        mov esi, edx
.less:  inc ecx
        cmp ecx, LIMIT
        jb .start

        mov eax, esi
        mov edi, number
        call put_number
        mov word [edi], 10
        mov esi, result
        call print
        mov esi, number
        call print
        jmp disabled_wait

result:         db 'most Collatz steps: ', 0
