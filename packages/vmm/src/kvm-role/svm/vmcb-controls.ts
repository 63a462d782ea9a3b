// What KVM asks an SVM processor to leave its guest for: every choice in one structure, so that a lesson can flip one and watch
// what exits then. Defaults: Linux, arch/x86/kvm/svm/svm.c, init_vmcb.

import {svmInterceptBit} from '@hyperscope/isa';
import type {SvmInterceptName, VmcbFieldName} from '@hyperscope/isa';
import type {Vmcb} from '@hyperscope/machine';
import {changed} from '../../control-changes.js';
import type {ControlChanges} from '../../control-changes.js';
import type {MmuKind} from '../hardware.js';

export interface SvmOptions {
  /** Bits of the intercept words 3 to 5, beyond those that are set and cleared as the run goes on. */
  readonly intercepts: readonly SvmInterceptName[];
  /** Vectors that exit. KVM asks for #UD, #AC, #MC and more; this one needs none, but #PF with shadow paging. */
  readonly exceptions: readonly number[];
  /** MSRs that the guest reads and writes without an exit. */
  readonly passedThroughMsrs: readonly number[];
}

/**
 * Task switches are not asked for: SVM's processor carries them out by itself where VT-x's always exits. (KVM intercepts them
 * all the same, to know of the new CR3 in time.)
 */
export const SVM_DEFAULTS: SvmOptions = {
  intercepts: [
    'INTR',
    'NMI',
    'CR0_SEL_WRITE',
    'RDPMC',
    'CPUID',
    'INVD',
    'HLT',
    'INVLPGA',
    'IOIO',
    'MSR',
    'SHUTDOWN',
    'VMRUN',
    'VMMCALL',
    'VMLOAD',
    'VMSAVE',
    'STGI',
    'CLGI',
    'SKINIT',
    'WBINVD',
    'MONITOR',
    'MWAIT',
    'XSETBV',
  ],
  exceptions: [],
  // SYSENTER_CS/ESP/EIP, FS base, GS base, KernelGSBase, STAR, LSTAR, CSTAR, SFMASK: VMLOAD and VMSAVE move them, so they can
  // be the guest's own. Linux, svm.c: direct_access_msrs.
  passedThroughMsrs: [
    0x174, 0x175, 0x176, 0xc000_0081, 0xc000_0082, 0xc000_0083, 0xc000_0084, 0xc000_0100, 0xc000_0101, 0xc000_0102,
  ],
};

/** KVM's intercepts, with what a lesson changes. */
export function svmIntercepts(changes: ControlChanges | undefined): Partial<SvmOptions> {
  if (changes === undefined) return {};
  return {
    intercepts: changed(SVM_DEFAULTS.intercepts, changes.intercepts),
    exceptions: [...SVM_DEFAULTS.exceptions, ...changes.exceptions],
  };
}

/** Shadow paging has to see what nested paging leaves to the guest: its page faults, CR3 and INVLPG. */
const PAGE_FAULT = 14;
const CR3 = 1 << 3;
const CR0_CR4 = (1 << 0) | (1 << 4);
/** Reads of CR8 get V_TPR; a write may let an interrupt through that waited. */
const CR8 = 1 << 8;
const ALL_DEBUG_REGISTERS = 0xffffn;

export function writeIntercepts(vmcb: Vmcb, options: SvmOptions, mmu: MmuKind): void {
  const registers = CR0_CR4 | (mmu === 'shadow' ? CR3 : 0);
  vmcb.set('INTERCEPT_CR_READ', BigInt(registers));
  vmcb.set('INTERCEPT_CR_WRITE', BigInt(registers | CR8));
  vmcb.set('INTERCEPT_DR_READ', ALL_DEBUG_REGISTERS);
  vmcb.set('INTERCEPT_DR_WRITE', ALL_DEBUG_REGISTERS);
  const vectors = [...options.exceptions, ...(mmu === 'shadow' ? [PAGE_FAULT] : [])];
  vmcb.set(
    'INTERCEPT_EXCEPTION',
    vectors.reduce((mask, vector) => mask | (1n << BigInt(vector)), 0n),
  );
  for (const name of options.intercepts) setIntercept(vmcb, name, 'on');
  if (mmu === 'shadow') setIntercept(vmcb, 'INVLPG', 'on');
}

const WORDS: Readonly<Record<3 | 4 | 5, VmcbFieldName>> = {
  3: 'INTERCEPT_WORD_3',
  4: 'INTERCEPT_WORD_4',
  5: 'INTERCEPT_WORD_5',
};

/** Linux, svm_set_intercept, svm_clr_intercept. */
export function setIntercept(vmcb: Vmcb, name: SvmInterceptName, state: 'on' | 'off'): void {
  const {word, bit} = svmInterceptBit(name);
  setBit(vmcb, WORDS[word], bit, state);
}
export function setExceptionIntercept(vmcb: Vmcb, vector: number, state: 'on' | 'off'): void {
  setBit(vmcb, 'INTERCEPT_EXCEPTION', vector, state);
}

/** Changes nothing, and writes nothing, where the bit is so already. */
export function setBit(vmcb: Vmcb, field: VmcbFieldName, bit: number, state: 'on' | 'off'): void {
  const before = vmcb.get(field);
  const mask = 1n << BigInt(bit);
  const after = state === 'on' ? before | mask : before & ~mask;
  if (after !== before) vmcb.set(field, after);
}
