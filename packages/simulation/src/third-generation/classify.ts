// The definitions of section 3, word for word, over every pair of states of a small set. On this machine the quantifiers can
// be taken literally: "for every pair", "there is a state". What is true of the set is not proved of all states; the set has
// both modes, several relocations and every operand that matters.

import {FIRST_PROGRAM_WORD, execute} from './machine.js';
import type {Mode, Relocation, State, Step, ToyInstruction} from './machine.js';

export interface ToyClass {
  readonly instruction: ToyInstruction;
  readonly privileged: boolean;
  readonly controlSensitive: boolean;
  readonly modeSensitive: boolean;
  readonly locationSensitive: boolean;
  readonly sensitive: boolean;
  /** Sensitive from a state with M = u, where it does not trap; and with M = s. */
  readonly userSensitive: boolean;
  readonly supervisorSensitive: boolean;
  readonly innocuous: boolean;
  /** For each thing that was shown: the state or the pair that showed it, as a sentence. */
  readonly witnesses: readonly string[];
}

/** A program's words: e|r. Two programs, so that what is added and compared differs. */
const PROGRAMS: readonly (readonly number[])[] = [
  [1, 8, 8, 6, 0, 5],
  [0, 4, 20, 6, 3, 0],
];
const WORDS = 64;
const BOUND = 6;
const RELOCATIONS: readonly Relocation[] = [FIRST_PROGRAM_WORD, 20, 41].map(l => ({l, b: BOUND}));
const OPERANDS: readonly (readonly number[])[] = [
  [0, 1],
  [2, 3],
  [1, 4],
  [4, 0],
  // The last word of the program, and one that is not the program's: a memory trap.
  [BOUND - 1, 2],
  [BOUND, 0],
];

/** ⟨e|r, m, p, r⟩: the program's words stand at l; the new PSW leads to a supervisor that has all of storage. */
export function stateOf(program: readonly number[], M: Mode, R: Relocation): State {
  const E = Array.from({length: WORDS}, (_, at) => (at < FIRST_PROGRAM_WORD ? ([1, 30, 0, WORDS][at - 4] ?? 0) : 7));
  program.forEach((word, index) => (E[R.l + index] = word));
  return {E, M, P: 2, R};
}

/** e|r: the words that the program can address. */
export const programOf = (state: State, R: Relocation): readonly number[] => state.E.slice(R.l, R.l + R.b);

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((word, index) => word === b[index]);

/** Whether two completed steps gave their programs different words or different next instructions. */
const differs = (a: Step, ra: Relocation, b: Step, rb: Relocation): boolean =>
  !equal(programOf(a.state, ra), programOf(b.state, rb)) || a.state.P !== b.state.P;

interface Tried {
  readonly program: readonly number[];
  readonly operands: readonly number[];
  readonly M: Mode;
  readonly R: Relocation;
  readonly step: Step;
}

/** Classifies one instruction. */
export function classifyToy(instruction: ToyInstruction): ToyClass {
  const tried = tryEverywhere(instruction);
  const other = (of: Tried, M: Mode): Tried | undefined =>
    tried.find(each => each.program === of.program && each.operands === of.operands && each.R === of.R && each.M === M);
  const pairs = tried.flatMap(s => {
    const u = s.M === 's' ? other(s, 'u') : undefined;
    return u === undefined || s.step.ending === 'memory trap' ? [] : [{s, u}];
  });
  const control = tried.filter(each => each.step.ending === 'completed' && changesControl(each));
  const modePairs = pairs.filter(({s, u}) => bothComplete(s, u) && differs(s.step, s.R, u.step, u.R));
  const locationPairs = relocated(tried).filter(([a, b]) => bothComplete(a, b) && differs(a.step, a.R, b.step, b.R));
  const shownFrom = (M: Mode): boolean =>
    control.some(each => each.M === M) || modePairs.length > 0 || locationPairs.some(([each]) => each.M === M);
  const sensitive = control.length + modePairs.length + locationPairs.length > 0;
  return {
    instruction,
    privileged: pairs.length > 0 && pairs.every(({s, u}) => s.step.ending !== 'trap' && u.step.ending === 'trap'),
    controlSensitive: control.length > 0,
    modeSensitive: modePairs.length > 0,
    locationSensitive: locationPairs.length > 0,
    sensitive,
    userSensitive: shownFrom('u'),
    supervisorSensitive: shownFrom('s'),
    innocuous: !sensitive,
    witnesses: [
      ...control.slice(0, 1).map(controlWitness),
      ...modePairs.slice(0, 1).map(({s, u}) => pairWitness('in the two modes', s, u)),
      ...locationPairs.slice(0, 1).map(([a, b]) => pairWitness('in two places', a, b)),
    ],
  };
}

function tryEverywhere(instruction: ToyInstruction): readonly Tried[] {
  return PROGRAMS.flatMap(program =>
    OPERANDS.flatMap(operands =>
      RELOCATIONS.flatMap(R =>
        (['s', 'u'] as const).map(M => ({
          program,
          operands,
          M,
          R,
          step: execute(instruction, operands, stateOf(program, M, R)),
        })),
      ),
    ),
  );
}

/** r1 ≠ r2 or m1 ≠ m2. */
const changesControl = ({step: {state}, M, R}: Tried): boolean =>
  state.M !== M || state.R.l !== R.l || state.R.b !== R.b;

const bothComplete = (a: Tried, b: Tried): boolean => a.step.ending === 'completed' && b.step.ending === 'completed';

/** ⟨e|r, m, p, r⟩ and ⟨e|r⊕x, m, p, r⊕x⟩. */
const relocated = (tried: readonly Tried[]): readonly (readonly [Tried, Tried])[] =>
  tried.flatMap((a, index) =>
    tried
      .slice(index + 1)
      .filter(b => b.program === a.program && b.operands === a.operands && b.M === a.M && b.R !== a.R)
      .map(b => [a, b] as const),
  );

const place = (M: Mode, {l, b}: Relocation): string => `M = ${M}, R = (${l}, ${b})`;

const controlWitness = ({M, R, step: {state}}: Tried): string =>
  `control sensitive: from ${place(M, R)} it completes with ${place(state.M, state.R)}`;

function pairWitness(where: string, a: Tried, b: Tried): string {
  const kind = where === 'in two places' ? 'location sensitive' : 'mode sensitive';
  const [x, y] = [programOf(a.step.state, a.R), programOf(b.step.state, b.R)];
  const at = x.findIndex((word, index) => word !== y[index]);
  const what = at < 0 ? `P = ${a.step.state.P} and ${b.step.state.P}` : `word ${at} = ${x[at] ?? 0} and ${y[at] ?? 0}`;
  return `${kind}: ${where}, ${place(a.M, a.R)} and ${place(b.M, b.R)}, the same program gets ${what}`;
}

export interface ToyTheorem {
  readonly theorem: 1 | 3;
  readonly kind: 'holds' | 'fails';
  /** What breaks it: sensitive (user sensitive) and not privileged. */
  readonly breakers: readonly string[];
}

/** The premise of Theorem 1 (sensitive ⊆ privileged) or of Theorem 3 (user sensitive ⊆ privileged). */
export function toyTheorem(theorem: 1 | 3, classes: readonly ToyClass[]): ToyTheorem {
  const breakers = classes
    .filter(each => (theorem === 1 ? each.sensitive : each.userSensitive) && !each.privileged)
    .map(each => each.instruction.name);
  return {theorem, kind: breakers.length === 0 ? 'holds' : 'fails', breakers};
}
