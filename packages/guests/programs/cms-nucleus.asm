
; ==== the nucleus ====================================================================================================
; What both single-user systems have in common: a small supervisor that believes the whole machine to be its own. It makes
; its own segments, takes the interrupt vectors and the interrupt controller, and writes to CR0. None of this asks anybody.

nucleus:
        cli
        cld
        pop edi                 ; the way back, from the loader's stack to its own
        mov esp, stack_top
        push edi
        lgdt [gdt_register]     ; its own segments
        jmp 0x08:.reloaded      ; the only way to load CS is to go somewhere
.reloaded:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov eax, cr0
        or eax, 0x20            ; NE: errors of the x87 are exceptions, and not an interrupt
        mov cr0, eax

        mov ecx, 6              ; #UD: how DIAGNOSE ends where there is no control program
        mov eax, invalid_opcode
        call set_gate
        mov ecx, READER_VECTOR
        mov eax, reader_interrupt
        call set_gate
        lidt [idt_register]

        mov al, 0x11            ; the interrupt controller: vectors from 20h on, and only IRQ 3 is let through
        out 0x20, al
        mov al, 0x20
        out 0x21, al
        mov al, 4
        out 0x21, al
        mov al, 1
        out 0x21, al
        mov al, ~(1 << READER_IRQ) & 0xff
        out 0x21, al

        mov ax, cs              ; the low two bits of CS are the ring: a supervisor's are 0
        and al, 3
        add al, '0'
        mov [ring_digit], al
        mov esi, supervisor
        call print

        mov ebx, identity       ; who am I? DIAGNOSE 00h, if there is somebody to answer
        mov ecx, 24
        mov eax, 0
        call diagnose
        cmp byte [identity], 0
        jne .virtual
        mov esi, alone
        call print
        ret
.virtual:
        mov esi, greeting
        call print
        mov esi, identity + 16  ; the user's name, eight letters
        mov ecx, 8
.letter:
        lodsb
        cmp al, ' '
        je .said
        call print_letter
        loop .letter
.said:
        mov al, 10
        call print_letter
        ret

; A gate for vector ECX that leads to EAX.
set_gate:
        mov [idt + ecx * 8], ax
        shr eax, 16
        mov [idt + ecx * 8 + 6], ax
        mov dword [idt + ecx * 8 + 2], 0x8e000008 ; CS 08h, present, interrupt gate, ring 0
        ret

; DIAGNOSE: code EAX, Rx in EBX, Ry in ECX. On a machine of its own the instruction does not exist.
diagnose:
        vmcall
        ret

; Goes on behind the instruction that does not exist. It is three bytes long.
invalid_opcode:
        add dword [esp], 3
        iretd

; CP command at ESI, ended by a zero. Leaves the completion code in ECX.
command:
        mov ebx, esi
        call length
        mov eax, 8
        call diagnose
        ret

; ECX: the letters at ESI.
length:
        mov ecx, -1
.next:
        inc ecx
        cmp byte [esi + ecx], 0
        jne .next
        ret

; Prints the text at ESI, letter by letter: each OUT traps.
print:
        lodsb
        test al, al
        jz .end
        call print_letter
        jmp print
.end:
        ret
print_letter:
        push edx
        mov dx, COM1
        out dx, al
        pop edx
        ret

; EAX as a decimal number, into the text at EDI, which moves on behind it.
put_number:
        mov ebx, 10
        xor ecx, ecx
.divide:
        xor edx, edx
        div ebx
        push edx
        inc ecx
        test eax, eax
        jnz .divide
.digit:
        pop eax
        add al, '0'
        stosb
        loop .digit
        ret

; Punches the text at ESI, ended by a zero, as one card.
punch_card:
        call length
        mov dx, PUNCH
        rep outsb               ; column by column; the rest of the card stays blank
        mov dx, PUNCH + 1
        mov al, 1
        out dx, al              ; punch it, and feed the next one
        ret

; Waits until there is a deck in the reader. POPF switches interrupts on; HLT gives the processor up until one comes. If it
; comes between the two, the handler has it go on behind the HLT, which would sleep for ever.
await_deck:
        mov dx, READER + 1
        in al, dx
        test al, 1
        jnz .there
        pushfd
        or dword [esp], 0x200   ; IF
        popfd                   ; where POPF says nothing and does nothing, this is where it goes wrong
.sleep:
        hlt
        cli
        jmp await_deck
.there:
        ret

reader_interrupt:
        cmp dword [esp], await_deck.sleep
        jne .awake
        inc dword [esp]
.awake:
        push eax
        push edx
        mov dx, READER + 1
        in al, dx               ; takes the reader's request back
        mov al, 0x20
        out 0x20, al            ; end of interrupt
        pop edx
        pop eax
        iretd

; The next card of the deck, into `card`; CF = 1 behind the last one.
read_card:
        mov dx, READER + 1
        mov al, 1
        out dx, al              ; feed
        in al, dx
        test al, 2
        stc
        jz .end
        mov edi, card
        mov ecx, 80
        mov dx, READER
        rep insb                ; eighty columns
        clc
.end:
        ret

; Prints the card, without the blanks at its end; with one trap for the whole line where there is a control program.
print_card:
        mov ecx, 80
.blank:
        cmp byte [card + ecx - 1], ' '
        jne .found
        loop .blank
.found:
        mov byte [card + ecx], 10
        inc ecx
        mov ebx, card
        mov eax, 0x100
        call diagnose
        ret

; The end: interrupts are off, and nothing can wake this machine.
disabled_wait:
        cli
        hlt
        jmp disabled_wait

supervisor: db 'supervisor state, ring '
ring_digit: db '0', 10, 0
alone:      db 'no control program', 10, 0
greeting:   db 'user ', 0

        align 8
gdt:    dq 0
        dq 0x00cf9b000000ffff   ; 08 code
        dq 0x00cf93000000ffff   ; 10 data
gdt_register:
        dw gdt_register - gdt - 1
        dd gdt

        align 8
idt:    times (READER_VECTOR + 1) dq 0
idt_register:
        dw idt_register - idt - 1
        dd idt

identity:   times 24 db 0
card:       times 81 db ' '
number:     times 16 db 0
        align 16
        times 1024 db 0
stack_top:
