; popf: the instruction that made x86 hard to virtualize.
;
; A kernel switches interrupts on with STI, or with POPF: it pops a flags image in which IF is set. In ring 0 both work.
; In a ring that may not touch IF, STI faults, and a hypervisor can step in. POPF does not fault: it silently leaves IF
; alone. A kernel that was moved out of ring 0 never learns that its interrupts stayed off.
;
; This kernel turns IF on with POPF and prints what it got. In ring 0 (bare metal, VT-x, real KVM) it prints 1.

        bits 64
        org 0x8000

COM1    equ 0x3f8
IF_BIT  equ 9

start:
        pushfq                  ; before: interrupts are off
        pop rax
        mov rsi, before
        call report

        pushfq                  ; take the flags,
        or qword [rsp], 1 << IF_BIT     ; switch IF on in the copy,
        popfq                   ; and put them back: does IF change?

        pushfq                  ; after
        pop rax
        cli                     ; (nobody here could handle an interrupt)
        mov rsi, after
        call report
        hlt

; Prints the text at RSI, then bit 9 of RAX as a digit, then a line feed.
report:
        mov rbx, rax
        mov dx, COM1
.next:
        lodsb
        test al, al
        jz .digit
        out dx, al
        jmp .next
.digit:
        mov rax, rbx
        shr rax, IF_BIT
        and al, 1
        add al, '0'
        out dx, al
        mov al, 10
        out dx, al
        ret

before: db 'IF ', 0
after:  db 'POPF ', 0
