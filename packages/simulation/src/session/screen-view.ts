// The guest's text screen at a moment, packed for the page.

import {VIDEO_TEXT, textScreen} from '@hyperscope/machine';
import type {Bank} from '@hyperscope/machine';
import type {ScreenView} from '@hyperscope/trace';

/** Reads guest-physical memory; undefined where there is none. */
export type ReadPhysical = (address: number, length: number) => Uint8Array | undefined;

/** Undefined where there is no video adapter, or video memory is as it was at first: zeros. */
export function screenView(banks: readonly Bank[], read: ReadPhysical): ScreenView | undefined {
  const adapter = banks.find(bank => bank.name === 'vga');
  const video = read(VIDEO_TEXT.start, VIDEO_TEXT.end - VIDEO_TEXT.start);
  if (adapter === undefined || video === undefined || isEmpty(video)) return undefined;
  const {cells, ...place} = textScreen(adapter.bytes, video);
  return {...place, cells: Uint8Array.from(cells.flatMap(({character, attribute}) => [character, attribute]))};
}

/** A loop, for 32 KiB are looked at in each moment. */
function isEmpty(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}
