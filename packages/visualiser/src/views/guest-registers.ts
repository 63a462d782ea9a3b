// Registers that an address can name: the guest's, which lie in the VMCS or VMCB while the host runs.

import type {Moment} from '@hyperscope/trace';

/** General registers and RIP; CR2 and CR3; the bases of tables. */
const POINTS = /^(?:R(?:[A-D]X|[SD]I|[SB]P|IP|[89]|1[0-5])|CR[23]|(?:GDTR|IDTR|TR)\.base)$/u;
const SAVED = [
  ['RIP', 'GUEST_RIP'],
  ['RSP', 'GUEST_RSP'],
  ['CR3', 'GUEST_CR3'],
  ['GDTR', 'GUEST_GDTR_BASE'],
  ['IDTR', 'GUEST_IDTR_BASE'],
] as const;

/** By name in capitals: RSP, RIP, GDTR for its base. */
export function guestRegisters(moment: Moment): ReadonlyMap<string, bigint> {
  const names = new Map(
    moment.header.cells.flatMap((cell, at) => {
      const value = POINTS.test(cell) ? moment.registers[at] : undefined;
      return value === undefined ? [] : [[cell.replace('.base', ''), value] as const];
    }),
  );
  if (moment.operation !== 'root') return names;
  for (const [name, field] of SAVED) {
    const row = moment.vmcs.find(each => each.name === field || each.name === name);
    if (row !== undefined && /^0x[0-9a-f]+$/u.test(row.value)) names.set(name, BigInt(row.value));
  }
  return names;
}

/** Where a reader begins to look: at the guest's next instruction, or where the guest was loaded. */
export function firstPlace(moment: Moment): {readonly space: 'gva' | 'gpa'; readonly address: bigint} {
  const isGuest = moment.who === 'guest-kernel' || moment.who === 'guest-user';
  const rip = isGuest ? moment.next?.rip : undefined;
  return rip === undefined
    ? {space: 'gpa', address: BigInt(moment.header.guest.loadAddress)}
    : {space: 'gva', address: rip};
}
