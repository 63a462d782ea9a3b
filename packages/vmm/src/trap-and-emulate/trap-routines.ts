// What the VMM does when the processor arrives at one of its gates: saves the guest, finds out why, and emulates. There is one
// rule for what is the guest's fault and what is the VMM's: the instruction is carried out on the virtual CPU, and what comes
// of it is what happened. Popek and Goldberg's interpreter routines v_i; Adams and Agesen 2006, section 2.1.

import {hex} from '@hyperscope/base';
import {exceptionAt, hasErrorCode} from '@hyperscope/isa';
import {check, fault} from '@hyperscope/machine';
import type {Fault, Trouble} from '@hyperscope/machine';
import type {StepResult} from '../host/host-program.js';
import type {ShadowVerdict} from '../shadow-paging/ports.js';
import {sequenceWords, translatedFrame} from '../binary-translation/translated-frame.js';
import {frameAt, saveGuest, systemCallFrame} from './guest-exit.js';
import type {Emulated} from './virtual-processor.js';
import {DEVICE_VECTOR, VECTORS} from './vmm-environment.js';
import {placeOf, routine} from './vmm.js';
import type {Vmm, VmmRoutine} from './vmm.js';
import {STACK_TOP, VMM_LINEAR, linearOf} from './vmm-layout.js';

/** In the slot `vector`: the guest came by SYSCALL. */
const SYSTEM_CALL = 0x100;
const DEBUG = 1;
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;
/** Their causes are the same for the guest and for the processor: nothing of the VMM's can have led to them. */
const TRUE_FAULTS: ReadonlySet<number> = new Set([0, 5, 7, 16, 17, 19]);
const RFLAGS_FIXED = 2n;
const RFLAGS_TF = 1n << 8n;
const RFLAGS_RF = 1n << 16n;
const RFLAGS_AC = 1n << 18n;
const PAGE = 4096;
const DR6_BS = 1n << 14n;
const DR6_CAUSES = 0x600fn;

const nameOf = (vector: number): string =>
  vector === SYSTEM_CALL ? 'SYSCALL' : (exceptionAt(vector)?.name ?? `interrupt ${hex(vector)}`);

// ── entries ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export const entryName = (vector: number): string => `vmm_entry_${vector}`;

/** The way in by a gate: what the processor and its frame hold of the guest goes to the virtual CPU. */
export function enterByGate(vmm: Vmm, vector: number): StepResult {
  const errorCode = hasErrorCode(vector) ? Number(vmm.window(Number(vmm.cells('RSP') - VMM_LINEAR), 4)) : 0;
  const ring = Number(vmm.machine.registers.get('CPL'));
  const frame = frameAt(vmm.cells, vmm.window);
  const mayBeStub = vmm.vcpu.slot('translated') !== 0 && vector === GENERAL_PROTECTION;
  const isStub = mayBeStub && vmm.kernelCode?.leftFrom(frame.rip) === true;
  const guest = translatedFrame(frame, vmm.window, vmm.vcpu);
  const own = saveGuest(vmm, guest);
  vmm.vcpu.setSlot('at_stub', isStub ? 1 : 0);
  vmm.vcpu.setSlot('vector', vector);
  vmm.vcpu.setSlot('error_code', errorCode);
  vmm.vcpu.setSlot('traps', vmm.vcpu.slot('traps') + 1);
  const stealth = own.length === 0 ? '' : `; ${own.join(', ')} had been loaded by the guest itself, without a trap`;
  return {
    say: `${nameOf(vector)} through the VMM’s own IDT, in ring ${ring}: the guest’s registers go to the virtual CPU (${placeOf(vmm.vcpu)}, virtual CPL ${vmm.virtualRing})${stealth}${sequenceWords(frame, guest)}`,
    go: 'vmm_dispatch',
  };
}

function enterBySystemCall(vmm: Vmm): StepResult {
  const {vcpu, machine} = vmm;
  saveGuest(vmm, systemCallFrame(vmm.cells, vcpu));
  machine.registers.set('RSP', linearOf(STACK_TOP));
  vcpu.setSlot('vector', SYSTEM_CALL);
  vcpu.setSlot('traps', vcpu.slot('traps') + 1);
  return {
    say: `SYSCALL leads to LSTAR, which is the VMM’s, in ring 0: the guest’s registers go to the virtual CPU (${placeOf(vcpu)}), and RSP to the VMM’s stack`,
    go: 'vmm_emulate',
  };
}

/** A far CALL through the VMM's gate: no exception, so nothing has to be found out. The flags are the guest's until now. */
function enterByCall(vmm: Vmm): StepResult {
  const {vcpu, machine} = vmm;
  const frame = frameAt(vmm.cells, vmm.window);
  vmm.kernelCode?.calledFrom(frame.rip);
  saveGuest(vmm, translatedFrame(frame, vmm.window, vcpu));
  machine.registers.set('RFLAGS', RFLAGS_FIXED);
  vcpu.setSlot('callouts', vcpu.slot('callouts') + 1);
  return {
    say: `translated code calls the VMM through its gate: CLI, and the guest’s registers go to the virtual CPU (${placeOf(vcpu)}, virtual CPL ${vmm.virtualRing})`,
    go: 'vmm_emulate',
  };
}

function dispatch(vmm: Vmm): StepResult {
  const vector = vmm.vcpu.slot('vector');
  const errorCode = vmm.vcpu.slot('error_code');
  if (vmm.vcpu.slot('at_stub') !== 0)
    return {say: `a stub of the translation cache: where does ${placeOf(vmm.vcpu)} lie there?`, go: 'vmm_return'};
  if (vector === DEVICE_VECTOR)
    return {say: 'the board’s interrupt line: is there something that the guest can take?', go: 'vmm_return'};
  if (vector === PAGE_FAULT)
    return {say: `#PF with error code ${hex(errorCode)}: is it the guest’s?`, go: 'vmm_page_fault'};
  if (vector === DEBUG) return {say: '#DB: the debug registers hold what the guest put there', go: 'vmm_reflect'};
  if (TRUE_FAULTS.has(vector))
    return {say: `${nameOf(vector)} is the guest’s own: its cause is the same in every ring`, go: 'vmm_reflect'};
  return {
    say: `${nameOf(vector)} may come of the ring that the guest runs in: its instruction is carried out on the virtual CPU`,
    go: 'vmm_emulate',
  };
}

// ── exceptions that are the guest's ─────────────────────────────────────────────────────────────────────────────────

function reflect(vmm: Vmm): StepResult {
  const vector = vmm.vcpu.slot('vector');
  const name = exceptionAt(vector)?.name ?? '#GP';
  const source = 'SDM vol. 3A, "Exception and Interrupt Reference"';
  const cause = check('the processor completes the instruction', false, [['exception', name]], source);
  const debugStatus = vector === DEBUG ? takeDebugStatus(vmm) : undefined;
  const found: Fault = {kind: 'fault', vector, errorCode: errorOf(vmm, vector), address: undefined, checks: [cause]};
  return deliver(vmm, debugStatus === undefined ? found : {...found, debugStatus}, `${name} is the guest’s own`);
}

const errorOf = (vmm: Vmm, vector: number): number | undefined =>
  vector === 17 ? vmm.vcpu.slot('error_code') : undefined;

/** Which breakpoint it was stands in the real DR6, and is told in the virtual one. */
function takeDebugStatus({machine}: Vmm): bigint {
  const status = machine.registers.get('DR6') & DR6_CAUSES;
  machine.registers.set('DR6', 0xffff_0ff0n);
  return status;
}

/** Delivers a fault through the guest's own IDT. */
export function deliver(vmm: Vmm, found: Fault, why: string): StepResult {
  const {virtual} = vmm;
  virtual.load();
  const outcome = virtual.raise(found);
  if (outcome === 'shutdown') {
    vmm.finish({kind: 'triple-fault', chain: virtual.chain});
    return {say: `${why}; it cannot be delivered, nor can #DF: the virtual CPU shuts down`, go: 'vmm_return'};
  }
  if (outcome !== 'delivered') return stop(vmm, outcome);
  vmm.commit(`${why}: delivered through the guest’s own IDT`);
  return {say: `${why}: delivered through the guest’s own IDT, on to ${placeOf(vmm.vcpu)}`, go: 'vmm_return'};
}

function stop(vmm: Vmm, what: string, bytes: Uint8Array = new Uint8Array()): StepResult {
  vmm.finish({kind: 'unsupported', address: vmm.vcpu.get('RIP'), bytes, what});
  return {say: `the virtual CPU cannot go on: ${what}`, go: 'vmm_return'};
}

// ── page faults ─────────────────────────────────────────────────────────────────────────────────────────────────────

function pageFault(vmm: Vmm): StepResult {
  const {vcpu, machine} = vmm;
  const errorCode = vcpu.slot('error_code');
  const linear = machine.registers.get('CR2');
  const verdict = vmm.mmu.fault({
    linear,
    kind: (errorCode & 0x10) !== 0 ? 'fetch' : (errorCode & 2) !== 0 ? 'write' : 'read',
    privilege: vmm.virtualRing === 3 ? 'user' : 'supervisor',
    ac: (vcpu.get('RFLAGS') & RFLAGS_AC) !== 0n,
  });
  return judged(vmm, linear, verdict);
}

function judged(vmm: Vmm, linear: bigint, verdict: ShadowVerdict): StepResult {
  const at = `linear ${hex(linear)}`;
  switch (verdict.kind) {
    case 'hidden':
      return {say: `${at}: a hidden fault, the shadow page tables are mended; the guest never knows`, go: 'vmm_return'};
    case 'true': {
      const source = 'SDM vol. 3A, "Interrupt 14—Page-Fault Exception (#PF)"';
      const cause = check('the guest’s own page tables allow the access', false, [['linear', hex(linear)]], source);
      return deliver(
        vmm,
        fault('#PF', verdict.errorCode, [cause], linear),
        `${at}: a true fault, the guest’s own page tables refuse`,
      );
    }
    case 'no-memory':
      vmm.finish({kind: 'error', message: 'The pool of shadow pages is too small for this guest.'});
      return {say: 'no page is left for a shadow', go: 'vmm_return'};
    case 'device':
      return {
        say: `${at}: no memory there that the guest may write, so a device or nothing: emulate`,
        go: 'vmm_emulate',
      };
    case 'tracked-write':
      vmm.kernelCode?.trappedOnWatchedPage();
      return {say: `${at}: a write to a page whose code has been translated: emulate`, go: 'vmm_emulate'};
    case 'page-table-write':
      vmm.kernelCode?.trappedOnWatchedPage();
      return {say: `${at}: a write to a guest page table, which is write-protected: emulate`, go: 'vmm_emulate'};
    default:
      return {say: `${at}: the guest means its own memory where the VMM hides: emulate`, go: 'vmm_emulate'};
  }
}

// ── instructions ────────────────────────────────────────────────────────────────────────────────────────────────────

function emulate(vmm: Vmm): StepResult {
  const {virtual, vcpu} = vmm;
  const rip = vcpu.get('RIP');
  const ring = vmm.virtualRing;
  const flags = vcpu.get('RFLAGS');
  const done = virtual.emulate();
  if (!('text' in done)) return troubled(vmm, done, 'the instruction cannot be fetched');
  vcpu.setSlot('emulated', vcpu.slot('emulated') + 1);
  const {result, text} = done;
  const outcome = result === 'completed' || result === 'repeats' ? result : 'fault';
  vmm.tell({kind: 'emulation', by: 'VMM', rip, text, outcome, accesses: virtual.accesses});
  if (result !== 'completed' && result !== 'repeats')
    return troubled(vmm, result, `${text} at virtual CPL ${ring}, as on the processor`);
  commitInstruction(vmm, `${text} at virtual CPL ${ring}`);
  forgetTranslations(vmm, done);
  endDebugFlags(vmm, done, flags);
  if (vmm.board.outcome !== undefined) vmm.finish(vmm.board.outcome);
  if (vmm.chipset.outcome !== undefined) vmm.finish(vmm.chipset.outcome);
  if (result === 'completed' && (flags & RFLAGS_TF) !== 0n && !done.instruction.mnemonic.startsWith('INT')) {
    const tf = check('RFLAGS.TF = 0', false, [], 'SDM vol. 3B, "Single-Step Exception Condition"');
    return deliver(vmm, {...fault('#DB', undefined, [tf]), debugStatus: DR6_BS}, `${text}, then its single-step trap`);
  }
  return {
    say: `${text}: carried out on the virtual CPU (virtual CPL ${ring}); next ${placeOf(vcpu)}`,
    go: 'vmm_return',
  };
}

/** Instructions that are called out because they used to write to page tables are watched: they may have stopped. */
function commitInstruction(vmm: Vmm, why: string): void {
  const {kernelCode, mmu} = vmm;
  const suspect = kernelCode?.suspectAt();
  if (suspect === undefined) {
    vmm.commit(why);
    return;
  }
  const before = mmu.statistics().pageTableWrites;
  const {writes} = vmm.commit(why);
  const isWatched =
    mmu.statistics().pageTableWrites > before ||
    writes.some(({gpa}) => kernelCode?.isTracked(Math.floor(gpa / PAGE)) === true);
  kernelCode?.calledOut(suspect, isWatched ? 'watched' : 'nothing watched');
}

/** RF lasts for one instruction, unless that instruction set it. */
function endDebugFlags({vcpu}: Vmm, {instruction, result}: Emulated, before: bigint): void {
  if (result !== 'completed' || (before & RFLAGS_RF) === 0n || instruction.mnemonic.startsWith('IRET')) return;
  vcpu.set('RFLAGS', vcpu.get('RFLAGS') & ~RFLAGS_RF);
}

function forgetTranslations(vmm: Vmm, {forgot}: Emulated): void {
  if (forgot === 'all') vmm.mmu.guestLoadedCr3();
  else if (typeof forgot === 'bigint') vmm.mmu.guestInvalidated(forgot);
  if (forgot !== 'nothing') vmm.kernelCode?.guestChangedPaging();
}

function troubled(vmm: Vmm, trouble: Trouble, why: string): StepResult {
  if (trouble.kind === 'fault') return deliver(vmm, trouble, `${nameOf(trouble.vector)}: ${why}`);
  if (trouble.kind === 'unsupported') return stop(vmm, trouble.what, trouble.bytes);
  return stop(vmm, 'an instruction that leaves a guest');
}

export const TRAP_ROUTINES: readonly VmmRoutine[] = [
  ...VECTORS.map(vector => routine(entryName(vector), vmm => enterByGate(vmm, vector))),
  routine('vmm_entry_SYSCALL', enterBySystemCall),
  routine('vmm_entry_callout', enterByCall),
  routine('vmm_dispatch', dispatch),
  routine('vmm_reflect', reflect),
  routine('vmm_page_fault', pageFault),
  routine('vmm_emulate', emulate),
];
