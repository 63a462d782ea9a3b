// Which guest a request runs, and within which limits: what anybody who reaches the page may ask of this machine.

import {UserError} from '@hyperscope/base';
import type {KvmDepth, RunOnKvmOptions} from '@hyperscope/kvm';
import {findGuest, loadGuest, loadRaw, requireBareMetal} from '@hyperscope/simulation';
import type {RawMode} from '@hyperscope/simulation';
import type {ServerLimits} from './limits.js';

export interface KvmProgram extends Pick<RunOnKvmOptions, 'image' | 'ports' | 'limits'> {
  readonly id: string;
  readonly title: string;
  /** The guest's own bytes. */
  readonly program: Uint8Array;
  readonly loadAddress: number;
  readonly depth: KvmDepth;
}

const PORTS = {exitPort: 0xf4, powerOffPort: 0x604, capturePorts: [0xe9]} as const;

const runLimits = ({exits, steps, seconds}: ServerLimits): KvmProgram['limits'] => ({
  exits,
  steps,
  milliseconds: seconds * 1000,
});

/** A guest that ships. @throws UserError 'unknown-guest' */
export function shippedProgram(id: string, depth: KvmDepth, limits: ServerLimits): KvmProgram {
  const guest = findGuest(id);
  if (guest === undefined) throw new UserError('unknown-guest', `There is no guest named ${id}.`);
  requireBareMetal(guest, {id: 'kvm'});
  const {assembly, image, loadAddress} = loadGuest(guest);
  const rules = {limits: runLimits(limits), ports: PORTS};
  return {...rules, id, title: guest.title, program: assembly.bytes, image, loadAddress, depth};
}

/** Where a posted image goes, and how it starts. */
export interface Placement {
  readonly at: number;
  readonly mode: RawMode;
}

/** Bytes that somebody posted. @throws UserError of the loader when they do not fit. */
export function postedProgram(
  bytes: Uint8Array,
  {at, mode}: Placement,
  depth: KvmDepth,
  limits: ServerLimits,
): KvmProgram {
  const options = {name: 'The image', memoryBytes: limits.memory * 2 ** 20, commandLine: '', modules: [], set: {}};
  const {image} = loadRaw(bytes, {...options, at, mode});
  const rules = {limits: runLimits(limits), ports: PORTS};
  return {...rules, id: 'posted', title: 'A posted image', program: bytes, image, loadAddress: at, depth};
}
