// A vector: one instruction with everything before and after it, as a real chip was seen to execute it. Both file
// forms are read into this, and the runner knows nothing else.

/** In the order of the RG32 chunk, which is this project's order for both widths. */
export const VECTOR_REGISTERS = [
  'cr0',
  'cr3',
  'eax',
  'ebx',
  'ecx',
  'edx',
  'esi',
  'edi',
  'ebp',
  'esp',
  'cs',
  'ds',
  'es',
  'fs',
  'gs',
  'ss',
  'eip',
  'eflags',
  'dr6',
  'dr7',
] as const;
export type VectorRegister = (typeof VECTOR_REGISTERS)[number];

/** Where a register lies in the arrays of a vector. */
export const slotOf = (register: VectorRegister): number => VECTOR_REGISTERS.indexOf(register);

/** In the order of the REGS chunk: the slots of ax, bx, cx, dx, cs, ss, ds, es, sp, bp, si, di, ip, flags. */
export const WORD_SLOTS: readonly number[] = (
  ['eax', 'ebx', 'ecx', 'edx', 'cs', 'ss', 'ds', 'es', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags'] as const
).map(slotOf);

/** Address and byte by turns; addresses are physical. */
export type VectorMemory = readonly number[];

export interface Vector {
  /** The opcode form: the name of the file that it comes from, `F7.6`. */
  readonly form: string;
  readonly index: number;
  /** Its disassembly, as the suite has it. */
  readonly name: string;
  /** The instruction and, mostly, the HLT behind it. */
  readonly bytes: Uint8Array;
  /** The suite's identifier, hexadecimal; '' where there is none. */
  readonly hash: string;
  /** The chip, as the file names it: `C286`, `386E`, `8088`. */
  readonly chip: string;
  readonly width: 16 | 32;
  /** One value for each of VECTOR_REGISTERS. */
  readonly before: Uint32Array;
  readonly after: Uint32Array;
  /** The bits of `after` that are defined and therefore compared. */
  readonly mask: Uint32Array;
  readonly memoryBefore: VectorMemory;
  readonly memoryAfter: VectorMemory;
  /** The exception that was taken. */
  readonly exception: number | undefined;
  /** What the suite's keepers say of it ('modern', 'fault', …); undefined in the collections themselves. */
  readonly kind: string | undefined;
}
