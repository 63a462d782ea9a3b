// IA32_PAT: eight bytes, each a memory type. SDM vol. 3A, "IA32_PAT MSR".

/** UC, WC, WT, WP, WB, UC−. */
const MEMORY_TYPES: ReadonlySet<bigint> = new Set([0n, 1n, 4n, 5n, 6n, 7n]);

/** Whether WRMSR to IA32_PAT (or a VM entry or exit) would accept the value. */
export function validPat(value: bigint): boolean {
  return [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].every(index => MEMORY_TYPES.has((value >> (index * 8n)) & 0xffn));
}
