// `--switch ID=VALUE`: what the switches of the lab do, in a terminal.

import {requireTechnique, offersFor} from '@hyperscope/simulation';
import type {Switches} from '@hyperscope/trace';
import {usage} from '../terminal/arguments.js';
import {wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import {EXIT} from '../exit-status.js';

/** @throws UserError 'usage' where there is no `=`, or on a machine that has no switches. Names are looked up when the run begins. */
export function readSwitches(texts: readonly string[], technique: string): Switches | undefined {
  if (texts.length === 0) return undefined;
  if (technique === 'kvm' || technique.startsWith('qemu-'))
    throw usage('--switch is for the simulated machines: nobody can leave out a line of the real KVM.');
  return Object.fromEntries(texts.map(text => pair(text)));
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw usage(`--switch is ID=VALUE, not '${text}'. --switch list shows them.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** What can be set on a machine. @throws UserError 'unknown-technique' */
export function listSwitches(technique: string, terminal: Terminal): number {
  const offers = offersFor({technique: requireTechnique(technique)});
  let group = '';
  for (const offer of offers) {
    if (offer.group !== group) terminal.line(terminal.style('dim', offer.group));
    group = offer.group;
    const values = offer.values.map(({id}) => (id === offer.initial ? `${id} (normal)` : id)).join(', ');
    terminal.line(`  ${terminal.style('bold', offer.id)}=${values}`);
    for (const line of wrap(`${offer.title}. ${offer.sentence}`, Math.min(100, terminal.width), '      '))
      terminal.line(line);
  }
  return EXIT.ok;
}
