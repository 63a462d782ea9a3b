; The kernels of bench-boot's inner loops with 32-bit paging on, CPL 0: 4 KiB pages, identity, of the first 4 MiB.
; Prints 'S', runs, prints 'E'. So that a figure includes what translation costs.
%ifndef ROUNDS
%define ROUNDS 100
%endif
bits 16
org 0x7c00
  cli
  xor ax,ax
  mov ds,ax
  lgdt [gdtr]
  mov eax,cr0
  or al,1
  mov cr0,eax
  jmp 8:pm
bits 32
pm:
  mov ax,16
  mov ds,ax
  mov es,ax
  mov ss,ax
  mov esp,0x60000
  mov edi,0x21000          ; the page table
  mov eax,3
.fill: mov [edi],eax
  add eax,0x1000
  add edi,4
  cmp edi,0x22000
  jb .fill
  mov dword [0x20000],0x21003
  mov eax,0x20000
  mov cr3,eax
  mov eax,cr0
  or eax,0x80010000        ; PG, WP
  mov cr0,eax
  mov dx,0x3f8
  mov al,'S'
  out dx,al
  mov ebp,ROUNDS
next:
  mov esi,0x100000         ; sum, shift and copy 64 KiB, over sixteen pages each
  mov edi,0x140000
  mov ecx,16384
.copy: mov eax,[esi]
  add eax,ecx
  mov [edi],eax
  add esi,4
  add edi,4
  call leaf
  dec ecx
  jnz .copy
  dec ebp
  jnz next
  mov dx,0x3f8
  mov al,'E'
  out dx,al
  mov al,10
  out dx,al
  mov dx,0xf4
  xor eax,eax
  out dx,eax
.halt: hlt
  jmp .halt
leaf:
  push ebx
  mov ebx,eax
  shl ebx,3
  xor edx,ebx
  pop ebx
  ret
align 4
gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr: dw 23
  dd gdt
times 510-($-$$) db 0
dw 0xaa55
