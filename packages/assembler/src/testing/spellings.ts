// Lines that the opcode table does not suggest: nasm's own spellings, defaults and special rules, one reason each or
// more. Each is held against nasm in all three modes, where it is right in some and refused in others.

const TEXT = `push 5|push word 5|push dword 5|push byte 5|push qword 5|push 0xffff|push [0x50]|pop [0x50]|push word [0x50]|push dword [0x50]
push qword [0x50]|call [0x50]|jmp [0x50]|call word [0x50]|call dword [0x50]|jmp near [0x50]|jmp far [0x50]|call far word [0x50]
call far dword [0x50]|jmp dword $|jmp word $|jmp short $|jmp near $|jmp strict $|jmp short 0x10|jmp 0x10|jc 0x10|jc near $|jc dword $
jc short $|loop 0x10|loop $|loop $, cx|loop $, ecx|loope $, ecx|jcxz $|jecxz $|jrcxz $|call 0x10|call dword 0x10|call word 0x10|call short $
jmp 8:0x10|jmp word 8:0x10|jmp dword 8:0x10|jmp far 8:0x10|jmp 8:dword 5|ret|ret 8|retf|retf 8|retw|retd|retq|retfw|retfd|retfq
o16 ret|o32 ret|retn|retn 4|iret|iretw|iretd|iretq|o16 iret|o32 iret|o64 iret|pushf|pushfw|pushfd|pushfq|popf|popfw|popfd|popfq
pusha|pushaw|pushad|popa|popaw|popad|push fs|push ds|push cs|pop fs|pop es|o16 push fs|o32 push fs|mov ds, ax|mov ds, eax|mov ds, rax
mov ds, [0x50]|mov ds, dword [0x50]|mov rax, ds|mov [0x50], ds|mov dword [0x50], ds|sldt rax|str rax|smsw rax|lmsw eax|lldt eax
o32 lgdt [0x50]|o16 lgdt [0x50]|lgdt dword [0x50]|invlpg byte [0x50]|lea eax, word [0x50]|lea eax, ebx|les ax, dword [0x50]
mov cr8, rax|mov rax, cr8|in rax, dx|in ax, word 0x60|int 3|int3|int03|int1|icebp|int 0x80|into|leave|o16 leave|o16 enter 5, 5
nop|nop eax|nop [0x50]|nop dword [0x50]|xchg ax, ax|xchg eax, eax|xchg rax, rax|xchg eax, ebx|xchg ebx, eax|xchg ebx, ecx
xchg ebx, [0x50]|xchg [0x50], ebx|xchg al, bl|xchg r8, rax|xchg r8d, eax|test ecx, [0x50]|test [0x50], ecx|test [0x50], byte 5|mov [0x50], 5
mov [0x50], byte 5|mov [0x50], dword 5|mov al, word 5|mov eax, byte 5|mov eax, word 5|mov al, [0x50]|mov [0x50], al|mov eax, [a32 0x50]
a32 mov al, [0x50]|a16 mov al, [0x50]|mov al, [qword 0x50]|mov rax, [qword 0x123456789abcdef0]|mov [qword 0x50], eax|imul ax, 5
imul eax, strict dword 5|imul eax, 500|imul eax, [0x50], 5|bt [0x50], 5|bt dword [0x50], byte 5|shl eax, 1|shl eax, byte 1|shl [0x50], 1
shl eax, cx|sal eax, 2|movzx ax, [0x50]|movzx ax, bx|movsx ax, bx|movsx rax, ecx|movsxd rax, ecx|movsxd eax, ecx|movsx rax, dword [0x50]
bswap ax|bswap r9|vmxon qword [0x50]|sysret|o64 sysret|syscall|swapgs|xlat|es xlatb|o32 pushf|fs movsb|rep hlt|a32 movsb|a16 movsb
finit|fclex|fstcw [0x50]|fstsw [0x50]|fstsw ax|fstenv [0x50]|fsave [es:bx]|fstcw word [0x50]|fxsave [0x50]|fxsave64 [0x50]|movq xmm1, rax|movd eax, xmm9
movsd|movsd xmm1, [0x50]|movsd xmm1, xmm2|movntdq [0x50], xmm3|lddqu xmm1, [0x50]|a32 wait
jnle $|jpe $|setnae al|cmovpo eax, ebx|mov rax, 5|mov rax, -1|mov rax, 0xffffffff|mov rax, 0x80000000|mov rax, dword 5|mov rax, qword 5
mov rax, strict qword 5|mov rax, strict dword 5|mov rax, $$|add rax, strict dword 1|add eax, strict byte 1
add [0x50], 5|add [0x50], byte 5|add [0x50], word 5|add word [0x50], 0xffff|add ax, byte 0xfffe|add eax, byte 200|mov r8d, 5|mov sil, 5
mov ah, sil|mov ah, r8b|add ah, [r8]|movzx rax, ah|movzx eax, ah|mov cs, ax|lock add [0x50], eax|rep|fs nop|db 1, 'abc', -1
dw 'abc', 1|dd 1, 'abcde'|dq -1, 'a'|db 'it''s'|db "a;b", 0 ; comment|times 3 db 1, 2|times 2 nop|db 1, 2,|mov eax, 'abcd'
db (1+2)*3 - 10/3 + (7 % 4) - (-7 // 2)|db 1<<3|2, ~1 & 0xff, 5^3, -(-3), !0, !7|dd 0b1010_1010, 0x_f, 17q, 0d12, 0y11, 0ah, $0f, 1_000
nopx|movx eax, ebx|mov eax|mov eax, ebx, ecx|mov 5, eax|mov [eax, 5|mov eax, [ebx+ecx+edx]|mov eax, [ebx*7]|mov eax, [ax]|mov eax, [esp*2]
mov eax, [bx+eax]|mov ax, [bx+bp]|mov eax, [rax]|mov eax, [cs]|add al, 256|int 300|push byte 300|out 0x100, al|jmp ax|jmp eax|call rax`;

export const SPELLINGS: readonly string[] = TEXT.split(/[\n]|\|(?! *2|')/).map(line => line.trim());
