// HTML that shows the lab at a moment in a page of somebody's own: an element with an attribute for each thing that the link says.

import {writeLink, type SharedMoment} from '../share-link.js';

/** The entries of a link, by the attributes that say the same. */
const ATTRIBUTES: Readonly<Record<string, string>> = {panel: 'tab'};

/** `page`: the address of the lab. Everything in a moment is of characters that mean nothing in HTML. */
export function embeddingHtml(page: string, moment: SharedMoment): string {
  const home = page.replace(/[?#].*$/, '').replace(/[^/]*$/, '');
  const {technique, guest, step, panel, look, text, compare} = moment;
  const panels = [
    text === undefined ? '' : 'code',
    'stage',
    'why',
    panel === undefined && look === undefined ? '' : 'inspector',
    'timeline',
  ].filter(name => name !== '');
  const attributes = [
    ['technique', technique],
    ['guest', guest],
    ...(step === undefined ? [] : [['step', String(step)]]),
    ...(compare === undefined ? [['panels', panels.join(' ')]] : []),
    ...entriesOf(moment),
  ];
  const written = attributes.map(([name, value]) => ` ${name}="${value}"`).join('');
  return `<script type="module" src="${home}hyperscope-lab.js"></script>\n<hyperscope-lab${written}></hyperscope-lab>`;
}

/** Read off the link, so that an entry is written in one way only. */
const entriesOf = (moment: SharedMoment): readonly (readonly [name: string, value: string])[] =>
  writeLink(moment)
    .split(';')
    .slice(1)
    .map(entry => {
      const [name = '', ...value] = entry.split('=');
      return [ATTRIBUTES[name] ?? name, value.join('=')];
    });
