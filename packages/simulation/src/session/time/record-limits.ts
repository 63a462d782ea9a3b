// How much memory a record may take. A page has room for a few gigabytes; a student's machine for less.

const MIB = 2 ** 20;

/** Recording ahead of the reader ends here, in bytes; stepping beyond what is recorded goes on recording. */
export const AHEAD_LIMIT = 256 * MIB;

/** Nothing more is recorded from here on, in bytes: while a column grows, the engine needs room for the old one and the new. */
export const RECORD_LIMIT = 1536 * MIB;
