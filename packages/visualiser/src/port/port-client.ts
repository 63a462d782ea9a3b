// What the page is told of a port: its text beside the original's, and what changed by the parts of the program.

export interface PortText {
  /** Titles of the two guests. */
  readonly original: string;
  readonly port: string;
  readonly lines: readonly {readonly kind: 'common' | 'removed' | 'added'; readonly text: string}[];
  readonly parts: readonly {
    readonly number: number;
    readonly title: string;
    readonly newTitle: string | undefined;
    readonly kept: number;
    readonly removed: number;
    readonly added: number;
    /** Privileged or sensitive instructions that the port has no more, and how often they stood there. */
    readonly replaced: readonly (readonly [name: string, count: number])[];
    readonly hypercalls: readonly (readonly [name: string, count: number])[];
  }[];
}
