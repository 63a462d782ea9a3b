// How far a reader came in a scenario, kept by the browser where that is allowed. Nothing leaves the machine.

export interface Progress {
  /** The part that was shown last: 0 is the introduction. */
  readonly part: number;
  /** The choice for each question that was answered, by its key. */
  readonly answers: Readonly<Record<string, number>>;
  /** The set of seeded questions that was shown last; the first where absent. */
  readonly set?: number | undefined;
}

const NOTHING: Progress = {part: 0, answers: {}};
const keyOf = (scenario: string): string => `hyperscope.scenario.${scenario}`;

export function readProgress(scenario: string): Progress {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(scenario)) ?? 'null');
    return isProgress(kept) ? kept : NOTHING;
  } catch {
    // Storage is off, or holds something else: then one begins at the beginning.
    return NOTHING;
  }
}

export function keepProgress(scenario: string, progress: Progress): void {
  try {
    localStorage.setItem(keyOf(scenario), JSON.stringify(progress));
  } catch {
    // Then it lasts as long as the page.
  }
}

function isProgress(value: unknown): value is Progress {
  if (typeof value !== 'object' || value === null || !('part' in value) || !('answers' in value)) return false;
  const {part, answers} = value;
  const set = 'set' in value ? value.set : 1;
  const isCount = (each: unknown): boolean => typeof each === 'number' && Number.isInteger(each) && each >= 0;
  return (
    isCount(part) &&
    isCount(set) &&
    typeof answers === 'object' &&
    answers !== null &&
    Object.values(answers).every(isCount)
  );
}
