// What the lab's keys mean while machines are compared. A key whose sense is the lab's alone, find, breakpoints, switches, means
// nothing here: the lab behind the comparison must not move unseen.

import type {Command, KeyRow} from '../keys.js';

export const COMPARISON_ROWS: readonly KeyRow[] = [
  {keys: ['→', 'Page Down'], command: 'forward', name: 'on by one instruction of the guest'},
  {keys: ['←', 'Page Up'], command: 'back', name: 'back by one instruction of the guest'},
  {keys: ['↑', '↓'], command: 'coarser', name: 'choose the machine above, below'},
  {keys: ['1 … 9'], command: 'machine-1', name: 'choose a machine by its row'},
  {keys: ['k'], command: 'real-kvm', name: 'choose real KVM'},
  {keys: ['Space'], command: 'play', name: 'play or pause: all machines under one playhead'},
  {keys: ['<'], command: 'slower', name: 'play slower; > faster'},
  {keys: ['e'], command: 'next-exit', name: 'next exit of the chosen machine; where it has none, of any'},
  {keys: ['r'], command: 'next-ring', name: 'next ring change of the guest on the first machine'},
  {keys: ['m'], command: 'next-mode', name: 'next change of the processor’s mode there'},
  {keys: ['E'], command: 'previous-exit', name: 'with Shift, e, r and m go back'},
  {keys: ['u'], command: 'run', name: 'on to where a machine goes wrong, or to the end; U back'},
  {keys: ['Home'], command: 'first', name: 'to the guest’s first instruction'},
  {keys: ['End'], command: 'last', name: 'to the end'},
  {keys: ['g'], command: 'go-to', name: 'go to an instruction'},
  {keys: ['p'], command: 'present', name: 'present: no chrome, large type; Esc leaves'},
  {keys: ['b'], command: 'blackout', name: 'black screen while presenting'},
  {keys: ['c', 'Esc'], command: 'compare', name: 'back to the lab'},
  {keys: ['?'], command: 'help', name: 'this help'},
];

/** What the shell does, whatever it shows. */
const OF_THE_SHELL: ReadonlySet<Command> = new Set(['blackout', 'compare', 'go-to', 'help', 'present']);
export const isOfTheShell = (command: Command): boolean => OF_THE_SHELL.has(command);

/** What may be done while the comparison plays. */
const KEEPS_PLAYING: ReadonlySet<Command> = new Set([
  'coarser',
  'faster',
  'finer',
  'help',
  'play',
  'real-kvm',
  'slower',
]);
export const keepsPlaying = (command: Command): boolean => KEEPS_PLAYING.has(command) || command.startsWith('machine-');
