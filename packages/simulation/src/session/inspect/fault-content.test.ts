// A refused access is told from the walk that was refused to the one that reached memory, under every way to translate.

import type {FaultContent} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {SHIPPED} from '../../shipped.js';
import {SimulationHost} from '../../simulation-host.js';
import type {Session} from '../session.js';

const host = new SimulationHost(SHIPPED);

async function fault(session: Session): Promise<FaultContent> {
  const told = await session.inspect({panel: 'fault'});
  if (told.panel !== 'fault' || told.content === undefined) throw new Error('why' in told ? told.why : told.panel);
  return told.content;
}

/** The state after the first step with such an event. */
function after(session: Session, holds: (event: ReturnType<Session['record']['eventsOf']>[number]) => boolean): number {
  const step = [...session.record.steps()].find(({index}) => session.record.eventsOf(index).some(holds));
  return assertExists(step, 'such a step').index + 1;
}

test.each([
  [
    'vtx-ept',
    'hello-kvm',
    /EPT PML4 entry, on the way to the first address that it needed, is 0x0, not present/,
    /EPT violation \(48\)/,
    /first touch/,
  ],
  [
    'svm-npt',
    'hello-kvm',
    /NPT PML4 entry, on the way to the first address that it needed, is 0x0, not present/,
    /nested page fault \(400h\)/,
    /first touch/,
  ],
  ['vtx-shadow', 'rings', /shadow PML4 entry, is 0x0, not present/, /raised #PF; CR2 is/, /Hidden page fault/],
  ['trap-and-emulate', 'rings', /shadow PDPT entry, is 0x0, not present/, /raised #PF; CR2 is/, /Hidden page fault/],
])('on %s the story of %s ends where the access is made again', async (technique, guest, stopped, told, answered) => {
  const session = host.open({guest, technique});
  session.run(150);
  const refusal = after(session, event => event.kind === 'page-walk' && event.outcome !== 'mapped');
  session.seek(refusal);
  const fresh = await fault(session);
  expect(fresh.sentences[0]?.text).toMatch(stopped);
  expect(fresh.sentences.map(({text}) => text).join(' ')).not.toMatch(answered);
  session.seek(refusal + 6);
  const {linear, sentences} = await fault(session);
  expect(linear).toBe(fresh.linear);
  expect(sentences.some(({text}) => told.test(text))).toBe(true);
  expect(sentences.some(({text, step}) => answered.test(text) && step >= refusal)).toBe(true);
});

test('with shadow tables the panel shows the address of a fault that nobody has answered yet', () => {
  const session = host.open({guest: 'rings', technique: 'vtx-shadow'});
  session.run(150);
  const refused = session.seek(after(session, event => event.kind === 'page-walk' && event.outcome === 'page-fault'));
  expect(refused.shadow).toMatchObject({linear: refused.walk?.linear, relation: 'missing'});
  const mended = session.seek(
    after(session, event => event.kind === 'shadow-paging' && event.action === 'hidden-fault'),
  );
  expect(mended.shadow).toMatchObject({linear: refused.shadow?.linear, relation: 'same'});
});

test('without a refused access there is no story', async () => {
  const session = host.open({guest: 'rings', technique: 'bare'});
  session.run(20);
  expect(await session.inspect({panel: 'fault'})).toMatchObject({content: undefined});
});
