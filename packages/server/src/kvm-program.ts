// Which guest a request runs, and within which limits: what anybody who reaches the page may ask of this machine.

import {UserError} from '@hyperscope/base';
import {findGuest, loadGuest, loadRaw} from '@hyperscope/simulation';
import type {RawMode} from '@hyperscope/simulation';
import type {KvmRunRequest} from './kvm-host.js';

/** A guest to run: one that ships, or bytes with the place and the mode to start them in. */
export type KvmProgram =
  | {readonly kind: 'shipped'; readonly id: string}
  | {readonly kind: 'raw'; readonly bytes: Uint8Array; readonly loadAddress: number; readonly mode: RawMode};

/** Memory of a posted image. */
const RAW_MEMORY = 16 * 2 ** 20;

const LIMITS = {exits: 20_000, steps: 100_000, milliseconds: 10_000};
const PORTS = {exitPort: 0xf4, powerOffPort: 0x604, capturePorts: [0xe9]};

/** The run of a program. @throws UserError 'unknown-guest', or of the loader when the image does not fit. */
export function kvmRunRequest(program: KvmProgram, depth: KvmRunRequest['depth']): KvmRunRequest {
  const common = {depth, limits: LIMITS, ports: PORTS, serial: {steps: [], stop: undefined}, dumps: []};
  if (program.kind === 'shipped') {
    const guest = findGuest(program.id);
    if (guest === undefined) throw new UserError('unknown-guest', `There is no guest named ${program.id}.`);
    const {assembly, image, loadAddress} = loadGuest(guest);
    return {...common, name: {id: guest.id, title: guest.title}, program: assembly.bytes, loaded: {image, loadAddress}};
  }
  const {bytes, loadAddress: at, mode} = program;
  const options = {name: 'The image', memoryBytes: RAW_MEMORY, commandLine: '', modules: [], set: {}};
  const loaded = loadRaw(bytes, {...options, at, mode});
  return {...common, name: {id: 'posted', title: 'A posted image'}, program: bytes, loaded};
}
