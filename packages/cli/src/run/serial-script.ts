// What a tester types into a guest's serial port: wait for this, then send that. One instruction a line.
//
//   # anything
//   wait login:
//   send root\n

import {usage} from '../terminal/arguments.js';

export interface SerialStep {
  readonly kind: 'wait' | 'send';
  readonly text: string;
}

/** Reads a script. @throws UserError 'usage' that names the line. */
export function parseSerialScript(source: string): readonly SerialStep[] {
  return source.split(/\r?\n/).flatMap((line, index): readonly SerialStep[] => {
    if (/^\s*(#|$)/.test(line)) return [];
    const [, word, text] = /^\s*(wait|send)\s(.*)$/.exec(line) ?? [];
    if (word === undefined || text === undefined) {
      throw usage(`Serial script, line ${index + 1}: '${line}' is neither \`wait TEXT\` nor \`send TEXT\`.`);
    }
    return [{kind: word === 'wait' ? 'wait' : 'send', text: unescape(text)}];
  });
}

const NAMED: Readonly<Record<string, string>> = {n: '\n', r: '\r', t: '\t', '\\': '\\', '0': '\0'};

function unescape(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_whole, escape: string) =>
    escape.length === 3 ? String.fromCharCode(parseInt(escape.slice(1), 16)) : (NAMED[escape] ?? escape),
  );
}
