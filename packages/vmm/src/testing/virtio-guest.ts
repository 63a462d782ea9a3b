// A guest in protected mode that drives the virtio console: the eight steps of "Device Initialization" (Virtual I/O Device
// 1.2), two chains, one kick, and an interrupt handler at vector 1Dh for IRQ 5, which counts in EBX.

const TRANSMIT_TWO = {
  output: 'Ring!',
  code: `
    fa b0 11 e6 20 b0 18 e6 21 b0 04 e6 21 b0 01 e6 21 b0 df e6 21 ; cli; PIC: IRQ 0 to 7 at 18h, only IRQ 5
    bf 00 00 b0 fe                ; mov edi, feb00000h
    c7 47 70 01 00 00 00          ; Status: ACKNOWLEDGE
    c7 47 70 03 00 00 00          ; DRIVER
    c7 47 24 01 00 00 00          ; DriverFeaturesSel: 63:32
    c7 47 20 01 00 00 00          ; VIRTIO_F_VERSION_1
    c7 47 70 0b 00 00 00          ; FEATURES_OK
    c7 47 30 01 00 00 00          ; QueueSel: transmit
    c7 47 38 08 00 00 00          ; QueueNum: 8
    c7 87 80 00 00 00 00 00 01 00 ; descriptors at 10000h
    c7 87 90 00 00 00 00 10 01 00 ; available ring at 11000h
    c7 87 a0 00 00 00 00 20 01 00 ; used ring at 12000h
    c7 47 44 01 00 00 00          ; QueueReady
    c7 47 70 0f 00 00 00          ; DRIVER_OK
    c7 05 00 00 01 00 00 30 01 00 ; descriptor 0: 3 bytes at 13000h
    c7 05 08 00 01 00 03 00 00 00
    c7 05 10 00 01 00 03 30 01 00 ; descriptor 1: 2 bytes at 13003h
    c7 05 18 00 01 00 02 00 00 00
    c7 05 00 30 01 00 52 69 6e 67 ; 'Ring'
    c6 05 04 30 01 00 21          ; '!'
    c7 05 04 10 01 00 00 00 01 00 ; available: 0, 1
    66 c7 05 02 10 01 00 02 00    ; its index: 2
    31 db fb                      ; xor ebx, ebx / sti
    c7 47 50 01 00 00 00          ; QueueNotify: the kick
    85 db 74 fc                   ; until ebx is not 0
    fa f4                         ; cli / hlt
  `,
  /** mov eax, [edi + 60h] / mov [edi + 64h], eax: InterruptACK / inc ebx / mov al, 20h / out 20h, al / iret */
  handlers: {0x1d: '8b 47 60 89 47 64 43 b0 20 e6 20 cf'},
} as const;

/** By the 8259 pair, or by the IOAPIC (pin 5, level-triggered) and the local APIC, whose end of interrupt is a store. */
export const VIRTIO_GUESTS = {
  PIC: TRANSMIT_TWO,
  IOAPIC: {
    output: TRANSMIT_TWO.output,
    code: `
      c7 05 f0 00 e0 fe ff 01 00 00 ; mov dword [fee000f0h], 1ffh: the local APIC is on
      c7 05 00 00 c0 fe 1a 00 00 00 ; IOREGSEL: pin 5
      c7 05 10 00 c0 fe 1d 80 00 00 ; IOWIN: vector 1Dh, level-triggered
      c7 05 00 00 c0 fe 1b 00 00 00
      c7 05 10 00 c0 fe 00 00 00 00 ; to APIC 0
      ${TRANSMIT_TWO.code.replace('b0 df e6 21', 'b0 ff e6 21').replace('only IRQ 5', 'none')}
    `,
    /** … mov [fee000b0h], eax: EOI / iret */
    handlers: {0x1d: '8b 47 60 89 47 64 43 a3 b0 00 e0 fe cf'},
  },
} as const;
