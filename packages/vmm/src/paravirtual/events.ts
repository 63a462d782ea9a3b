// What a paravirtualizing hypervisor tells of its work, beside its steps: calls, updates of page tables, callbacks.

import type {Checks} from '@hyperscope/machine';

export type ParavirtualEvent =
  /** A hypercall is answered. */
  | {
      readonly kind: 'hypercall';
      readonly number: number;
      /** 'mmu_update'; undefined where Xen has no such call. */
      readonly name: string | undefined;
      readonly args: readonly (readonly [name: string, value: string])[];
      /** What was looked at, in order; where it failed the last one decided. Of a batch, its requests' are in their own events. */
      readonly checks: Checks;
      /** What RAX gets, signed. Undefined for a call that does not return to its caller. */
      readonly result: bigint | undefined;
      readonly why: string;
    }
  /** One request to change an entry of a page table: carried out or refused. */
  | {
      readonly kind: 'page-table-update';
      /** Machine address of the entry. */
      readonly at: number;
      /** 4 to 1; undefined where the frame is no page table. */
      readonly level: number | undefined;
      readonly from: bigint;
      readonly to: bigint;
      readonly checks: Checks;
      /** Undefined where it was carried out. */
      readonly error: string | undefined;
      /** The how-manieth request of how many in one hypercall. */
      readonly position: readonly [index: number, count: number];
    }
  /** Xen calls the guest's kernel: a trap of its own, a program's system call, an event. */
  | {
      readonly kind: 'guest-callback';
      readonly cause: 'trap' | 'system-call' | 'event';
      /** '#PF', 'SYSCALL', 'VIRQ_TIMER on port 1'. */
      readonly name: string;
      /** Where the guest's kernel asked to be called. */
      readonly address: bigint;
      readonly from: 'kernel' | 'program';
      /** Words on the guest's stack, from the lowest address on. */
      readonly frame: readonly (readonly [name: string, value: bigint])[];
      readonly why: string;
    };
