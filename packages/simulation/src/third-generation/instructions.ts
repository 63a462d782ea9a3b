// The instructions of the toy machine, and those that may be added to see what becomes of the theorems. Where an addition is
// modelled on an instruction that Popek and Goldberg name, its comment says so.

import {pswState} from './machine.js';
import type {State, ToyInstruction} from './machine.js';

const [both, supervisor] = ['in both modes', 'in supervisor mode'] as const;
const first = ([a = 0]: readonly number[]): readonly number[] => [a];
const firstTwo = ([a = 0]: readonly number[]): readonly number[] => [a, a + 1];

/** Every sensitive one of these is privileged, so Theorem 1 promises a monitor. */
export const TOY_INSTRUCTIONS: readonly ToyInstruction[] = [
  {
    name: 'MOVE',
    syntax: 'MOVE a b: E[a] ← E[b]',
    permitted: both,
    addresses: operands => operands,
    meaning: m => m.store(m.state, m.operand(0), m.load(m.operand(1))),
  },
  {
    name: 'ADD',
    syntax: 'ADD a b: E[a] ← E[a] + E[b]',
    permitted: both,
    addresses: operands => operands,
    meaning: m => m.store(m.state, m.operand(0), m.load(m.operand(0)) + m.load(m.operand(1))),
  },
  {
    name: 'JUMP',
    syntax: 'JUMP a: P ← a',
    permitted: both,
    addresses: () => [],
    meaning: m => ({...m.state, P: m.operand(0)}),
  },
  {
    name: 'JZERO',
    syntax: 'JZERO a b: if E[a] = 0 then P ← b',
    permitted: both,
    addresses: first,
    meaning: m => (m.load(m.operand(0)) === 0 ? {...m.state, P: m.operand(1)} : m.state),
  },
  // It traps in both modes: not privileged, for supervisor mode traps too, and not sensitive, for it does nothing but trap.
  {
    name: 'CALL',
    syntax: 'CALL: trap to the supervisor',
    permitted: 'never',
    addresses: () => [],
    meaning: m => m.state,
  },
  {
    name: 'LPSW',
    syntax: 'LPSW a: ⟨M, P, R⟩ ← E[a … a+3]; supervisor mode only',
    permitted: supervisor,
    addresses: ([a = 0]) => [a, a + 1, a + 2, a + 3],
    meaning: m =>
      pswState(
        m.state.E,
        [0, 1, 2, 3].map(i => m.load(m.operand(0) + i)),
      ),
  },
  {
    name: 'LRB',
    syntax: 'LRB a: R ← E[a], E[a+1]; supervisor mode only',
    permitted: supervisor,
    addresses: firstTwo,
    meaning: m => withR(m.state, m.load(m.operand(0)), m.load(m.operand(0) + 1)),
  },
  {
    name: 'SRB',
    syntax: 'SRB a: E[a], E[a+1] ← R; supervisor mode only',
    permitted: supervisor,
    addresses: firstTwo,
    meaning: m => m.store(m.store(m.state, m.operand(0), m.state.R.l), m.operand(0) + 1, m.state.R.b),
  },
];

const withR = (state: State, l: number, b: number): State => ({...state, R: {l, b}});

export interface AddedInstruction extends ToyInstruction {
  /** What it is modelled on, and what it shows. */
  readonly story: string;
}

/** What may be added, one or more at a time. */
export const ADDED_INSTRUCTIONS: readonly AddedInstruction[] = [
  {
    name: 'JRST1',
    syntax: 'JRST1 a: M ← u, P ← a',
    permitted: both,
    addresses: () => [],
    meaning: m => ({...m.state, M: 'u', P: m.operand(0)}),
    story:
      'Modelled on the PDP-10’s JRST 1, the paper’s own example (section 8): it returns to user mode, and in user mode it is a plain jump. It changes the mode, but only from supervisor mode: Theorem 1 fails and Theorem 3 holds.',
  },
  {
    name: 'LRA',
    syntax: 'LRA a b: E[a] ← l + b',
    permitted: both,
    addresses: first,
    meaning: m => m.store(m.state, m.operand(0), m.state.R.l + m.operand(1)),
    story:
      'Modelled on the 360/67’s LOAD REAL ADDRESS, the paper’s example of location sensitivity (section 3), here left unprivileged: a program sees where it really lies. Both theorems fail.',
  },
  {
    name: 'LRA-S',
    syntax: 'LRA-S a b: E[a] ← l + b; supervisor mode only',
    permitted: supervisor,
    addresses: first,
    meaning: m => m.store(m.state, m.operand(0), m.state.R.l + m.operand(1)),
    story: 'The same, privileged: it is as sensitive as before, and does no harm.',
  },
  {
    name: 'SMODE',
    syntax: 'SMODE a: E[a] ← M',
    permitted: both,
    addresses: first,
    meaning: m => m.store(m.state, m.operand(0), m.state.M === 's' ? 1 : 0),
    story:
      'Mode sensitive, as PUSH CS is on the x86: a kernel that was moved to user mode finds out. Both theorems fail.',
  },
  {
    name: 'SETR',
    syntax: 'SETR a: R ← E[a], E[a+1] in supervisor mode, and nothing in user mode',
    permitted: both,
    addresses: firstTwo,
    meaning: m => (m.state.M === 's' ? withR(m.state, m.load(m.operand(0)), m.load(m.operand(0) + 1)) : m.state),
    story:
      'The x86’s POPF in this machine’s terms: what it may not do it leaves undone, in silence. An instruction that does nothing in user mode is not privileged: privileged is what traps. Theorem 1 fails and Theorem 3 holds.',
  },
];
