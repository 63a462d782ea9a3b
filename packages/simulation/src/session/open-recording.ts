// A file with the record of a run, read and played: fetched by a page when it has one to show.

import {readRecord} from '@hyperscope/trace';
import {PlaybackSession} from './playback-session.js';
import type {SourceMap} from './source-map.js';

/** Plays a file. `sourceOf` knows where the guest of an id has its instructions, if it does. Rejects with the UserErrors of readRecord. */
export async function openRecordFile(
  file: Uint8Array,
  sourceOf: (guest: string) => Promise<SourceMap | undefined>,
): Promise<PlaybackSession> {
  const record = await readRecord(file);
  return new PlaybackSession(record, await sourceOf(record.header.guest.id));
}
