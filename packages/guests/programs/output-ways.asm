; output-ways: the same kilobyte of text, put out in six ways. What differs is how often the guest has to be left.
;
;   a  OUT, byte by byte                       each byte leaves the guest, and KVM in turn: it has no serial port
;   b  REP OUTS, one instruction               sounds like one exit; KVM makes it one for each byte all the same
;   c  a store to video memory, byte by byte   no port, but no memory either: KVM must decode each store, then ask
;   d  the same, where writes are coalesced    each store leaves the guest; KVM notes it down, and asks once for many
;   e  a ring in memory, and one kick          the text lies there already: one store says so, for all sixteen lines
;   f  a hypercall                             one instruction that asks for an exit: here are the bytes
;
; Before each way the program writes its letter to port 80h, where a PC's firmware tells how far it has come; whoever
; counts exits can tell by it which belong to which way. What is not there is left out: a machine without a hypervisor
; answers no hypercall. Port 80h hears '?' before the program looks what there is, and '.' when it is through.
;
; The loader hands over 64-bit mode, with page tables that map every address below 4 GiB to itself. Interrupts are off.

        bits 64
        org 0x8000

COM1        equ 0x3f8           ; data register of the first serial port
PROGRESS    equ 0x80            ; tells how far the program has come
VIDEO       equ 0xb8000         ; text-mode video memory: two bytes a character, 80 characters a row
VIDEO_2     equ 0xbc000         ; its second half, which the screen does not show: here, writes are coalesced
ROW         equ 160
VIRTIO      equ 0xfeb00000      ; registers of the virtio console
LINE        equ 64              ; bytes of a line of the text
LINES       equ 16
TEXT_BYTES  equ LINE * LINES

CONSOLE_WRITE equ 0x48530001    ; the number of the hypercall

%macro announce 1
        mov al, %1
        out PROGRESS, al
%endmacro

start:

; ---- what is there -----------------------------------------------------------------------------------------------

        announce '?'
        call find_hypercall
        call find_virtio

; ---- a: OUT, byte by byte ----------------------------------------------------------------------------------------

        announce 'a'
        mov rsi, text
        mov ecx, TEXT_BYTES
        mov dx, COM1
.next:  lodsb
        out dx, al              ; an exit, reason 30: KVM asks QEMU, whose serial port takes the byte
        dec ecx
        jnz .next

; ---- b: REP OUTS -------------------------------------------------------------------------------------------------
; One instruction, and the processor tells the hypervisor that it is a repeated one. KVM could hand over a buffer. It
; does so for REP INS; for REP OUTS it hands over one element, and enters the guest again for the next.

        announce 'b'
        mov rsi, text
        mov ecx, TEXT_BYTES
        mov dx, COM1
        rep outsb

; ---- c: memory-mapped output -------------------------------------------------------------------------------------
; No memory slot of KVM's covers the video memory of this machine, so each store is an EPT violation (exit 48). The
; processor gives the address. It does not give the value: KVM must fetch the instruction, decode it and carry it out.

        announce 'c'
        mov rdi, VIDEO
        call show_text

; ---- d: coalesced --------------------------------------------------------------------------------------------------
; QEMU has registered this half with KVM_REGISTER_COALESCED_MMIO. The guest cannot tell the difference. KVM does the
; same work, but puts address and value into a ring of 170 entries that it shares with QEMU, and enters the guest again.

        announce 'd'
        mov rdi, VIDEO_2
        call show_text

; ---- e: a ring and one kick ----------------------------------------------------------------------------------------
; The driver writes into ordinary memory which buffers there are: no exit. Then one store to one register, the kick.

        cmp byte [have_virtio], 0
        je hypercall
        announce 'e'
        mov rdi, descriptors
        mov rsi, text
        xor ecx, ecx
.fill:  mov [rdi], rsi          ; a descriptor: where the buffer lies, …
        mov dword [rdi + 8], LINE    ; … how long it is; no flags: the device reads it, and the chain ends with it
        mov [available.ring + 2 * rcx], cx   ; the chain whose first descriptor is number CX
        add rdi, 16
        add rsi, LINE
        inc ecx
        cmp ecx, LINES
        jne .fill
        mov word [available.index], LINES    ; from now on they are the device's
        mov ebx, VIRTIO
        mov dword [rbx + 0x50], 1    ; QueueNotify: there is news in queue 1. The one exit of this way
        mov ecx, 1000000
.wait:  cmp word [used.index], LINES ; the device gives back what it has read
        je hypercall
        dec ecx
        jnz .wait               ; and one that never does so is not waited for for ever

; ---- f: a hypercall ------------------------------------------------------------------------------------------------
; VMCALL on Intel's processors, VMMCALL on AMD's: two instructions that do nothing but leave the guest.

hypercall:
        cmp byte [have_hypercall], 0
        je the_end
        announce 'f'
        mov eax, CONSOLE_WRITE
        mov ebx, text           ; where, …
        mov ecx, TEXT_BYTES     ; … and how much
        cmp byte [is_intel], 0
        je .amd
        vmcall
        jmp the_end
.amd:   vmmcall

the_end:
        announce '.'
        xor eax, eax            ; leave nothing behind that depends on the machine
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        mov [have_virtio], eax
        hlt                     ; interrupts are off: the run is over

; ---- the text into video memory at RDI: a line of it is a row of the screen ---------------------------------------

show_text:
        mov rsi, text
        mov edx, LINES
.row:   mov ecx, LINE
.next:  lodsb
        cmp al, 10
        jne .store
        mov al, ' '             ; a line feed has no picture
.store: mov [rdi], al           ; the store that this is about. The colour, in the byte behind it, stays
        add rdi, 2
        dec ecx
        jnz .next
        add rdi, ROW - 2 * LINE
        dec edx
        jnz .row
        ret

; ---- is there a hypervisor that knows our hypercall? ---------------------------------------------------------------
; CPUID.1:ECX bit 31 says that there is one. Each has a leaf with its name; a second family of calls is announced 100h
; further on. Real KVM does not know ours.

find_hypercall:
        xor eax, eax
        cpuid
        cmp ecx, 'ntel'         ; the end of "GenuineIntel"
        sete [is_intel]
        mov eax, 1
        cpuid
        bt ecx, 31
        jnc .none
        mov eax, 0x40000100
        cpuid
        cmp ebx, 'Hype'
        jne .none
        cmp ecx, 'rsco'
        jne .none
        cmp edx, 'pe'
        jne .none
        mov eax, 0x40000101
        cpuid
        test al, 1              ; bit 0: CONSOLE_WRITE is known
        setnz [have_hypercall]
.none:  ret

; ---- is there a virtio console, and is it one that we know? --------------------------------------------------------
; Virtual I/O Device (VIRTIO) 1.2, "Device Initialization": acknowledge, agree on features, say where the ring lies.

find_virtio:
        mov ebx, VIRTIO
        cmp dword [rbx], 'virt' ; MagicValue. Where nothing answers, a read gives all ones
        jne .none
        cmp dword [rbx + 8], 3  ; DeviceID: a console
        jne .none
        mov dword [rbx + 0x70], 0       ; Status: a reset
        mov dword [rbx + 0x70], 1       ; ACKNOWLEDGE
        mov dword [rbx + 0x70], 3       ; DRIVER: we know how to drive it
        mov dword [rbx + 0x24], 1       ; DriverFeaturesSel: features 63 to 32, …
        mov dword [rbx + 0x20], 1       ; … of which we want 32, VIRTIO_F_VERSION_1, and nothing else
        mov dword [rbx + 0x70], 0xb     ; FEATURES_OK, …
        test dword [rbx + 0x70], 8      ; … if the device agrees
        jz .none
        mov dword [rbx + 0x30], 1       ; QueueSel: 1, the queue that transmits
        mov dword [rbx + 0x38], LINES   ; QueueNum: a descriptor for each line
        mov dword [rbx + 0x80], descriptors
        mov dword [rbx + 0x90], available
        mov dword [rbx + 0xa0], used
        mov dword [rbx + 0x44], 1       ; QueueReady
        mov dword [rbx + 0x70], 0xf     ; DRIVER_OK
        mov byte [have_virtio], 1
.none:  ret

; ---- data ----------------------------------------------------------------------------------------------------------

have_virtio:    db 0
have_hypercall: db 0
is_intel:       db 0, 0

text:   times LINES db 'This very line is put out again and again, in six ways to do it', 10

        align 16
descriptors:                    ; 16 bytes each: address, length, flags, next
        times 2 * LINES dq 0

available:                      ; what the driver offers
        dw 1                    ; flags: no interrupt, please; this driver looks by itself
.index: dw 0
.ring:  times LINES dw 0

        align 4
used:   dw 0                    ; what the device gives back
.index: dw 0
        times 2 * LINES dd 0
