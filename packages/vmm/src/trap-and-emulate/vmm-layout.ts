// Where the VMM hides. It has no address space of its own: the processor's interrupt delivery reads IDT, GDT and TSS through
// whatever page tables the guest runs on, so 2 MiB of the guest's linear addresses are taken away from every guest address
// space (address-space compression). One window below 4 GiB serves both modes: a 32-bit VMM has no higher addresses.
//
//   linear ffe0_0000 … ffff_ffff = host-physical 0080_0000 … 009f_ffff
//   +00000  IDT of 64-bit mode      +01000  IDT of 32-bit mode     +02000  TSS, 64-bit     +03000  TSS, 32-bit
//   +08000  top of the VMM's stack  +08000  the virtual CPU        +10000  code            +1f000  IRETQ, IRETD
//   +20000  shadow GDT (64 KiB)     +30000  shadow LDT (64 KiB)
//
//   host-physical 0090_0000 … 00ff_ffff  pool of the shadow page tables     0100_0000 …  guest RAM
//
// What protects the window: under 0/3/3 its pages, which are supervisor pages; under 0/1/3 in 32-bit mode the limits of the
// guest's segments, which end below it; under 0/1/3 in 64-bit mode nothing (there are no limits, and ring 1 is supervisor).

//
// That is the place of the only virtual machine. Under a control program each has such a window, pool and RAM of its own; the
// linear addresses are the same for all, and which window they lead to is a matter of CR3.

import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import {GUEST_RAM} from '../host/host-layout.js';

export const VMM_LINEAR = 0xffe0_0000n;
export const VMM_PHYSICAL = 0x80_0000;
export const SHADOW_POOL = 0xa0_0000;
export const SHADOW_POOL_END = 0x100_0000;

export const IDT_64 = 0x0_0000;
export const IDT_32 = 0x0_1000;
export const TSS_64 = 0x0_2000;
export const TSS_32 = 0x0_3000;
export const STACK_TOP = 0x0_8000;
export const VIRTUAL_CPU = 0x0_8000;
export const VMM_CODE = 0x1_0000;
export const IRETQ = 0x1_f000;
export const IRETD = 0x1_f010;
export const SHADOW_GDT = 0x2_0000;
export const SHADOW_LDT = 0x3_0000;

// Selectors of the VMM, at the top of the shadow GDT: what PUSH CS, STR and SLDT let a guest see.
export const GUEST_SELECTORS_END = 0xff00;
/** Descriptors for register contents that no descriptor of the guest's tables explains: ES CS SS DS FS GS. */
export const PRIVATE_SELECTORS = 0xff00;
export const VMM_CS_64 = 0xff40;
export const VMM_SS = 0xff48;
export const VMM_CS_32 = 0xff50;
/** The VMM's stack again, at a base by which ESP has the upper half that the guest's shall have. */
export const VMM_STACK_ALIAS = 0xff58;
export const SHADOW_LDT_SELECTOR = 0xff60;
export const VMM_TR_64 = 0xff70;
export const VMM_TR_32 = 0xff80;
/** By which translated code calls the VMM. */
export const CALL_GATE_32 = 0xff90;
export const CALL_GATE_64 = 0xff98;

/** Where what belongs to one virtual machine lies, host-physical: the window, the pool of its shadow pages, its RAM. */
export interface VmPlace {
  readonly window: number;
  readonly pool: {readonly start: Hpa; readonly end: Hpa};
  readonly ram: number;
}
export const ONLY_PLACE: VmPlace = {
  window: VMM_PHYSICAL,
  pool: {start: hpa(SHADOW_POOL), end: hpa(SHADOW_POOL_END)},
  ram: GUEST_RAM,
};

/** The host-physical address of an offset in a window; in that of the only virtual machine where none is named. */
export const inWindow = (offset: number, {window}: Pick<VmPlace, 'window'> = ONLY_PLACE): Hpa => hpa(window + offset);
/** The linear address of an offset in the window. */
export const linearOf = (offset: number): bigint => VMM_LINEAR + BigInt(offset);
