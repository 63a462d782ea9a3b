// The common shape of every explanation: sentences, and the processor's checks with the one that decided marked.

import type {Check, Checks} from '@hyperscope/machine';
import type {Explanation} from '../session-view.js';

interface Parts {
  readonly title: string;
  readonly sentences: readonly string[];
  readonly checks?: Checks;
  /** Sources beyond those of the checks. */
  readonly sources?: readonly string[];
  readonly otherwise?: string | undefined;
  readonly meaning?: readonly string[];
  readonly changes?: Explanation['changes'];
}

/** Puts an explanation together. The last check is as a rule the one that decided: the processor stopped looking there. */
export function explanation(parts: Parts): Explanation {
  const checks = parts.checks ?? [];
  // A list of failures (the checks of a VM entry) was decided by its first: the processor looked no further.
  const decisive = checks.every(check => !check.holds) ? 0 : checks.length - 1;
  return {
    title: parts.title,
    sentences: parts.sentences,
    checks: checks.map((check, index) => ({
      text: checkText(check),
      holds: check.holds,
      decided: index === decisive,
      cause: check.cause,
      source: check.source,
    })),
    sources: [...new Set([...checks.map(check => check.source), ...(parts.sources ?? [])])].filter(
      source => source !== '',
    ),
    otherwise: parts.otherwise,
    meaning: parts.meaning ?? [],
    changes: parts.changes ?? [],
  };
}

/** `CPL = 0 (CPL 3)` */
export function checkText(check: Check): string {
  const values = check.values.map(([name, value]) => `${name} ${value}`).join(', ');
  return values === '' ? check.rule : `${check.rule} (${values})`;
}

/** The check that decided. */
export const decisiveCheck = (checks: Checks): Check | undefined => checks.at(-1);

/** `The check that decided: “CPL = 0” does not hold (CPL 3).` */
export function becauseSentence(checks: Checks): string | undefined {
  const check = decisiveCheck(checks);
  if (check === undefined) return undefined;
  const values = check.values.map(([name, value]) => `${name} ${value}`).join(', ');
  return `The check that decided: “${check.rule}” ${check.holds ? 'holds' : 'does not hold'}${values === '' ? '' : ` (${values})`}.`;
}

/** `Had “CPL = 0” held, ⟨consequence⟩.` */
export function otherwiseSentence(checks: Checks, consequence: string): string | undefined {
  const check = decisiveCheck(checks);
  return check === undefined ? undefined : `Had “${check.rule}” ${check.holds ? 'not held' : 'held'}, ${consequence}.`;
}

/** A sentence from a phrase: first letter large (unless a symbol begins it), a full stop at the end. */
export function sentence(phrase: string): string {
  const trimmed = phrase.trim();
  return trimmed === '' ? '' : capital(trimmed) + (/[.!?]$/.test(trimmed) ? '' : '.');
}

/** The first letter large; names of functions, fields and variables keep theirs: `kvm_run is mapped`. */
export function capital(text: string): string {
  const first = text.split(/\s/, 1)[0] ?? '';
  return /[_()\d]|[a-z][A-Z]/.test(first) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** `one, two, three and 6 more` */
export function someOf(items: readonly string[], most: number): string {
  return items.length <= most ? items.join(', ') : `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
}
