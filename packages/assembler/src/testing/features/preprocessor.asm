bits 64
default rel
%define PORT 0x3f8
%define add2(a, b) ((a) + (b))
%assign i 0
%xdefine OLD PORT
%macro print 1-2 'x'
  mov dx, PORT
  mov al, %1
  out dx, al
%%again:
  dec al
  jnz %%again
  db %2
%endmacro
%macro pushall 0-*
  %rep %0
    push %1
    %rotate 1
  %endrep
%endmacro
%macro def 2+
%1: db %2
%endmacro
start:
  print 'a'
  print 5, "yz"
  pushall rax, rbx, rcx
  def text, 1, 2, 3
%rep 5
  dw i * i
%assign i i + 1
%endrep
%if i == 5 && PORT > 1
  db 'five'
%elif i == 6
  db 'six'
%else
  db 'other'
%endif
%ifdef OLD
  dw OLD
%endif
%ifndef NOPE
  dq add2(1, 2) * 3
%endif
%undef PORT
%ifdef PORT
  db 99
%endif
lbl %+ 5: nop
  mov rax, [data]
  mov rbx, [rel data + 8]
  mov rcx, [abs data]
  mov rdx, [fs:data]
  lea rsi, [data]
  cmp byte [data], 5
  mov dword [data], 0x12345
  jmp .x
.x: call other
other:
.x: jmp .x
  jmp lbl5.x
  dq lbl5.x, other.x
data: dq -1, 1 << 40
align 32
  dd 5 ? 1 : 2
