// The hard disks of a run. A technique whose machine has the devices of a PC finds them behind an IDE controller.

import {readBytes} from '../files.js';
import type {Program} from './program.js';
import type {RunArguments} from './run-arguments.js';

const SECTOR = 512;
/** Techniques whose machine has a disk controller. */
const WITH_CONTROLLER: readonly string[] = ['bare', 'vtx-ept', 'vtx-shadow', 'svm-npt', 'svm-shadow'];

/** What of `--disk` the chosen machine lacks, in words for a message; undefined when it has all of it. */
export function missingForDisk({disks, technique}: RunArguments): string | undefined {
  if (disks.length === 0) return undefined;
  if (!WITH_CONTROLLER.includes(technique)) return `a disk controller (--disk) with --on ${technique}`;
  return disks.some(({unit}) => unit > 1) ? 'more than two disks (--disk, units 0 and 1)' : undefined;
}

/**
 * The disks' contents in memory, whole sectors: the files of `--disk 0:FILE` and `--disk 1:FILE`; where there is no disk 0,
 * the disk image that was booted. The guest may write to them; the files stay as they are.
 */
export function hardDisks({disks, technique}: RunArguments, program: Program): readonly Uint8Array[] {
  if (!WITH_CONTROLLER.includes(technique)) return [];
  const named = (unit: number): Uint8Array | undefined => {
    const disk = disks.find(each => each.unit === unit);
    return disk === undefined ? undefined : readBytes(disk.path);
  };
  const first = named(0) ?? (program.loaded.kind === 'boot-sector' ? program.bytes : undefined);
  const second = named(1);
  // A second drive cannot stand alone on its cable: the first is then an empty one, of one sector.
  if (second !== undefined) return [wholeSectors(first ?? new Uint8Array(SECTOR)), wholeSectors(second)];
  return first === undefined ? [] : [wholeSectors(first)];
}

function wholeSectors(bytes: Uint8Array): Uint8Array {
  const contents = new Uint8Array(Math.max(1, Math.ceil(bytes.length / SECTOR)) * SECTOR);
  contents.set(bytes);
  return contents;
}
