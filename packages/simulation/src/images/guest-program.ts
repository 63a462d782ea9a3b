// A shipped guest as an image: assembled by our own assembler, loaded in the mode that it is written for. A student's text
// takes the place of a guest's source, and the address, mode and memory stay.

import {UserError} from '@hyperscope/base';
import type {AssembledGuest, FetchedGuest, Guest, GuestAssembly, assembleInPlace} from '@hyperscope/guests';
import type {GuestImage} from '@hyperscope/vmm';
import type {LoadedImage} from './image-options.js';
import {loadRaw} from './raw.js';

export interface LoadedGuest<A extends GuestAssembly = GuestAssembly> extends LoadedImage {
  readonly assembly: A;
}

/** Knows guests by their ids: those that stand beside another under a control program. */
export type GuestFinder = (id: string) => FetchedGuest;

/** The image of a shipped guest, with the assembler's map from addresses to source lines. */
export function imageOfGuest<A extends GuestAssembly>(
  {guest, assembly}: FetchedGuest<A>,
  find: GuestFinder,
): LoadedGuest<A> {
  return place(guest, assembly, find);
}

function place<A extends GuestAssembly>(guest: Guest, assembly: A, find: GuestFinder): LoadedGuest<A> {
  const loaded = loadRaw(assembly.bytes, {
    name: guest.id,
    memoryBytes: guest.memoryMiB * 2 ** 20,
    commandLine: '',
    modules: [],
    at: guest.loadAddress,
    mode: guest.mode,
    set: {},
  });
  return {...loaded, image: {...loaded.image, irqchip: guest.irqchip, ...besideOf(guest, find)}, assembly};
}

/** The guests that stand beside it under a control program, where it names any. */
function besideOf({controlProgram}: Guest, find: GuestFinder): Pick<GuestImage, 'companions' | 'userName'> {
  if (controlProgram === undefined) return {};
  return {
    userName: controlProgram.user,
    companions: controlProgram.beside.map(({user, guest}) => ({
      name: user,
      image: imageOfGuest(find(guest), find).image,
    })),
  };
}

/** What assembles a text in the place of a guest's: `assembleInPlace`, at hand or fetched. */
export type InPlaceAssembler = typeof assembleInPlace;

type Diagnostics = Extract<ReturnType<InPlaceAssembler>, {ok: false}>['diagnostics'];

/** Another text in the place of a guest's: the image, or what is wrong with the text and where. */
export type EditedImage =
  | {readonly ok: true; readonly loaded: LoadedGuest<AssembledGuest>}
  | {readonly ok: false; readonly diagnostics: Diagnostics};

/** Loads what the assembler made of a text in the place of a guest's. Never throws for what the text says. */
export function loadEdited(guest: Guest, assembly: ReturnType<InPlaceAssembler>, find: GuestFinder): EditedImage {
  if (!assembly.ok) return assembly;
  try {
    return {ok: true, loaded: place(guest, assembly, find)};
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {ok: false, diagnostics: [wontLoad(guest, error)]};
  }
}

/** What the loader refuses, as a diagnostic of the text as a whole. */
function wontLoad(guest: Guest, error: UserError): Diagnostics[number] {
  const whole = {line: 1, column: 1, length: 1, severity: 'error', within: undefined} as const;
  if (error.code === 'image-empty')
    return {...whole, message: 'The text makes no bytes: there is nothing to run.', advice: 'Write an instruction.'};
  if (error.code === 'image-too-large')
    return {
      ...whole,
      message: `The program is larger than its machine: ${guest.memoryMiB} MiB of memory, the loader’s own tables at their end.`,
      advice: 'Look for a times or an align that makes it so large.',
    };
  return {...whole, message: error.message, advice: ''};
}
