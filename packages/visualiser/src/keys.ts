// The keys of the lab, as data: the help dialog and the handler read the same table.

export type Command =
  | 'forward'
  | 'back'
  | 'finer'
  | 'coarser'
  | 'play'
  | 'next-exit'
  | 'next-ring'
  | 'next-mode'
  | 'previous-exit'
  | 'previous-ring'
  | 'previous-mode'
  | 'run'
  | 'run-back'
  | 'breakpoint'
  | 'breakpoints'
  | 'find'
  | 'next-find'
  | 'previous-find'
  | 'slower'
  | 'faster'
  | 'first'
  | 'last'
  | 'present'
  | 'go-to'
  | 'help'
  | 'blackout'
  | 'real-kvm'
  | 'edit'
  | 'compare'
  | 'scenarios'
  | 'switches'
  | 'inspector'
  | `machine-${number}`;

export interface KeyRow {
  readonly keys: readonly string[];
  readonly command: Command;
  readonly name: string;
}

export const KEY_ROWS: readonly KeyRow[] = [
  {keys: ['→', 'Page Down'], command: 'forward', name: 'step forward'},
  {keys: ['←', 'Page Up'], command: 'back', name: 'step back'},
  {keys: ['↑'], command: 'coarser', name: 'coarser steps'},
  {keys: ['↓'], command: 'finer', name: 'finer steps'},
  {keys: ['Space'], command: 'play', name: 'play or pause'},
  {keys: ['e'], command: 'next-exit', name: 'next VM exit (without a hypervisor: next event)'},
  {keys: ['r'], command: 'next-ring', name: 'next ring change'},
  {keys: ['m'], command: 'next-mode', name: 'next change of the processor’s mode'},
  {keys: ['E'], command: 'previous-exit', name: 'with Shift, e, r and m go back'},
  {keys: ['x'], command: 'breakpoint', name: 'breakpoint here, or take it away; X lists them'},
  {keys: ['u'], command: 'run', name: 'run until the next breakpoint, or the end; U back; Esc stops'},
  {keys: ['/'], command: 'find', name: 'find in the trace; n and N to the next and the previous find'},
  {keys: ['<'], command: 'slower', name: 'play slower; > faster'},
  {keys: ['Home'], command: 'first', name: 'to the guest’s first instruction; again: to the very beginning'},
  {keys: ['End'], command: 'last', name: 'to the end'},
  {keys: ['g'], command: 'go-to', name: 'go to a step'},
  {keys: ['d'], command: 'edit', name: 'edit the program; Esc gives the keys back, Ctrl-Enter runs it'},
  {keys: ['k'], command: 'real-kvm', name: 'run on real KVM'},
  {keys: ['c'], command: 'compare', name: 'compare machines, all under one scrubber; Esc leaves'},
  {keys: ['s'], command: 'scenarios', name: 'scenarios; while one is played: n opens the speaker’s notes'},
  {keys: ['w'], command: 'switches', name: 'switches of the machine, and what to break'},
  {keys: ['i'], command: 'inspector', name: 'the inspector large; i or Esc: as it was'},
  {keys: ['1 … 9'], command: 'machine-1', name: 'choose a machine'},
  {keys: ['p'], command: 'present', name: 'present: no chrome, large type; Esc leaves'},
  {keys: ['b'], command: 'blackout', name: 'black screen while presenting, also . of a clicker; again, or Esc: back'},
  {keys: ['?'], command: 'help', name: 'this help'},
];

const COMMANDS: Readonly<Record<string, Command>> = {
  ArrowRight: 'forward',
  PageDown: 'forward',
  ArrowLeft: 'back',
  PageUp: 'back',
  ArrowUp: 'coarser',
  ArrowDown: 'finer',
  ' ': 'play',
  e: 'next-exit',
  r: 'next-ring',
  m: 'next-mode',
  E: 'previous-exit',
  R: 'previous-ring',
  M: 'previous-mode',
  u: 'run',
  U: 'run-back',
  x: 'breakpoint',
  X: 'breakpoints',
  '/': 'find',
  n: 'next-find',
  N: 'previous-find',
  '<': 'slower',
  '>': 'faster',
  Home: 'first',
  End: 'last',
  g: 'go-to',
  d: 'edit',
  c: 'compare',
  s: 'scenarios',
  w: 'switches',
  i: 'inspector',
  k: 'real-kvm',
  p: 'present',
  b: 'blackout',
  '?': 'help',
};

/** What a focused control does with keys itself: nothing of it may be taken away. */
export type Focus = 'chooses' | 'page' | 'scrolls' | 'presses' | 'types';

const SCROLL_KEYS = new Set(['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End', ' ']);

/** The command of a key, given what has the focus; undefined when the key is not ours. */
export function commandFor(key: string, focus: Focus): Command | undefined {
  if (focus === 'types') return undefined;
  if (focus === 'presses' && key === ' ') return undefined;
  if (focus === 'scrolls' && SCROLL_KEYS.has(key)) return undefined;
  if (/^[1-9]$/.test(key)) return `machine-${Number(key)}`;
  return COMMANDS[key];
}

/** What the focused element does with keys. */
export function focusOf(path: readonly EventTarget[]): Focus {
  const target = path[0];
  if (!(target instanceof HTMLElement)) return 'page';
  if (target.matches('input, textarea, select, [contenteditable]')) return 'types';
  // What has the focus is chosen already: Space has nothing to do there.
  if (target.matches('[role="radio"]')) return 'chooses';
  if (target.matches('button, summary, a, [role="tab"]')) return 'presses';
  const scrollable = target.scrollHeight > target.clientHeight + 1;
  return target.tabIndex >= 0 && scrollable && target !== document.body && target !== document.documentElement
    ? 'scrolls'
    : 'page';
}
