// A wire from a device to the interrupt controllers.

export type Level = 0 | 1;

export interface InterruptLine {
  /** Drives the wire. Setting the level that it has already changes nothing. */
  set(level: Level): void;
  /** Whether a rising edge would reach the processor now: not masked anywhere, nothing more important in service. */
  readonly isHeard: boolean;
}

/** A wire that ends nowhere. */
export const UNCONNECTED: InterruptLine = {set: () => undefined, isHeard: false};
