// The end of both hypervisors' programs: a dot, and the routines that print through port E9h.

export const PRINTING = `
finish: mov al, '.'
        call put
        mov al, 10
        call put
        cli
        hlt

put:    out 0xe9, al
        ret
hex:    mov r8, rax
        mov r9d, 60
skip:   mov rax, r8
        mov ecx, r9d
        shr rax, cl
        and eax, 15
        jnz digit
        sub r9d, 4
        jnz skip
digit:  mov rax, r8
        mov ecx, r9d
        shr rax, cl
        and eax, 15
        cmp al, 10
        jb small_digit
        add al, 39
small_digit:
        add al, '0'
        call put
        sub r9d, 4
        jns digit
        ret`;
