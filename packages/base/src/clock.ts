// Time and entropy are passed in, so that a run can be repeated byte for byte.

/** Milliseconds since some fixed moment. The simulator itself counts cycles; only hosts of it need this. */
export interface Clock {
  now(): number;
}
