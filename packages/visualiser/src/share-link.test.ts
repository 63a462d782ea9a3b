// A link survives the trip, and a hostile one is refused without anything of it being shown.

import fc from 'fast-check';
import {expect, test} from 'vitest';
import {readLink, writeLink} from './share-link.js';
import type {SharedMoment} from './share-link.js';

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

test('switches, scenario, panel, theme and text make it a link of version 2, and come back', () => {
  const moment: SharedMoment = {
    technique: 'trap-and-emulate',
    guest: 'popf',
    step: 7,
    switches: {rings: '0/3/3', strict: 'on'},
    scenario: {id: 'd6-popf', part: 4},
    panel: 'registers',
    theme: 'dark',
    text: 'H4sIAAA_-',
  };
  const link = writeLink(moment);
  expect(link).toBe(
    '#v2/trap-and-emulate/popf/7;switches=rings:0/3/3,strict:on;scenario=d6-popf:4;panel=registers;theme=dark;text=H4sIAAA_-',
  );
  expect(readLink(link)).toEqual({kind: 'moment', moment});
});

test.each([
  '#v2/bare/popf/1;colour=red',
  '#v2/bare/popf/1;switches=a:b,a:c',
  '#v2/bare/popf/1;theme=dark;theme=dark',
  '#v2/bare/popf/1;scenario=d6',
  '#v2/bare/popf/1;switches=<x>:y',
  '#v2/bare/popf/1;theme=pink',
  `#v2/bare/popf/1;text=${'A'.repeat(23_000)}`,
  `#v2/bare/popf/1;text=${'A'.repeat(50_000)}`,
])('a link of version 2 that is not well formed is unreadable as a whole', hash =>
  expect(readLink(hash).kind).toBe('unreadable'),
);

test('a link of version 2, as it was shared, is read for ever', () => {
  const shared =
    '#v2/vtx-ept/hello-kvm/88;switches=ept:off,tpr-shadow:on;scenario=d5-exit:3;panel=vmcs;theme=contrast;text=Sy1KVUgsSwQA';
  expect(readLink(shared)).toEqual({
    kind: 'moment',
    moment: {
      technique: 'vtx-ept',
      guest: 'hello-kvm',
      step: 88,
      switches: {ept: 'off', 'tpr-shadow': 'on'},
      scenario: {id: 'd5-exit', part: 3},
      panel: 'vmcs',
      theme: 'contrast',
      text: 'Sy1KVUgsSwQA',
    },
  });
});

test('an address, a comparison and present mode make it a link of version 3, and come back', () => {
  const moment: SharedMoment = {
    technique: 'vtx-ept',
    guest: 'mini-os',
    step: 7,
    panel: 'memory',
    look: {space: 'gva', address: 0xffff_8000_0000_1000n},
    compare: {machines: ['bare', 'vtx-ept', 'kvm'], instruction: 120, chosen: 'vtx-ept'},
    mode: 'present',
  };
  const link =
    '#v3/vtx-ept/mini-os/7;panel=memory;look=gva:ffff800000001000;compare=bare,vtx-ept,kvm:120:vtx-ept;mode=present';
  expect(writeLink(moment)).toBe(link);
  expect(readLink(link)).toEqual({kind: 'moment', moment});
});

test('a comparison may leave out where its scrubber is', () => {
  const link = readLink('#v3/bare/popf/;compare=bare,trap-and-emulate');
  expect(link.kind === 'moment' ? link.moment.compare : undefined).toEqual({
    machines: ['bare', 'trap-and-emulate'],
    instruction: 0,
    chosen: undefined,
  });
});

test.each([
  '#v2/bare/popf/1;scenario=d6-popf:7;set=2',
  '#v3/bare/popf/1;set=2',
  '#v3/bare/popf/1;set=2;scenario=d6-popf:7',
  '#v3/bare/popf/1;scenario=d6-popf:7;set=0',
  '#v3/bare/popf/1;scenario=d6-popf:7;set=1000000',
  '#v2/bare/popf/1;mode=present',
  '#v2/bare/popf/1;compare=bare',
  '#v3/bare/popf/1;mode=absent',
  '#v3/bare/popf/1;look=gva:',
  '#v3/bare/popf/1;look=gva:-1',
  '#v3/bare/popf/1;look=gva:11111111111111111',
  '#v3/bare/popf/1;look=eva:10',
  '#v3/bare/popf/1;compare=',
  '#v3/bare/popf/1;compare=bare,bare',
  '#v3/bare/popf/1;compare=bare,,kvm',
  '#v3/bare/popf/1;compare=bare:1e9',
  '#v3/bare/popf/1;compare=bare:1:kvm:kvm',
  '#v3/bare/popf/1;compare=__proto__:1',
  '#v3/bare/popf/1;compare=a,b,c,d,e,f,g,h,i,j:1',
  `#v3/bare/popf/1;compare=${'a,'.repeat(9000)}a`,
  '#v3/bare/popf/1;constructor=x',
])('%s is unreadable as a whole', hash => expect(readLink(hash).kind).toBe('unreadable'));

test('the set of a scenario’s questions is a part of the link', () => {
  const moment = {technique: 'bare', guest: 'popf', step: 3, scenario: {id: 'd6-popf', part: 7, set: 12}};
  const link = '#v3/bare/popf/3;scenario=d6-popf:7;set=12';
  expect(writeLink(moment)).toBe(link);
  expect(readLink(link)).toEqual({kind: 'moment', moment});
});

test('a link from a newer version says so', () => {
  const link = readLink('#v4/whatever');
  expect(link.kind === 'unreadable' ? link.why : '').toContain('newer Hyperscope');
});
