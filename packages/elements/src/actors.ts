// Who runs: one name, one glyph, one colour and one lane each, everywhere. Never the colour alone.

import {svg, type SVGTemplateResult} from 'lit';
import type {Actor} from '@hyperscope/trace';

export interface ActorLook {
  readonly actor: Actor;
  readonly name: string;
  /** Where it runs under a hypervisor. */
  readonly place: string;
  /** Custom property of theme.ts, without the suffixes. */
  readonly token: string;
}

/** In the order of the lanes, outermost privilege of the guest first. */
export const ACTOR_LOOKS: readonly ActorLook[] = [
  {actor: 'guest-user', name: 'guest program', place: 'non-root ring 3', token: '--guest-user'},
  {actor: 'guest-kernel', name: 'guest kernel', place: 'non-root ring 0', token: '--guest-kernel'},
  {actor: 'hypervisor', name: 'KVM', place: 'root ring 0', token: '--hypervisor'},
  {actor: 'vmm', name: 'QEMU', place: 'root ring 3', token: '--vmm'},
  {actor: 'device', name: 'device', place: 'hardware', token: '--device'},
];

const BY_ACTOR: Readonly<Record<Actor, number>> = {
  'guest-user': 0,
  'guest-kernel': 1,
  hypervisor: 2,
  vmm: 3,
  device: 4,
};

/** The look of an actor. */
export function actorLook(actor: Actor): ActorLook {
  const look = ACTOR_LOOKS[BY_ACTOR[actor]];
  if (look === undefined) throw new RangeError(actor);
  return look;
}

/** What is under a guest: nobody, a VMM in the same rings, a hypervisor on VT-x or SVM. */
export type StageHost = 'none' | 'software' | 'hardware';

/** The name of an actor: KVM needs hardware; what does without is a VMM. */
export const actorName = (actor: Actor, host: StageHost): string =>
  actor === 'hypervisor' && host === 'software' ? 'VMM' : actorLook(actor).name;

/** The glyph of an actor as an outline in a box of 16 × 16: circle, disc with a kernel, diamond, square, triangle. */
export const ACTOR_GLYPHS: Readonly<Record<Actor, string>> = {
  'guest-user': 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM8 4.6a3.4 3.4 0 1 1 0 6.8a3.4 3.4 0 1 1 0-6.8z',
  'guest-kernel': 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z',
  hypervisor: 'M8 1L15 8L8 15L1 8z',
  vmm: 'M2.5 2.5H13.5V13.5H2.5z',
  device: 'M8 2L15 14H1z',
};

/** The glyph of an actor, filled with its colour. */
export function actorGlyph(actor: Actor): SVGTemplateResult {
  return svg`<path d=${ACTOR_GLYPHS[actor]} fill=${`var(${actorLook(actor).token})`} fill-rule="evenodd"></path>`;
}
