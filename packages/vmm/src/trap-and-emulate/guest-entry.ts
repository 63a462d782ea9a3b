// Into the guest: from the virtual CPU to a processor that runs the guest's code as it is, outside ring 0. What the guest
// believes of its rings, its tables, its interrupt flag and its page tables stays behind; the processor holds the VMM's.

import {hpa} from '@hyperscope/base';
import {GENERAL_REGISTERS, SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {Cell, SegmentRegister} from '@hyperscope/isa';
import {isCanonical} from '@hyperscope/machine';
import {NATIVE_FLAGS} from './guest-exit.js';
import {descriptorOf, isInsideWindow, isUnusable, segmentFrom} from './descriptors.js';
import type {KernelCode} from './kernel-code.js';
import {realRing} from './rings.js';
import {virtualSegment} from './shadow-descriptors.js';
import {
  IRETD,
  IRETQ,
  SHADOW_GDT,
  SHADOW_LDT,
  SHADOW_LDT_SELECTOR,
  STACK_TOP,
  VMM_STACK_ALIAS,
  inWindow,
  linearOf,
} from './vmm-layout.js';
import type {Vmm} from './vmm.js';

const RFLAGS_FIXED = 2n;
const RFLAGS_TF = 1n << 8n;
const RFLAGS_IF = 1n << 9n;
const RFLAGS_IOPL = 3n << 12n;
const RFLAGS_VM = 1n << 17n;
/** PE, ET, NE, WP, PG: the VMM's. EM, MP and TS are the guest's, AM while it is in its ring 3. */
const CR0_VMM = 0x8001_0031n;
const CR0_GUEST = 0xen;
const CR0_AM = 1n << 18n;
const CR0_PG = 1n << 31n;
const CR4_PAE = 1n << 5n;
/** TSD, DE, PCE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE: what code outside ring 0 can feel. */
const CR4_GUEST = 0x5_070cn;
const CR4_SMEP_SMAP = 0x30_0000n;
const CR4_UMIP = 1n << 11n;
const DR7_ENABLES = 0xffff_03ffn;
const LONG_CODE = 0x2000;
const DATA_SEGMENTS = ['ES', 'DS', 'FS', 'GS'] as const;
const UNUSABLE = 0x1_0000;
const DEFAULT_BIG = 0x4000;

/** Why the guest's present state cannot run on the processor outside ring 0; undefined where it can. */
export function whyNotNative(vmm: Vmm): string | undefined {
  if (vmm.nativeMode === 'virtual-8086') return whyNotVirtual8086(vmm);
  return vmm.kernelCode?.covers === true ? whyNotTranslated(vmm, vmm.kernelCode) : whyNotProtected(vmm);
}

function whyNotTranslated(vmm: Vmm, code: KernelCode): string | undefined {
  const isLongCode = vmm.isGuestLong && (virtualSegment(vmm, 'CS').attributes & LONG_CODE) !== 0;
  if (!isLongCode && isUnusable(virtualSegment(vmm, 'SS'))) return NULL_STACK;
  if ((vmm.vcpu.get('RFLAGS') & RFLAGS_TF) !== 0n)
    return 'TF is set, and it is instructions of the guest’s that have to be counted';
  return code.prepare();
}

const NULL_STACK = 'SS is null, which IRET cannot load outside 64-bit mode';
/**
 * Where POPF in ring 3 could change IF or PUSHF could show it, direct execution would be wrong in silence. It is chosen where
 * the VMM can afford to be right; Bugnion and others, TOCS 2012, direct execution "with interrupts enabled and IOPL < CPL".
 */
function whyNotDirect(vmm: Vmm): string | undefined {
  if (vmm.kernelCode === undefined || vmm.virtualRing < 3) return undefined;
  const flags = vmm.vcpu.get('RFLAGS');
  if ((flags & RFLAGS_IOPL) === RFLAGS_IOPL) return 'with IOPL 3 POPF changes the virtual IF';
  return (flags & RFLAGS_IF) === 0n ? 'the virtual IF is 0, and PUSHF would show the real one' : undefined;
}

/** Virtual-8086 mode knows no segment but selector × 16 with 64 KiB. SDM vol. 3B, "8086 Emulation". */
function whyNotVirtual8086(vmm: Vmm): string | undefined {
  for (const register of SEGMENT_REGISTERS) {
    const {selector, base, limit, attributes} = virtualSegment(vmm, register);
    if (base !== BigInt(selector) << 4n)
      return `the base of ${register} is not its selector times 16, and virtual-8086 mode knows no other`;
    if (limit !== 0xffff || (attributes & 0xc000) !== 0)
      return `${register} is not a segment of 64 KiB, and virtual-8086 mode knows no other`;
  }
  return vmm.vcpu.get('RIP') > 0xffffn ? 'EIP lies beyond 64 KiB' : undefined;
}

function whyNotProtected(vmm: Vmm): string | undefined {
  const code = virtualSegment(vmm, 'CS');
  const rip = vmm.vcpu.get('RIP');
  const indirect = whyNotDirect(vmm);
  if (indirect !== undefined) return indirect;
  if (isUnusable(code) || (code.attributes & 0x80) === 0) return 'CS holds no code segment that IRET could load';
  if (vmm.isGuestLong && (code.attributes & LONG_CODE) !== 0)
    return isCanonical(rip) ? undefined : 'RIP is not canonical: IRETQ would fault in the VMM';
  if (isUnusable(virtualSegment(vmm, 'SS'))) return NULL_STACK;
  if (vmm.layout === '0/1/3' && isInsideWindow(code)) return 'CS begins where the VMM hides';
  vmm.virtual.load();
  const limit = segmentFrom(vmm.descriptors.shadow(vmm.descriptors.place('CS')), 0).limit;
  return rip > BigInt(limit) ? 'EIP lies beyond the limit of the guest’s compressed code segment' : undefined;
}

/** Whether the processor has to be taken into the other of its two great modes first. */
export function modeDiffers(vmm: Vmm): boolean {
  return vmm.isGuestLong !== ((vmm.machine.registers.get('EFER') & 0x400n) !== 0n);
}

/** CR0, CR3, CR4 and what else code outside ring 0 can feel. Gives the root that CR3 holds now. */
export function loadControlRegisters(vmm: Vmm): bigint {
  const {vcpu, machine} = vmm;
  const {registers} = machine;
  const guestCr0 = vcpu.get('CR0');
  const isUser = vmm.virtualRing === 3;
  set(vmm, 'CR0', CR0_VMM | (guestCr0 & CR0_GUEST) | (isUser ? guestCr0 & CR0_AM : 0n));
  const guestCr4 = vcpu.get('CR4');
  const isPaging = (guestCr0 & CR0_PG) !== 0n;
  const kernelPages = isPaging && !vmm.kernelRunsAsUser ? guestCr4 & CR4_SMEP_SMAP : 0n;
  const umip = machine.features.umip ? CR4_UMIP : 0n;
  set(vmm, 'CR4', CR4_PAE | (guestCr4 & CR4_GUEST) | kernelPages | umip);
  const root = BigInt(vmm.mmu.root(isUser ? 'user' : 'kernel'));
  if (registers.get('CR3') !== root) {
    registers.set('CR3', root);
    machine.tlb.flushNonGlobal();
  }
  if (!vmm.isGuestLong) loadPdptes(vmm, root);
  set(vmm, 'EFER', (registers.get('EFER') & ~1n) | (vmm.isGuestLong ? vcpu.get('EFER') & 1n : 0n));
  for (const cell of ['DR0', 'DR1', 'DR2', 'DR3'] as const) set(vmm, cell, vcpu.get(cell));
  set(vmm, 'DR7', (vcpu.get('DR7') & DR7_ENABLES) | 0x400n);
  if (machine.features.xsave) set(vmm, 'XCR0', vcpu.get('XCR0'));
  return root;
}

/** PAE paging keeps its four first entries in registers; MOV to CR3 loads them. */
function loadPdptes(vmm: Vmm, root: bigint): void {
  for (const [index, cell] of (['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'] as const).entries())
    set(vmm, cell, vmm.machine.memory.read(hpa(Number(root) + 8 * index), 8));
}

function set(vmm: Vmm, cell: Cell, value: bigint): void {
  vmm.machine.registers.set(cell, value);
}

/** Segment registers, the frame for IRET on the VMM's stack, general registers; RIP at the IRET. Gives what IRET will load. */
export function loadGuest(vmm: Vmm): {readonly cs: number; readonly flags: bigint} {
  const {vcpu, machine} = vmm;
  const isV86 = vmm.nativeMode === 'virtual-8086';
  vmm.virtual.load();
  const selectors = isV86 ? realModeSelectors(vmm) : protectedSelectors(vmm);
  const flags = RFLAGS_FIXED | RFLAGS_IF | (vcpu.get('RFLAGS') & NATIVE_FLAGS) | (isV86 ? RFLAGS_VM : 0n);
  const translated = isV86 || vmm.kernelCode?.covers !== true ? undefined : vmm.kernelCode;
  const rip = translated?.entry() ?? vcpu.get('RIP');
  const frame = [rip, BigInt(selectors.CS), flags, vcpu.get('RSP'), BigInt(selectors.SS)];
  if (isV86) for (const register of ['ES', 'DS', 'FS', 'GS'] as const) frame.push(BigInt(selectors[register]));
  const bytes = vmm.isGuestLong ? 8 : 4;
  const at = STACK_TOP - frame.length * bytes;
  for (const [index, word] of frame.entries())
    machine.memory.write(hpa(inWindow(at, vmm.place) + index * bytes), bytes, BigInt.asUintN(8 * bytes, word));
  for (const name of GENERAL_REGISTERS) if (name !== 'RSP') machine.registers.set(name, vcpu.get(name));
  machine.registers.set('RSP', linearOf(at));
  if (vmm.nativeMode === 'protected' && (virtualSegment(vmm, 'SS').attributes & DEFAULT_BIG) === 0) aliasStack(vmm, at);
  machine.registers.set('RIP', linearOf(vmm.isGuestLong ? IRETQ : IRETD));
  for (const register of SEGMENT_REGISTERS) vcpu.setSlot(`loaded_${register}`, selectors[register]);
  vcpu.setSlot('kernel_ring', isV86 ? 3 : realRing(0, vmm.layout));
  vcpu.setSlot('translated', translated === undefined ? 0 : 1);
  vcpu.setSlot('in_guest', 1);
  return {cs: selectors.CS, flags};
}

/**
 * IRET to a 16-bit stack loads SP and leaves the upper half of ESP as it is: the VMM's, for the guest to see. So the VMM's stack
 * is addressed with the guest's upper half before, through a segment with another base. Linux, arch/x86/entry/entry_32.S, "espfix".
 */
function aliasStack({machine, vcpu, place}: Vmm, at: number): void {
  const esp = (vcpu.get('RSP') & 0xffff_0000n) | BigInt(at & 0xffff);
  const base = BigInt.asUintN(32, linearOf(at) - esp);
  const values = {selector: VMM_STACK_ALIAS, base, limit: 0xffff_ffff, attributes: 0xc093};
  machine.memory.write(inWindow(SHADOW_GDT + VMM_STACK_ALIAS, place), 8, descriptorOf(values));
  machine.registers.setSegment('SS', values);
  machine.registers.set('RSP', esp);
}

type Selectors = Readonly<Record<SegmentRegister, number>>;

function realModeSelectors({vcpu}: Vmm): Selectors {
  const selector = (register: SegmentRegister): number => vcpu.number(`${register}.selector`);
  return {
    ES: selector('ES'),
    CS: selector('CS'),
    SS: selector('SS'),
    DS: selector('DS'),
    FS: selector('FS'),
    GS: selector('GS'),
  };
}

function protectedSelectors(vmm: Vmm): Selectors {
  const code = vmm.kernelCode?.covers === true ? vmm.kernelCode : undefined;
  const place = (register: SegmentRegister): number => code?.segment(register) ?? vmm.descriptors.place(register);
  const selectors = {
    ES: place('ES'),
    CS: place('CS'),
    SS: place('SS'),
    DS: place('DS'),
    FS: place('FS'),
    GS: place('GS'),
  };
  const {registers} = vmm.machine;
  loadLdtr(vmm);
  for (const register of DATA_SEGMENTS) {
    const selector = selectors[register];
    if ((selector & ~3) === 0) registers.setSegment(register, {selector, base: 0n, limit: 0, attributes: UNUSABLE});
    else registers.setSegment(register, segmentFrom(vmm.descriptors.shadow(selector), selector));
  }
  // In 64-bit mode these are MSRs of their own (IA32_FS_BASE, IA32_GS_BASE).
  if (vmm.isGuestLong)
    for (const register of ['FS', 'GS'] as const) registers.set(`${register}.base`, vmm.vcpu.get(`${register}.base`));
  return selectors;
}

function loadLdtr(vmm: Vmm): void {
  const {registers} = vmm.machine;
  const values = virtualSegment(vmm, 'LDTR');
  if (isUnusable(values)) {
    registers.setSegment('LDTR', {selector: 0, base: 0n, limit: 0, attributes: UNUSABLE});
    return;
  }
  const base = linearOf(SHADOW_LDT);
  registers.setSegment('LDTR', {
    selector: SHADOW_LDT_SELECTOR,
    base,
    limit: Math.min(values.limit, 0xffff),
    attributes: 0x82,
  });
}

/** The two instructions of the VMM that are x86 and not TypeScript. */
export function writeReturnCode({machine, place}: Pick<Vmm, 'machine' | 'place'>): void {
  machine.memory.load(inWindow(IRETQ, place), Uint8Array.of(0x48, 0xcf));
  machine.memory.load(inWindow(IRETD, place), Uint8Array.of(0xcf));
}
