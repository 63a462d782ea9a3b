; The least that can be called a BIOS: 64 KiB at F0000h that copy a boot sector, which lies in this ROM at F000:0200, to
; 7C00h, and go there. For a benchmark on an emulator that comes without a BIOS.
bits 16
org 0
  cli
  cld
  mov ax,cs
  mov ds,ax
  xor ax,ax
  mov es,ax
  mov si,0x200
  mov di,0x7c00
  mov cx,256
  rep movsw
  jmp 0:0x7c00
  times 0x200-($-$$) db 0
sector:
  times 0xfff0-($-$$) db 0
reset:
  jmp 0xf000:0
  times 0x10000-($-$$) db 0
