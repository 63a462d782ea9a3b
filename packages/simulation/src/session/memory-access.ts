// Memory at the playhead, in the spaces that a view can name.

import {assertUnreachable} from '@hyperscope/base';
import type {MemorySpace, RunRecord} from '@hyperscope/trace';
import {HostSpace} from './host-space.js';
import type {StateView} from './state-view.js';

/** The most bytes that one question may ask for. */
const MOST = 1 << 20;
const PAGE = 4096;

/** A copy of bytes; shorter where memory ends, undefined where there is none. */
export function readMemory(
  state: StateView,
  space: MemorySpace,
  address: bigint,
  length: number,
): Uint8Array | undefined {
  const wanted = Math.min(Math.max(length, 0), MOST);
  switch (space) {
    case 'hpa':
      return address < 0n || address >= BigInt(state.memory.length)
        ? undefined
        : state.memory.slice(Number(address), Number(address) + wanted);
    case 'hva':
      return readHost(state, BigInt.asUintN(64, address), wanted);
    case 'gpa':
      return address < 0n ? undefined : state.guestMemory.readPhysical(Number(address), wanted);
    case 'gva':
      return state.guestMemory.readLinear(state.guestCells(), BigInt.asUintN(64, address), wanted);
    default:
      return assertUnreachable(space);
  }
}

/** Page by page; ends where the host maps nothing. */
function readHost(state: StateView, address: bigint, length: number): Uint8Array | undefined {
  const host = HostSpace.of(state);
  const out = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const at = host?.translate(address + BigInt(done));
    if (at === undefined) return done === 0 ? undefined : out.slice(0, done);
    const part = Math.min(length - done, PAGE - (at % PAGE));
    out.set(state.memory.subarray(at, at + part), done);
    done += part;
  }
  return out;
}

/** The step before state `before` that wrote the byte last. */
export function lastWriterOf(
  record: RunRecord,
  state: StateView,
  space: 'hpa' | 'gpa',
  address: bigint,
  before: number,
): number | undefined {
  const offset = space === 'hpa' ? Number(address) : state.guestMemory.offsetOf(Number(address));
  return offset === undefined ? undefined : record.lastWriter('memory', offset, before);
}
