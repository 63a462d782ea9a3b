// Which guest a request runs, and within which limits: what anybody who reaches the page may ask of this machine.

import {UserError} from '@hyperscope/base';
import type {KvmDepth, RunOnKvmOptions} from '@hyperscope/kvm';
import {findGuest, loadGuest, loadRaw, requireFit, requireImageFit} from '@hyperscope/simulation';
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
  requireFit(guest, {id: 'kvm'});
  const {assembly, image, loadAddress} = loadGuest(guest);
  const rules = {limits: runLimits(limits), ports: PORTS};
  return {...rules, id, title: guest.title, program: assembly.bytes, image, loadAddress, depth};
}

/** Where a posted image goes, how it starts, and in what machine. */
export interface Placement {
  readonly at: number;
  readonly mode: RawMode;
  /** MiB of memory; as much as the server gives when absent. */
  readonly memory?: number | undefined;
  /** The interrupt controllers and the timer are in the kernel; when absent, there are none. */
  readonly irqchip?: 'kernel' | undefined;
}

/** Bytes that somebody posted: an image, or what a page made of an edited program. @throws UserError of the loader when they do not fit. */
export function postedProgram(
  bytes: Uint8Array,
  {at, mode, memory, irqchip}: Placement,
  depth: KvmDepth,
  limits: ServerLimits,
): KvmProgram {
  if (memory !== undefined && memory > limits.memory)
    throw new UserError('too-large', `The guest wants ${memory} MiB of memory; this server gives ${limits.memory}.`);
  const memoryBytes = (memory ?? limits.memory) * 2 ** 20;
  const options = {name: 'The image', memoryBytes, commandLine: '', modules: [], set: {}};
  const {image} = loadRaw(bytes, {...options, at, mode});
  requireImageFit(image, 'the image', {id: 'kvm'});
  const rules = {limits: runLimits(limits), ports: PORTS};
  const title = 'A posted image';
  return {...rules, id: 'posted', title, program: bytes, image: {...image, irqchip}, loadAddress: at, depth};
}
