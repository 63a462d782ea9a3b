// The machine of the 1974 paper, small enough to be looked at whole: executable storage E, mode M, program counter P and
// relocation-bounds register R = (l, b). Every address that a program uses is compared with b and added to l. A trap stores the
// program status word ⟨M, P, R⟩ in physical words 0 to 3 and loads the one in words 4 to 7. There is no I/O and no interrupt.
// Popek and Goldberg, "Formal Requirements for Virtualizable Third Generation Architectures", CACM 17(7), 1974, section 2.
//
//   word 0  old PSW: M  P  l  b       word 4  new PSW: M  P  l  b       from word 8: programs

/** M: supervisor or user. */
export type Mode = 's' | 'u';

/** R: where a program's storage begins, and how many words it has. */
export interface Relocation {
  readonly l: number;
  readonly b: number;
}

/** S = ⟨E, M, P, R⟩. A state is a value: an instruction makes another one. */
export interface State {
  readonly E: readonly number[];
  readonly M: Mode;
  readonly P: number;
  readonly R: Relocation;
}

export const OLD_PSW = 0,
  NEW_PSW = 4,
  FIRST_PROGRAM_WORD = 8;

/** How an instruction ended: it completed, it trapped, or it addressed a word beyond b, which is a trap too. */
export type Ending = 'completed' | 'trap' | 'memory trap';

export interface Step {
  readonly ending: Ending;
  readonly state: State;
}

/** What an instruction has to work with, once it is known that it will not trap. */
export interface Meaning {
  /** The state, with P at the next instruction. */
  readonly state: State;
  readonly operand: (index: 0 | 1) => number;
  /** E[l + a]. */
  readonly load: (a: number) => number;
  /** `state` with E[l + a] = value. */
  readonly store: (state: State, a: number, value: number) => State;
}

export interface ToyInstruction {
  readonly name: string;
  /** `ADD a b: E[a] ← E[a] + E[b]` */
  readonly syntax: string;
  /** In which mode it does not trap. */
  readonly permitted: 'in both modes' | 'in supervisor mode' | 'never';
  /** The words that it addresses: each must lie below b. */
  readonly addresses: (operands: readonly number[]) => readonly number[];
  readonly meaning: (m: Meaning) => State;
}

/** i(S): executes one instruction with these operands in a state. Every check comes before any change. */
export function execute(instruction: ToyInstruction, operands: readonly number[], before: State): Step {
  const {E, M, R} = before;
  const {permitted} = instruction;
  if (permitted === 'never' || (permitted === 'in supervisor mode' && M === 'u'))
    return {ending: 'trap', state: trapped(before)};
  if (instruction.addresses(operands).some(a => a < 0 || a >= R.b))
    return {ending: 'memory trap', state: trapped(before)};
  const state = instruction.meaning({
    state: {...before, P: before.P + 1},
    operand: index => operands[index] ?? 0,
    load: a => E[R.l + a] ?? 0,
    store: (to, a, value) => ({...to, E: to.E.with(R.l + a, value)}),
  });
  return {ending: 'completed', state};
}

/** The old PSW is stored, the new one is loaded. A trap points at the instruction that trapped. */
function trapped({E, M, P, R}: State): State {
  const stored = E.with(OLD_PSW, M === 's' ? 1 : 0)
    .with(OLD_PSW + 1, P)
    .with(OLD_PSW + 2, R.l)
    .with(OLD_PSW + 3, R.b);
  return pswState(stored, E.slice(NEW_PSW, NEW_PSW + 4));
}

/** The state that a program status word of four words stands for. */
export function pswState(E: readonly number[], [mode = 0, P = 0, l = 0, b = 0]: readonly number[]): State {
  return {E, M: mode === 1 ? 's' : 'u', P, R: {l, b}};
}
