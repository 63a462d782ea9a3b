// What crosses the frame is read strictly, whoever sent it.

import {describe, expect, it} from 'vitest';
import {EMBED_PANELS, commandMessage, momentMessage, readCommand, readMoment, readPanels} from './embed-messages.js';

const MOMENT = {
  technique: 'vtx-ept',
  guest: 'hello-kvm',
  step: 82,
  length: 300,
  title: 'VM exit',
  who: 'hypervisor',
  link: '#v1/vtx-ept/hello-kvm/82',
};

describe('moments', () => {
  it('come back as they were sent', () => {
    expect(readMoment(structuredClone(momentMessage(MOMENT)))).toEqual(MOMENT);
  });
  it.each([
    undefined,
    null,
    7,
    'hyperscope',
    {},
    {hyperscope: 'hyperscope-moment'},
    momentMessage({...MOMENT, step: -1}),
  ])('are not made of %j', data => {
    expect(readMoment(data)).toBeUndefined();
  });
});

describe('commands', () => {
  it.each([
    {kind: 'open', link: '#v1/bare/popf/3'},
    {kind: 'seek', step: 0},
    {kind: 'step', direction: 'back', granularity: 'exit'},
  ] as const)('$kind comes back as it was sent', command => {
    expect(readCommand(structuredClone(commandMessage(command)))).toEqual(command);
  });
  it.each([
    {kind: 'seek', step: 1.5},
    {kind: 'seek', step: '3'},
    {kind: 'step', direction: 'sideways', granularity: 'exit'},
    {kind: 'step', direction: 'back', granularity: 'constructor'},
    {kind: 'run', source: 'hlt'},
    null,
  ])('are not made of %j', command => {
    expect(readCommand({hyperscope: 'hyperscope-command', command})).toBeUndefined();
  });
});

describe('a list of panels', () => {
  it('names panels in the order of the page', () => {
    expect(readPanels('why, stage nonsense')).toEqual(['stage', 'why']);
  });
  it('that names none means all', () => {
    expect(readPanels('')).toEqual(EMBED_PANELS);
    expect(readPanels('<script>')).toEqual(EMBED_PANELS);
  });
});
