// A link survives the trip, and a hostile one is refused without anything of it being shown.

import fc from 'fast-check';
import {expect, test} from 'vitest';
import {readLink, writeLink} from './share-link.js';

const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,39}$/);

test('what was written is read back', () => {
  fc.assert(
    fc.property(name, name, fc.nat(999_999_999), (technique, guest, step) => {
      expect(readLink(writeLink({technique, guest, step}))).toEqual({kind: 'moment', moment: {technique, guest, step}});
    }),
  );
});

test('a link of version 1, as it was shared on the first day, is read for ever', () => {
  expect(readLink('#v1/vtx-ept/hello-kvm/14')).toEqual({
    kind: 'moment',
    moment: {technique: 'vtx-ept', guest: 'hello-kvm', step: 14},
  });
});

test('a link without a step names where the guest begins', () => {
  expect(readLink(writeLink({technique: 'bare', guest: 'popf'}))).toEqual({
    kind: 'moment',
    moment: {technique: 'bare', guest: 'popf', step: undefined},
  });
});

test.each([
  '#v1/<script>/x/1',
  '#v1/vtx-ept/../../etc/1',
  '#v1/vtx-ept/hello-kvm/-1',
  '#v1/vtx-ept/hello-kvm/1e9',
  '#v1/a/b/99999999999',
  '#javascript:alert(1)',
  '#%00',
])('the hostile link %s is unreadable, and what is said does not repeat it', hash => {
  const link = readLink(hash);
  expect(link.kind).toBe('unreadable');
  if (link.kind === 'unreadable') expect(link.why).not.toContain(hash.slice(1));
});

test('anything at all is either a moment, nothing or unreadable', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      const link = readLink(`#${text}`);
      if (link.kind === 'moment') expect(writeLink(link.moment)).toBe(`#${text}`);
      else expect(link.kind).toBe(text === '' ? 'none' : 'unreadable');
    }),
  );
});

test('a link from a newer version says so', () => {
  const link = readLink('#v2/whatever');
  expect(link.kind === 'unreadable' ? link.why : '').toContain('newer Hyperscope');
});
