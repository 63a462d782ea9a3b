; hello-kvm: four ways of leaving (and not leaving) a guest, in 64-bit mode.
;
; The loader hands over a processor in 64-bit mode: ring 0, flat segments, page tables that map every address to itself,
; and CR3 pointing at them. Interrupts are off.
;
; What to watch, in this order:
;   OUT    leaves the guest, and KVM in turn asks the user-space VMM: KVM has no serial port.
;   CPUID  always leaves the guest on Intel, but KVM answers it alone: user space never hears of it.
;   MOV CR3  does NOT leave the guest when the processor has EPT. (It did, in 2005.)
;   HLT    leaves the guest: a processor that sleeps is one that another guest could use.

        bits 64
        org 0x8000

COM1    equ 0x3f8               ; data register of the first serial port

start:
        mov dx, COM1
        mov al, 'H'
        out dx, al              ; the first VM exit: reason 30, I/O instruction
        mov al, 'i'
        out dx, al
        mov al, 10              ; a line feed
        out dx, al

; Ask the processor who made it. The answer depends on the processor, so it is the one thing in this program that may
; differ between the simulated machine and the real one.
        xor eax, eax            ; leaf 0: highest leaf, and the vendor in EBX, EDX, ECX
        cpuid
        mov [vendor], ebx
        mov [vendor + 4], edx
        mov [vendor + 8], ecx
        xor eax, eax            ; forget the answer: from here on both machines hold the same values again
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx

; Change the root of the page tables. The new root has one entry, copied from the old one: it maps the same memory, so
; the next instruction is found where it was.
        mov rsi, cr3            ; the guest's CR3: the guest-physical address of its root table
        mov rax, [rsi]          ; entry 0 covers the first 512 GiB
        mov [new_root], rax
        mov rdi, new_root
        mov cr3, rdi            ; with EPT: no exit. The translations remembered so far are forgotten
        mov rbx, cr3            ; and read it back
        cmp rbx, rdi
        mov al, '='             ; what was written is what is read: nobody stands between
        je report
        mov al, '!'
report:
        mov dx, COM1
        out dx, al
        mov al, 10
        out dx, al

        mov cr3, rsi            ; put the loader's root back
        hlt                     ; interrupts are off: nothing can wake the processor, the run is over

        align 16
vendor: times 12 db 0

        align 4096
new_root:                       ; a root table is one page of 512 entries of 8 bytes; it must start at a page boundary
        times 512 dq 0
