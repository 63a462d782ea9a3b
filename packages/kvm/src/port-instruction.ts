// The encodings of port I/O (SDM vol. 2, "IN", "OUT", "INS", "OUTS"), read backwards.

/** Prefixes that make sense before them: operand size, address size, REP, REPNE. */
export const PORT_PREFIXES: ReadonlySet<number> = new Set([0x66, 0x67, 0xf2, 0xf3]);

/** The length without prefixes of the port instruction that `window` ends with; 0 when it ends with none. */
export function endsWithPortInstruction(window: Uint8Array, port: number): 0 | 1 | 2 {
  const last = window.at(-1) ?? 0;
  const before = window.at(-2) ?? 0;
  // A port number can look like an opcode (OUT 0EEh, AL), so the longer form is tried first; it must name the port.
  if (before >= 0xe4 && before <= 0xe7 && last === port) return 2;
  return (last >= 0xec && last <= 0xef) || (last >= 0x6c && last <= 0x6f) ? 1 : 0;
}
