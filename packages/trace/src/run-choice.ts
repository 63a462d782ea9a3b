// What somebody chose to run, as plain data: the same in a link, in a scenario file and behind the switches of a page.

/** Switches that do not stand where they begin, by id: `{'processor': 'prescott', 'write-protection': 'off'}`. */
export type Switches = Readonly<Record<string, string>>;

/** A guest on a machine. What it names may come from a stranger's link: whoever opens it looks everything up. */
export interface RunChoice {
  /** Id of a technique. */
  readonly technique: string;
  /** Id of a shipped guest. */
  readonly guest: string;
  /** NASM source that runs in the place of the guest's own. */
  readonly edited?: string | undefined;
  readonly switches?: Switches | undefined;
}

/** The headings under which switches are offered; `break it`: what makes the machine or its hypervisor wrong on purpose. */
export type SwitchGroup = 'break it' | 'cost' | 'execution controls' | 'processor' | 'technique';

/** Something that can be set before a run, on the machine and for the guest that are chosen. */
export interface SwitchOffer {
  readonly id: string;
  readonly title: string;
  readonly group: SwitchGroup;
  /** What it does, in a sentence. */
  readonly sentence: string;
  readonly values: readonly {readonly id: string; readonly title: string; readonly sentence?: string | undefined}[];
  /** The value that is used where nobody chose one. */
  readonly initial: string;
}
