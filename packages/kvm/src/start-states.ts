// Small complete guests for probing and testing: the tables that a mode needs, and registers that put the processor
// into it. What a probe's instruction does shows in its exit: every exception handler is OUT E0h+vector, AL; HLT.
//
//   0500 GDT   0700 TSS   1000 PML4   2000 PDPT   3000 page directory (1 GiB, identity, 2 MiB pages, user)
//   5000 IDT   6000 handlers, 4 bytes each        7f00 kernel stack   8000 code   1f000 user stack

import {gpa} from '@hyperscope/base';
import type {Gpa} from '@hyperscope/base';
import type {Cell, DescriptorRegister} from '@hyperscope/isa';
import type {RegisterValues} from '@hyperscope/vmm';

export const PLACES = {
  gdt: 0x500,
  tss: 0x700,
  pml4: 0x1000,
  pdpt: 0x2000,
  directory: 0x3000,
  idt: 0x5000,
  handlers: 0x6000,
  kernelStack: 0x7f00,
  code: 0x8000,
  userStack: 0x1_f000,
} as const;

export const STATES = ['real', 'protected', 'paged32', 'pae', 'long'] as const;
export type StateName = (typeof STATES)[number];

export interface StartState {
  readonly segments: readonly {readonly gpa: Gpa; readonly bytes: Uint8Array}[];
  readonly registers: RegisterValues;
}

/** A guest that starts at PLACES.code in this mode and ring with interrupts off. Rings other than 0 only with paging. */
export function startState(mode: StateName, cpl: 0 | 3 = 0): StartState {
  return {segments: tables(mode), registers: mode === 'real' ? realRegisters() : protectedRegisters(mode, cpl)};
}

/** The port that the handler of a vector writes to. */
export const handlerPort = (vector: number): number => 0xe0 + vector;

const SELECTORS = {
  kernelCode: 0x08,
  kernelData: 0x10,
  userCode32: 0x18,
  userData: 0x20,
  userCode64: 0x28,
  tss: 0x30,
} as const;
const VECTORS = 32;

function words(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(values).buffer);
}

function tables(mode: StateName): StartState['segments'] {
  const long = mode === 'long';
  const handlers = new Uint8Array(VECTORS * 4);
  for (let vector = 0; vector < VECTORS; vector++) handlers.set([0xe6, handlerPort(vector), 0xf4, 0xf4], vector * 4);
  const tss = new DataView(new ArrayBuffer(0x68));
  tss.setUint32(4, PLACES.kernelStack, true); // ESP0, or the low half of RSP0
  if (!long) tss.setUint16(8, SELECTORS.kernelData, true);
  tss.setUint16(0x66, 0x68, true); // no I/O bitmap: the base is the limit
  return [
    {gpa: gpa(PLACES.handlers), bytes: handlers},
    ...(mode === 'real'
      ? []
      : [
          {gpa: gpa(PLACES.gdt), bytes: gdt(mode)},
          {gpa: gpa(PLACES.tss), bytes: new Uint8Array(tss.buffer)},
          {gpa: gpa(PLACES.idt), bytes: idt(mode)},
        ]),
    ...pages(mode),
  ];
}

function gdt(mode: StateName): Uint8Array {
  const long = mode === 'long';
  return words([
    0n,
    long ? 0x00af_9b00_0000_ffffn : 0x00cf_9b00_0000_ffffn,
    0x00cf_9300_0000_ffffn,
    0x00cf_fb00_0000_ffffn,
    0x00cf_f300_0000_ffffn,
    long ? 0x00af_fb00_0000_ffffn : 0x00cf_fb00_0000_ffffn,
    0x0000_8900_0000_0067n | (BigInt(PLACES.tss) << 16n),
    0n,
  ]);
}

/** Interrupt gates to the handlers; #BP and #OF may be raised from ring 3. */
function idt(mode: StateName): Uint8Array {
  const gates: bigint[] = [];
  for (let vector = 0; vector < VECTORS; vector++) {
    const handler = BigInt(PLACES.handlers + vector * 4);
    const access = vector === 3 || vector === 4 ? 0xeen : 0x8en;
    gates.push(handler | (BigInt(SELECTORS.kernelCode) << 16n) | (access << 40n));
    if (mode === 'long') gates.push(0n);
  }
  return words(gates);
}

function pages(mode: StateName): StartState['segments'] {
  const large = (count: number, shift: bigint): bigint[] =>
    Array.from({length: count}, (_, i) => (BigInt(i) << shift) | 0x87n);
  if (mode === 'long')
    return [
      {gpa: gpa(PLACES.pml4), bytes: words([BigInt(PLACES.pdpt) | 7n])},
      {gpa: gpa(PLACES.pdpt), bytes: words([BigInt(PLACES.directory) | 7n])},
      {gpa: gpa(PLACES.directory), bytes: words(large(512, 21n))},
    ];
  if (mode === 'pae')
    return [
      {gpa: gpa(PLACES.pdpt), bytes: words([BigInt(PLACES.directory) | 1n])},
      {gpa: gpa(PLACES.directory), bytes: words(large(512, 21n))},
    ];
  if (mode === 'paged32') {
    return [{gpa: gpa(PLACES.pml4), bytes: new Uint8Array(new Uint32Array(large(256, 22n).map(Number)).buffer)}];
  }
  return [];
}

type Segments = Partial<Record<Cell, bigint>>;

function segment(
  register: DescriptorRegister,
  selector: number,
  attributes: number,
  limit: number,
  base = 0,
): Segments {
  return {
    [`${register}.selector`]: BigInt(selector),
    [`${register}.base`]: BigInt(base),
    [`${register}.limit`]: BigInt(limit),
    [`${register}.attributes`]: BigInt(attributes),
  };
}

const COMMON = {RFLAGS: 2n, RIP: BigInt(PLACES.code), 'LDTR.attributes': 0x1_0002n, 'LDTR.selector': 0n} as const;

function realRegisters(): RegisterValues {
  const data = (['DS', 'ES', 'FS', 'GS', 'SS'] as const).map(register => segment(register, 0, 0x93, 0xffff));
  return Object.assign({}, COMMON, ...data, segment('CS', 0, 0x9b, 0xffff), {
    RSP: BigInt(PLACES.kernelStack),
    CR0: 0x6000_0010n,
    CR3: 0n,
    CR4: 0n,
    EFER: 0n,
    'IDTR.base': 0n,
    'IDTR.limit': 0x3ffn,
  });
}

const CONTROL = {
  protected: {CR0: 0x11n, CR3: 0n, CR4: 0n, EFER: 0n},
  paged32: {CR0: 0x8001_0011n, CR3: BigInt(PLACES.pml4), CR4: 0x10n, EFER: 0n},
  pae: {CR0: 0x8001_0011n, CR3: BigInt(PLACES.pdpt), CR4: 0x20n, EFER: 0n},
  // OSFXSR and OSXMMEXCPT, so that SSE may run; SCE, LME, LMA and NXE.
  long: {CR0: 0x8005_0033n, CR3: BigInt(PLACES.pml4), CR4: 0x620n, EFER: 0xd01n},
} as const satisfies Readonly<Record<Exclude<StateName, 'real'>, RegisterValues>>;

function protectedRegisters(mode: Exclude<StateName, 'real'>, cpl: 0 | 3): RegisterValues {
  const long = mode === 'long';
  const dpl = cpl << 5;
  const userCode = long ? SELECTORS.userCode64 : SELECTORS.userCode32;
  const code = cpl === 0 ? SELECTORS.kernelCode : userCode | 3;
  const data = cpl === 0 ? SELECTORS.kernelData : SELECTORS.userData | 3;
  const datas = (['DS', 'ES', 'FS', 'GS', 'SS'] as const).map(register =>
    segment(register, data, 0xc093 | dpl, 0xffff_ffff),
  );
  return Object.assign(
    {},
    COMMON,
    CONTROL[mode],
    ...datas,
    segment('CS', code, (long ? 0xa09b : 0xc09b) | dpl, 0xffff_ffff),
    segment('TR', SELECTORS.tss, 0x8b, 0x67, PLACES.tss),
    {
      RSP: BigInt(cpl === 0 ? PLACES.kernelStack : PLACES.userStack),
      'GDTR.base': BigInt(PLACES.gdt),
      'GDTR.limit': 63n,
      'IDTR.base': BigInt(PLACES.idt),
      'IDTR.limit': BigInt(VECTORS * (long ? 16 : 8) - 1),
    },
  );
}
