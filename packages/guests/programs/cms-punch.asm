; cms-punch: a single-user system that computes a little, punches what it found on cards, sends the deck to another machine
; through the control program, and reads the deck that comes back. Its name under the control program is CMS1.
;
; It is written for a machine of its own: it runs in ring 0, makes its own tables, masks and takes interrupts, and waits with
; HLT. That it is one of several it can only know by asking: DIAGNOSE (here VMCALL) is answered where there is a control program.
;
; What to watch: each privileged instruction traps into the control program, which carries it out for this machine alone; a
; slice timer takes the processor away in the middle of the computation; the deck changes machines without a cable.

        bits 32
        org 0x8000

COM1            equ 0x3f8
READER          equ 0xc00       ; the virtual card reader: data, then status and command
PUNCH           equ 0xd00       ; the virtual card punch, likewise
READER_IRQ      equ 3
READER_VECTOR   equ 0x20 + READER_IRQ
LIMIT           equ 200

        call nucleus
        call count_primes       ; no privileged instruction here: nobody is needed, until the slice is over
        mov [primes], eax
        cmp byte [identity], 0
        je finish               ; alone, there is no punch either

        mov edi, deck_number
        call put_number
        mov byte [edi], 0
        mov esi, to_cms2
        call command            ; CP SPOOL PUNCH TO CMS2
        mov esi, title
        call punch_card
        mov esi, deck_text
        call punch_card
        mov esi, last_card
        call punch_card
        mov esi, close_punch
        call command            ; CP CLOSE PUNCH: off it goes

        call await_deck
.next:  call read_card
        jc finish
        call print_card
        jmp .next

finish:
        mov edi, number
        mov eax, [primes]
        call put_number
        mov word [edi], 10      ; a line feed, and the end
        mov esi, result
        call print
        mov esi, number
        call print
        jmp disabled_wait

; EAX: how many primes there are below LIMIT, by trying all divisors.
count_primes:
        xor esi, esi            ; found so far
        mov ecx, 2              ; the candidate
.candidate:
        mov ebx, 2              ; the divisor
.divisor:
        mov eax, ebx
        mul ebx
        cmp eax, ecx
        ja .prime
        mov eax, ecx
        xor edx, edx
        div ebx
        test edx, edx
        jz .composite
        inc ebx
        jmp .divisor
.prime:
        inc esi
.composite:
        inc ecx
        cmp ecx, LIMIT
        jb .candidate
        mov eax, esi
        ret

to_cms2:        db 'SPOOL PUNCH TO CMS2', 0
close_punch:    db 'CLOSE PUNCH', 0
title:          db 'PRIMES BELOW 200', 0
deck_text:      db 'COUNTED BY CMS1: '
deck_number:    times 8 db 0
last_card:      db 'PLEASE ANSWER', 0
result:         db 'primes: ', 0
        align 4
primes:         dd 0
