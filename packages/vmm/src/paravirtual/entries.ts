// Into Xen and out again: SYSCALL, exceptions and interrupts through Xen's own IDT; and, before the guest goes on, the events that
// wait for it. The names are those of Xen's entry code, xen/arch/x86/x86_64/entry.S.

import {hex, hpa} from '@hyperscope/base';
import {exceptionAt, hasErrorCode} from '@hyperscope/isa';
import {isCanonical} from '@hyperscope/machine';
import type {StepResult} from '../host/host-program.js';
import {callGuest} from './callbacks.js';
import {FRAME_AT, SAVED_REGISTERS, SAVED_RSP} from './user-registers.js';
import {EXCEPTION_VECTORS, TIMER_VECTOR, entryName} from './xen-environment.js';
import {
  FLAT_RING3_SS64,
  HYPERCALL_ENTRIES,
  HYPERCALL_ENTRY_BYTES,
  IRET,
  TRAP_DPL,
  TRAP_MASKS_EVENTS,
  VIRQ_TIMER,
} from './xen-interface.js';
import {IRETQ, SYSRETQ, linearOf} from './xen-layout.js';
import {FLAT_CODE, placeOf, routine} from './xen.js';
import type {Xen, XenRoutine} from './xen.js';
import {FRAME_TYPE} from './frame-table.js';

const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;
const PAGE_FAULT_USER = 4n;
/** #GP's error code: the IDT's entry 4:3 … of vector 15:3. */
const OF_IDT = 2n;
/** The MSR that asks for a hypercall page, as CPUID leaf 4000_0002h tells it. */
const HYPERCALL_PAGE_MSR = 0x4000_0000n;
const WRMSR = [0x0f, 0x30] as const;
const INT_N = 0xcd;

const nameOf = (vector: number): string => exceptionAt(vector)?.name ?? `vector ${hex(vector)}`;

// ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** SAVE_ALL: the general registers to Xen's stack, above which the frame lies already. */
function saveAll(xen: Xen, vector: number): void {
  const {registers} = xen.machine;
  for (const name of SAVED_REGISTERS) xen.regs.set(name, registers.get(name));
  if (!hasErrorCode(vector)) xen.regs.set('error_code', 0n);
  xen.regs.set('entry_vector', BigInt(vector));
  registers.set('RSP', SAVED_RSP);
  xen.vcpu.set('in_xen', 1);
  xen.vcpu.set('by_sysret', 0);
  xen.vcpu.set('entries', xen.vcpu.get('entries') + 1n);
}

const SYSCALL_VECTOR = 0x100;

function enterBySystemCall(xen: Xen): StepResult {
  const {regs, vcpu} = xen;
  const {registers} = xen.machine;
  const [rip, flags, stack] = [registers.get('RCX'), registers.get('R11'), registers.get('RSP')];
  saveAll(xen, SYSCALL_VECTOR);
  regs.set('RIP', rip);
  regs.set('CS', FLAT_CODE);
  regs.set('RFLAGS', flags);
  regs.set('RSP', stack);
  regs.set('SS', BigInt(FLAT_RING3_SS64));
  if (vcpu.isKernel) {
    vcpu.set('by_sysret', 1);
    return {
      say: `SYSCALL in ring 3, to LSTAR, which is Xen’s. TF_kernel_mode is set: it is the guest’s kernel, and a hypercall`,
      go: 'pv_hypercall',
    };
  }
  return {
    say: `SYSCALL in ring 3, to LSTAR, which is Xen’s. TF_kernel_mode is clear: it is a program, and a system call for the guest’s kernel`,
    go: 'switch_to_kernel',
  };
}

function enter(xen: Xen, vector: number): StepResult {
  saveAll(xen, vector);
  const code = hasErrorCode(vector) ? `, error code ${hex(xen.regs.get('error_code'))}` : '';
  return {
    say: `${nameOf(vector)}${code} through Xen’s own IDT: the registers of ${placeOf(xen)} go to Xen’s stack`,
    go: vector === PAGE_FAULT ? 'do_page_fault' : vector === GENERAL_PROTECTION ? 'do_general_protection' : 'do_trap',
  };
}

function enterByInterrupt(xen: Xen): StepResult {
  saveAll(xen, TIMER_VECTOR);
  return {
    say: `the local APIC’s timer interrupts ${placeOf(xen)}: the hardware is Xen’s, and so are its interrupts`,
    go: 'timer_softirq_action',
  };
}

// ── system calls, traps ─────────────────────────────────────────────────────────────────────────────────────────────

function switchToKernel(xen: Xen): StepResult {
  const address = xen.vcpu.get('callback_syscall');
  if (address === 0n)
    return xen.crash('a program made a system call, and the kernel has registered no callback for it');
  const flags = xen.vcpu.get('syscall_masks_events') !== 0n ? TRAP_MASKS_EVENTS : 0;
  const why = 'a program’s SYSCALL is the kernel’s affair: it goes to CALLBACKTYPE_syscall';
  return callGuest(xen, {cause: 'system-call', name: 'SYSCALL', address, errorCode: undefined, flags, why});
}

function reflect(xen: Xen, vector: number, errorCode: bigint | undefined, why: string): StepResult {
  const trap = xen.vcpu.trap(vector);
  const name = nameOf(vector);
  if (trap === undefined) return xen.crash(`${name} in ${placeOf(xen)}, and the trap table has no entry for it`);
  return callGuest(xen, {cause: 'trap', name, address: trap.address, errorCode, flags: trap.flags, why});
}

function trap(xen: Xen): StepResult {
  const vector = Number(xen.regs.get('entry_vector'));
  const errorCode = hasErrorCode(vector) ? xen.regs.get('error_code') : undefined;
  return reflect(xen, vector, errorCode, 'the guest’s own exception: it goes to the guest’s trap table');
}

function pageFault(xen: Xen): StepResult {
  const linear = xen.machine.registers.get('CR2');
  xen.shared.setCr2(linear);
  // The processor says "ring 3" of the kernel, too.
  const code = xen.regs.get('error_code') & ~PAGE_FAULT_USER;
  const errorCode = xen.vcpu.isKernel ? code : code | PAGE_FAULT_USER;
  const why = `the guest’s own page tables refuse ${hex(linear)}, and they are the real ones; CR2 is in the shared-info page`;
  return reflect(xen, PAGE_FAULT, errorCode, why);
}

/** Two privileged instructions are Xen's affair: the WRMSR that asks for a hypercall page, and INT n. The rest are the guest's faults. */
function generalProtection(xen: Xen): StepResult {
  const {regs, vcpu} = xen;
  const errorCode = regs.get('error_code');
  const bytes = xen.guest.read(regs.get('RIP'), 2);
  const isWrmsr = bytes?.[0] === WRMSR[0] && bytes[1] === WRMSR[1];
  if (isWrmsr && vcpu.isKernel && BigInt.asUintN(32, regs.get('RCX')) === HYPERCALL_PAGE_MSR) return hypercallPage(xen);
  const vector = Number(errorCode >> 3n);
  const software = (errorCode & OF_IDT) !== 0n ? vcpu.trap(vector) : undefined;
  if (software !== undefined && (software.flags & TRAP_DPL) >= (vcpu.isKernel ? 1 : 3)) {
    regs.set('RIP', regs.get('RIP') + (bytes?.[0] === INT_N ? 2n : 1n));
    return reflect(xen, vector, undefined, 'the guest’s trap table lets this ring come by INT');
  }
  const why = 'nothing that Xen does for the guest: its kernel has its own handler for #GP';
  return reflect(xen, GENERAL_PROTECTION, errorCode, why);
}

// ── the hypercall page ──────────────────────────────────────────────────────────────────────────────────────────────

/** Xen fills the page, so that how to reach it is its own affair; 64-bit Xen uses SYSCALL. Xen, "hypercall_page_initialise_ring3_kernel". */
function hypercallPage(xen: Xen): StepResult {
  const {regs, paging, machine} = xen;
  const address = ((regs.get('RDX') & 0xffff_ffffn) << 32n) | (regs.get('RAX') & 0xffff_ffffn);
  const mfn = Number(address >> 12n);
  const isOurs = (address & 0xfffn) === 0n && paging.getPage(mfn, []);
  if (!isOurs || !paging.getType(mfn, FRAME_TYPE.writable, [])) {
    if (isOurs) paging.putPage(mfn);
    return reflect(
      xen,
      GENERAL_PROTECTION,
      0n,
      `the WRMSR names no page of the domain’s for hypercalls: ${hex(address)}`,
    );
  }
  const page = new Uint8Array(4096).fill(0xcc);
  for (let number = 0; number < HYPERCALL_ENTRIES; number++) page.set(stub(number), number * HYPERCALL_ENTRY_BYTES);
  machine.memory.load(hpa(mfn * 4096), page);
  paging.putType(mfn);
  paging.putPage(mfn);
  regs.set('RIP', regs.get('RIP') + BigInt(WRMSR.length));
  return {
    say: `WRMSR of 4000_0000h: Xen writes the hypercall page at machine address ${hex(address)}, ${HYPERCALL_ENTRIES} entries of ${HYPERCALL_ENTRY_BYTES} bytes`,
    go: 'test_all_events',
  };
}

/** PUSH RCX; PUSH R11; MOV EAX, number; SYSCALL; POP R11; POP RCX; RET. iret pushes RAX as well, and does not come back. */
function stub(number: number): Uint8Array {
  const move = [0xb8, number, 0, 0, 0, 0x0f, 0x05];
  return number === IRET
    ? Uint8Array.of(0x51, 0x41, 0x53, 0x50, ...move)
    : Uint8Array.of(0x51, 0x41, 0x53, ...move, 0x41, 0x5b, 0x59, 0xc3);
}

// ── the timer, and waiting ──────────────────────────────────────────────────────────────────────────────────────────

const timerSoftirq = (xen: Xen): StepResult => ({say: xen.timerInterrupt(), go: 'test_all_events'});

/** SCHEDOP_block: nobody else wants the processor, so Xen itself sleeps until a device's time is up. */
function idle(xen: Xen): StepResult {
  const {chipset, machine, vcpu} = xen;
  const until = chipset.clock.nextWake;
  if (until === Infinity) {
    xen.finish({kind: 'halted'});
    return {say: 'the guest waits, and nothing is left that could wake it: the run is over', go: 'restore_all_guest'};
  }
  machine.processor.charge(Math.max(0, until - machine.cycles));
  chipset.clock.run();
  if (chipset.requested !== TIMER_VECTOR)
    return {say: 'Xen slept until a device’s time was up; it is nothing for the guest', go: 'idle_loop'};
  chipset.acknowledge();
  const what = xen.timerInterrupt();
  if (!xen.shared.upcallPending) return {say: `Xen slept until its timer struck: ${what}`, go: 'idle_loop'};
  vcpu.set('blocked', 0);
  xen.updateTime();
  return {say: `Xen slept until its timer struck: ${what}; the guest is scheduled again`, go: 'test_all_events'};
}

// ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function testAllEvents(xen: Xen): StepResult {
  const {vcpu, shared} = xen;
  if (xen.outcome !== undefined) return {say: 'the guest’s run is over', go: 'restore_all_guest'};
  if (!shared.upcallPending) return {say: 'no event waits', go: 'restore_all_guest'};
  if (shared.upcallMask)
    return {say: 'an event waits, and the guest has masked them: it will look by itself', go: 'restore_all_guest'};
  const address = vcpu.get('callback_event');
  if (address === 0n) return xen.crash('an event waits, and the kernel has registered no callback for events');
  const ports = shared.pendingPorts();
  const name = ports.map(port => portName(xen, port)).join(', ');
  const why = 'evtchn_upcall_pending is 1 and evtchn_upcall_mask 0: the kernel is called, with events masked';
  return callGuest(xen, {cause: 'event', name, address, errorCode: undefined, flags: TRAP_MASKS_EVENTS, why});
}

const portName = ({vcpu}: Xen, port: number): string =>
  vcpu.virqOfPort(port) === VIRQ_TIMER ? `VIRQ_TIMER on port ${port}` : `port ${port}`;

function restore(xen: Xen): StepResult {
  const {regs, vcpu} = xen;
  const {registers} = xen.machine;
  if (xen.outcome !== undefined) return {say: 'the guest’s run is over', go: 'restore_all_guest'};
  for (const name of SAVED_REGISTERS) registers.set(name, regs.get(name));
  vcpu.set('in_xen', 0);
  // SYSRET to an address that is not canonical would fault in ring 0: Xen security advisory 7.
  if (vcpu.get('by_sysret') !== 0n && isCanonical(regs.get('RIP'))) {
    registers.set('RCX', regs.get('RIP'));
    registers.set('R11', regs.get('RFLAGS'));
    registers.set('RSP', regs.get('RSP'));
    registers.set('RIP', linearOf(SYSRETQ));
    return {say: `RCX and R11 hold RIP and RFLAGS of ${placeOf(xen)}: back by SYSRET`, go: 'processor'};
  }
  registers.set('RSP', linearOf(FRAME_AT));
  registers.set('RIP', linearOf(IRETQ));
  return {
    say: `the registers of ${placeOf(xen)} come back from Xen’s stack, the frame is left for IRET`,
    go: 'processor',
  };
}

export const ENTRY_ROUTINES: readonly XenRoutine[] = [
  routine('lstar_enter', enterBySystemCall),
  ...EXCEPTION_VECTORS.map(vector => routine(entryName(vector), xen => enter(xen, vector))),
  routine('common_interrupt', enterByInterrupt),
  routine('switch_to_kernel', switchToKernel),
  routine('do_trap', trap),
  routine('do_page_fault', pageFault),
  routine('do_general_protection', generalProtection),
  routine('timer_softirq_action', timerSoftirq),
  routine('idle_loop', idle),
  routine('test_all_events', testAllEvents),
  routine('restore_all_guest', restore),
];
