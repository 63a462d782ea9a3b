// The hypercalls of memory. mmu_update and mmuext_op take batches: one way into Xen for many requests, each of which is a step here.
// Xen, xen/arch/x86/mm.c, "do_mmu_update", "do_mmuext_op", "do_update_va_mapping".

import {assert, hex} from '@hyperscope/base';
import {check} from '@hyperscope/machine';
import type {Check} from '@hyperscope/machine';
import type {HostStep, StepResult} from '../host/host-program.js';
import type {TableLevel} from './frame-table.js';
import {isGuestAddress} from './guest-access.js';
import {ABI, answering, argumentsOf, asFrame, badPointer, failing, finishCall, refused} from './hypercall-answer.js';
import type {Answer} from './hypercall-answer.js';
import {
  DOMID_SELF,
  MMUEXT,
  MMU_NORMAL_PT_UPDATE,
  MMU_PT_UPDATE_PRESERVE_AD,
  UVMF_FLUSH_TYPE,
  UVMF_INVLPG,
  UVMF_TLB_FLUSH,
  mmuextName,
} from './xen-interface.js';
import type {Errno} from './xen-interface.js';
import {routine} from './xen.js';
import type {Xen, XenRoutine} from './xen.js';

const UPDATE_BYTES = 16;
const EXTENDED_BYTES = 24;
/** More than a guest can mean; Xen takes 2^31. */
const MOST_REQUESTS = 0x8000_0000n;

/** What one request of a batch came to. */
interface Done {
  readonly checks: readonly Check[];
  readonly errno: Errno | undefined;
  /** What was done, or asked for. */
  readonly what: string;
}

/** A batch: where its requests lie, and what each of them is. */
interface Batch {
  readonly bytes: number;
  readonly what: string;
  request(xen: Xen, words: DataView, position: readonly [index: number, count: number]): Done;
}

/** One request a step, from RDI on, RSI of them; the number that were done goes to where RDX points. */
const batchStep =
  (batch: Batch): HostStep<Xen> =>
  xen => {
    const [requests, count, doneAt, foreign] = argumentsOf(xen);
    const args = [
      ['requests at', hex(requests)],
      ['count', String(count)],
      ['done_out', hex(doneAt)],
      ['foreigndom', (foreign & 0xffffn) === BigInt(DOMID_SELF) ? 'DOMID_SELF' : hex(foreign)],
    ] as const;
    const index = xen.vcpu.number('done');
    const end = (errno: Errno | undefined, checks: readonly Check[], why: string): StepResult => {
      const told = doneAt === 0n ? 'written' : xen.guest.writeWord32(doneAt, xen.vcpu.number('done'));
      const pointer = told === 'EFAULT' ? [badPointer('done_out', doneAt)] : [];
      const result = errno ?? (told === 'EFAULT' ? 'EFAULT' : 0n);
      return finishCall(xen, {args, checks: [...checks, ...pointer], result, why});
    };
    if ((foreign & 0xffffn) !== BigInt(DOMID_SELF))
      return end(
        'EPERM',
        [failing('the frames belong to the caller (DOMID_SELF)', [['foreigndom', hex(foreign)]])],
        'only a privileged domain may name another one',
      );
    if (count >= MOST_REQUESTS)
      return end('EINVAL', [failing('the count is no negative number', [['count', hex(count)]])], 'nothing was done');
    if (count === 0n) return end(undefined, [], 'an empty batch: nothing to do');
    const at = requests + BigInt(index * batch.bytes);
    const bytes = xen.guest.read(at, batch.bytes);
    if (bytes === undefined)
      return end(
        'EFAULT',
        [badPointer(`request ${index + 1}`, at)],
        `${index} of ${count} ${batch.what} were done before`,
      );
    const done = batch.request(xen, new DataView(bytes.buffer), [index + 1, Number(count)]);
    if (done.errno !== undefined)
      return end(
        done.errno,
        done.checks,
        `${done.what} is refused; ${index} of ${count} ${batch.what} were done before`,
      );
    xen.vcpu.set('done', index + 1);
    if (BigInt(index + 1) < count)
      return {
        say: `request ${index + 1} of ${count}: ${done.what}`,
        go: xen.vcpu.number('hypercall') === 1 ? 'do_mmu_update' : 'do_mmuext_op',
      };
    const why = count === 1n ? done.what : `${count} ${batch.what}, the last: ${done.what}`;
    return end(undefined, count === 1n ? done.checks : [], why);
  };

// ── mmu_update ──────────────────────────────────────────────────────────────────────────────────────────────────────

function update(xen: Xen, request: DataView, position: readonly [number, number]): Done {
  const pointer = request.getBigUint64(0, true);
  const value = request.getBigUint64(8, true);
  const command = Number(pointer & 3n);
  const at = Number(pointer & ~7n);
  if (command !== MMU_NORMAL_PT_UPDATE && command !== MMU_PT_UPDATE_PRESERVE_AD) {
    const rule = 'ptr 1:0 is MMU_NORMAL_PT_UPDATE or MMU_PT_UPDATE_PRESERVE_AD: there is no machine-to-physical table';
    return {errno: 'ENOSYS', checks: [failing(rule, [['ptr 1:0', String(command)]])], what: `command ${command}`};
  }
  const checks: Check[] = [];
  const how = command === MMU_NORMAL_PT_UPDATE ? 'as it is' : 'keep accessed and dirty';
  const {errno, level, from, to} = xen.paging.update(at, value, how, checks);
  xen.tell({kind: 'page-table-update', at, level, from, to, checks, error: errno, position});
  return {errno, checks, what: entryWords(at, level, from, to)};
}

function entryWords(at: number, level: TableLevel | undefined, from: bigint, to: bigint): string {
  const where = level === undefined ? 'the word' : `the L${level} entry`;
  return `${where} at machine address ${hex(at)} goes from ${hex(from)} to ${hex(to)}`;
}

// ── update_va_mapping ───────────────────────────────────────────────────────────────────────────────────────────────

function updateVaMapping(xen: Xen): Answer {
  const [linear, value, flags] = argumentsOf(xen);
  const args = [
    ['va', hex(linear)],
    ['val', hex(value)],
    ['flags', hex(flags)],
  ] as const;
  const at = xen.guest.leafEntry(linear);
  if (at === undefined) {
    const rule = 'the guest’s tables lead to a level 1 entry for the address';
    return refused(
      args,
      'EINVAL',
      [failing(rule, [['va', hex(linear)]], 'Xen, xen/arch/x86/mm.c')],
      'nothing was done',
    );
  }
  const checks: Check[] = [];
  const mfn = Math.floor(at / 4096);
  const done = xen.paging.updateEntry(mfn, (at & 0xfff) >> 3, 1, value, checks);
  const {errno, from, to} = done;
  xen.tell({kind: 'page-table-update', at, level: 1, from, to, checks, error: errno, position: [1, 1]});
  const what = `the mapping of ${hex(linear)} goes from ${hex(from)} to ${hex(to)}`;
  if (errno !== undefined) return refused(args, errno, checks, `${what}: refused`);
  if ((flags & UVMF_FLUSH_TYPE) === UVMF_TLB_FLUSH) xen.machine.tlb.flushAll();
  if ((flags & UVMF_FLUSH_TYPE) === UVMF_INVLPG) xen.machine.tlb.flushPage(linear);
  return {args, checks, result: 0n, why: what};
}

// ── mmuext_op ───────────────────────────────────────────────────────────────────────────────────────────────────────

function extended(xen: Xen, request: DataView): Done {
  const command = request.getUint32(0, true);
  const argument = request.getBigUint64(8, true);
  const checks: Check[] = [];
  const name = mmuextName(command);
  const mfn = argument < BigInt(xen.paging.frames.frames) ? Number(argument) : xen.paging.frames.frames;
  const {tlb} = xen.machine;
  switch (command) {
    case 0:
    case 1:
    case 2:
    case 3:
      return {errno: xen.paging.pin(mfn, levelOf(command), checks), checks, what: `${name} of ${asFrame(mfn)}`};
    case MMUEXT.UNPIN_TABLE:
      return {errno: xen.paging.unpin(mfn, checks), checks, what: `${name} of ${asFrame(mfn)}`};
    case MMUEXT.NEW_BASEPTR:
      return {errno: newBase(xen, 'guest_table', mfn, checks), checks, what: `${name}: CR3 ← ${asFrame(mfn)}`};
    case MMUEXT.NEW_USER_BASEPTR:
      return {
        errno: newBase(xen, 'guest_table_user', mfn, checks),
        checks,
        what: `${name}: programs get ${asFrame(mfn)}`,
      };
    case MMUEXT.TLB_FLUSH_LOCAL:
      tlb.flushAll();
      return {errno: undefined, checks, what: name};
    case MMUEXT.INVLPG_LOCAL:
      if (isGuestAddress(argument)) tlb.flushPage(argument);
      return {errno: undefined, checks, what: `${name} of ${hex(argument)}`};
    default:
      return {
        errno: 'ENOSYS',
        checks: [failing('the command is one that is there', [['cmd', String(command)]])],
        what: name,
      };
  }
}

function levelOf(pin: 0 | 1 | 2 | 3): TableLevel {
  return pin === 0 ? 1 : pin === 1 ? 2 : pin === 2 ? 3 : 4;
}

/** A root is used as an L4 table for as long as it is one of the two; a frame that is none becomes one, or is refused. */
function newBase(xen: Xen, which: 'guest_table' | 'guest_table_user', mfn: number, checks: Check[]): Errno | undefined {
  const {vcpu, paging, machine} = xen;
  const old = vcpu.number(which);
  const isNone = mfn === 0 && which === 'guest_table_user';
  if (!isNone && !paging.getTable(mfn, 4, checks)) return 'EINVAL';
  vcpu.set(which, mfn);
  if (which === 'guest_table') {
    assert(vcpu.isKernel, 'hypercalls come from the kernel');
    machine.registers.set('CR3', BigInt(mfn) << 12n);
    machine.tlb.flushAll();
  }
  if (old !== 0) paging.putTable(old);
  checks.push(check('the old root is given back', true, [['frame', hex(old)]], ABI));
  return undefined;
}

export const MMU_ROUTINES: readonly XenRoutine[] = [
  routine('do_mmu_update', batchStep({bytes: UPDATE_BYTES, what: 'updates', request: update})),
  routine('do_mmuext_op', batchStep({bytes: EXTENDED_BYTES, what: 'operations', request: extended})),
  routine('do_update_va_mapping', answering(updateVaMapping)),
];
