; workloads: a small kernel in ring 0, and four programs in ring 3 of which one runs.
;
;   0  compute   the sieve of Eratosthenes: nothing but instructions and memory
;   1  calls     system calls, each after some work of its own; of a thousand of them RSI change a page-table entry
;   2  fork      makes a process, waits for it, and goes on: page tables are made, write-protected, followed and dropped
;   3  walks     reads one of 1,024 pages after the other, in no order, in page tables that never change
;
; The loader's caller puts the number of the program in RDI and the parameter in RSI. A program runs once unmeasured and once
; between two readings of the time-stamp counter; at the end RAX has the cycles in between, RBX those of measuring nothing. An
; OUT to port 80h stands before and behind each, so that what happened there can be counted: nothing, nothing, the program. After the lmbench and forkwait runs of Adams and Agesen, ASPLOS 2006,
; section 6: which hypervisor is faster depends on which of these a guest does.

        bits 64
        org 0x8000

CALLS       equ 200             ; system calls of program 1
FORKS       equ 4               ; processes that program 2 makes
VISITS      equ 2000            ; pages that program 3 reads
SIEVE_SIZE  equ 2000            ; numbers that program 0 sieves

KERNEL_CODE equ 0x10            ; offsets into the table of segments below
USER_DATA   equ 0x28 | 3        ; | 3: requested privilege level 3
USER_CODE   equ 0x30 | 3
TASK        equ 0x38

MSR_EFER    equ 0xc0000080      ; bit 0: SYSCALL exists
MSR_STAR    equ 0xc0000081      ; the segments of SYSCALL and SYSRET
MSR_LSTAR   equ 0xc0000082      ; where SYSCALL goes
MSR_FMASK   equ 0xc0000084      ; the flags that SYSCALL clears

; Memory, from the bottom: program, the sieve's numbers, page tables, frames for the pages of processes, pages to walk to.
NUMBERS     equ 0x100000
TABLES      equ 0x180000        ; page tables, one after the other; never used twice
FRAMES      equ 0x300000        ; pages for processes, likewise
FOREST      equ 0x800000        ; 4 MiB

; Linear addresses besides the loader's own, which are physical ones: of a process, and of the pages to walk to.
PROCESS     equ 1 << 30         ; the second GiB
WALKS       equ 2 << 30         ; the third
PAGES       equ 32              ; of a process
READS       equ 16              ; pages that a new process reads
WRITES      equ 8               ; and writes: each is copied first

PRESENT     equ 1
WRITABLE    equ 2
USER        equ 4

NULL        equ 0               ; system calls, in EAX
REMAP       equ 1
FORK        equ 2
EXIT        equ 3
MARK        equ 4
DONE        equ 5

; ---- the kernel, ring 0 ----------------------------------------------------------------------------------------------

start:
        mov rsp, kernel_stack
        mov [chosen], rdi
        mov [parameter], rsi

; Ring 3 may only use pages whose U bit is set at every level of the loader's tables.
        mov rax, cr3
        or qword [rax], USER    ; PML4 entry 0
        mov rbx, [rax]
        and rbx, -4096          ; drop the flag bits: the address of the next table
        or qword [rbx], USER    ; page-directory-pointer entry 0
        mov [pointers], rbx
        mov rcx, [rbx]
        and rcx, -4096
        or qword [rcx], USER    ; page-directory entry 0: a page of 2 MiB

; The frames are RAM that has been in use: nested paging maps at first touch, and that is over when a program is measured.
        xor ecx, ecx
        mov eax, TABLES
.warm_tables:
        mov [rax], ecx          ; they are zero, and stay so
        add eax, 0x1000
        cmp eax, TABLES + 0x40000
        jb .warm_tables
        mov eax, FRAMES
.warm_frames:
        mov [rax], ecx
        add eax, 0x1000
        cmp eax, FRAMES + 0x80000
        jb .warm_frames

; The second GiB: PAGES pages of the first process.
        call new_table
        mov r8, rax             ; its page directory
        lea rcx, [rax + PRESENT + WRITABLE + USER]
        mov [rbx + 8], rcx
        call new_table
        mov [parent_table], rax
        lea rcx, [rax + PRESENT + WRITABLE + USER]
        mov [r8], rcx
        mov r9, rax
        mov ecx, PAGES
.page:  call new_frame
        or eax, PRESENT | WRITABLE | USER
        mov [r9], rax
        add r9, 8
        dec ecx
        jnz .page

; The third: two page tables that lead to 4 MiB of RAM.
        call new_table
        mov r8, rax
        lea rcx, [rax + PRESENT + WRITABLE + USER]
        mov [rbx + 16], rcx
        mov edx, FOREST | PRESENT | WRITABLE | USER
        mov esi, 2
.table: call new_table
        lea rcx, [rax + PRESENT + WRITABLE + USER]
        mov [r8], rcx
        add r8, 8
        mov ecx, 512
.tree:  mov [rax], rdx
        add rax, 8
        add edx, 0x1000
        dec ecx
        jnz .tree
        dec esi
        jnz .table
        mov rax, cr3
        mov [parent_root], rax
        mov cr3, rax            ; forget the translations that were made before

        lgdt [gdt_register]
        push KERNEL_CODE        ; the only way to load CS is to go somewhere
        mov rax, reloaded
        push rax
        retfq
reloaded:
        mov rax, task_state     ; the stack for page faults of ring 3
        mov [gdt_task + 2], ax
        shr rax, 16
        mov [gdt_task + 4], al
        mov ax, TASK
        ltr ax
        mov rax, page_fault
        mov [gate_pf], ax
        shr rax, 16
        mov [gate_pf + 6], ax
        lidt [idt_register]

        mov ecx, MSR_EFER
        rdmsr
        or eax, 1
        wrmsr
        mov ecx, MSR_STAR       ; 47:32: SYSCALL's CS, and SS = it + 8. 63:48: SYSRET's CS = it + 16, and SS = it + 8
        xor eax, eax
        mov edx, ((USER_DATA - 8) << 16) | KERNEL_CODE
        wrmsr
        mov ecx, MSR_LSTAR
        mov eax, system_call
        xor edx, edx
        wrmsr
        mov ecx, MSR_FMASK
        mov eax, 0x200          ; IF: the kernel is not interrupted
        xor edx, edx
        wrmsr

; Into ring 3: IRETQ takes what an interrupt would have left on the stack.
        push USER_DATA          ; SS
        push user_stack         ; RSP
        push 0x202              ; RFLAGS: interrupts on, IOPL 0
        push USER_CODE          ; CS
        push program            ; RIP
        iretq

; A system call: its number is in EAX, the answer comes back there. RCX has the program's RIP, R11 its flags.
system_call:
        mov [user_rsp], rsp
        mov rsp, kernel_stack
        push rcx
        push r11
        mov eax, eax            ; clears the upper half
        call [services + rax * 8]
        pop r11
        pop rcx
        mov rsp, [user_rsp]
        o64 sysret

; Nothing but the way there and back.
null:   mov eax, 42
        ret

; Another frame for the first page of the process, as when a file is mapped in the place of another.
remap:  push rdi
        mov rdi, [parent_table]
        mov rax, [rdi]
        xor rax, 0x1000         ; its neighbour
        mov [rdi], rax
        mov rdi, PROCESS
        invlpg [rdi]
        pop rdi
        ret

; A second process with the same pages. Both may only read them from now on: whoever writes first gets a copy. The new one
; runs first; the old one waits for its end.
fork:   push rbx
        push rdi
        push rsi
        push rdx
        call new_table          ; PML4
        mov rbx, rax
        call new_table          ; page-directory pointers
        lea rcx, [rax + PRESENT + WRITABLE + USER]
        mov [rbx], rcx
        mov rdi, rax
        mov rsi, [pointers]     ; the kernel's part, and the pages to walk to, are the same in every process
        mov rcx, [rsi]
        mov [rdi], rcx
        mov rcx, [rsi + 16]
        mov [rdi + 16], rcx
        call new_table          ; page directory
        lea rcx, [rax + PRESENT + WRITABLE + USER]
        mov [rdi + 8], rcx
        mov rdi, rax
        call new_table          ; page table
        lea rcx, [rax + PRESENT + WRITABLE + USER]
        mov [rdi], rcx
        mov [child_table], rax
        mov rdi, rax
        mov rsi, [parent_table]
        mov ecx, PAGES
.page:  mov rdx, [rsi]
        and rdx, ~WRITABLE
        mov [rsi], rdx          ; write-protect the old one's
        mov [rdi], rdx          ; map the same frame for the new one
        add rsi, 8
        add rdi, 8
        dec ecx
        jnz .page
        pop rdx
        pop rsi
        pop rdi
        mov rcx, rbx
        pop rbx
        mov rax, [user_rsp]     ; where the old one will go on: the same place, with another answer
        mov [parent_rsp], rax
        mov rax, [rsp + 16]
        mov [parent_rip], rax
        mov rax, [child_table]
        mov [table], rax
        mov cr3, rcx            ; the scheduler: the new one's address space
        xor eax, eax            ; it is the new one
        ret

; The end of the process that FORK made: its pages are unmapped, and the old one goes on behind its FORK.
exit:   push rdi
        push rsi
        mov rdi, [child_table]
        mov esi, PAGES
        xor eax, eax
.page:  mov [rdi], rax
        add rdi, 8
        dec esi
        jnz .page
        pop rsi
        pop rdi
        mov rax, [parent_table]
        mov [table], rax
        mov rax, [parent_root]
        mov cr3, rax
        mov rax, [parent_rsp]
        mov [user_rsp], rax
        mov rax, [parent_rip]
        mov [rsp + 16], rax
        mov eax, 1              ; it is the old one
        ret

mark:   out 0x80, al
        ret

done:   mov rax, r14            ; the cycles
        mov rbx, r15
        hlt

; A write to a page that is shared: the new process gets a copy, the old one, alone again, may write to its own.
page_fault:
        push rax
        push rcx
        push rsi
        push rdi
        push rbx
        mov rbx, cr2
        and rbx, -4096
        mov rdi, rbx
        mov rax, PROCESS
        sub rdi, rax
        shr rdi, 9              ; the page's number times eight: where its entry is
        add rdi, [table]
        mov rax, [table]
        cmp rax, [parent_table]
        je .alone
        push rdi
        mov rsi, rbx            ; what it has been reading
        call new_frame
        mov rdi, rax            ; the frame's linear address: the kernel's part is mapped one to one
        mov ecx, 4096 / 8
        cld
        rep movsq
        pop rdi
        or eax, PRESENT | WRITABLE | USER
        mov [rdi], rax
        jmp .again
.alone: or qword [rdi], WRITABLE
.again: invlpg [rbx]
        pop rbx
        pop rdi
        pop rsi
        pop rcx
        pop rax
        add rsp, 8              ; the error code
        iretq

; The next 4 KiB that are still zero, in RAX.
new_table:
        mov rax, [next_table]
        add qword [next_table], 0x1000
        ret
new_frame:
        mov rax, [next_frame]
        add qword [next_frame], 0x1000
        ret

; ---- the programs, ring 3 --------------------------------------------------------------------------------------------

program:
        mov rbp, nothing
        call measure            ; unmeasured, as is the first round of the program
        call measure
        mov r15, r14
        mov rbp, [chosen]
        mov rbp, [programs + rbp * 8]
        call rbp
        call measure
        mov eax, DONE
        syscall                 ; R14 has the cycles, R15 those of nothing

; Runs what RBP points to; its cycles in R14.
measure:
        mov eax, MARK
        syscall
        rdtsc                   ; EDX:EAX
        shl rdx, 32
        lea r12, [rax + rdx]    ; the time before
        call rbp
        rdtsc
        shl rdx, 32
        add rax, rdx
        sub rax, r12
        mov r14, rax
        mov eax, MARK
        syscall
        ret

; What the measuring itself does.
nothing:
        ret

; 0: which numbers have no divisor?
compute:
        mov edi, NUMBERS
        mov ecx, SIEVE_SIZE
.clear: mov byte [rdi], 1
        inc rdi
        dec ecx
        jnz .clear
        mov ecx, 2
.prime: cmp byte [NUMBERS + rcx], 0
        je .next
        lea rdx, [rcx + rcx]
.strike:
        cmp edx, SIEVE_SIZE
        jae .next
        mov byte [NUMBERS + rdx], 0
        add edx, ecx
        jmp .strike
.next:  inc ecx
        cmp ecx, SIEVE_SIZE
        jb .prime
        ret

; 1: work, a system call, work, a system call.
calls:  mov r8d, CALLS
        xor r9d, r9d
        mov r10, PROCESS
.round: mov ecx, 20
.work:  add rax, rcx
        rol rax, 3
        dec ecx
        jnz .work
        add r9, [parameter]
        mov eax, NULL
        cmp r9, 1000
        jb .call
        sub r9, 1000
        mov eax, REMAP
.call:  syscall
        mov rdx, [r10]          ; the page that may be another one now
        dec r8d
        jnz .round
        ret

; 2: fork and wait.
forks:  mov r8d, FORKS
.round: mov eax, FORK
        syscall
        test eax, eax
        jz .new
        mov edx, WRITES         ; the old one writes again
        mov r10, PROCESS
.write: inc qword [r10]
        add r10, 0x1000
        dec edx
        jnz .write
        dec r8d
        jnz .round
        ret
.new:   mov edx, READS
        mov r10, PROCESS
.read:  mov r9, [r10]
        add r10, 0x1000
        dec edx
        jnz .read
        mov edx, WRITES
        mov r10, PROCESS
.copy:  inc qword [r10]
        add r10, 0x1000
        dec edx
        jnz .copy
        mov eax, EXIT
        syscall

; 3: here and there in 4 MiB, of which the TLB remembers a quarter.
walks:  mov ecx, VISITS
        mov r10, WALKS
        mov eax, 1
.visit: imul eax, eax, 1103515245
        add eax, 12345
        mov edx, eax
        shr edx, 16
        and edx, 1023           ; the page's number
        shl edx, 12
        add r9, [r10 + rdx]
        dec ecx
        jnz .visit
        ret

; ---- tables ----------------------------------------------------------------------------------------------------------

; In pages of its own: whoever translates code write-protects the page that it is in.
        align 4096
services:
        dq null, remap, fork, exit, mark, done
programs:
        dq compute, calls, forks, walks
chosen: dq 0
parameter:
        dq 0
pointers:
        dq 0                    ; the loader's page-directory pointers
parent_root:
        dq 0
parent_table:
        dq 0
child_table:
        dq 0
table:  dq 0                    ; the page table of the process that runs
user_rsp:
        dq 0
parent_rsp:
        dq 0
parent_rip:
        dq 0
next_table:
        dq TABLES
next_frame:
        dq FRAMES

        align 8
gdt:    dq 0
        dq 0                    ; 08 (unused: the numbers are those that Linux uses)
        dq 0x00af9b000000ffff   ; 10 kernel code, 64-bit, ring 0
        dq 0x00cf93000000ffff   ; 18 kernel data
        dq 0x00cffb000000ffff   ; 20 user code, 32-bit
        dq 0x00cff3000000ffff   ; 28 user data, ring 3
        dq 0x00affb000000ffff   ; 30 user code, 64-bit, ring 3
gdt_task:
        dw 103                  ; 38 task state segment: limit,
        dw 0                    ;    base (filled in above),
        db 0, 0x89, 0, 0        ;    present, available 64-bit TSS
        dq 0                    ;    upper half of the base
gdt_end:

gdt_register:
        dw gdt_end - gdt - 1
        dq gdt

        align 8
idt:    times 14 dq 0, 0        ; vectors 0 to 13: not present
gate_pf:
        dw 0                    ; handler 15:0 (filled in above)
        dw KERNEL_CODE
        db 0                    ; no separate stack
        db 0x8e                 ; present, interrupt gate, DPL 0
        dw 0                    ; handler 31:16
        dd 0
        dd 0
idt_end:

idt_register:
        dw idt_end - idt - 1
        dq idt

        align 8
task_state:
        dd 0
        dq fault_stack          ; RSP0: the stack for entries into ring 0
        times 92 db 0           ; the other stacks, and no I/O permission bitmap
        align 16
        times 256 db 0
kernel_stack:
        times 256 db 0
fault_stack:
        times 256 db 0
user_stack:
