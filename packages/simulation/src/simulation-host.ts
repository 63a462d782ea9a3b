// What a worker (or a server) offers: the guests and techniques there are, and sessions with them. Plain data in and
// out, so that it can be reached over a message channel.

import {UserError} from '@hyperscope/base';
import {CARD_GUESTS, GUESTS, findGuest} from '@hyperscope/guests';
import type {Guest} from '@hyperscope/guests';
import {readRecord} from '@hyperscope/trace';
import {TECHNIQUES} from '@hyperscope/vmm';
import type {Technique} from '@hyperscope/vmm';
import {loadGuest} from './images/guest-program.js';
import {loadRaw} from './images/raw.js';
import {PlaybackSession} from './session/playback-session.js';
import {createSession} from './session/session.js';
import type {Session} from './session/session.js';
import {SourceMap} from './session/source-map.js';

export type TechniqueSummary = Pick<Technique, 'host' | 'id' | 'shortTitle' | 'summary' | 'title'>;

/** A guest that somebody assembled elsewhere, such as a student's change of a shipped one. */
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

export interface OpenOptions {
  /** The id of a shipped guest, or a program. */
  readonly guest: string | Program;
  readonly technique: string;
  readonly profile?: string | undefined;
  readonly costModel?: string | undefined;
}

export class SimulationHost {
  guests(): readonly Guest[] {
    return GUESTS;
  }
  /** The kernels of the stealth cards, which a chooser keeps apart. Under some techniques they are meant to go wrong. */
  cards(): readonly Guest[] {
    return CARD_GUESTS;
  }
  techniques(): readonly TechniqueSummary[] {
    return TECHNIQUES.map(({id, title, shortTitle, host, summary}) => ({id, title, shortTitle, host, summary}));
  }

  /** Starts a session at state 0. UserErrors: unknown-guest, unknown-technique, and those of the loader. */
  open(options: OpenOptions): Session {
    const technique = requireTechnique(options.technique);
    const {profile, costModel} = options;
    if (typeof options.guest !== 'string') {
      const {bytes, id, title, lines, loadAddress, memoryMiB, mode} = options.guest;
      const image = loadRaw(bytes, {
        name: title,
        memoryBytes: memoryMiB * 2 ** 20,
        commandLine: '',
        modules: [],
        at: loadAddress,
        mode,
        set: {},
      });
      return createSession({
        technique,
        image,
        guest: {id, title, bytes},
        source: new SourceMap(lines),
        profile,
        costModel,
      });
    }
    const guest = requireGuest(options.guest);
    requireBareMetal(guest, technique);
    const loaded = loadGuest(guest);
    return createSession({
      technique,
      image: loaded,
      guest: {id: guest.id, title: guest.title, bytes: loaded.assembly.bytes},
      source: new SourceMap(loaded.assembly.lines),
      profile: profile ?? guest.hypervisor?.processor,
      costModel,
    });
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

/** A hypervisor needs the processor for itself. UserError: needs-bare-metal. */
export function requireBareMetal(guest: Pick<Guest, 'id' | 'hypervisor'>, technique: Pick<Technique, 'id'>): void {
  if (guest.hypervisor === undefined || technique.id === 'bare') return;
  throw new UserError(
    'needs-bare-metal',
    `${guest.id} is a hypervisor itself, and a hypervisor under a hypervisor is not simulated. Run it on bare.`,
  );
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
