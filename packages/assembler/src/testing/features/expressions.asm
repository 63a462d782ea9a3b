v equ 5
w equ later - 2
later equ 9
 bits 32
 mov eax, v
 add eax, w
 add ecx, w
 add ecx, forward
 shl eax, one
 push forward
 mov ax, [ebx + forward]
 mov al, [ebx + v]
 imul eax, ebx, forward
 db (1+2)*3 - 10/3 + (7 % 4) - (-7 // 2), -7 %% 4 , 1<<3|2, ~1 & 0xff, 5^3, -(-3)
 dd 0b1010_1010, 0x_f, 17q, 0d12, 0y11, 0ah, $0f, 1_000
 db 5 > 3, 5 < 3, 5 == 5, 5 <> 5, 1 && 0, 1 || 0, 1 ^^ 1
 db `a\n\t\x41\\`, 0
 times 10-($-$$-($-$$)) db 0xcc
 align 8, db 0
 alignb 16
 resd 2
forward equ 100
one equ 1
