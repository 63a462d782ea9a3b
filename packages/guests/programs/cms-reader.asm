; cms-reader: the other single-user system. It waits for its card reader, prints the deck that arrives, and answers with a deck
; of its own. Its name under the control program is CMS2.
;
; What to watch: from its first HLT on it costs nothing, until the control program puts a deck into its reader and interrupts it.
; It gets the interrupt through its own vector, from its own interrupt controller; neither exists but in the control program.

        bits 32
        org 0x8000

COM1            equ 0x3f8
READER          equ 0xc00       ; the virtual card reader: data, then status and command
PUNCH           equ 0xd00       ; the virtual card punch, likewise
READER_IRQ      equ 3
READER_VECTOR   equ 0x20 + READER_IRQ

        call nucleus
        cmp byte [identity], 0
        je disabled_wait        ; alone, there is no reader

        call await_deck
.next:  call read_card
        jc answer
        inc dword [cards]
        call print_card
        jmp .next

answer:
        mov edi, cards_number
        mov eax, [cards]
        call put_number
        mov byte [edi], 0
        mov esi, to_cms1
        call command            ; CP SPOOL PUNCH TO CMS1
        mov esi, thanks
        call punch_card
        mov esi, cards_text
        call punch_card
        mov esi, close_punch
        call command            ; CP CLOSE PUNCH
        mov esi, done
        call print
        jmp disabled_wait

to_cms1:        db 'SPOOL PUNCH TO CMS1', 0
close_punch:    db 'CLOSE PUNCH', 0
thanks:         db 'CMS2 HAS YOUR DECK', 0
cards_text:     db 'CARDS: '
cards_number:   times 8 db 0
done:           db 'answered', 10, 0
        align 4
cards:          dd 0
