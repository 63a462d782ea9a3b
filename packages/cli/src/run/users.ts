// The users of a control program, as the command line adds them: `--user CMS3=cms-count`, `--share CMS1=3`, `--quantum 20000`.

import {findGuest, requireImageFit} from '@hyperscope/simulation';
import type {RunRequest} from '@hyperscope/simulation';
import {usage} from '../terminal/arguments.js';
import type {Arguments} from '../terminal/arguments.js';
import type {Terminal} from '../terminal/terminal.js';
import {parseNumber, splitOnce} from './numbers.js';
import {loadProgram, plainly} from './program.js';
import type {Program} from './program.js';
import type {RunOptionName} from './run-options.js';

export const CONTROL_PROGRAM = 'control-program';

export interface UserArguments {
  readonly users: readonly {readonly name: string; readonly image: string}[];
  readonly sharing: RunRequest['sharing'];
}

const USER_OPTIONS = ['user', 'share', 'quantum'] as const satisfies readonly RunOptionName[];

/** Undefined where none of the options is given. @throws UserError 'usage' for what cannot be read, and on techniques with one virtual machine. */
export function readUsers(args: Arguments<RunOptionName>, technique: string): UserArguments | undefined {
  const given = USER_OPTIONS.find(name => args.has(name));
  if (given === undefined) return undefined;
  if (technique !== CONTROL_PROGRAM)
    throw usage(`--${given} is for --on ${CONTROL_PROGRAM}: under ${technique} there is one virtual machine.`);
  const quantum = args.value('quantum');
  const weights = args.values('share').map((text): readonly [string, number] => {
    const [name, weight] = splitOnce(text, '=', 'NAME=WEIGHT, such as CMS1=3');
    return [name.toUpperCase(), parseNumber(weight, `--share ${name}`, 1)];
  });
  return {
    users: args.values('user').map(text => {
      const [name, image] = splitOnce(text, '=', 'NAME=IMAGE, such as CMS3=cms-count');
      return {name: name.toUpperCase(), image};
    }),
    sharing: {
      weights: Object.fromEntries(weights),
      ...(quantum === undefined ? {} : {quantum: parseNumber(quantum, '--quantum', 1)}),
    },
  };
}

/** The program with the users beside it that were asked for, behind those that it brings along. @throws those of `loadProgram`, and 'needs-hypercalls'. */
export function withUsers(program: Program, beside: UserArguments | undefined, terminal: Terminal): Program {
  const users = beside?.users ?? [];
  if (users.length === 0) return program;
  const {image} = program.loaded;
  const added = users.map(({name, image: file}) => {
    const loaded = loadProgram(plainly(file), terminal).loaded.image;
    requireImageFit(loaded, file, {id: CONTROL_PROGRAM});
    return {name, image: loaded};
  });
  const companions = [...(image.companions ?? []), ...added];
  return {...program, loaded: {...program.loaded, image: {...image, companions}}};
}

/** Whether a guest was made to have others beside it. */
export const hasCompanions = (image: string): boolean => findGuest(image)?.controlProgram !== undefined;
