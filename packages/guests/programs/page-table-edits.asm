; page-table-edits: a thousand changes of a page table, three times.
;
;   1  only the writes            as a kernel fills a new process's tables
;   2  MOV to CR3, and a use      as it gives the process the processor
;   3  each with INVLPG           as a kernel takes pages away, or write-protects them for copy-on-write
;   4  each with INVLPG and a use as a kernel maps a page, and the program goes on
;
; With nested paging the tables are the guest's own: no write and no INVLPG leaves it. With shadow page tables the hypervisor's
; copy has to follow: count the exits. An OUT to port 80h stands before, between and after the parts, so that they can be told
; apart in the record.

        bits 64
        org 0x8000

EDITS     equ 1000
MARK      equ 0x80
TABLE     equ 0x20000           ; the page table that is changed
REGION    equ 0x200000          ; the linear addresses that it maps
PAGES     equ 0x100000          ; two pages of RAM, between which an entry changes

start:
        mov rsp, stack

; A page table for the second 2 MiB of the loader's mapping.
        mov rax, cr3
        mov rbx, [rax]          ; PML4 entry 0
        and rbx, -4096          ; drop the flag bits: the address of the next table
        mov rbx, [rbx]          ; page-directory-pointer entry 0
        and rbx, -4096
        mov qword [rbx + 8], TABLE | 3  ; page-directory entry 1
        mov qword [TABLE], PAGES | 3    ; its entry 0: present, writable
        mov cr3, rax            ; forget the translations that were made before

        mov esi, TABLE
        mov edi, REGION
        mov eax, PAGES | 3
        mov bl, [PAGES + 0x1000]        ; nested paging maps at first touch: let that be over
        mov bl, [rdi]           ; the page is in use, so shadow tables have an entry for it
        mov [rdi], bl

        out MARK, al            ; 1
        mov ecx, EDITS
.write: xor eax, 0x1000         ; the other page
        mov [rsi], rax
        dec ecx
        jnz .write

        out MARK, al            ; 2
        mov rdx, cr3            ; the TLB may still have the old ones: forget everything
        mov cr3, rdx
        mov bl, [rdi]

        out MARK, al            ; 3
        mov ecx, EDITS
.invalidate:
        xor eax, 0x1000
        mov [rsi], rax
        invlpg [rdi]
        dec ecx
        jnz .invalidate

        out MARK, al            ; 4
        mov ecx, EDITS
.use:   xor eax, 0x1000
        mov [rsi], rax
        invlpg [rdi]
        mov [rdi], bl
        dec ecx
        jnz .use

        out MARK, al
        hlt

        align 16
        times 256 db 0
stack:
