// The guest's registers while Xen has the processor: struct cpu_user_regs at the top of Xen's stack, where interrupt delivery and
// Xen's entry code push them. Xen, xen/include/public/arch-x86/xen-x86_64.h.

import {hpa} from '@hyperscope/base';
import type {Cell, GeneralRegister} from '@hyperscope/isa';
import type {PhysicalMemory} from '@hyperscope/machine';
import {STACK_TOP, inXen, linearOf} from './xen-layout.js';

/** ES, DS, FS and GS end the structure; what the processor pushes ends below them. */
const SELECTORS_BYTES = 32;
/** Where RSP0 of Xen's TSS points. */
export const ENTRY_STACK = STACK_TOP - SELECTORS_BYTES;
const FRAME_BYTES = 40;
/** RIP, CS, RFLAGS, RSP and SS, as interrupt delivery pushes them and IRETQ takes them. */
export const FRAME_AT = ENTRY_STACK - FRAME_BYTES;
/** Fifteen registers, and error_code and entry_vector in one word. */
export const USER_REGISTERS = FRAME_AT - 16 * 8;
/** RSP of Xen once the registers are saved. */
export const SAVED_RSP = linearOf(USER_REGISTERS);

/** In memory from the lowest address on. */
const ORDER: readonly GeneralRegister[] = [
  ...(['R15', 'R14', 'R13', 'R12', 'RBP', 'RBX', 'R11', 'R10', 'R9', 'R8'] as const),
  ...(['RAX', 'RCX', 'RDX', 'RSI', 'RDI'] as const),
];
/** All but RSP. */
export const SAVED_REGISTERS = ORDER;
const ERROR_AT = USER_REGISTERS + ORDER.length * 8;

export type UserRegister = GeneralRegister | 'RIP' | 'CS' | 'RFLAGS' | 'SS' | 'error_code' | 'entry_vector';
const PLACES: ReadonlyMap<string, readonly [at: number, bytes: number]> = new Map([
  ...ORDER.map((name, index) => [name, [USER_REGISTERS + index * 8, 8]] as const),
  ['error_code', [ERROR_AT, 4]] as const,
  ['entry_vector', [ERROR_AT + 4, 4]] as const,
  ['RIP', [FRAME_AT, 8]] as const,
  ['CS', [FRAME_AT + 8, 2]] as const,
  ['RFLAGS', [FRAME_AT + 16, 8]] as const,
  ['RSP', [FRAME_AT + 24, 8]] as const,
  ['SS', [FRAME_AT + 32, 2]] as const,
]);

export class UserRegisters {
  readonly #memory: PhysicalMemory;
  readonly #start: number;

  /** `start`: where Xen's window lies in `memory`. */
  constructor(memory: PhysicalMemory, start: number = inXen(0)) {
    this.#memory = memory;
    this.#start = start;
  }

  get(name: UserRegister): bigint {
    const [at, bytes] = PLACES.get(name) ?? [0, 8];
    return this.#memory.read(hpa(this.#start + at), bytes);
  }
  set(name: UserRegister, value: bigint): void {
    const [at, bytes] = PLACES.get(name) ?? [0, 8];
    if (this.get(name) !== value) this.#memory.write(hpa(this.#start + at), bytes, BigInt.asUintN(8 * bytes, value));
  }
  /** A register by the name of its cell; undefined for cells that are not saved here. */
  cell(cell: Cell): bigint | undefined {
    if (cell === 'CS.selector') return this.get('CS');
    if (cell === 'SS.selector') return this.get('SS');
    return cell === 'RIP' || cell === 'RFLAGS' || cell === 'RSP' || SAVED.has(cell) ? this.#of(cell) : undefined;
  }
  #of(cell: string): bigint {
    const [at, bytes] = PLACES.get(cell) ?? [0, 8];
    return this.#memory.read(hpa(this.#start + at), bytes);
  }
}
const SAVED: ReadonlySet<string> = new Set(ORDER);
