// What Adams and Agesen measured: Figure 4 with the exact values of the appendix "Raw data", in cycles of a Pentium 4 672 at
// 3.8 GHz. Keith Adams and Ole Agesen, "A Comparison of Software and Hardware Techniques for x86 Virtualization", ASPLOS 2006.

/** The columns of the paper: no hypervisor, binary translation, the first VT-x with shadow page tables. */
export type PublishedColumn = 'native' | 'software' | 'hardware';

export interface PublishedOperation {
  /** As the paper calls it. */
  readonly name: string;
  /** The guest that runs it. */
  readonly guest: string;
  readonly what: string;
  readonly cycles: Readonly<Record<PublishedColumn, number>>;
  /** 'figure': one of the seven that the figure shows. 'appendix': only in the raw data. */
  readonly place: 'figure' | 'appendix';
}

/**
 * Where a machine here does an operation in another way than the paper's did, so that its figure is none to be held against:
 * the paper's translator does more within its cache.
 */
const OTHER_WAYS: Readonly<Partial<Record<PublishedColumn, Readonly<Record<string, string>>>>> = {
  software: {
    in: 'the paper’s translation of IN from this port stays in the cache; here it calls the VMM, which emulates it',
    cr8wr: 'it stays in the cache in both, but an instruction has one cycle here',
    'call/ret':
      'a return is looked up by code of the cache in both; an instruction has one cycle here, and no jump is predicted wrong',
    ptemod: 'the paper’s translation carries the write out in the cache; here it calls the VMM',
    'ptemod P→NP': 'as ptemod',
    'ptemod NP→P': 'as ptemod',
  },
  native: {
    'ptemod P→NP': 'an instruction has one cycle here',
    'ptemod NP→P': 'an instruction has one cycle here',
  },
  hardware: {
    'ptemod P→NP': 'the hypervisor treats the three kinds of writes alike',
    'ptemod NP→P': 'the hypervisor treats the three kinds of writes alike',
  },
};

/** Why a figure of the paper cannot come out, as a clause; undefined where it should. */
export const otherWay = (column: PublishedColumn, operationName: string): string | undefined =>
  OTHER_WAYS[column]?.[operationName];

const operation = (
  name: string,
  guest: string,
  what: string,
  [native, software, hardware]: readonly [number, number, number],
  place: PublishedOperation['place'] = 'figure',
): PublishedOperation => ({name, guest, what, cycles: {native, software, hardware}, place});

export const PUBLISHED_OPERATIONS: readonly PublishedOperation[] = [
  operation('syscall', 'nano-syscall', 'SYSCALL and SYSRET', [242, 2308, 246]),
  operation('in', 'nano-in', 'IN from port 80h', [3209, 216, 15826]),
  operation('cr8wr', 'nano-cr8wr', 'MOV to CR8', [150, 35, 177]),
  operation('call/ret', 'nano-call-ret', 'CALL and RET', [11, 51, 11]),
  operation('pgfault', 'nano-pgfault', 'a page fault of the guest’s own, and IRET', [1093, 3927, 11242]),
  operation('divzero', 'nano-divzero', 'a division by zero, and IRET', [889, 3223, 1014]),
  operation('ptemod', 'nano-ptemod', 'a page-table entry written, unchanged', [1, 391, 12733]),
  operation('ptemod P→NP', 'nano-ptemod-clear', 'a page made not present', [4, 17, 9154], 'appendix'),
  operation('ptemod NP→P', 'nano-ptemod-set', 'a page made present', [5, 2121, 17020], 'appendix'),
];
