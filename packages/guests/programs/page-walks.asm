; page-walks: one cold access by each size of page. How many entries does the processor have to read to find the byte?
;
;   page of the guest   its tables   native   with nested tables of 4 levels: each of them, and the byte itself, has a
;   4 KiB                4 levels        4    guest-physical address that needs a walk of its own: 4 x 4 + 4 + 4 = 24
;   2 MiB                3               3    3 x 4 + 3 + 4 = 19
;   1 GiB                2               2    2 x 4 + 2 + 4 = 14
;
; Each address is used once before, so that a hypervisor has mapped what lies behind it; then MOV to CR3 empties the TLB, and
; the second use is the cold one. All of it lies above 2 MiB, where a hypervisor can map large pages. Bhargava and others, 2008.

        bits 64
        org 0x8000

TABLE     equ 0x280000          ; the page table for 4 KiB pages
SMALL     equ 0x400000          ; an address in a page of 4 KiB,
LARGE     equ 0x600000          ; in a page of 2 MiB: the loader's mapping
HUGE      equ 0x100600000       ; in a page of 1 GiB, which maps addresses from 4 GiB on to RAM from 0 on

GIGABYTE_PAGES equ 26           ; CPUID leaf 80000001h, EDX

start:
        mov eax, 0x80000001
        cpuid
        mov ebp, edx

        mov rax, cr3
        mov rbx, [rax]          ; PML4 entry 0
        and rbx, -4096          ; drop the flag bits: the address of the next table
        mov qword [rbx + 32], 0x83      ; page-directory-pointer entry 4: present, writable, 1 GiB
        mov rbx, [rbx]          ; page-directory-pointer entry 0
        and rbx, -4096
        mov qword [TABLE], SMALL | 3    ; the page table's entry 0: present, writable
        mov qword [rbx + 16], TABLE | 3 ; page-directory entry 2
        mov cr3, rax

        call touch
        mov rax, cr3
        mov cr3, rax            ; from here on everything is cold
        call touch
        hlt

touch:  mov rsi, SMALL
        mov al, [rsi]
        mov rsi, LARGE
        mov al, [rsi]
        bt ebp, GIGABYTE_PAGES
        jnc .end
        mov rsi, HUGE
        mov al, [rsi]
.end:   ret
