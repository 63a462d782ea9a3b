// Where Xen lies. 16 of the 512 slots of every top-level page table are its own, so it is there whatever the guest's tables say,
// in supervisor pages; the guest, kernel and programs, is in ring 3. In 64-bit mode nothing else keeps ring 3 out: segments have
// no limits, and ring 1 would be supervisor.
//
//   linear ffff_82d0_8000_0000 … = host-physical 0080_0000 … 009f_ffff
//   +00000  IDT                    +01000  TSS                  +08000  top of Xen's stack: the guest's registers
//   +08000  struct vcpu            +09000  the guest's trap table
//   +10000  code                   +1f000  IRETQ, SYSRETQ       +20000  GDT (64 KiB)
//
//   host-physical 0010_0000  Xen's own page tables    0040_0000  frame table: what each frame of machine memory is
//   host-physical 00ff_f000  the shared-info page     0100_0000 …  the domain's memory

import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';

export const XEN_LINEAR = 0xffff_82d0_8000_0000n;
export const XEN_PHYSICAL = 0x80_0000;

export const XEN_IDT = 0x0_0000;
export const XEN_TSS = 0x0_1000;
export const STACK_TOP = 0x0_8000;
export const XEN_VCPU = 0x0_8000;
export const TRAP_TABLE = 0x0_9000;
export const XEN_CODE = 0x1_0000;
export const IRETQ = 0x1_f000;
export const SYSRETQ = 0x1_f010;
export const XEN_GDT = 0x2_0000;

export const XEN_L3 = 0x10_0000;
export const XEN_L2 = 0x10_1000;
/** The root before there is a domain. */
export const IDLE_L4 = 0x10_2000;
/** Machine addresses of the domain begin here; what it counts as its memory ends below. */
export const SHARED_INFO = 0xff_f000;
export const FRAME_TABLE = 0x40_0000;

// Xen's selectors: the private section of the GDT begins with its page 14.
export const XEN_CS = 0xe008;
export const XEN_SS = 0;
export const XEN_TR = 0xe040;

export const linearOf = (offset: number): bigint => XEN_LINEAR + BigInt(offset);
/** Where an offset of Xen's window lies in host memory. */
export const inXen = (offset: number): Hpa => hpa(XEN_PHYSICAL + offset);
