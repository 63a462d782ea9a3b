// The HTML that Share offers leads to the same place as the link that it offers.

import {expect, test} from 'vitest';
import {linkOfAttributes} from '../embed/link-attributes.js';
import {readLink, writeLink, type SharedMoment} from '../share-link.js';
import {embeddingHtml} from './embedding-html.js';

const PAGE = 'https://example.org/lab/index.html?x=1';

/** What the element in the HTML opens. */
function opened(html: string): ReturnType<typeof readLink> {
  const attributes = new Map([...html.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return readLink(linkOfAttributes(name => attributes.get(name) ?? null, undefined));
}

const PLAIN: SharedMoment = {technique: 'vtx-ept', guest: 'hello-kvm', step: 88};
const FULL: SharedMoment = {
  technique: 'trap-and-emulate',
  guest: 'popf',
  step: 7,
  switches: {rings: '0/3/3', strict: 'on'},
  scenario: {id: 'd6-popf', part: 4},
  panel: 'memory',
  text: 'H4sIAAA_-',
  look: {space: 'gpa', address: 0x1000n},
  compare: {machines: ['bare', 'kvm'], instruction: 3, chosen: 'kvm'},
};

test('a plain moment is three attributes and the panels', () => {
  expect(embeddingHtml(PAGE, PLAIN)).toBe(
    '<script type="module" src="https://example.org/lab/hyperscope-lab.js"></script>\n' +
      '<hyperscope-lab technique="vtx-ept" guest="hello-kvm" step="88" panels="stage why timeline"></hyperscope-lab>',
  );
});

test.each([PLAIN, FULL, {...FULL, compare: undefined}])('the element opens what the link opens', moment => {
  expect(opened(embeddingHtml(PAGE, moment))).toEqual(readLink(writeLink(moment)));
});

test('what was edited or is looked at is among the panels', () => {
  expect(embeddingHtml(PAGE, {...FULL, compare: undefined})).toContain('panels="code stage why inspector timeline"');
});
