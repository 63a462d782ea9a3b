// How large a scenario file may be. It may come from anybody: beyond these sizes it is not read.

export const LIMITS = {
  fileBytes: 256 * 1024,
  steps: 80,
  questions: 40,
  choices: 8,
  breakIts: 12,
  stretches: 12,
  arrows: 20,
  /** Values of a list that is drawn from. */
  draws: 40,
  machines: 8,
  sources: 40,
  /** Characters of a title, a pattern, a choice. */
  line: 400,
} as const;
