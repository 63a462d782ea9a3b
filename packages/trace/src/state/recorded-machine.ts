// Where the parts of a virtual machine lie in a record: of the only one, or of one of several.

import type {RecordHeader} from '../record-format.js';

type MachinePlace = Pick<RecordHeader, 'guestMemory' | 'shadowPool'>;

/** The virtual machine of this number; the first where there is none of it, since a record may come from anywhere. */
export function placeOfMachine(
  header: Pick<RecordHeader, 'guestMemory' | 'shadowPool' | 'virtualMachines'>,
  machine: number | undefined,
): MachinePlace {
  return header.virtualMachines?.[machine ?? 0] ?? header;
}
