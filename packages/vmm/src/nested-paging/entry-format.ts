// How an entry of nested page tables is written: EPT has bits of its own, NPT is ordinary paging in which every access of
// the guest counts as a user's. SDM vol. 3C, "Extended Page-Table Mechanism (EPT)"; APM vol. 2, "Nested Paging".

export interface EntryFormat {
  readonly name: 'EPT' | 'NPT';
  /** An entry that leads to the next table and refuses nothing. */
  readonly table: bigint;
  /** A 4 KiB page; `large` is what a 2 MiB page has beside it. */
  readonly leaf: (access: 'read-write' | 'read-only') => bigint;
  readonly large: bigint;
}

const READ = 1n;
const WRITE = 2n;
const EXECUTE = 4n;
const WRITE_BACK = 6n << 3n;
const LARGE = 0x80n;

export const EPT_FORMAT: EntryFormat = {
  name: 'EPT',
  table: READ | WRITE | EXECUTE,
  leaf: access => READ | EXECUTE | (access === 'read-write' ? WRITE : 0n) | WRITE_BACK,
  large: LARGE,
};

const PRESENT = 1n;
const USER = 4n;

/** P, R/W, U/S; the memory type is the guest's PAT and the host's together, write-back where both say so. */
export const NPT_FORMAT: EntryFormat = {
  name: 'NPT',
  table: PRESENT | WRITE | USER,
  leaf: access => PRESENT | USER | (access === 'read-write' ? WRITE : 0n),
  large: LARGE,
};
