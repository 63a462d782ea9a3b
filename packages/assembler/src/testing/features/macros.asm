%macro gate 1-*
 %rep %0
  dw (%1 - $$) & 0xffff, 0x08
  db 0, %%e - %%s
%%s: db 'q'
%%e:
 %rotate 1
 %endrep
%endmacro
%macro multi 0
 nop
%endmacro
%macro multi 1
 db %1
%endmacro
%macro multi 2
 db %1, %2
%endmacro
%macro nest 1
  multi %1
  multi %1, {1,2}
  %if %1 > 3
   multi
  %else
   hlt
  %endif
%endmacro
%macro cat 2
%1%2: db 1
v_%1_%2 equ $ - %1%2
%endmacro
%idefine FOO bar
%define ax_ ax
ax5x equ 7
bits 32
first: nest 2
 nest 5
cat ax5, x1
x1 equ 2

lab multi 9
lab2: multi 8
%macro multi2 0
%endmacro
 db v_ax5_x1
 mov ax_, Foo
bar equ 5
%strlen n 'hello'
 db n
%ifidn a, a
 db 1
%endif
%ifidni A, a
 db 2
%endif
%ifnum 5
 db 3
%endif
%ifstr 'x'
 db 4
%endif
%ifid foo
 db 5
%endif
%ifempty
 db 6
%endif
%ifmacro multi
 db 7
%endif
%ifn 0
 db 8
%endif
%rep 100
 db 1
 %assign n n+1
 %if n > 8
  %exitrep
 %endif
%endrep
 db "a;b" ; comment
 db 'it', "'", 's', \
    'cont'
..@glob: jmp ..@glob
$eax: dd $eax
 mov eax, [$eax]
 mov eax, 'abcd'
 push 'ab'
 o16
 ret
 rep
 movsb
