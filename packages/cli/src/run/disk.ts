// The first hard disk of a run. A technique whose machine has the devices of a PC finds it behind an IDE controller.

import {readBytes} from '../files.js';
import type {Program} from './program.js';
import type {RunArguments} from './run-arguments.js';

const SECTOR = 512;
/** Techniques whose machine has a disk controller. */
const WITH_CONTROLLER: readonly string[] = ['bare', 'vtx-ept'];

/** What of `--disk` the chosen machine lacks, in words for a message; undefined when it has all of it. */
export function missingForDisk({disks, technique}: RunArguments): string | undefined {
  if (disks.length === 0) return undefined;
  if (!WITH_CONTROLLER.includes(technique)) return `a disk controller (--disk) with --on ${technique}`;
  return disks.some(({unit}) => unit !== 0) ? 'more than one disk (--disk, unit 0 only)' : undefined;
}

/**
 * The disk's contents in memory, whole sectors: the file of `--disk 0:FILE`, or the disk image that was booted. The
 * guest may write to it; the file stays as it is.
 */
export function firstDisk({disks, technique}: RunArguments, program: Program): Uint8Array | undefined {
  if (!WITH_CONTROLLER.includes(technique)) return undefined;
  const named = disks.find(({unit}) => unit === 0);
  const bytes =
    named !== undefined ? readBytes(named.path) : program.loaded.kind === 'boot-sector' ? program.bytes : undefined;
  if (bytes === undefined) return undefined;
  const contents = new Uint8Array(Math.ceil(bytes.length / SECTOR) * SECTOR);
  contents.set(bytes);
  return contents;
}
