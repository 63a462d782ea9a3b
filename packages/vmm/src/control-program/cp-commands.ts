// The CP commands that a virtual machine can give by DIAGNOSE 08h. The answer goes to its console; the completion code is 0, or the
// number in the message ("DMKCFM045E" gives 45). Names and numbers are VM/370's; there are far fewer of them.
//
//   SPOOL PUNCH [TO] name    decks go to the reader of that user; SPOOL PUNCH OFF: to nobody
//   CLOSE PUNCH              the deck is complete: it goes on its way
//   QUERY USERID             who am I?
//   QUERY NAMES              who is here?

import type {ControlProgram} from './control-program.js';
import type {VirtualUser} from './virtual-user.js';

export interface CommandResult {
  readonly code: number;
  /** Lines for the console. */
  readonly response: readonly string[];
}

const UNKNOWN_COMMAND = 1;
const INVALID_OPTION = 3;
const NOT_LOGGED_ON = 45;
/** Ours: a deck without a destination. VM/370 would have punched it on a real punch. */
const NO_REAL_PUNCH = 500;

const failure = (code: number, text: string): CommandResult => ({
  code,
  response: [`HCP${String(code).padStart(3, '0')}E ${text}`],
});
const done = (...response: string[]): CommandResult => ({code: 0, response});

/** Carries out one command of a user. */
export function executeCommand(cp: ControlProgram, user: VirtualUser, text: string): CommandResult {
  const [command = '', ...words] = text.trim().toUpperCase().split(/\s+/);
  switch (command) {
    case 'SPOOL':
      return spool(cp, user, words);
    case 'CLOSE':
      return close(cp, user, words);
    case 'QUERY':
      return query(cp, user, words);
    default:
      return failure(UNKNOWN_COMMAND, `UNKNOWN CP COMMAND: ${command}`);
  }
}

function spool(cp: ControlProgram, user: VirtualUser, words: readonly string[]): CommandResult {
  const [device = '', ...rest] = words;
  const name = rest[0] === 'TO' ? rest[1] : rest[0];
  if (device !== 'PUNCH' || name === undefined) return failure(INVALID_OPTION, `INVALID OPTION - ${words.join(' ')}`);
  if (name === 'OFF') {
    user.block.set('punchTarget', 0);
    return done();
  }
  const target = cp.userNamed(name);
  if (target === undefined) return failure(NOT_LOGGED_ON, `${name} NOT LOGGED ON`);
  user.block.set('punchTarget', target.index + 1);
  return done();
}

function close(cp: ControlProgram, user: VirtualUser, words: readonly string[]): CommandResult {
  if (words[0] !== 'PUNCH') return failure(INVALID_OPTION, `INVALID OPTION - ${words.join(' ')}`);
  const target = user.block.get('punchTarget');
  if (target === 0) return failure(NO_REAL_PUNCH, 'NO REAL PUNCH - SPOOL IT TO A USER');
  const to = cp.user(target - 1);
  const file = cp.sendDeck(user, to);
  return file === undefined ? done() : done(`PUN FILE ${String(file.number).padStart(4, '0')} TO ${to.name}`);
}

function query(cp: ControlProgram, user: VirtualUser, words: readonly string[]): CommandResult {
  if (words[0] === 'USERID') return done(user.name);
  if (words[0] === 'NAMES') return done(cp.users.map(({name}) => name).join(', '));
  return failure(INVALID_OPTION, `INVALID OPTION - ${words.join(' ')}`);
}
