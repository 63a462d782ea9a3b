// The processes that a process has started: what is left over after guests is counted by it.

import {readFileSync, readdirSync} from 'node:fs';

export interface ChildProcessEntry {
  readonly pid: number;
  /** Program and arguments, a space between them; empty for one that has ended and is not yet waited for. */
  readonly command: string;
}

/** Processes whose parent is `pid`, by proc(5). Linux only. */
export function childrenOf(pid: number): readonly ChildProcessEntry[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // "pid (name) state parent …": the name may contain anything.
      const parent = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1];
      if (parent !== String(pid)) return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return [{pid: Number(name), command}];
    } catch {
      return []; // it ended while we looked
    }
  });
}
