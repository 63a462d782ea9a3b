// Where a record comes from: a file, a run on a technique now, or for KVM, where there is none, the recording that ships.

import {fileURLToPath} from 'node:url';
import {UserError} from '@hyperscope/base';
import type {KvmDepth} from '@hyperscope/kvm';
import {findGuest} from '@hyperscope/simulation';
import {readRecord} from '@hyperscope/trace';
import type {RunRecord} from '@hyperscope/trace';
import type {CommandContext} from '../commands/command.js';
import {isFile, readBytes} from '../files.js';
import {loadProgram, plainly} from './program.js';
import {recordRun} from './record-run.js';

/** Enough for every guest; a comparison of longer runs would not be read. */
const LIMITS = {maxInstructions: 1_000_000, timeoutMilliseconds: 60_000} as const;

export interface RecordChoices {
  readonly depth: KvmDepth;
  /** As `--cost-model` and `--cost` give it, for simulated machines; their own where absent. */
  readonly costModel: string | undefined;
}

/** The recording of a shipped guest on somebody's KVM. */
const shippedRecording = (guest: string): string =>
  fileURLToPath(new URL(`../../../guests/recordings/${guest}.kvm.hsr`, import.meta.url));

/**
 * The record of `image` on `source`: a technique, or a file of a record.
 * @throws UserError when the source does not exist, or KVM failed and no recording ships.
 */
export async function recordOf(
  image: string,
  source: string,
  context: CommandContext,
  {depth, costModel}: RecordChoices,
): Promise<RunRecord> {
  if (source.endsWith('.hsr')) return readRecord(readBytes(source));
  const program = loadProgram(plainly(image), context.terminal);
  const {record, result} = recordRun(program, source, context, {
    ...LIMITS,
    depth,
    costModel: source === 'kvm' ? undefined : costModel,
  });
  if (record !== undefined) return record;
  const shipped = shippedRecording(image);
  if (findGuest(image) === undefined || !isFile(shipped)) throw new UserError('kvm-failure', result.message);
  const recording = await readRecord(readBytes(shipped));
  const host = recording.header.host;
  context.terminal.note(
    `${result.message} Using the recording made on ${host?.recordedOn} (${host?.flavour}, ${host?.vendor}).`,
  );
  return recording;
}
