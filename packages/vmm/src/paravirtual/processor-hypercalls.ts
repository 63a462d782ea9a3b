// The hypercalls that stand for a processor's registers: a trap table for IDTR, a stack for the TSS's RSP0, callbacks for LSTAR and for
// the interrupt controller's vector, bases of FS and GS; and iret, because the IRET of ring 3 reaches ring 3 alone.

import {hex} from '@hyperscope/base';
import {isCanonical} from '@hyperscope/machine';
import type {StepResult} from '../host/host-program.js';
import {answering, argumentsOf, badPointer, failing, refused} from './hypercall-answer.js';
import type {Answer} from './hypercall-answer.js';
import {
  CALLBACKF_MASK_EVENTS,
  CALLBACK_TYPES,
  FLAT_RING3_CS64,
  FLAT_RING3_SS64,
  IRET,
  SEGMENT_BASES,
  VGCF_IN_SYSCALL,
} from './xen-interface.js';
import {routine} from './xen.js';
import type {Xen, XenRoutine} from './xen.js';

const ARCH = 'Xen, xen/include/public/arch-x86/xen.h';
const ARCH_64 = 'Xen, xen/include/public/arch-x86/xen-x86_64.h';
const CALLBACK = 'Xen, xen/include/public/callback.h';
const TRAP_INFO_BYTES = 16;
const MOST_TRAPS = 256;

/** An array of struct trap_info, which an address of 0 ends. */
function setTrapTable(xen: Xen): Answer {
  const [table] = argumentsOf(xen);
  const args = [['traps at', hex(table)]] as const;
  const vectors: string[] = [];
  for (let index = 0; index <= MOST_TRAPS; index++) {
    const at = table + BigInt(index * TRAP_INFO_BYTES);
    const bytes = xen.guest.read(at, TRAP_INFO_BYTES);
    if (bytes === undefined)
      return refused(args, 'EFAULT', [badPointer('the trap table', at)], `${index} entries were taken before`);
    const entry = new DataView(bytes.buffer);
    const address = entry.getBigUint64(8, true);
    if (address === 0n) break;
    if (!isCanonical(address)) {
      const values = [['address', hex(address)]] as const;
      return refused(
        args,
        'EINVAL',
        [failing('the handler’s address is canonical', values, ARCH)],
        'the entry is not taken',
      );
    }
    const vector = entry.getUint8(0);
    xen.vcpu.setTrap(vector, {flags: entry.getUint8(1), address});
    vectors.push(String(vector));
  }
  return {args, checks: [], result: 0n, why: `Xen knows the kernel’s handlers of the vectors ${vectors.join(', ')}`};
}

function stackSwitch(xen: Xen): Answer {
  const [ss, stack] = argumentsOf(xen);
  const args = [
    ['ss', hex(ss)],
    ['esp', hex(stack)],
  ] as const;
  xen.vcpu.set('kernel_ss', ss | 3n);
  xen.vcpu.set('kernel_sp', stack);
  return {args, checks: [], result: 0n, why: `who comes from a program finds the kernel’s stack at ${hex(stack)}`};
}

function callbackOp(xen: Xen): Answer {
  const [command, structure] = argumentsOf(xen);
  const args = [
    ['cmd', command === 0n ? 'CALLBACKOP_register' : String(command)],
    ['arg', hex(structure)],
  ] as const;
  if (command !== 0n)
    return refused(
      args,
      'ENOSYS',
      [failing('cmd is CALLBACKOP_register', [['cmd', String(command)]], CALLBACK)],
      'nothing was done',
    );
  const bytes = xen.guest.read(structure, 16);
  if (bytes === undefined) return refused(args, 'EFAULT', [badPointer('the structure', structure)], 'nothing was done');
  const view = new DataView(bytes.buffer);
  const type = view.getUint16(0, true);
  const flags = view.getUint16(2, true);
  const address = view.getBigUint64(8, true);
  const name = CALLBACK_TYPES[type];
  if (name === undefined) {
    const rule = `type is one of ${CALLBACK_TYPES.join(', ')}`;
    return refused(args, 'ENOSYS', [failing(rule, [['type', String(type)]], CALLBACK)], 'nothing was done');
  }
  if (!isCanonical(address)) {
    const rule = 'the callback’s address is canonical';
    return refused(args, 'EINVAL', [failing(rule, [['address', hex(address)]], CALLBACK)], 'nothing was done');
  }
  xen.vcpu.set(`callback_${name}`, address);
  if (name === 'syscall') xen.vcpu.set('syscall_masks_events', flags & CALLBACKF_MASK_EVENTS);
  return {args, checks: [], result: 0n, why: `CALLBACKTYPE_${name} is at ${hex(address)}`};
}

function setSegmentBase(xen: Xen): Answer {
  const [which, base] = argumentsOf(xen);
  const name = SEGMENT_BASES[Number(which)];
  const args = [
    ['which', name === undefined ? String(which) : `SEGBASE_${name}`],
    ['base', hex(base)],
  ] as const;
  if (name === undefined)
    return refused(
      args,
      'EINVAL',
      [failing(`which is one of ${SEGMENT_BASES.join(', ')}`, [['which', String(which)]], ARCH_64)],
      'nothing was done',
    );
  if (!isCanonical(base))
    return refused(
      args,
      'EINVAL',
      [failing('the base is canonical', [['base', hex(base)]], ARCH_64)],
      'nothing was done',
    );
  const {registers} = xen.machine;
  if (name === 'FS') registers.set('FS.base', base);
  else if (name === 'GS_KERNEL') registers.set('GS.base', base);
  else xen.vcpu.set('gs_base_user', base);
  return {args, checks: [], result: 0n, why: `the base of ${name} is ${hex(base)}`};
}

// ── iret ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** struct iret_context, from the stack pointer on. */
const IRET_WORDS = ['rax', 'r11', 'rcx', 'flags', 'rip', 'cs', 'rflags', 'rsp', 'ss'] as const;
const RFLAGS_IF = 1n << 9n;
/** CF PF AF ZF SF TF DF OF NT AC ID and bit 1: what ring 3 has of its own. IF stays on, IOPL stays 0. */
const RING_3_FLAGS = 0x24_4dd7n;

function iret(xen: Xen): StepResult {
  const {regs, vcpu, shared} = xen;
  const bytes = xen.guest.read(regs.get('RSP'), 8 * IRET_WORDS.length);
  if (bytes === undefined) return xen.crash(`iret finds no iret_context at ${hex(regs.get('RSP'))}`);
  const view = new DataView(bytes.buffer);
  const word = (name: (typeof IRET_WORDS)[number]): bigint => view.getBigUint64(8 * IRET_WORDS.indexOf(name), true);
  const isUser = (word('cs') & 3n) === 3n;
  if (
    (word('cs') & 0xfffcn) !== BigInt(FLAT_RING3_CS64 & ~3) ||
    (word('ss') & 0xfffcn) !== BigInt(FLAT_RING3_SS64 & ~3)
  )
    return xen.crash(
      `iret to CS ${hex(word('cs') & 0xffffn)} and SS ${hex(word('ss'))}: only Xen’s flat segments are there`,
    );
  if (!isCanonical(word('rip'))) return xen.crash(`iret to ${hex(word('rip'))}, which is not canonical`);
  if (isUser && vcpu.get('guest_table_user') === 0n)
    return xen.crash('iret to a program, and the kernel has set no root for programs');
  regs.set('RAX', word('rax'));
  regs.set('RIP', word('rip'));
  regs.set('CS', BigInt(FLAT_RING3_CS64));
  regs.set('RFLAGS', (word('rflags') & RING_3_FLAGS) | RFLAGS_IF | 2n);
  regs.set('RSP', word('rsp'));
  regs.set('SS', BigInt(FLAT_RING3_SS64));
  const isQuick = (word('flags') & VGCF_IN_SYSCALL) !== 0n;
  vcpu.set('by_sysret', isQuick ? 1 : 0);
  if (!isQuick) {
    regs.set('RCX', word('rcx'));
    regs.set('R11', word('r11'));
  }
  shared.setUpcallMask((word('rflags') & RFLAGS_IF) === 0n ? 'masked' : 'open');
  if (isUser) xen.toggleGuestMode();
  const to = isUser ? 'a program' : 'the kernel itself';
  const root = isUser ? `; CR3 ← ${hex(vcpu.get('guest_table_user') << 12n)}, the programs’ root` : '';
  const why = `the frame leads to ${to} at ${hex(word('rip'))}, with events ${shared.upcallMask ? 'masked' : 'open'}${root}`;
  const args = [
    ['flags', isQuick ? 'VGCF_in_syscall' : hex(word('flags'))],
    ['rip', hex(word('rip'))],
    ['cs', hex(word('cs') & 0xffffn)],
    ['rflags', hex(word('rflags'))],
    ['rsp', hex(word('rsp'))],
  ] as const;
  xen.tell({kind: 'hypercall', number: IRET, name: 'iret', args, checks: [], result: undefined, why});
  return {say: `iret: ${why}`, go: 'test_all_events'};
}

export const PROCESSOR_ROUTINES: readonly XenRoutine[] = [
  routine('do_set_trap_table', answering(setTrapTable)),
  routine('do_stack_switch', answering(stackSwitch)),
  routine('do_callback_op', answering(callbackOp)),
  routine('do_set_segment_base', answering(setSegmentBase)),
  routine('do_iret', iret),
];
