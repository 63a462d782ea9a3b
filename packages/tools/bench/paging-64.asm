; As paging-32, in 64-bit mode: four levels of tables, 4 KiB pages, identity, of the first 2 MiB; 64-bit registers.
%ifndef ROUNDS
%define ROUNDS 100
%endif
bits 16
org 0x7c00
  cli
  xor ax,ax
  mov ds,ax
  mov es,ax
  mov ss,ax
  mov sp,0x7c00
  mov dword [0x8000],0x9003        ; PML4, PDPT, PD
  mov dword [0x8004],0
  mov dword [0x9000],0xa003
  mov dword [0x9004],0
  mov dword [0xa000],0xb003
  mov dword [0xa004],0
  mov di,0xb000                    ; the page table
  mov eax,3
.fill: mov [di],eax
  mov dword [di+4],0
  add eax,0x1000
  add di,8
  cmp di,0xc000
  jb .fill
  mov eax,0x20
  mov cr4,eax
  mov eax,0x8000
  mov cr3,eax
  mov ecx,0xc0000080
  rdmsr
  or eax,0x100
  wrmsr
  lgdt [gdtr]
  mov eax,cr0
  or eax,0x80010001
  mov cr0,eax
  jmp 8:long
bits 64
long:
  mov ax,16
  mov ds,ax
  mov es,ax
  mov ss,ax
  mov rsp,0x60000
  mov dx,0x3f8
  mov al,'S'
  out dx,al
  mov ebp,ROUNDS
next:
  mov rsi,0x100000
  mov rdi,0x140000
  mov ecx,8192
.copy: mov rax,[rsi]
  add rax,rcx
  mov [rdi],rax
  add rsi,8
  add rdi,8
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
  push rbx
  mov rbx,rax
  shl rbx,3
  xor rdx,rbx
  pop rbx
  ret
align 4
gdt: dq 0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdtr: dw 23
  dd gdt
times 510-($-$$) db 0
dw 0xaa55
