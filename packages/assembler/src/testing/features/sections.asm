bits 16
org 0x7c00
section .text
start:
 mov si, msg
 mov ax, [count]
 jmp near done
 times 5 nop
section .data
msg: db "hello", 0
count: dw 5
section .bss
buf: resb 64
buf2: resw 3
section .text
done: mov bx, buf2
 mov cx, msg - start2
 hlt
section .rodata
r: dd 0x12345678
 align 16
r2: dd r2 - r
section .data
start2: dw r, r2, $ - $$, $$
