// The binary statistics of a VM or vCPU: what happened inside KVM without user space being asked.
// Documentation/virt/kvm/api.rst, "KVM_GET_STATS_FD": a header, descriptors, values. Parsed by name, never by position.

/** Counters by KVM's name: 'exits', 'insn_emulation', 'halt_exits', … Histograms are left out. */
export type Statistics = ReadonlyMap<string, number>;

const HEADER = {nameSize: 4, count: 8, descriptors: 16, data: 20} as const;
const DESCRIPTOR = {flags: 0, size: 6, offset: 8, name: 16} as const;

/** Reads the file's bytes. Values that have more than one word (histograms) are skipped. */
export function parseStatistics(file: Uint8Array): Statistics {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const nameSize = view.getUint32(HEADER.nameSize, true);
  const first = view.getUint32(HEADER.descriptors, true);
  const data = view.getUint32(HEADER.data, true);
  const values = new Map<string, number>();
  for (let index = 0; index < view.getUint32(HEADER.count, true); index++) {
    const at = first + index * (DESCRIPTOR.name + nameSize);
    if (view.getUint16(at + DESCRIPTOR.size, true) !== 1) continue;
    const offset = view.getUint32(at + DESCRIPTOR.offset, true);
    values.set(
      text(file.subarray(at + DESCRIPTOR.name, at + DESCRIPTOR.name + nameSize)),
      Number(view.getBigUint64(data + offset, true)),
    );
  }
  return values;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** What moved between two readings: names whose value changed, with the difference. */
export function statisticsDelta(before: Statistics, after: Statistics): Readonly<Record<string, number>> {
  const delta: Record<string, number> = {};
  for (const [name, value] of after) {
    const moved = value - (before.get(name) ?? 0);
    if (moved !== 0) delta[name] = moved;
  }
  return delta;
}
