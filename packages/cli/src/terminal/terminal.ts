// Where a command writes, and what may be written there: colours and moving lines only where a person looks.

import {styles} from './colours.js';
import type {Styles} from './colours.js';

export interface Terminal {
  /** Results: standard output. */
  write(text: string | Uint8Array): void;
  /** One line of results. */
  line(text?: string): void;
  /** One line beside the results (progress, warnings, trouble): standard error. */
  note(text: string): void;
  /** Bytes beside the results, as they are: standard error. */
  noteBytes(bytes: Uint8Array): void;
  /** Replaces the moving line on standard error; does nothing where nobody looks. '' removes it. */
  status(text: string): void;
  readonly style: Styles;
  /** Colours of standard error. */
  readonly noteStyle: Styles;
  /** Columns of standard output, 80 where unknown. */
  readonly width: number;
}

/** What a terminal needs of a stream of the process. */
interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(data: string | Uint8Array): boolean;
}

/** A terminal that was never told its size says 0. */
const columnsOf = ({columns = 0}: Stream): number => (columns > 0 ? columns : 80);

/** Colours are for terminals, unless the environment says otherwise (no-color.org, FORCE_COLOR). */
function wantsColours(stream: Stream, env: Readonly<Record<string, string | undefined>>): 'coloured' | 'plain' {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return 'plain';
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return 'coloured';
  return stream.isTTY === true && env['TERM'] !== 'dumb' ? 'coloured' : 'plain';
}

/** The terminal of this process. */
export function processTerminal(out: Stream, err: Stream, env: Readonly<Record<string, string | undefined>>): Terminal {
  const noteStyle = styles(wantsColours(err, env));
  let shown = '';
  const clear = (): void => {
    if (shown !== '') err.write('\r\x1b[2K');
    shown = '';
  };
  return {
    write: text => {
      clear();
      out.write(text);
    },
    line: (text = '') => void out.write(`${text}\n`),
    note: text => {
      clear();
      err.write(`${text}\n`);
    },
    noteBytes: bytes => {
      clear();
      err.write(bytes);
    },
    status: text => {
      if (err.isTTY !== true || env['TERM'] === 'dumb') return;
      clear();
      if (text === '') return;
      shown = text.slice(0, columnsOf(err) - 1);
      err.write(shown);
    },
    style: styles(wantsColours(out, env)),
    noteStyle,
    width: columnsOf(out),
  };
}
