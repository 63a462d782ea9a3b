; mini-os-pv: mini-os, ported to Xen. Lay the two side by side: hyperscope guests diff mini-os mini-os-pv
;
; It begins in 64-bit mode, in ring 3, and runs two programs in ring 3. Each has an address
; space of its own; a timer takes the processor from one and gives it to the other; SYSCALL brings their wishes to the
; kernel; one region of their memory is not there until somebody touches it.
;
;   1  what Xen hands over               8  the timer, and who is next
;   2  hypercalls                        9  system calls
;   3  page tables                      10  page faults, and memory on demand
;   4  the timer, by an event channel   11  the end of a program, the end of the run
;   5  the door for SYSCALL             12  the console
;   6  the first tick                   13  the programs, in ring 3
;   7  the frame of a program           14  tables: traps, records, pages
;
; What it prints is the same on every machine, however long the machine takes: the timer strikes when it likes, so
; nothing that is printed depends on when it does. Xen puts all of it at 0x7c00 of the memory that the domain has, and
; starts it there. Parts 8, 9, 11 and 13, the operating system, are mini-os's but for the lines that touch the machine.

; ---- names -----------------------------------------------------------------------------------------------------------

USER_DATA   equ 0xe02b          ; Xen's own flat segments. Kernel and programs share them: both are in ring 3
USER_CODE   equ 0xe033

SET_TRAP_TABLE    equ 0         ; hypercalls, by Xen's numbers. Arguments in RDI, RSI, RDX and R10, the answer in RAX
MMU_UPDATE        equ 1
STACK_SWITCH      equ 3
UPDATE_VA_MAPPING equ 14
SET_TIMER_OP      equ 15
CONSOLE_IO        equ 18
IRET_CALL         equ 23
MMUEXT_OP         equ 26
SCHED_OP          equ 29
CALLBACK_OP       equ 30
EVENT_CHANNEL_OP  equ 32

PIN_L4      equ 3               ; commands of MMUEXT_OP: validate a root and keep it so; the kernel's CR3; the programs'
NEW_BASE    equ 5
NEW_USER_BASE equ 15
BLOCK       equ 1               ; commands of SCHED_OP: wait for an event; the end
SHUTDOWN    equ 2
BIND_VIRQ   equ 1               ; of EVENT_CHANNEL_OP
SELF        equ 0x7ff0          ; DOMID_SELF: the frames are our own
FLUSH_PAGE  equ 2               ; a flag of UPDATE_VA_MAPPING
IN_SYSCALL  equ 0x100           ; a flag of IRET_CALL: RCX and R11 may be lost
MASKED      equ 4               ; a flag of a trap: events are masked in its handler

SHARED_AT   equ 40              ; in the start-info page: machine address of the shared-info page, …
TABLES_AT   equ 88              ; … the first page tables, …
FRAMES_AT   equ 104             ; … the list of frames

PENDING     equ 0x00            ; in the shared-info page: is there an event, …
MASK        equ 0x01            ; … may it come, …
SELECTOR    equ 0x08            ; … in which word of the ports,
CR2_AT      equ 0x10            ; the address of a page fault,
TSC_AT      equ 0x28            ; the time: what the time-stamp counter was, …
TIME_AT     equ 0x30            ; … when it was so many nanoseconds, …
MUL_AT      equ 0x38            ; … and how many nanoseconds, as a fraction of 2^32, …
SHIFT_AT    equ 0x3c            ; … are so many cycles, a power of two
PORTS       equ 0x800           ; ports with an event

PERIOD      equ 13409           ; nanoseconds: a tick every 13.4 microseconds, to see much in little time

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
FREE_PAGES  equ 0x20000         ; physical memory from here on belongs to nobody yet. Xen counts it as "pseudo-physical"

EXIT        equ 0               ; system calls: the number in RAX, the answer there too; arguments in RDI and RSI
WRITE       equ 1
PREEMPTIONS equ 2

ENOUGH      equ 3               ; a program goes on computing until it has lost the processor so often

; ---- 1: what Xen hands over ------------------------------------------------------------------------------------------
; No real mode, no way up: paging is on, our memory is at its pseudo-physical addresses, and a page that RSI points to
; says where the rest is. Segments, gates and a TSS are Xen's.

        bits 64
        org BOOT

start:
        mov rsp, kernel_stack
        mov rbx, rsi
        mov rax, [rbx + FRAMES_AT]
        mov [frame_list], rax

; ---- 2: hypercalls ---------------------------------------------------------------------------------------------------
; A page of ours, which Xen fills: how to reach it is its own affair. To ask for the page is the one privileged
; instruction that is left: it faults, and Xen sees what was meant.

%macro hypercall 1
        call hypercalls + %1 * 32
%endmacro

        mov eax, hypercalls
        call machine_address
        mov rdx, rax
        shr rdx, 32
        mov ecx, 0x40000000
        wrmsr

; The page that we share with Xen, in the place of one of our own.
        mov edi, shared_info
        mov rsi, [rbx + SHARED_AT]
        or rsi, PRESENT + WRITABLE
        mov edx, FLUSH_PAGE
        hypercall UPDATE_VA_MAPPING
        mov edi, traps          ; where exceptions go: part 14
        hypercall SET_TRAP_TABLE

; ---- 3: page tables --------------------------------------------------------------------------------------------------
; The processor walks our tables themselves, so they hold machine addresses; and Xen lets nobody write them but itself.
; The programs' tables were assembled with pseudo-physical addresses, in pages that are still ours to write.

        mov rsi, tables
.table:
        xor edx, edx            ; no table has more than two entries yet
.entry:
        mov rdi, [rsi + rdx * 8]
        test dil, PRESENT
        jz .next
        mov rax, rdi
        btr rax, 63             ; NO_EXECUTE is no part of the address
        call machine_address
        bt rdi, 63
        jnc .write
        bts rax, 63
.write:
        mov [rsi + rdx * 8], rax
.next:
        inc edx
        cmp edx, 2
        jb .entry
        add rsi, 4096
        cmp rsi, tables_end
        jb .table

; The kernel is in the first GiB of Xen's first tables: their entry for it will do for ours. Programs have roots of
; their own, without the kernel: in ring 3 there is no other way to keep it from them.
        mov rdi, [rbx + TABLES_AT]      ; L4, L3, L2, L1, a page each
        mov rax, [rdi + 0x1000]
        mov [pointers_a], rax
        mov [pointers_b], rax

; From now on these pages are for Xen to write: a request for each, and one hypercall for all of them.
        lea rax, [rdi + 0x3000]
        call machine_address
        mov rdx, rax            ; the L1 table by which we see our memory
        mov rsi, tables
        mov rdi, requests
.protect:
        mov rax, rsi
        shr rax, 9              ; eight bytes for each page of 4096
        add rax, rdx
        mov [rdi], rax
        mov rax, rsi
        call machine_address
        or rax, PRESENT
        mov [rdi + 8], rax
        add rdi, 16
        add rsi, 4096
        cmp rsi, tables_end
        jb .protect
        mov esi, (tables_end - tables) / 4096
        call update_tables

; The four roots, as Xen wants them: frame numbers. It looks at every entry below them, now and whenever one changes.
        mov rsi, roots
        mov rdi, requests
.root:
        mov rbx, [rsi]
        mov rax, [rbx]
        call machine_address
        shr rax, 12
        mov [rbx], rax
        mov qword [rdi], PIN_L4
        mov [rdi + 8], rax
        add rdi, 24
        add rsi, 8
        cmp rsi, roots_end
        jb .root
        mov esi, 4
        call extended_operations
        mov rsi, text_hello
        call print

; ---- 4: the timer, by an event channel -------------------------------------------------------------------------------
; No interrupt controller: an event is a bit in the page that we share with Xen. The timer's comes by a port that we
; ask for.

        mov edi, CALLBACK_OP_REGISTER
        mov esi, event_callback
        hypercall CALLBACK_OP
        mov edi, BIND_VIRQ
        mov esi, timer_port
        hypercall EVENT_CHANNEL_OP
        call next_tick

; ---- 5: the door for SYSCALL -----------------------------------------------------------------------------------------
; SYSCALL goes to Xen, from everywhere. From a program it comes on to us, if we have said where to.

        mov edi, CALLBACK_OP_REGISTER
        mov esi, syscall_callback
        hypercall CALLBACK_OP

; ---- 6: the first tick -----------------------------------------------------------------------------------------------
; Before there are programs, see whether the timer works. Printing takes longer than a tick, so wait for another: the
; first program is to begin with some time ahead of it.

        call wait_for_tick
        mov rsi, text_ticks
        call print
        call wait_for_tick
        mov rbx, program_a      ; nobody has run yet: enter A as if it came back from an interrupt
        jmp give_processor

; BLOCK gives the processor to Xen until an event comes; that one finds the kernel at work, and returns there. BLOCK
; opens events by itself, so no tick can slip in between the two and leave us asleep. To mask them is to write a byte.
wait_for_tick:
        mov rax, [ticks]
.sleep:
        push rax
        mov edi, BLOCK
        hypercall SCHED_OP
        pop rax
        mov byte [shared_info + MASK], 1
        cmp [ticks], rax
        je .sleep
        ret

; ---- 7: the frame of a program ---------------------------------------------------------------------------------------
; Whoever comes from a program leaves a frame: Xen pushes SS, RSP, RFLAGS, CS and RIP, some exceptions an error
; code, then R11 and RCX, and we the rest. STACK_SWITCH points into the record of the current program, to the end of the
; place for its frame: so the frame is saved where it is to stay, and to switch programs is to take the frame of another
; record.

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

; R11 and RCX have a place in our frame: out of Xen's way with them.
%macro from_xen 0
        pop rcx
        pop r11
%endmacro

; Saves the rest of the frame. Afterwards RBP points to it. Who comes from ring 3 gets the kernel's stack: its own ends
; here. Who comes from ring 0 was on the kernel's stack already, and must not overwrite what lies there.
; There is no ring 0 for us: it is Xen that writes 3 or 0 into the frame's CS, for a program or for the kernel.
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

; Back to whoever left the frame at RBP, in whichever ring. Our own IRETQ would not change the root. Xen's takes the
; same frame, with flags in the place of the error code.
resume:
        mov qword [rbp + ERROR_AT], 0
leave_kernel:
        mov rsp, rbp
        load_registers
        jmp hypercalls + IRET_CALL * 32

; ---- 8: the timer, and who is next -----------------------------------------------------------------------------------

timer_interrupt:
        from_xen
        push 0                  ; no error code: keep the frame's form
        enter_kernel
        inc qword [ticks]
        mov byte [shared_info + PENDING], 0     ; the events have been seen: the next one may be told
        mov qword [shared_info + SELECTOR], 0
        mov qword [shared_info + PORTS], 0
        call next_tick
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
        mov edi, USER_DATA
        lea rsi, [rbx + FRAME + FRAME_SIZE]
        hypercall STACK_SWITCH  ; its next frame goes where this one was
        mov rax, [rbx + ROOT]
        mov rcx, [rbx + USER_ROOT]
        mov qword [requests], NEW_BASE
        mov [requests + 8], rax
        mov qword [requests + 24], NEW_USER_BASE
        mov [requests + 32], rcx
        mov esi, 2
        call extended_operations  ; its address space. The kernel is at the same place in each, or this would be the end
        lea rbp, [rbx + FRAME]
        jmp resume

; ---- 9: system calls -------------------------------------------------------------------------------------------------
; SYSCALL: RCX is the program's RIP, R11 its RFLAGS. Xen has made the frame that an interrupt would have made.

system_call:
        from_xen
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

; A program that came by SYSCALL does not count on RCX and R11: Xen may use SYSRET.
.return:
        mov [rbp + RAX_AT], rax
        mov qword [rbp + ERROR_AT], IN_SYSCALL
        jmp leave_kernel

; ---- 10: page faults, and memory on demand ---------------------------------------------------------------------------
; Exception 14 brings an error code (SDM vol. 3A, "Page-Fault Exception"): bit 0 the page was there, but not for this;
; bit 1 a write; bit 2 from ring 3; bit 4 an instruction fetch. CR2 holds the address.

page_fault:
        from_xen
        enter_kernel            ; the processor has pushed an error code
        mov rax, [shared_info + CR2_AT]
        test byte [rbp + CS_AT], 3
        jz .as_it_is
        cmp rax, TEXT
        jae .as_it_is
        or byte [rbp + ERROR_AT], 1     ; the kernel is there. Programs have no root that says so, but that is our doing
.as_it_is:
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
        mov rax, [shared_info + CR2_AT]
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
        mov rax, [shared_info + CR2_AT]
        sub rax, TEXT
        shr rax, 12             ; which page of the program: which entry of its table
        shl rax, 3
        add rax, [rbx + TABLE]
        call machine_address
        mov [requests], rax
        mov rax, rdx
        call machine_address
        mov rcx, PRESENT + WRITABLE + USER + NO_EXECUTE
        or rax, rcx
        mov [requests + 8], rax ; from "not present" to "present" needs no INVLPG: what is absent is not remembered
        mov esi, 1
        call update_tables
        jmp resume

; The table is no longer ours to write, nor are the addresses in it ours to choose.
update_tables:                  ; ESI requests, of an address and a value
        mov edi, requests
        xor edx, edx
        mov r10d, SELF
        hypercall MMU_UPDATE
        ret
extended_operations:            ; ESI requests, of a command and two arguments
        mov edi, requests
        xor edx, edx
        mov r10d, SELF
        hypercall MMUEXT_OP
        ret

; RAX: an address as we count them; becomes the machine's. Changes RCX.
machine_address:
        mov rcx, rax
        shr rcx, 12
        shl rcx, 3
        add rcx, [frame_list]
        mov rcx, [rcx]
        shl rcx, 12
        and eax, 4095
        or rax, rcx
        ret

; ---- 11: the end of a program, the end of the run --------------------------------------------------------------------

%macro exception 2              ; name, vector: one without error code
%1:
        from_xen
        push 0
        enter_kernel
        mov eax, %2
        jmp any_exception
%endmacro

        exception divide_error, 0
        exception invalid_opcode, 6

general_protection:
        from_xen
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

all_ended:
        mov rbx, program_a
        call report
        mov rbx, program_b
        call report
        mov rsi, text_power_off
        call print
power_off:
        mov edi, SHUTDOWN
        mov esi, no_reason
        hypercall SCHED_OP
.halted:
        jmp .halted             ; never reached: there is no domain any more

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

; ---- 12: the console -------------------------------------------------------------------------------------------------

put_character:                  ; AL. Changes RAX and RDX
        push rsi
        push rdi
        mov [character], al
        mov edx, character
        mov esi, 1
        xor edi, edi            ; CONSOLEIO_write
        hypercall CONSOLE_IO
        pop rdi
        pop rsi
        ret

print:                          ; RSI: text that ends with a zero. Changes RAX, RDX, RSI
        push rdi
        mov rdx, rsi
.length:
        lodsb
        test al, al
        jnz .length
        sub rsi, rdx            ; a character more than there are
        dec rsi
        xor edi, edi
        hypercall CONSOLE_IO    ; a text needs no more than a character does
        pop rdi
        ret

; The next event of the timer, and what time it is. Changes RAX, RCX, RDX, RDI
next_tick:
        rdtsc
        shl rdx, 32
        or rax, rdx
        sub rax, [shared_info + TSC_AT]
        mov cl, [shared_info + SHIFT_AT]
        test cl, cl
        js .slower
        shl rax, cl
        jmp .scale
.slower:
        neg cl
        shr rax, cl
.scale:
        mov ecx, [shared_info + MUL_AT]
        mul rcx
        shrd rax, rdx, 32
        add rax, [shared_info + TIME_AT]
        lea rdi, [rax + PERIOD]
        hypercall SET_TIMER_OP
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

; Where each vector goes, for Xen to keep: vector, flags, segment, address.
%macro trap 2
        db %1, MASKED
        dw USER_CODE
        dd 0
        dq %2
%endmacro

        align 8
traps:  trap 0, divide_error
        trap 6, invalid_opcode
        trap 13, general_protection
        trap 14, page_fault
        dq 0, 0

CALLBACK_OP_REGISTER equ 0
event_callback:
        dw 0, 0, 0, 0           ; CALLBACKTYPE_event
        dq timer_interrupt
syscall_callback:
        dw 2, 1, 0, 0           ; CALLBACKTYPE_syscall; events are masked
        dq system_call
timer_port:
        dd 0, 0, 0              ; VIRQ_TIMER, on virtual processor 0; Xen writes the port
no_reason:
        dd 0                    ; SHUTDOWN_poweroff
character:
        db 0

; Programs: a record for each. The kernel's stack must be a multiple of 16, so the frame, of 21 words, begins at 8.
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
USER_ROOT   equ WORDS + MOST_TEXT       ; the root while the program runs

%macro program 6                ; name, next, root, table, where it starts, its own root
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
        dq %6
%endmacro

        align 16
program_a:
        program 'A', program_b, pages_a, table_a, sieve, user_pages_a
        align 16
program_b:
        program 'B', program_a, pages_b, table_b, collatz, user_pages_b

current:        dq program_a
ticks:          dq 0
free_page:      dq FREE_PAGES + 0x2000  ; the first two are the programs' stacks
frame_list:     dq 0
roots:          dq program_a + ROOT, program_a + USER_ROOT, program_b + ROOT, program_b + USER_ROOT
roots_end:
        align 8
requests:                       ; twelve at the most
        times 12 * 2 dq 0

        align 16
        times 512 db 0
kernel_stack:

        page
hypercalls:
        times 4096 db 0xcc      ; Xen's to fill
shared_info:
        times 4096 db 0         ; the frame that lies here gives way to another

; Pages: four levels of tables for each program, each one page of 512 entries, and once more the two upper ones: a root
; for the kernel, with the program in it, and a root for the program. The kernel's part of the first comes in part 3.
%macro table_rest 1             ; entries that are used already
        times 512 - %1 dq 0
%endmacro
%macro address_space 7          ; PML4, PDPT, both for the program, page directory, page table, stack
        page
%1:     dq %2 + PRESENT + WRITABLE + USER       ; from 0: 512 GiB
        table_rest 1
%2:     dq 0                                    ; from 0: 1 GiB, the kernel
        dq %5 + PRESENT + WRITABLE + USER       ; from 1 GiB: the program
        table_rest 2
%3:     dq %4 + PRESENT + WRITABLE + USER
        table_rest 1
%4:     dq 0                                    ; no kernel
        dq %5 + PRESENT + WRITABLE + USER
        table_rest 2
%5:     dq %6 + PRESENT + WRITABLE + USER       ; 2 MiB of it
        table_rest 1
%6:     dq programs + PRESENT + USER            ; TEXT: to read and to run, not to write
        dq %7 + PRESENT + WRITABLE + USER + NO_EXECUTE  ; the stack: to read and to write, not to run
        table_rest 2                            ; nothing more, until it is touched
%endmacro

        page
tables:
        address_space pages_a, pointers_a, user_pages_a, user_pointers_a, directory_a, table_a, FREE_PAGES
        address_space pages_b, pointers_b, user_pages_b, user_pointers_b, directory_b, table_b, FREE_PAGES + 0x1000
tables_end:
