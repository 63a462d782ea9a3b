// The control area of a VMCB as the running guest is held to it. Read once, because each instruction asks.

import {svmInterceptBit} from '@hyperscope/isa';
import type {SvmInterceptName} from '@hyperscope/isa';
import type {Vmcb} from './vmcb.js';

const WORDS = {3: 'INTERCEPT_WORD_3', 4: 'INTERCEPT_WORD_4', 5: 'INTERCEPT_WORD_5'} as const;
const V_IRQ = 8n;
const V_IGN_TPR = 20n;
const V_INTR_MASKING = 24n;

export class SvmControls {
  readonly vmcb: Vmcb;
  readonly exceptions: number;
  readonly crRead: number;
  readonly crWrite: number;
  readonly drRead: number;
  readonly drWrite: number;
  /** NP_ENABLE: guest-physical addresses go through the nested page tables. */
  readonly nestedPaging: boolean;
  readonly nestedRoot: bigint;
  readonly tscOffset: bigint;
  readonly #words: Readonly<Record<3 | 4 | 5, number>>;
  readonly #virtualInterrupt: bigint;

  constructor(vmcb: Vmcb) {
    this.vmcb = vmcb;
    this.exceptions = Number(vmcb.get('INTERCEPT_EXCEPTION'));
    this.crRead = Number(vmcb.get('INTERCEPT_CR_READ'));
    this.crWrite = Number(vmcb.get('INTERCEPT_CR_WRITE'));
    this.drRead = Number(vmcb.get('INTERCEPT_DR_READ'));
    this.drWrite = Number(vmcb.get('INTERCEPT_DR_WRITE'));
    this.nestedPaging = vmcb.bit('NESTED_CONTROL', 0);
    this.nestedRoot = vmcb.get('N_CR3');
    this.tscOffset = vmcb.get('TSC_OFFSET');
    this.#words = {3: Number(vmcb.get(WORDS[3])), 4: Number(vmcb.get(WORDS[4])), 5: Number(vmcb.get(WORDS[5]))};
    this.#virtualInterrupt = vmcb.get('VIRTUAL_INTERRUPT');
  }

  intercepts(name: SvmInterceptName): boolean {
    const {word, bit} = svmInterceptBit(name);
    return ((this.#words[word] >>> bit) & 1) === 1;
  }
  /** The intercept word that holds a bit, for showing. */
  wordOf(name: SvmInterceptName): number {
    return this.#words[svmInterceptBit(name).word];
  }

  /** V_IRQ: a virtual interrupt waits for the guest. */
  get virtualInterrupt(): boolean {
    return ((this.#virtualInterrupt >> V_IRQ) & 1n) === 1n;
  }
  /** V_INTR_MASKING: the host's RFLAGS.IF masks physical interrupts, the guest's IF virtual ones. */
  get virtualMasking(): boolean {
    return ((this.#virtualInterrupt >> V_INTR_MASKING) & 1n) === 1n;
  }
  /** V_TPR: the guest's CR8 under V_INTR_MASKING. */
  get virtualTpr(): number {
    return Number(this.#virtualInterrupt & 0xfn);
  }
  get virtualVector(): number {
    return Number((this.#virtualInterrupt >> 32n) & 0xffn);
  }
  /** The virtual interrupt's priority is above the virtual task priority, or that is to be ignored. */
  get virtualPriorityAllows(): boolean {
    const ignores = ((this.#virtualInterrupt >> V_IGN_TPR) & 1n) === 1n;
    return ignores || ((this.#virtualInterrupt >> 16n) & 0xfn) > (this.#virtualInterrupt & 0xfn);
  }
}
