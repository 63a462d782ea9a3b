// Where the guest's kernel code runs, if not at its own address: what binary translation puts in the place of direct execution.
// The VMM asks before each return to the guest, and tells what could make a copy of the guest's code wrong.

import type {SegmentRegister} from '@hyperscope/isa';

export interface KernelCode {
  /** Whether the guest's code is not run as it is, in the state that its virtual CPU is in. */
  readonly covers: boolean;
  /** Makes ready what runs in place of the code at the guest's CS:RIP; or says why that one instruction has to be emulated. */
  prepare(): string | undefined;
  /** RIP of what `prepare` made ready. */
  entry(): bigint;
  /** The selector of a segment register that the guest's code does not have to itself; undefined for the others. */
  segment(register: SegmentRegister): number | undefined;
  /** The processor came from this address: true where there is no instruction of the guest's to be carried out. */
  leftFrom(rip: bigint): boolean;
  /** The guest's code called the VMM through its gate, with this address to come back to. */
  calledFrom(rip: bigint): void;
  /** The instruction at the guest's RIP trapped, because it wrote to a page table or to translated code. */
  trappedOnWatchedPage(): void;
  /** The linear address of the instruction at the guest's RIP, if it is called out for having done that too often. */
  suspectAt(): bigint | undefined;
  /** Such an instruction was carried out. */
  calledOut(linear: bigint, hit: 'watched' | 'nothing watched'): void;
  /** Whether writes to a guest-physical page must be seen. */
  isTracked(gfn: number): boolean;
  guestWrote(gpa: number, bytes: number): void;
  /** CR3, INVLPG, another paging mode: linear addresses may mean other memory. */
  guestChangedPaging(): void;
}
