// What a worker (or a server) offers: the guests and techniques there are, and sessions with them. Plain data in and
// out, so that it can be reached over a message channel.

import {UserError, assert} from '@hyperscope/base';
import {CARD_OUTLINES, CMS_OUTLINES, GUEST_OUTLINES, findOutline} from '@hyperscope/guests';
import type {FetchedGuest, Guest, GuestOutline} from '@hyperscope/guests';
import {processorOf, requireFit, requireImageFit} from './guest-needs.js';
import type {SwitchOffer, Switches} from '@hyperscope/trace';
import {TECHNIQUE_OUTLINES, outlineOfTechnique} from '@hyperscope/vmm';
import type {Technique, TechniqueOutline} from '@hyperscope/vmm';
import type {ForeignImage} from './images/foreign-image.js';
import {imageOfGuest, loadEdited} from './images/guest-program.js';
import type {EditedImage, LoadedGuest} from './images/guest-program.js';
import type {LoadedImage} from './images/image-options.js';
import {loadRaw} from './images/raw.js';
import type {PlaybackSession} from './session/playback-session.js';
import {createSession} from './session/session.js';
import {sha256} from './session/sha256.js';
import type {Session} from './session/session.js';
import {SourceMap} from './session/source-map.js';
import {unknownGuest, unknownTechnique} from './shelf.js';
import type {Shelf} from './shelf.js';
import {offersFor, settle} from './switches/switches.js';

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
  readonly #shelf: Shelf;
  readonly #images = new Map<string, ForeignImage>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  guests(): readonly GuestOutline[] {
    return GUEST_OUTLINES;
  }
  /** The kernels of the stealth cards, which a chooser keeps apart. Under some techniques they are meant to go wrong. */
  cards(): readonly GuestOutline[] {
    return CARD_OUTLINES;
  }
  /** Single-user systems for the control program, likewise apart: elsewhere each of them is alone. */
  singleUserSystems(): readonly GuestOutline[] {
    return CMS_OUTLINES;
  }
  techniques(): readonly TechniqueOutline[] {
    return TECHNIQUE_OUTLINES;
  }

  /** Fetches what `open`, `assemble` and the others need of a guest and a technique, where the shelf has it not yet. */
  async prepare({
    guest,
    technique,
  }: {
    readonly guest: OpenOptions['guest'];
    readonly technique?: string;
  }): Promise<void> {
    const text = typeof guest === 'object' && 'of' in guest ? 'edited' : undefined;
    await this.#shelf.prepare({guest: shippedIdOf(guest), technique, text});
  }

  /** The text of a shipped guest. UserErrors: unknown-guest, not-fetched. */
  source(guest: string): string {
    return this.#shelf.guest(guest).guest.source;
  }

  /** What a text in the place of a shipped guest's comes to: bytes and the map to its lines, or diagnostics. UserError: unknown-guest. */
  assemble(edited: EditedGuest): EditedImage {
    const {guest} = this.#find(edited.of);
    return loadEdited(guest, this.#shelf.assembleInPlace(guest, edited.source), this.#find);
  }

  /** Where each instruction of a guest stands in its text; nothing is known of a text that does not assemble. UserErrors: unknown-guest, not-fetched. */
  sourceMap(guest: string | EditedGuest): SourceMap {
    if (typeof guest === 'string') return new SourceMap(this.#find(guest).assembly.lines);
    const assembled = this.assemble(guest);
    return new SourceMap(assembled.ok ? assembled.loaded.assembly.lines : []);
  }

  /** Makes a file a guest of this host, by its contents. UserErrors: image-too-large, image-unknown, and the loaders'. */
  async addImage(name: string, bytes: Uint8Array): Promise<Pick<ForeignImage, 'id' | 'title' | 'what'>> {
    const {readForeignImage} = await import('./images/foreign-image.js');
    const image = readForeignImage(`file-${sha256(bytes).slice(0, 12)}`, name, bytes);
    this.#images.set(image.id, image);
    return {id: image.id, title: image.title, what: image.what};
  }

  /** The bytes of an image that was added, for real KVM. UserError: not-flat, where that takes more than bytes at an address. */
  imageCode(id: string): MachineCode | undefined {
    const image = this.#images.get(id);
    if (image === undefined) return undefined;
    if (image.code === undefined)
      throw new UserError(
        'not-flat',
        `${image.title} is a ${image.what}: it runs on the simulated machines here, and on real KVM in a terminal (hyperscope run ${image.title} --on kvm).`,
      );
    return image.code;
  }

  /** What can be set before a guest runs on a technique. UserErrors: unknown-guest, unknown-technique. */
  switches(technique: string, guest: string): readonly SwitchOffer[] {
    if (!this.#images.has(guest) && findOutline(guest) === undefined) throw unknownGuest(guest);
    const outline = outlineOfTechnique(technique);
    if (outline === undefined) throw unknownTechnique(technique);
    return offersFor({technique: outline});
  }

  /** Starts a session at state 0. UserErrors: unknown-switch, unknown-guest, unknown-technique, needs-bare-metal, needs-hypercalls, needs-ported-kernel, does-not-assemble, and the loader's. */
  open(options: OpenOptions): Session {
    const technique = this.#shelf.technique(options.technique);
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
    const found = this.#find(typeof guest === 'string' ? guest : guest.of);
    const shipped = found.guest;
    requireFit(shipped, technique);
    const isShipped = typeof guest === 'string';
    const loaded = isShipped ? imageOfGuest(found, this.#find) : this.#loadEdited(guest);
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
    const {guest} = this.#find(edited.of);
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
    const {openRecordFile} = await import('./session/open-recording.js');
    return openRecordFile(file, async guest => {
      await this.#shelf.prepare({guest});
      return findOutline(guest) === undefined ? undefined : this.sourceMap(guest);
    });
  }

  readonly #find = (id: string): FetchedGuest => this.#shelf.guest(id);
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

/** The shipped guest behind what is opened; a program has none. */
function shippedIdOf(guest: OpenOptions['guest']): string | undefined {
  if (typeof guest === 'string') return guest;
  return 'of' in guest ? guest.of : undefined;
}
