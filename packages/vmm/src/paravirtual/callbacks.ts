// Into the guest's kernel: a trap, a program's system call and an event all look the same to it. Xen pushes a frame on the kernel's
// stack, as interrupt delivery would, with RCX and R11 below it, and goes on at the address that the kernel has registered.
// Xen, xen/arch/x86/x86_64/entry.S, "create_bounce_frame".

import {hex} from '@hyperscope/base';
import type {StepResult} from '../host/host-program.js';
import type {ParavirtualEvent} from './events.js';
import {TRAP_MASKS_EVENTS} from './xen-interface.js';
import {FLAT_CODE} from './xen.js';
import type {Xen} from './xen.js';

const RFLAGS_IF = 1n << 9n;
/** TF, NT, RF, VM and AC: a handler does not begin with them. */
const CLEARED_FLAGS = 0x7_4100n;
const STACK_SELECTOR = 0xe02bn;

/** What the guest is called for. */
export interface Callback {
  readonly cause: Extract<ParavirtualEvent, {kind: 'guest-callback'}>['cause'];
  readonly name: string;
  readonly address: bigint;
  readonly errorCode: bigint | undefined;
  /** As in a trap table's entry: whether events are masked in the handler. */
  readonly flags: number;
  readonly why: string;
}

/** Calls the guest's kernel; its present state goes into the frame. */
export function callGuest(xen: Xen, callback: Callback): StepResult {
  const {vcpu, regs, shared} = xen;
  const isKernel = vcpu.isKernel;
  if (!isKernel) xen.toggleGuestMode();
  const top = (isKernel ? regs.get('RSP') : vcpu.get('kernel_sp')) & ~15n;
  const frame = frameOf(xen, callback.errorCode, isKernel ? 'kernel' : 'program');
  const at = top - BigInt(8 * frame.length);
  const written = xen.guest.writeWords(
    at,
    frame.map(([, word]) => word),
  );
  if (written === 'EFAULT')
    return xen.crash(`${callback.name} has to reach the guest’s kernel, and its stack at ${hex(at)} cannot be written`);
  regs.set('RSP', at);
  regs.set('RIP', callback.address);
  regs.set('CS', FLAT_CODE);
  regs.set('SS', STACK_SELECTOR);
  regs.set('RFLAGS', regs.get('RFLAGS') & ~CLEARED_FLAGS);
  if ((callback.flags & TRAP_MASKS_EVENTS) !== 0) shared.setUpcallMask('masked');
  vcpu.set('by_sysret', 0);
  const {cause, name, address, why} = callback;
  xen.tell({kind: 'guest-callback', cause, name, address, from: isKernel ? 'kernel' : 'program', frame, why});
  const root = isKernel ? '' : `, CR3 ← ${hex(vcpu.get('guest_table') << 12n)}, the kernel’s root`;
  return {
    say: `${name}: a frame of ${frame.length} words on the kernel’s stack, at ${hex(at)}; RIP ← ${hex(address)}${root}`,
    go: 'restore_all_guest',
  };
}

/** From the lowest address on. The RPL of CS tells who it was: 0 stands for the kernel, although both are in ring 3. */
function frameOf(
  {regs, shared}: Xen,
  errorCode: bigint | undefined,
  from: 'kernel' | 'program',
): readonly (readonly [name: string, word: bigint])[] {
  const selector = from === 'kernel' ? regs.get('CS') & ~3n : regs.get('CS');
  const flags = regs.get('RFLAGS');
  return [
    ['RCX', regs.get('RCX')],
    ['R11', regs.get('R11')],
    ...(errorCode === undefined ? [] : [['error code', errorCode] as const]),
    ['RIP', regs.get('RIP')],
    ['CS', selector | (shared.upcallMask ? 1n << 32n : 0n)],
    // The flag that the guest knows is the mask in the shared-info page.
    ['RFLAGS', shared.upcallMask ? flags & ~RFLAGS_IF : flags | RFLAGS_IF],
    ['RSP', regs.get('RSP')],
    ['SS', regs.get('SS')],
  ];
}
