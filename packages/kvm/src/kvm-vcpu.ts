// A vCPU of real KVM behind vmm's interface. Registers come from the page that the kernel shares (KVM_SYNC_X86_*) when
// the last call was KVM_RUN, and from ioctls otherwise; I/O is finished before any state is looked at, so that on
// every kind of KVM the registers are those after the instruction.

import {CELLS, cellIndex, isCell} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {UserError, hex} from '@hyperscope/base';
import type {Vcpu as NativeVcpu} from '@hyperscope/native';
import type {RegisterValues, Vcpu, VmExit} from '@hyperscope/vmm';
import {decodeExit} from './exit-decoder.js';
import {KVM_GUESTDBG, KVM_MP_STATE, KVM_SYNC_X86} from './kvm-abi.js';
import {explained} from './kvm-error.js';
import {LAYOUT} from './kvm-layout.js';
import {MSR_CELLS} from './msr-cells.js';
import {REGS_AND_SREGS_CELLS, packRegs, packSregs, unpackEvents, unpackRegs, unpackSregs} from './register-packing.js';
import {parseStatistics} from './statistics.js';
import type {Statistics} from './statistics.js';

/** Why the last run gave 'interrupted'. */
export type Interruption = 'kick' | 'deadline';

const DEBUGREGS = [
  ['DR0', 0],
  ['DR1', 8],
  ['DR2', 16],
  ['DR3', 24],
  ['DR6', 32],
  ['DR7', 40],
] as const;
/** Everything that KVM can leave in kvm_run.s.regs; KVM_CAP_SYNC_REGS answers with the bits that it can. */
export const ALL_SYNC: number = KVM_SYNC_X86.REGS | KVM_SYNC_X86.SREGS | KVM_SYNC_X86.EVENTS;

export class KvmVcpu implements Vcpu {
  /** For native.kick(), from any thread. */
  readonly id: number;
  /** Milliseconds after which KVM_RUN comes back whatever the guest does. */
  deadline: number;
  interruption: Interruption | undefined;
  readonly #native: NativeVcpu;
  readonly #run: DataView;
  readonly #regs = new DataView(new ArrayBuffer(LAYOUT.kvm_regs));
  readonly #sregs = new DataView(new ArrayBuffer(LAYOUT.kvm_sregs));
  readonly #debugregs = new DataView(new ArrayBuffer(LAYOUT.kvm_debugregs));
  readonly #events = new DataView(new ArrayBuffer(LAYOUT.kvm_vcpu_events));
  readonly #xcrs = new DataView(new ArrayBuffer(LAYOUT.kvm_xcrs));
  /** The MSRs that this KVM knows, in order, and one reusable list of pairs for all. */
  readonly #msrs: readonly (readonly [Cell, number])[];
  readonly #msrPairs: BigUint64Array;
  /** Cells of this vCPU that can be read. */
  readonly knownCells: ReadonlySet<Cell>;
  readonly #synchronised: boolean;
  #pageIsCurrent = false;
  #unfinished = false;
  #nextExit: VmExit | undefined;
  #stepping = false;

  /** `synchronised`: whether the KVM has KVM_CAP_SYNC_REGS. `deadline` in milliseconds. */
  constructor(native: NativeVcpu, synchronised: boolean, deadline: number) {
    this.id = native.id;
    this.deadline = deadline;
    this.#native = native;
    this.#run = new DataView(native.kvmRun);
    this.#synchronised = synchronised;
    if (synchronised) this.#run.setBigUint64(LAYOUT['kvm_run.kvm_valid_regs'], BigInt(ALL_SYNC), true);
    this.#msrs = MSR_CELLS.filter(([, index]) => native.getMsrs(new BigUint64Array([BigInt(index), 0n])) === 1);
    this.#msrPairs = new BigUint64Array(this.#msrs.length * 2);
    this.knownCells = new Set<Cell>([
      ...REGS_AND_SREGS_CELLS,
      ...this.#msrs.map(([cell]) => cell),
      ...DEBUGREGS.map(([cell]) => cell),
      'XCR0',
      'INTERRUPT_SHADOW',
      'NMI_BLOCKING',
    ]);
  }

  /** KVM_RUN. 'interrupted' says in `interruption` whether somebody kicked or the deadline passed. */
  run(): VmExit {
    const waiting = this.#nextExit;
    if (waiting !== undefined) {
      this.#nextExit = undefined;
      return waiting;
    }
    this.interruption = undefined;
    for (;;) {
      const result = explained(() => this.#native.run(this.deadline));
      this.#pageIsCurrent = this.#synchronised;
      if (result === 0) return this.#exit();
      this.#unfinished = false;
      if (result === 3) continue; // a signal that concerns somebody else
      this.interruption = result === 1 ? 'kick' : 'deadline';
      return {reason: 'interrupted'};
    }
  }

  /**
   * Finishes the I/O of the last exit, whose `data` the caller has filled, without executing anything. Where that leads
   * to another exit (the second half of a split access, a single step), the next run() returns it.
   */
  finish(): void {
    if (!this.#unfinished) return;
    this.#unfinished = false;
    const result = explained(() => this.#native.complete());
    this.#pageIsCurrent = this.#synchronised;
    if (result === 0) this.#nextExit = this.#exit();
  }

  #exit(): VmExit {
    const exit = decodeExit(this.#run);
    this.#unfinished =
      exit.reason === 'io' || exit.reason === 'mmio' || exit.reason === 'rdmsr' || exit.reason === 'wrmsr';
    return exit;
  }

  /** Drops the exit that finishing an I/O led to: a single step of the same instruction that was just answered. */
  takeWaitingDebugExit(): VmExit | undefined {
    const waiting = this.#nextExit;
    if (waiting?.reason !== 'debug') return undefined;
    this.#nextExit = undefined;
    return waiting;
  }

  /** The value that the guest reads after a 'rdmsr' exit, or #GP(0) instead of the access. */
  answerMsr(answer: bigint | '#GP'): void {
    this.#run.setUint8(LAYOUT['kvm_run.msr.error'], answer === '#GP' ? 1 : 0);
    if (answer !== '#GP') this.#run.setBigUint64(LAYOUT['kvm_run.msr.data'], answer, true);
  }

  registers(): RegisterValues {
    const cells = new BigUint64Array(CELLS.length);
    this.readCells(cells);
    const values: Partial<Record<Cell, bigint>> = {};
    for (const cell of this.knownCells) values[cell] = cells[cellIndex(cell)] ?? 0n;
    return values;
  }

  /** All that KVM knows, into a register bank; other cells stay. */
  readCells(cells: BigUint64Array): void {
    this.finish();
    if (this.#pageIsCurrent) {
      unpackRegs(this.#run, LAYOUT['kvm_run.s.regs'], cells);
      unpackSregs(this.#run, LAYOUT['kvm_run.s.sregs'], cells);
      unpackEvents(this.#run, LAYOUT['kvm_run.s.events'], cells);
    } else {
      this.#native.getRegs(bytes(this.#regs));
      this.#native.getSregs(bytes(this.#sregs));
      this.#native.getVcpuEvents(bytes(this.#events));
      unpackRegs(this.#regs, 0, cells);
      unpackSregs(this.#sregs, 0, cells);
      unpackEvents(this.#events, 0, cells);
    }
    this.#readMsrs(cells);
    this.#native.getDebugregs(bytes(this.#debugregs));
    for (const [cell, at] of DEBUGREGS) cells[cellIndex(cell)] = this.#debugregs.getBigUint64(at, true);
    this.#native.getXcrs(bytes(this.#xcrs));
    cells[cellIndex('XCR0')] = this.#xcrs.getBigUint64(XCR0_VALUE, true);
  }

  #readMsrs(cells: BigUint64Array): void {
    for (const [at, [, index]] of this.#msrs.entries()) this.#msrPairs[at * 2] = BigInt(index);
    this.#native.getMsrs(this.#msrPairs);
    for (const [at, [cell]] of this.#msrs.entries()) cells[cellIndex(cell)] = this.#msrPairs[at * 2 + 1] ?? 0n;
  }

  /**
   * Sets what is given, keeps the rest. Cells that KVM keeps elsewhere (CPL is SS.DPL) or does not have are passed over
   * when they are 0 and refused otherwise.
   * @throws UserError when KVM refuses the state, with the errno's name as code.
   */
  setRegisters(values: RegisterValues): void {
    this.finish();
    this.#pageIsCurrent = false;
    this.#nextExit = undefined;
    explained(() => {
      this.#native.getSregs(bytes(this.#sregs));
      if (packSregs(values, this.#sregs)) this.#native.setSregs(bytes(this.#sregs));
      // Without an in-kernel APIC each KVM_RUN begins by taking CR8 from here.
      if (values.CR8 !== undefined) this.#run.setBigUint64(LAYOUT['kvm_run.cr8'], values.CR8, true);
      this.#native.getRegs(bytes(this.#regs));
      if (packRegs(values, this.#regs)) this.#native.setRegs(bytes(this.#regs));
      this.#setMsrs(values);
      this.#setDebugregs(values);
      this.#setXcr0(values.XCR0);
    });
    this.#refuseUnknown(values);
  }

  #setMsrs(values: RegisterValues): void {
    for (const [cell, index] of this.#msrs) {
      const value = values[cell];
      if (value === undefined) continue;
      if (this.#native.setMsrs(new BigUint64Array([BigInt(index), value])) !== 1) {
        throw new UserError('EINVAL', `KVM does not accept ${hex(value)} for ${cell} (MSR ${hex(index)}).`);
      }
    }
  }

  #setDebugregs(values: RegisterValues): void {
    if (DEBUGREGS.every(([cell]) => values[cell] === undefined)) return;
    this.#native.getDebugregs(bytes(this.#debugregs));
    for (const [cell, at] of DEBUGREGS) {
      const value = values[cell];
      if (value !== undefined) this.#debugregs.setBigUint64(at, value, true);
    }
    this.#native.setDebugregs(bytes(this.#debugregs));
  }

  #setXcr0(value: bigint | undefined): void {
    if (value === undefined || value === 0n) return;
    this.#native.getXcrs(bytes(this.#xcrs));
    this.#xcrs.setBigUint64(XCR0_VALUE, value, true);
    this.#native.setXcrs(bytes(this.#xcrs));
  }

  #refuseUnknown(values: RegisterValues): void {
    for (const [name, value] of Object.entries(values)) {
      if (!isCell(name) || value === 0n || this.knownCells.has(name) || HOST_CELLS.has(name)) continue;
      throw new UserError('unknown-register', `This KVM has no ${name}: leave it out or set it to 0.`);
    }
  }

  /** KVM_SET_GUEST_DEBUG: whether KVM_RUN comes back after each instruction. */
  singleStep(mode: 'on' | 'off'): void {
    if (this.#stepping === (mode === 'on')) return;
    this.#stepping = mode === 'on';
    const debug = new Uint32Array(LAYOUT.kvm_guest_debug / 4);
    debug[0] = this.#stepping ? KVM_GUESTDBG.ENABLE | KVM_GUESTDBG.SINGLESTEP : 0;
    explained(() => {
      this.#native.setGuestDebug(debug);
    });
  }

  /** KVM_TRANSLATE: the guest-physical address behind a linear one, by the guest's own page tables. */
  translate(linear: bigint): number | undefined {
    this.finish();
    const translation = new DataView(new ArrayBuffer(LAYOUT.kvm_translation));
    translation.setBigUint64(0, linear, true);
    explained(() => {
      this.#native.translate(bytes(translation));
    });
    if (translation.getUint8(LAYOUT['kvm_translation.valid']) === 0) return undefined;
    return Number(translation.getBigUint64(8, true));
  }

  /** With interrupt controllers in the kernel: whether the vCPU sleeps there after HLT. */
  get isHalted(): boolean {
    return explained(() => this.#native.getMpState()) === KVM_MP_STATE.HALTED;
  }

  /** The counters of this vCPU, as they are now. */
  statistics(): Statistics {
    return parseStatistics(explained(() => this.#native.stats()));
  }

  /** The addon's object, for what this class has no word for. After changing registers through it, run or set again. */
  get native(): NativeVcpu {
    return this.#native;
  }
}

/** kvm_xcrs: a header of 8 bytes, then per register number, reserved, value. */
const XCR0_VALUE = LAYOUT['kvm_xcrs.xcrs'] + 8;

/** Cells of the simulated processor that a real one does not show; a loader may set them. */
const HOST_CELLS: ReadonlySet<string> = new Set([
  'CPL',
  'ACTIVITY',
  'INTERRUPT_SHADOW',
  'NMI_BLOCKING',
  'VMX_OPERATION',
  'VMXON_POINTER',
  'CURRENT_VMCS',
  'CYCLES',
  'INSTRUCTIONS',
  'TSC',
  // Capability and mode bits that differ by host and that no guest state depends on.
  'FEATURE_CONTROL',
  'MISC_ENABLE',
  'DEBUGCTL',
  'TSC_AUX',
] satisfies Cell[]);

const bytes = (view: DataView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
