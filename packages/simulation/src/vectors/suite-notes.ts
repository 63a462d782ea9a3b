// What a suite says beside its files: metadata.json, in which an opcode form may have flags that are undefined, and
// revocation_list.txt, the hashes of captures that turned out bad.

/** The flags of `form` (`09`, `F7.6`) that are defined; undefined where the metadata does not limit them. */
export function flagsMaskOf(metadata: unknown, form: string): number | undefined {
  const [opcode = '', extension] = form.split('.');
  const entry = member(member(metadata, 'opcodes'), opcode);
  const mask = member(extension === undefined ? entry : member(member(entry, 'reg'), extension), 'flags-mask');
  return typeof mask === 'number' ? mask : undefined;
}

/** The hashes of a revocation list: one a line, `#` before a remark. */
export function revokedHashes(text: string): ReadonlySet<string> {
  const lines = text.split('\n').map(line => line.replace(/#.*/, '').trim().toLowerCase());
  return new Set(lines.filter(line => line !== ''));
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
