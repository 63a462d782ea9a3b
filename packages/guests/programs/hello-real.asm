; hello-real: the smallest guest there is.
;
; A PC starts in real mode: 16-bit code, no paging, no rings. The firmware loads the first sector of the disk to 0x7c00
; and jumps there. This sector prints a line through the first serial port and stops.
;
; What to watch: every OUT leaves the guest. A serial port is a device, the guest does not own one, so the processor
; hands the instruction to the hypervisor, and the hypervisor asks the user-space VMM to play the device.

        bits 16
        org 0x7c00

COM1    equ 0x3f8               ; data register of the first serial port

start:
        xor ax, ax              ; segments count in units of 16 bytes: DS = 0 makes DS:SI a plain address
        mov ds, ax
        mov si, message
        mov dx, COM1
        cld

next:
        lodsb                   ; AL = the byte at DS:SI, SI = SI + 1
        test al, al
        jz done                 ; a zero ends the text
        out dx, al              ; <- this is the instruction that exits
        jmp next

done:
        cli
        hlt                     ; nothing can wake the processor now: the run is over

message:
        db 'Hello from real mode', 13, 10, 0

        times 510 - ($ - $$) db 0
        dw 0xaa55               ; the mark by which firmware knows a boot sector
