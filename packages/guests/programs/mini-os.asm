; mini-os: a whole operating system kernel, small enough for one lecture.
;
; It boots in real mode as every PC does, climbs to 64-bit mode, and runs two programs in ring 3. Each has an address
; space of its own; a timer takes the processor from one and gives it to the other; SYSCALL brings their wishes to the
; kernel; one region of their memory is not there until somebody touches it.
;
;   1  real mode                         8  the timer, and who is next
;   2  protected mode                    9  system calls
;   3  64-bit mode                      10  page faults, and memory on demand
;   4  interrupt controllers, timer     11  the end of a program, the end of the run
;   5  the door for SYSCALL             12  the serial port
;   6  the first tick                   13  the programs, in ring 3
;   7  the frame of a program           14  tables: segments, gates, TSS, records, pages
;
; What it prints is the same on every machine, however long the machine takes: the timer strikes when it likes, so
; nothing that is printed depends on when it does. The loader puts all of it at 0x7c00, where a BIOS puts the first 512
; bytes of a disk, and jumps there. No memory above 1 MiB is used, so the A20 gate does not matter.

; ---- names -----------------------------------------------------------------------------------------------------------

CODE_32     equ 0x08            ; selectors: offsets into the table of segments in part 14
KERNEL_CODE equ 0x10
KERNEL_DATA equ 0x18
USER_DATA   equ 0x28 | 3        ; | 3: requested privilege level 3
USER_CODE   equ 0x30 | 3
TASK        equ 0x38

MSR_EFER    equ 0xc0000080      ; extended features: bit 0 SCE (SYSCALL), bit 8 LME (long mode), bit 11 NXE (no-execute)
MSR_STAR    equ 0xc0000081      ; the segments of SYSCALL and SYSRET
MSR_LSTAR   equ 0xc0000082      ; where SYSCALL goes
MSR_FMASK   equ 0xc0000084      ; the flags that SYSCALL clears

PIC1        equ 0x20            ; 8259 interrupt controllers: command port, and data port + 1
PIC2        equ 0xa0
PIT         equ 0x40            ; 8254 timer: counter 0; its control port is + 3
COM1        equ 0x3f8           ; serial port: data register, and line status + 5
POWER       equ 0x604           ; ACPI's PM1a control register, where QEMU's PCs have it

TIMER       equ 0x20            ; the vector of IRQ 0. Vectors 0 to 31 are the processor's own
DIVISOR     equ 16              ; of 1.193182 MHz: a tick every 13.4 microseconds, to see much in little time

PRESENT     equ 1               ; bits of a page-table entry
WRITABLE    equ 2
USER        equ 4               ; ring 3 may use it, if every level above says so too
LARGE       equ 1 << 7          ; in a page directory: maps 2 MiB, instead of leading to a table
NO_EXECUTE  equ 1 << 63

TEXT        equ 0x40000000      ; where a program finds itself: its instructions at 1 GiB, …
STACK_TOP   equ 0x40002000      ; … one page of stack behind them, …
HEAP        equ 0x40010000      ; … and 64 KiB of memory that is there when it is touched
HEAP_END    equ 0x40020000

BOOT        equ 0x7c00          ; where the loader puts us
FREE_PAGES  equ 0x20000         ; physical memory from here on belongs to nobody yet

EXIT        equ 0               ; system calls: the number in RAX, the answer there too; arguments in RDI and RSI
WRITE       equ 1
PREEMPTIONS equ 2

ENOUGH      equ 3               ; a program goes on computing until it has lost the processor so often

; ---- 1: real mode ----------------------------------------------------------------------------------------------------
; A PC wakes up as an 8086 of 1978: 16-bit registers, no protection. It has one thing to do: leave.

        bits 16
        org BOOT

start:
        cli                     ; there is nobody yet who could answer an interrupt
        xor ax, ax
        mov ds, ax
        lgdt [gdt_register]     ; in protected mode, segments come from this table
        mov eax, cr0
        or al, 1                ; CR0.PE: protection enable
        mov cr0, eax
        jmp CODE_32:protected_mode   ; CS still holds a real-mode segment: only a far jump loads the new kind

; ---- 2: protected mode -----------------------------------------------------------------------------------------------
; Also only a passage. SDM vol. 3A, "Initializing IA-32e Mode": PAE, the root of the page tables, LME, and then paging.

        bits 32

protected_mode:
        mov ax, KERNEL_DATA
        mov ss, ax
        mov ds, ax
        mov eax, cr4
        or al, 1 << 5           ; CR4.PAE: page-table entries of 64 bits
        mov cr4, eax
        mov eax, pages_a        ; program A's tables; they contain the kernel, as B's do
        mov cr3, eax
        mov ecx, MSR_EFER
        rdmsr
        or eax, 1 | 1 << 8 | 1 << 11
        wrmsr                   ; SCE, LME, NXE. Long mode is enabled now, and active as soon as paging is on
        mov eax, cr0
        or eax, 1 << 31 | 1 << 16
        mov cr0, eax            ; PG: paging. WP: ring 0, too, respects pages that are read-only
        jmp KERNEL_CODE:long_mode    ; still 32-bit code, until CS holds a segment whose L bit is set

; ---- 3: 64-bit mode --------------------------------------------------------------------------------------------------

        bits 64

long_mode:
        xor eax, eax            ; segments hardly matter any more: the null selector will do
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov rsp, kernel_stack
        lidt [idt_register]     ; where exceptions and interrupts go: part 14
        mov ax, TASK
        ltr ax                  ; where to find a stack when they come from ring 3
        call set_up_serial_port
        mov rsi, text_hello
        call print

; ---- 4: the interrupt controllers and the timer ----------------------------------------------------------------------
; The IBM PC wired IRQ 0 to 7 to vectors 8 to 15, which Intel had reserved. Ever since, a kernel begins by moving them.

%macro out8 2                   ; port, value
        mov al, %2
        mov dx, %1
        out dx, al
%endmacro

        out8 PIC1, 0x11         ; ICW1: initialize; edge triggered, two controllers, ICW4 will follow
        out8 PIC2, 0x11
        out8 PIC1 + 1, TIMER    ; ICW2: the vector of the first line
        out8 PIC2 + 1, TIMER + 8
        out8 PIC1 + 1, 1 << 2   ; ICW3: the second controller hangs on line 2 …
        out8 PIC2 + 1, 2        ;       … and knows that it does
        out8 PIC1 + 1, 1        ; ICW4: 8086 mode
        out8 PIC2 + 1, 1
        out8 PIC1 + 1, 0xfe     ; OCW1, the mask: only IRQ 0, the timer
        out8 PIC2 + 1, 0xff

        out8 PIT + 3, 0x34      ; counter 0, low byte then high byte, mode 2: a pulse at every end of the count
        out8 PIT, DIVISOR & 0xff
        out8 PIT, DIVISOR >> 8

; ---- 5: the door for SYSCALL -----------------------------------------------------------------------------------------
; SYSCALL looks nothing up in memory: where to go and with which segments is in three registers. That makes it fast.

%macro write_msr 3              ; index, bits 63:32, bits 31:0
        mov ecx, %1
        mov edx, %2
        mov eax, %3
        wrmsr
%endmacro

        ; 47:32: SYSCALL's CS, and SS = it + 8. 63:48: SYSRET's CS = it + 16, and SS = it + 8
        write_msr MSR_STAR, (USER_DATA - 8) << 16 | KERNEL_CODE, 0
        write_msr MSR_LSTAR, 0, system_call
        write_msr MSR_FMASK, 0, 1 << 9      ; IF: in the kernel, interrupts are off

; ---- 6: the first tick -----------------------------------------------------------------------------------------------
; Before there are programs, see whether the timer works. Printing takes longer than a tick, so wait for another: the
; first program is to begin with some time ahead of it.

        call wait_for_tick
        mov rsi, text_ticks
        call print
        call wait_for_tick
        mov rbx, program_a      ; nobody has run yet: enter A as if it came back from an interrupt
        jmp give_processor

; HLT stops the processor until an interrupt comes; that one finds ring 0 at work, and returns there. STI takes effect
; after the next instruction, so no tick can slip in between the two and leave us asleep.
wait_for_tick:
        mov rax, [ticks]
.sleep:
        sti
        hlt
        cli
        cmp [ticks], rax
        je .sleep
        ret

; ---- 7: the frame of a program ---------------------------------------------------------------------------------------
; Whoever comes from ring 3 leaves a frame: the processor pushes SS, RSP, RFLAGS, CS and RIP, some exceptions an error
; code, and we the rest. The TSS's RSP0 points into the record of the current program, to the end of the place for its
; frame: so the frame is saved where it is to stay, and to switch programs is to take the frame of another record.

RAX_AT      equ 14 * 8          ; offsets into a frame
RCX_AT      equ 12 * 8
RSI_AT      equ 10 * 8
RDI_AT      equ 9 * 8
R11_AT      equ 4 * 8
ERROR_AT    equ 15 * 8
RIP_AT      equ 16 * 8
CS_AT       equ 17 * 8
RSP_AT      equ 19 * 8
FRAME_SIZE  equ 21 * 8

; Saves the rest of the frame. Afterwards RBP points to it. Who comes from ring 3 gets the kernel's stack: its own ends
; here. Who comes from ring 0 was on the kernel's stack already, and must not overwrite what lies there.
%macro enter_kernel 0
        push rax
        push rbx
        push rcx
        push rdx
        push rsi
        push rdi
        push rbp
        push r8
        push r9
        push r10
        push r11
        push r12
        push r13
        push r14
        push r15
        mov rbp, rsp
        cld                     ; a program may have left strings going down
        test byte [rbp + CS_AT], 3
        jz %%from_kernel
        mov rsp, kernel_stack
%%from_kernel:
%endmacro

%macro load_registers 0
        pop r15
        pop r14
        pop r13
        pop r12
        pop r11
        pop r10
        pop r9
        pop r8
        pop rbp
        pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rbx
        pop rax
%endmacro

; Back to whoever left the frame at RBP, in whichever ring.
resume:
        mov rsp, rbp
        load_registers
        add rsp, 8              ; the error code
        iretq

; ---- 8: the timer, and who is next -----------------------------------------------------------------------------------

timer_interrupt:
        push 0                  ; no error code: keep the frame's form
        enter_kernel
        inc qword [ticks]
        out8 PIC1, 0x20         ; OCW2, end of interrupt: the controller may send the next one
        test byte [rbp + CS_AT], 3
        jz resume               ; the kernel was waiting for the tick
        ; fall through: the program that had the processor must wait

; Round robin. The records form a ring; the next one that is not at its end gets the processor.
schedule:
        mov rax, [current]
        mov rbx, rax
.next:
        mov rbx, [rbx + NEXT]
        cmp qword [rbx + ENDED], 0
        je .found
        cmp rbx, rax
        jne .next
        jmp all_ended           ; once around, and nobody wants the processor any more
.found:
        cmp rbx, rax
        je give_processor       ; nobody else wants it
        cmp qword [rax + ENDED], 0
        jne give_processor      ; it has left the processor, not lost it
        inc qword [rax + LOST]

; RBX: the record of the program that goes on.
give_processor:
        mov [current], rbx
        lea rax, [rbx + FRAME + FRAME_SIZE]
        mov [rsp0], rax         ; its next frame goes where this one was
        mov rax, [rbx + ROOT]
        mov cr3, rax            ; its address space. The kernel is at the same place in each, or this would be the end
        lea rbp, [rbx + FRAME]
        jmp resume

; ---- 9: system calls -------------------------------------------------------------------------------------------------
; SYSCALL: RCX is the program's RIP, R11 its RFLAGS; and RSP is still the program's. We make the frame that an interrupt
; would have made. Interrupts are off and there is one processor, so a fixed place can hold RSP for a moment. Of several
; processors each needs a place of its own: that is what SWAPGS is for.

system_call:
        mov [program_rsp], rsp
        mov rsp, [rsp0]
        push USER_DATA
        push qword [program_rsp]
        push r11
        push USER_CODE
        push rcx
        push 0
        enter_kernel

; The frame is complete: RAX says what is wanted. Handlers find the program's record in RBX.
answer_call:
        mov rbx, [current]
        mov rdi, [rbp + RDI_AT]
        mov rsi, [rbp + RSI_AT]
        mov rax, [rbp + RAX_AT]
        cmp rax, EXIT
        je end_by_exit
        cmp rax, WRITE
        je .write
        cmp rax, PREEMPTIONS
        je .preemptions
.refuse:
        mov rax, -1
        jmp .return
.preemptions:
        mov rax, [rbx + LOST]
        jmp .return

; WRITE (RDI: address, RSI: length) keeps the text until the end: if two programs printed as they go, what is on the
; screen would depend on the timer. Never trust a pointer: ring 0 could read what the program may not.
.write:
        cmp rdi, TEXT
        jb .refuse
        cmp rdi, HEAP_END
        ja .refuse
        mov rax, HEAP_END
        sub rax, rdi            ; so much lies between the address and the end of what programs have
        cmp rsi, rax
        ja .refuse
        mov rdx, [rbx + WRITTEN]
        lea rax, [rdx + rsi]
        cmp rax, MOST_TEXT
        ja .refuse
        mov [rbx + WRITTEN], rax
        mov rcx, rsi
        mov rsi, rdi
        lea rdi, [rbx + WORDS + rdx]
        rep movsb               ; may touch memory that is not there yet: then part 10 interrupts ring 0, and it goes on
        mov rax, rcx            ; 0: done

; SYSRET is SYSCALL backwards: RIP from RCX, RFLAGS from R11. Nothing else is loaded, so the stack is our affair again.
.return:
        mov [rbp + RAX_AT], rax
        mov rsp, rbp
        load_registers
        mov rsp, [rsp + RSP_AT - ERROR_AT]
        o64 sysret

; ---- 10: page faults, and memory on demand ---------------------------------------------------------------------------
; Exception 14 brings an error code (SDM vol. 3A, "Page-Fault Exception"): bit 0 the page was there, but not for this;
; bit 1 a write; bit 2 from ring 3; bit 4 an instruction fetch. CR2 holds the address.

page_fault:
        enter_kernel            ; the processor has pushed an error code
        mov rax, cr2
        test byte [rbp + ERROR_AT], 1
        jnz .forbidden          ; the page is there: this is no matter of memory
        cmp rax, HEAP
        jb .forbidden
        cmp rax, HEAP_END
        jb give_page

.forbidden:
        test byte [rbp + CS_AT], 3
        jz .in_kernel

; Real kernels carry workarounds for processors and hypervisors that have faults, and this one has met one, too. On some
; hosts (those of kvm_pvm) SYSCALL jumps to LSTAR but stays in ring 3, so the fetch of the first instruction faults. RCX
; and R11 are as they should be, and the frame is made already: answer. A program can also come here by jumping into the
; kernel. Then it has made a system call, with an RCX and an R11 of its own choice: trust neither.
        mov rcx, system_call
        cmp rax, rcx
        jne end_by_fault
        mov ecx, [rbp + RCX_AT] ; 32 bits: SYSRET to an address that is not canonical would fault in ring 0
        mov [rbp + RCX_AT], rcx
        mov qword [rbp + R11_AT], 0x202     ; IF, and no privilege for input and output
        jmp answer_call

; The kernel used an address that a program gave it (part 9), or its own tables are wrong.
.in_kernel:
        cmp rax, TEXT
        jb panic
        cmp rax, HEAP_END
        jb end_by_fault
        jmp panic

; A page of the heap that nobody has touched yet. Take one that is free, fill it with zeros (what would the program find
; there otherwise?), enter it into the program's table, and let the instruction run again.
give_page:
        mov rsi, text_demand
        call print
        mov rax, cr2
        mov ecx, 8
        call print_hexadecimal
        mov rsi, text_line
        call print
        mov rdi, [free_page]
        add qword [free_page], 4096
        mov rdx, rdi
        xor eax, eax
        mov ecx, 4096 / 8
        rep stosq
        mov rbx, [current]
        mov rax, cr2
        sub rax, TEXT
        shr rax, 12             ; which page of the program: which entry of its table
        shl rax, 3
        add rax, [rbx + TABLE]
        mov rcx, PRESENT + WRITABLE + USER + NO_EXECUTE
        or rdx, rcx
        mov [rax], rdx          ; from "not present" to "present" needs no INVLPG: what is absent is not remembered
        jmp resume

; ---- 11: the end of a program, the end of the run --------------------------------------------------------------------

%macro exception 2              ; name, vector: one without error code
%1:
        push 0
        enter_kernel
        mov eax, %2
        jmp any_exception
%endmacro

        exception divide_error, 0
        exception invalid_opcode, 6

general_protection:
        enter_kernel
        mov eax, 13
any_exception:
        test byte [rbp + CS_AT], 3
        jz panic
        jmp end_program

end_by_fault:
        mov eax, 14
        jmp end_program
end_by_exit:
        mov eax, -1             ; no exception
end_program:
        mov rbx, [current]
        mov [rbx + VECTOR], eax
        mov eax, [rbp + ERROR_AT]
        mov [rbx + ERROR], eax
        mov qword [rbx + ENDED], 1
        jmp schedule

; A fault in the kernel: its own tables or its own code are wrong, so it cannot go on.
panic:
        mov rsi, text_panic
        call print
        jmp power_off
; A fault while a fault was delivered. Its stack comes from the TSS's IST, because the old one may be what is broken.
double_fault:
        mov rsi, text_double
        call print
        jmp power_off

all_ended:
        mov rbx, program_a
        call report
        mov rbx, program_b
        call report
        mov rsi, text_power_off
        call print
power_off:
        mov dx, POWER
        mov ax, 1 << 13         ; SLP_EN: sleep, of type 0, which means off
        out dx, ax
.halted:
        cli                     ; without a power supply that listens: sleep, with interrupts off
        hlt
        jmp .halted

; What the program of the record in RBX wrote, how it ended, and whether it really had to share the processor.
report:
        mov rcx, [rbx + WRITTEN]
        lea rsi, [rbx + WORDS]
.character:
        lodsb
        call put_character
        loop .character
        mov rsi, text_program
        call print
        mov al, [rbx + NAME]
        call put_character
        mov rsi, text_exited
        cmp dword [rbx + VECTOR], -1
        je .ended
        mov rsi, text_stopped
        call print
        mov eax, [rbx + VECTOR]
        call print_byte
        mov rsi, text_error
        call print
        mov eax, [rbx + ERROR]
        call print_byte
        mov rsi, text_comma
.ended:
        call print
        mov rsi, text_shared
        cmp qword [rbx + LOST], ENOUGH
        jae print
        mov rsi, text_alone
        jmp print

; ---- 12: the serial port ---------------------------------------------------------------------------------------------

set_up_serial_port:
        out8 COM1 + 1, 0        ; IER: no interrupts; we ask
        out8 COM1 + 3, 0x80     ; LCR.DLAB: the next two registers are the divisor of 115,200 baud
        out8 COM1, 1
        out8 COM1 + 1, 0
        out8 COM1 + 3, 3        ; LCR: 8 data bits, no parity, 1 stop bit
        ret

put_character:                  ; AL. Changes RAX and RDX
        mov ah, al
        mov dx, COM1 + 5
.busy:
        in al, dx
        test al, 1 << 5         ; LSR.THRE: there is room for a character
        jz .busy
        mov al, ah
        mov dx, COM1
        out dx, al
        ret

print:                          ; RSI: text that ends with a zero. Changes RAX, RDX, RSI
        lodsb
        test al, al
        jz .end
        call put_character
        jmp print
.end:
        ret

print_byte:                     ; AL, as two hexadecimal digits
        mov ecx, 2
        shl eax, 24
print_hexadecimal:              ; EAX, the first ECX of its eight hexadecimal digits. Changes RAX, RCX, RDX, RDI
        mov edi, eax
.digit:
        rol edi, 4              ; the highest digit first
        mov eax, edi
        and eax, 15
        cmp al, 10
        jb .decimal
        add al, 'a' - '0' - 10
.decimal:
        add al, '0'
        call put_character
        loop .digit
        ret

text_hello:     db 'mini-os: 64-bit mode, paging on', 10, 0
text_ticks:     db 'mini-os: the timer ticks', 10, 0
text_demand:    db 'mini-os: a page of zeros, on demand, for ', 0
text_program:   db 'mini-os: program ', 0
text_exited:    db ' exited, ', 0
text_stopped:   db ' was stopped by exception ', 0
text_error:     db ', error code ', 0
text_comma:     db ', ', 0
text_shared:    db 'and lost the processor at least three times'
text_line:      db 10, 0
text_alone:     db 'and hardly had to share', 10, 0
text_panic:     db 'mini-os: a fault in the kernel', 10, 0
text_double:    db 'mini-os: double fault', 10, 0
text_power_off: db 'mini-os: power off', 10, 0

; ---- 13: the programs, in ring 3 -------------------------------------------------------------------------------------
; One page of instructions, which both address spaces show read-only at TEXT. It was assembled for another address, so
; it names places only relative to RIP. Stack and heap are each program's own, though at the same addresses.
;
; Each computes something small, over and over, until it has lost the processor often enough, and compares: if a single
; register were not what it was before, the answer would change.

%macro page 0                   ; what follows begins at a multiple of 4096
        times -($ - $$ + BOOT) & 0xfff db 0
%endmacro

        page
programs:

; A counts primes: a number is one if no smaller number divides it. The table holds two bytes for each number: its
; smallest factor, or zero as long as none was found.
LIMIT   equ 4096

sieve:
        xor r12d, r12d          ; the first answer
.again:
        mov rdi, HEAP           ; the first time, this touches memory that is not there: two pages of it
        xor eax, eax
        mov ecx, LIMIT * 2 / 8
        rep stosq
        mov rdi, HEAP
        mov ecx, 2              ; a candidate
        xor ebx, ebx            ; primes so far
.candidate:
        cmp word [rdi + rcx * 2], 0
        jne .next
        inc ebx                 ; no factor below itself: a prime
        mov eax, ecx
        imul eax, ecx           ; smaller multiples have a smaller factor
.multiple:
        cmp eax, LIMIT
        jae .next
        cmp word [rdi + rax * 2], 0
        jne .marked
        mov [rdi + rax * 2], cx
.marked:
        add eax, ecx
        jmp .multiple
.next:
        inc ecx
        cmp ecx, LIMIT
        jb .candidate
        call check_answer
        jb .again
        mov rsi, rbx
        lea rdi, [rel words_a]
        mov edx, words_a_end - words_a
        call write_line
        mov eax, EXIT
        syscall

; B takes numbers below 100 and follows each: an even one is halved, an odd one tripled plus one, until 1. Which takes
; the most steps? Nobody knows whether every number ever ends; those below 100 do. B then reads what is not its own.
collatz:
        xor r12d, r12d
.again:
        xor ebx, ebx            ; the most steps so far
        mov ecx, 1
.start:
        mov eax, ecx
        xor edx, edx            ; steps
.step:
        cmp eax, 1
        je .arrived
        inc edx
        shr eax, 1              ; halve; CF is the bit that falls out
        jnc .step
        lea eax, [rax + rax * 2 + 1]    ; n = 2 h + 1, of which h is left: 3 n + 1 = 6 h + 4 = 2 (3 h + 1 + 1)
        lea eax, [rax * 2 + 2]
        jmp .step
.arrived:
        cmp edx, ebx
        cmova ebx, edx
        inc ecx
        cmp ecx, 100
        jb .start
        call check_answer
        jb .again
        mov rsi, rbx
        lea rdi, [rel words_b]
        mov edx, words_b_end - words_b
        call write_line
        mov rax, [BOOT]         ; the kernel: there, but not for ring 3
        ud2                     ; never reached

; RBX: an answer; R12: the first one, or 0. Returns CF = 1 while the program has to go on.
check_answer:
        test r12, r12
        jz .first
        cmp rbx, r12
        je .same
        ud2                     ; something of ours was not restored: do not pretend otherwise
.first:
        mov r12, rbx
.same:
        mov eax, PREEMPTIONS
        syscall                 ; changes RCX and R11, which hold the way back
        cmp rax, ENOUGH
        ret

; RDI, RDX: words; RSI: a number to put behind them, and a line end. Digits come out last to first.
write_line:
        push rdi
        push rdx
        mov rax, rsi
        lea rdi, [rsp - 1]      ; below the stack: nobody else writes there, interrupts have their own stack
        mov byte [rdi], 10
        mov ecx, 10
.digit:
        xor edx, edx
        div rcx
        add dl, '0'
        dec rdi
        mov [rdi], dl
        test rax, rax
        jnz .digit
        mov r8, rdi             ; the number is from here to RSP
        mov rdi, [rsp + 8]
        mov rsi, [rsp]
        mov eax, WRITE
        syscall
        mov rdi, r8
        mov rsi, rsp
        sub rsi, r8
        mov eax, WRITE
        syscall
        add rsp, 16
        ret

words_a:        db 'A: primes below 4096: '
words_a_end:
words_b:        db 'B: most Collatz steps from a number below 100: '
words_b_end:

        page
programs_end:

; ---- 14: tables ------------------------------------------------------------------------------------------------------

; Segments, in the order that SYSCALL and SYSRET expect. In 64-bit mode what is left of them is the ring and the L bit.
gdt:    dq 0
        dq 0x00cf9b000000ffff   ; 08 kernel code, 32-bit: for the way up
        dq 0x00af9b000000ffff   ; 10 kernel code, 64-bit
        dq 0x00cf93000000ffff   ; 18 kernel data
        dq 0x00cffb000000ffff   ; 20 user code, 32-bit: SYSRET counts on its place
        dq 0x00cff3000000ffff   ; 28 user data
        dq 0x00affb000000ffff   ; 30 user code, 64-bit
        dw task_end - task - 1  ; 38 task state segment: limit,
        dw task                 ;    base (it is below 64 KiB, so the rest of it is zero),
        db 0, 0x89, 0, 0        ;    present, available 64-bit TSS
        dq 0                    ;    it takes two places
gdt_end:
gdt_register:
        dw gdt_end - gdt - 1
        dq gdt

; Gates: where each vector goes. Interrupt gates: interrupts are off in the handler. DPL 0: none is for ring 3's INT n.
%macro gate 1-2 0               ; handler, and which stack of the IST (0: the usual one)
        dw %1                   ; the handler: below 64 KiB, like everything that is here
        dw KERNEL_CODE
        db %2
        db 0x8e                 ; present, DPL 0, 64-bit interrupt gate
        dw 0
        dq 0
%endmacro
%macro no_gates 1               ; not present: to go there is a fault itself
        times %1 dq 0, 0
%endmacro

        align 8
idt:    gate divide_error       ; 0  #DE
        no_gates 5
        gate invalid_opcode     ; 6  #UD
        no_gates 1
        gate double_fault, 1    ; 8  #DF, on a stack of its own
        no_gates 4
        gate general_protection ; 13 #GP
        gate page_fault         ; 14 #PF
        no_gates TIMER - 15
        gate timer_interrupt    ; IRQ 0
idt_end:
idt_register:
        dw idt_end - idt - 1
        dq idt

; The task state segment: no tasks any more, only stacks. SDM vol. 3A, "Task Management in 64-bit Mode".
        align 16
        dd 0                    ; so that the stacks come to lie at multiples of 8
task:   dd 0
rsp0:   dq 0                    ; the stack for who comes from ring 3: the frame of the current program
        dq 0, 0, 0              ; RSP1, RSP2: for rings that nobody uses
        dq double_fault_stack   ; IST1
        dq 0, 0, 0, 0, 0, 0, 0  ; IST2 to IST7
        dw 0
        dw task_end - task      ; the I/O permission bitmap begins behind the limit: ring 3 may use no port
task_end:

; Programs: a record for each. RSP0 must be a multiple of 16, so the frame, of 21 words, begins at 8.
ROOT        equ 0               ; what goes into CR3
FRAME       equ 8
TABLE       equ FRAME + FRAME_SIZE  ; its page table, for memory on demand
NEXT        equ TABLE + 8       ; the next record in the ring
NAME        equ NEXT + 8
ENDED       equ NAME + 8
VECTOR      equ ENDED + 8       ; the exception that ended it, or -1; its error code
ERROR       equ VECTOR + 4
LOST        equ VECTOR + 8      ; how often the timer took the processor away
WRITTEN     equ LOST + 8        ; bytes of text
WORDS       equ WRITTEN + 8
MOST_TEXT   equ 96

%macro program 5                ; name, next, root, table, where it starts
        dq %3
        times 16 dq 0           ; fifteen registers, and no error code
        dq TEXT + %5 - programs ; RIP
        dq USER_CODE            ; CS: its low two bits become the ring
        dq 0x202                ; RFLAGS: interrupts on; bit 1 is always 1
        dq STACK_TOP            ; RSP
        dq USER_DATA            ; SS
        dq %4
        dq %2
        dq %1
        times 4 dq 0
        times MOST_TEXT db 0
%endmacro

        align 16
program_a:
        program 'A', program_b, pages_a, table_a, sieve
        align 16
program_b:
        program 'B', program_a, pages_b, table_b, collatz

current:        dq program_a
ticks:          dq 0
free_page:      dq FREE_PAGES + 0x2000  ; the first two are the programs' stacks
program_rsp:    dq 0

        align 16
        times 512 db 0
kernel_stack:
        times 512 db 0
double_fault_stack:

; Pages: four levels of tables for each program, each one page of 512 entries. The kernel is in both, at its physical
; addresses, in a page of 2 MiB without the USER bit: ring 3 cannot touch it, and to enter ring 0 needs no other CR3.
%macro table_rest 1             ; entries that are used already
        times 512 - %1 dq 0
%endmacro
%macro address_space 5          ; PML4, PDPT, page directory, page table, stack
        page
%1:     dq %2 + PRESENT + WRITABLE + USER       ; from 0: 512 GiB
        table_rest 1
%2:     dq kernel_pages + PRESENT + WRITABLE    ; from 0: 1 GiB, the kernel
        dq %3 + PRESENT + WRITABLE + USER       ; from 1 GiB: the program
        table_rest 2
%3:     dq %4 + PRESENT + WRITABLE + USER       ; 2 MiB of it
        table_rest 1
%4:     dq programs + PRESENT + USER            ; TEXT: to read and to run, not to write
        dq %5 + PRESENT + WRITABLE + USER + NO_EXECUTE  ; the stack: to read and to write, not to run
        table_rest 2                            ; nothing more, until it is touched
%endmacro

        address_space pages_a, pointers_a, directory_a, table_a, FREE_PAGES
        address_space pages_b, pointers_b, directory_b, table_b, FREE_PAGES + 0x1000
kernel_pages:
        dq 0 + PRESENT + WRITABLE + LARGE
        table_rest 1
