// Which guest a request runs, and within which limits: what anybody who reaches the page may ask of this machine.

import {UserError} from '@hyperscope/base';
import type {KvmDepth, RunOnKvmOptions} from '@hyperscope/kvm';
import {findGuest, loadGuest, loadRaw, requireBareMetal} from '@hyperscope/simulation';
import type {RawMode} from '@hyperscope/simulation';

export interface KvmProgram extends Pick<RunOnKvmOptions, 'image' | 'ports' | 'limits'> {
  readonly id: string;
  readonly title: string;
  /** The guest's own bytes. */
  readonly program: Uint8Array;
  readonly loadAddress: number;
  readonly depth: KvmDepth;
}

/** Memory of a posted image. */
const RAW_MEMORY = 16 * 2 ** 20;

const RULES = {
  limits: {exits: 20_000, steps: 100_000, milliseconds: 10_000},
  ports: {exitPort: 0xf4, powerOffPort: 0x604, capturePorts: [0xe9]},
} as const;

/** A guest that ships. @throws UserError 'unknown-guest' */
export function shippedProgram(id: string, depth: KvmDepth): KvmProgram {
  const guest = findGuest(id);
  if (guest === undefined) throw new UserError('unknown-guest', `There is no guest named ${id}.`);
  requireBareMetal(guest, {id: 'kvm'});
  const {assembly, image, loadAddress} = loadGuest(guest);
  return {...RULES, id, title: guest.title, program: assembly.bytes, image, loadAddress, depth};
}

/** Bytes that somebody posted. @throws UserError of the loader when they do not fit. */
export function postedProgram(bytes: Uint8Array, at: number, mode: RawMode, depth: KvmDepth): KvmProgram {
  const options = {name: 'The image', memoryBytes: RAW_MEMORY, commandLine: '', modules: [], set: {}};
  const {image} = loadRaw(bytes, {...options, at, mode});
  return {...RULES, id: 'posted', title: 'A posted image', program: bytes, image, loadAddress: at, depth};
}
