// Where guest-physical memory, RAM and ROMs, lies in host-physical memory, as few stretches.

import {gpa} from '@hyperscope/base';
import type {GuestExtent} from '@hyperscope/trace';
import type {TechniqueRun} from '@hyperscope/vmm';

const PAGE = 4096;

/** Undefined where guest-physical and host-physical addresses are the same. */
export function guestExtents(run: TechniqueRun, memoryBytes: number): readonly GuestExtent[] | undefined {
  const found = extentsOf(run, memoryBytes);
  const only = found.length === 1 ? found[0] : undefined;
  return only?.gpa === 0 && only.offset === 0 && only.length === run.machine.memory.size ? undefined : found;
}

/** The same of one virtual machine of several. */
export function extentsOf(run: GuestPlaces, memoryBytes: number): readonly GuestExtent[] {
  const found: {gpa: number; offset: number; length: number}[] = [];
  const areas = [{gpa: 0, bytes: memoryBytes}, ...(run.readOnlyMemory ?? [])];
  for (const area of areas) addExtents(run, area, found);
  return found;
}

type GuestPlaces = Pick<TechniqueRun, 'guestToHost' | 'readOnlyMemory'>;

function addExtents(
  run: GuestPlaces,
  area: {readonly gpa: number; readonly bytes: number},
  found: {gpa: number; offset: number; length: number}[],
): void {
  for (let address = area.gpa; address < area.gpa + area.bytes; address += PAGE) {
    const offset = run.guestToHost(gpa(address));
    const length = Math.min(PAGE, area.gpa + area.bytes - address);
    const last = found.at(-1);
    if (offset === undefined) continue;
    if (last !== undefined && last.gpa + last.length === address && last.offset + last.length === offset)
      last.length += length;
    else found.push({gpa: address, offset, length});
  }
}
