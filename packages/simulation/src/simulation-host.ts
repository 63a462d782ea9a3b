// What a worker (or a server) offers: the guests and techniques there are, and sessions with them. Plain data in and
// out, so that it can be reached over a message channel.

import {UserError, assert} from '@hyperscope/base';
import {CARD_GUESTS, CMS_GUESTS, GUESTS, findGuest} from '@hyperscope/guests';
import type {Guest} from '@hyperscope/guests';
import {processorOf, requireFit, requireImageFit} from './guest-needs.js';
import {readRecord} from '@hyperscope/trace';
import type {SwitchOffer, Switches} from '@hyperscope/trace';
import {TECHNIQUES} from '@hyperscope/vmm';
import type {Technique} from '@hyperscope/vmm';
import {flatCode, readForeignImage} from './images/foreign-image.js';
import type {ForeignImage} from './images/foreign-image.js';
import {loadEdited, loadGuest} from './images/guest-program.js';
import type {EditedImage, LoadedGuest} from './images/guest-program.js';
import type {LoadedImage} from './images/image-options.js';
import {loadRaw} from './images/raw.js';
import {PlaybackSession} from './session/playback-session.js';
import {createSession} from './session/session.js';
import {sha256} from './session/sha256.js';
import type {Session} from './session/session.js';
import {SourceMap} from './session/source-map.js';
import {offersFor, settle} from './switches/switches.js';

export type TechniqueSummary = Pick<Technique, 'host' | 'id' | 'kernels' | 'shortTitle' | 'summary' | 'title'>;

/** A guest that somebody assembled elsewhere. */
export interface Program {
  readonly id: string;
  readonly title: string;
  readonly bytes: Uint8Array;
  readonly loadAddress: number;
  readonly mode: Guest['mode'];
  readonly memoryMiB: number;
  readonly lines: readonly {
    readonly line: number;
    readonly address: bigint;
    readonly length: number;
    readonly kind: string;
  }[];
}

/** A student's change of a shipped guest: another text in its place. Address, mode, memory and processor stay the guest's. */
export interface EditedGuest {
  /** Id of the shipped guest. */
  readonly of: string;
  /** NASM source. */
  readonly source: string;
}

/** Machine code and where it runs. `memory` in MiB. */
export interface MachineCode {
  readonly image: Uint8Array;
  readonly at: number;
  readonly mode: Exclude<Guest['mode'], 'xen'>;
  readonly memory: number;
  readonly irqchip?: 'kernel';
}

export interface OpenOptions {
  /** The id of a shipped guest, a change of one, or a program. */
  readonly guest: string | EditedGuest | Program;
  readonly technique: string;
  readonly profile?: string | undefined;
  readonly costModel?: string | undefined;
  /** What was set of that which `switches` offers. */
  readonly switches?: Switches | undefined;
}

export class SimulationHost {
  readonly #images = new Map<string, ForeignImage>();

  guests(): readonly Guest[] {
    return GUESTS;
  }
  /** The kernels of the stealth cards, which a chooser keeps apart. Under some techniques they are meant to go wrong. */
  cards(): readonly Guest[] {
    return CARD_GUESTS;
  }
  /** Single-user systems for the control program, likewise apart: elsewhere each of them is alone. */
  singleUserSystems(): readonly Guest[] {
    return CMS_GUESTS;
  }
  techniques(): readonly TechniqueSummary[] {
    return TECHNIQUES.map(({id, title, shortTitle, host, summary, kernels}) => ({
      id,
      title,
      shortTitle,
      host,
      summary,
      ...(kernels === undefined ? {} : {kernels}),
    }));
  }

  /** What a text in the place of a shipped guest's comes to: bytes and the map to its lines, or diagnostics. UserError: unknown-guest. */
  assemble(edited: EditedGuest): EditedImage {
    return loadEdited(requireGuest(edited.of), edited.source);
  }

  /** Makes a file a guest of this host, by its contents. UserErrors: image-too-large, image-unknown, and the loaders'. */
  addImage(name: string, bytes: Uint8Array): Pick<ForeignImage, 'id' | 'title' | 'what'> {
    const image = readForeignImage(`file-${sha256(bytes).slice(0, 12)}`, name, bytes);
    this.#images.set(image.id, image);
    return {id: image.id, title: image.title, what: image.what};
  }

  /** The bytes of an image that was added, for real KVM. UserError: not-flat, where that takes more than bytes at an address. */
  imageCode(id: string): MachineCode | undefined {
    const image = this.#images.get(id);
    if (image === undefined) return undefined;
    const code = flatCode(image);
    if (code === undefined)
      throw new UserError(
        'not-flat',
        `${image.title} is a ${image.what}: it runs on the simulated machines here, and on real KVM in a terminal (hyperscope run ${image.title} --on kvm).`,
      );
    return code;
  }

  /** What can be set before a guest runs on a technique. UserErrors: unknown-guest, unknown-technique. */
  switches(technique: string, guest: string): readonly SwitchOffer[] {
    if (!this.#images.has(guest)) requireGuest(guest);
    return offersFor({technique: requireTechnique(technique)});
  }

  /** Starts a session at state 0. UserErrors: unknown-switch, unknown-guest, unknown-technique, needs-bare-metal, needs-hypercalls, needs-ported-kernel, does-not-assemble, and the loader's. */
  open(options: OpenOptions): Session {
    const technique = requireTechnique(options.technique);
    const {guest, profile, costModel, switches = {}} = options;
    if (typeof guest === 'object' && 'bytes' in guest) {
      const image = loadProgram(guest);
      const options = {
        ...settle({technique}, switches, profile),
        ...(costModel === undefined ? {} : {costModel}),
      };
      return createSession({technique, image, guest, source: new SourceMap(guest.lines), options});
    }
    const foreign = typeof guest === 'string' ? this.#images.get(guest) : undefined;
    if (foreign !== undefined) return openForeign(foreign, technique, options);
    const shipped = requireGuest(typeof guest === 'string' ? guest : guest.of);
    requireFit(shipped, technique);
    const isShipped = typeof guest === 'string';
    const loaded = isShipped ? loadGuest(shipped) : this.#loadEdited(guest);
    return createSession({
      technique,
      image: loaded,
      guest: {
        id: isShipped ? shipped.id : `${shipped.id}-edited`,
        title: isShipped ? shipped.title : `${shipped.title}, edited`,
        bytes: loaded.assembly.bytes,
      },
      source: new SourceMap(loaded.assembly.lines),
      options: {
        ...settle({technique}, switches, profile ?? processorOf(shipped)),
        ...(costModel === undefined ? {} : {costModel}),
      },
    });
  }

  /**
   * The bytes of an edited guest and the machine of its original, for somebody who runs them elsewhere. UserErrors: unknown-guest,
   * needs-bare-metal, needs-hypercalls, does-not-assemble.
   */
  machineCode(edited: EditedGuest): MachineCode {
    const guest = requireGuest(edited.of);
    requireFit(guest, {id: 'kvm'});
    const {mode, memoryMiB} = guest;
    assert(mode !== 'xen', 'only a ported kernel starts as a domain does, and that was refused');
    const {assembly, image, loadAddress} = this.#loadEdited(edited);
    const irqchip = image.irqchip === undefined ? {} : {irqchip: image.irqchip};
    return {image: assembly.bytes, at: loadAddress, mode, memory: memoryMiB, ...irqchip};
  }

  #loadEdited(edited: EditedGuest): LoadedGuest {
    const result = this.assemble(edited);
    if (result.ok) return result.loaded;
    const [first] = result.diagnostics;
    throw new UserError(
      'does-not-assemble',
      `Line ${first?.line ?? 1}: ${first?.message ?? ''} ${first?.advice ?? ''}`,
    );
  }

  /** Opens a recording. UserErrors: those of readRecord. */
  async openRecording(file: Uint8Array): Promise<PlaybackSession> {
    const record = await readRecord(file);
    const guest = findGuest(record.header.guest.id);
    return new PlaybackSession(
      record,
      guest === undefined ? undefined : new SourceMap(loadGuest(guest).assembly.lines),
    );
  }
}

function openForeign(
  {id, title, bytes, loaded}: ForeignImage,
  technique: Technique,
  {profile, costModel, switches = {}}: OpenOptions,
): Session {
  requireImageFit(loaded.image, title, technique);
  const options = {...settle({technique}, switches, profile), ...(costModel === undefined ? {} : {costModel})};
  return createSession({technique, image: loaded, guest: {id, title, bytes}, options});
}

function loadProgram({bytes, title, memoryMiB, loadAddress, mode}: Program): LoadedImage {
  const memoryBytes = memoryMiB * 2 ** 20;
  return loadRaw(bytes, {name: title, memoryBytes, commandLine: '', modules: [], at: loadAddress, mode, set: {}});
}

/** The technique of this id. UserError: unknown-technique. */
export function requireTechnique(id: string): Technique {
  const technique = TECHNIQUES.find(one => one.id === id);
  if (technique === undefined)
    throw new UserError(
      'unknown-technique',
      `There is no technique ${id}. Choose one of: ${TECHNIQUES.map(one => one.id).join(', ')}.`,
    );
  return technique;
}

/** The shipped guest of this id. UserError: unknown-guest. */
export function requireGuest(id: string): Guest {
  const guest = findGuest(id);
  if (guest === undefined)
    throw new UserError(
      'unknown-guest',
      `There is no guest ${id}. Choose one of: ${GUESTS.map(one => one.id).join(', ')}.`,
    );
  return guest;
}
