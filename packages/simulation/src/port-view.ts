// A shipped port beside the guest that it was made from, fetched when somebody asks.

import {findOutline, loadGuestFiles} from '@hyperscope/guests';
import {portDiff} from './port-diff.js';
import type {PortDiff} from './port-diff.js';

export interface PortView extends PortDiff {
  /** Titles of both. */
  readonly original: string;
  readonly port: string;
}

/** Undefined where the guest is no port of a shipped one. Rejects where a text cannot be fetched. */
export async function portView(id: string): Promise<PortView | undefined> {
  const outline = findOutline(id);
  const needs = outline?.needs;
  const of = needs?.technique === 'paravirtual' ? needs.portOf : undefined;
  const original = of === undefined ? undefined : findOutline(of);
  if (outline === undefined || original === undefined) return undefined;
  const [before, after] = await Promise.all([loadGuestFiles(original), loadGuestFiles(outline)]);
  return {original: original.title, port: outline.title, ...portDiff(before.guest, after.guest)};
}
