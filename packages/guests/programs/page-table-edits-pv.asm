; page-table-edits-pv: page-table-edits for a kernel that is ported to Xen. A thousand changes of a page table, four times.
;
;   1  a hypercall for each       as a kernel would that was ported in a hurry
;   2  a hypercall for a hundred  as one that collects its changes
;   3  a hypercall for all        as one that fills a new process's tables
;   4  update_va_mapping, with INVLPG and a use, each   as a kernel maps a page, and the program goes on
;
; Xen looks at each request, however it comes; what a batch saves is the way into Xen and back. xen_version, a hypercall that does
; nothing, stands before, between and after the parts, so that they can be told apart in the record.

        bits 64
        org 0x8000

EDITS     equ 1000
REGION    equ 0x180000          ; the linear address whose entry changes
PAGES     equ 0x100000          ; two pages, between which it changes
REQUESTS  equ 0x110000          ; the requests of a batch: 16 bytes each

MMU_UPDATE        equ 1
UPDATE_VA_MAPPING equ 14
XEN_VERSION       equ 17
SCHED_OP          equ 29
SELF              equ 0x7ff0    ; DOMID_SELF
TABLES_AT         equ 88        ; in the start-info page: the first page tables, and the list of frames
FRAMES_AT         equ 104

; The call as the hypercall page makes it. RCX and R11 are SYSCALL's.
%macro hypercall 1
        mov eax, %1
        syscall
%endmacro
%macro mark 0
        xor edi, edi
        hypercall XEN_VERSION
%endmacro
%macro change 1                 ; how many requests, from RDI on
        mov esi, %1
        xor edx, edx
        mov r10d, SELF
        hypercall MMU_UPDATE
%endmacro

start:
        mov rbp, [rsi + FRAMES_AT]
        mov rbx, [rsi + TABLES_AT]
        mov r12, [rbp + PAGES / 512]    ; an entry for each of the two pages: machine address, present, writable
        shl r12, 12
        or r12, 3
        mov r13, [rbp + PAGES / 512 + 8]
        shl r13, 12
        or r13, 3
        lea rax, [rbx + 0x3000]         ; behind L4, L3 and L2: the L1 table
        shr rax, 12
        mov r14, [rbp + rax * 8]
        shl r14, 12
        add r14, REGION / 512           ; the machine address of the entry

        mov edi, REQUESTS
        mov ecx, EDITS / 2
.fill:  mov [rdi], r14
        mov [rdi + 8], r13
        mov [rdi + 16], r14
        mov [rdi + 24], r12
        add rdi, 32
        dec ecx
        jnz .fill

        mark                    ; 1
        mov ebx, REQUESTS
.each:  mov rdi, rbx
        change 1
        add ebx, 16
        cmp ebx, REQUESTS + EDITS * 16
        jb .each

        mark                    ; 2
        mov ebx, REQUESTS
.some:  mov rdi, rbx
        change 100
        add ebx, 100 * 16
        cmp ebx, REQUESTS + EDITS * 16
        jb .some

        mark                    ; 3
        mov edi, REQUESTS
        change EDITS

        mark                    ; 4
        mov ebx, EDITS
.use:   xchg r12, r13           ; the other page
        mov edi, REGION
        mov rsi, r12
        mov edx, 2              ; UVMF_INVLPG
        hypercall UPDATE_VA_MAPPING
        mov edi, REGION
        mov [rdi], bl
        dec ebx
        jnz .use

        mark
        mov edi, 2              ; SCHEDOP_shutdown
        mov esi, reason
        hypercall SCHED_OP
reason: dd 0                    ; SHUTDOWN_poweroff
