// Whatever a link can say, the element's attributes can say.

import {expect, test} from 'vitest';
import {readLink} from '../share-link.js';
import {linkOfAttributes} from './link-attributes.js';

const linkOf = (attributes: Readonly<Record<string, string>>, text?: string): string =>
  linkOfAttributes(name => attributes[name] ?? null, text);

test('without attributes the first guest is where it begins', () => {
  expect(linkOf({})).toBe('#v1/vtx-ept/hello-kvm');
  expect(linkOf({guest: 'popf', step: '3'})).toBe('#v1/vtx-ept/popf/3');
});

test('every entry of a link has its attribute, and the lab reads it', () => {
  const link = linkOf({
    technique: 'bare',
    guest: 'popf',
    step: '7',
    switches: 'rings: 0/3/3, strict:on',
    scenario: 'd6-popf:2',
    set: '4',
    tab: 'memory',
    look: 'gva:8000',
    compare: 'bare, vtx-ept, kvm:12:kvm',
    mode: 'present',
    text: 'H4sI',
  });
  expect(readLink(link)).toEqual({
    kind: 'moment',
    moment: {
      technique: 'bare',
      guest: 'popf',
      step: 7,
      switches: {rings: '0/3/3', strict: 'on'},
      scenario: {id: 'd6-popf', part: 2, set: 4},
      panel: 'memory',
      text: 'H4sI',
      look: {space: 'gva', address: 0x8000n},
      compare: {machines: ['bare', 'vtx-ept', 'kvm'], instruction: 12, chosen: 'kvm'},
      mode: 'present',
    },
  });
});

test('a program of the page’s own comes before a packed one; a whole link before everything', () => {
  expect(linkOf({text: 'old'}, 'new')).toBe('#v2/vtx-ept/hello-kvm/;text=new');
  expect(linkOf({link: 'v1/bare/rings/4', guest: 'popf'}, 'new')).toBe('#v1/bare/rings/4');
});

test('what is no value of a link makes one that the lab refuses', () => {
  expect(readLink(linkOf({switches: '<script>:x'})).kind).toBe('unreadable');
});
