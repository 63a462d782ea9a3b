// One guest, fetched when it is asked for: its text, and its bytes as they were assembled when the project was built. A page does without
// the other guests, and without the assembler until somebody edits.

import {cardText} from './cards/cards.js';
import type {assembleInPlace} from './assembled-guest.js';
import type {Guest, GuestAssembly, GuestOutline} from './guest.js';
import {PROGRAM_LOADERS} from './program-loading.generated.js';

/** As it stands in a generated module: bytes in base64; of each instruction its line, address and length. */
interface PackedAssembly {
  readonly bytes: string;
  readonly lines: readonly number[];
}

const NUMBERS = 3;

/** A guest that was fetched. */
export interface FetchedGuest<A extends GuestAssembly = GuestAssembly> {
  readonly guest: Guest;
  readonly assembly: A;
}

/** The guest with its text and bytes. Rejects where a file of it cannot be fetched. */
export async function loadGuestFiles(outline: GuestOutline): Promise<FetchedGuest> {
  const programs = await Promise.all(outline.programs.map(async name => PROGRAM_LOADERS[name]()));
  const [program] = programs;
  const source = cardText(outline.id) ?? programs.map(({SOURCE}) => SOURCE).join('');
  const guest = {...outline, source};
  if (programs.length === 1 && program !== undefined && 'ASSEMBLED' in program)
    return {guest, assembly: unpacked(program.ASSEMBLED)};
  const {assembleGuest} = await import('./assembled-guest.js');
  return {guest, assembly: assembleGuest(guest)};
}

/** What assembles a text in the place of a guest's, fetched. */
export async function loadAssembler(): Promise<typeof assembleInPlace> {
  const assembling = await import('./assembled-guest.js');
  return assembling.assembleInPlace;
}

function unpacked({bytes, lines}: PackedAssembly): GuestAssembly {
  const count = lines.length / NUMBERS;
  const at = (instruction: number, number: number): number => lines[instruction * NUMBERS + number] ?? 0;
  return {
    bytes: Uint8Array.from(atob(bytes), character => character.charCodeAt(0)),
    lines: Array.from({length: count}, (_, instruction) => ({
      line: at(instruction, 0),
      address: BigInt(at(instruction, 1)),
      length: at(instruction, 2),
      kind: 'instruction',
    })),
  };
}
