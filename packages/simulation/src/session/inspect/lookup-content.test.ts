// Steps that are run again answer as the recorded ones did: what was walked is what the record says, step by step.

import type {LookupContent} from '@hyperscope/trace';
import {readRecord, writeRecord} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {SimulationHost} from '../../simulation-host.js';
import {SHIPPED} from '../../shipped.js';
import {PlaybackSession} from '../playback-session.js';
import type {Session} from '../session.js';

async function lookups(session: Session, steps: number): Promise<LookupContent> {
  const told = await session.inspect({panel: 'lookups', steps});
  if (told.panel !== 'lookups' || told.content === undefined) throw new Error('why' in told ? told.why : told.panel);
  return told.content;
}

const PAGE = ~0xfffn;
/** The pages that the record says were walked in a step, by kind of access. */
const walked = (session: Session, step: number): readonly string[] => [
  ...new Set(
    session.record
      .eventsOf(step)
      .flatMap(event => (event.kind === 'page-walk' ? [`${event.access} ${event.linear & PAGE}`] : [])),
  ),
];

test.each([
  ['mini-os', 'bare'],
  ['rings', 'vtx-ept'],
  ['hello-kvm', 'svm-npt'],
  ['rings', 'vtx-shadow'],
  ['rings', 'trap-and-emulate'],
  ['popf', 'binary-translation'],
  ['mini-os-pv', 'paravirtual'],
])('%s on %s: every walk of the record is found again, and nothing else', async (guest, technique) => {
  const session = new SimulationHost(SHIPPED).open({guest, technique});
  session.run(4000);
  const {length} = session.record;
  const whole = await lookups(session, 1500);
  expect(whole.steps).toBe(Math.min(1500, length));
  let walks = 0;
  for (let step = length - whole.steps; step < length; step++) walks += walked(session, step).length;
  expect(whole.walks.execute + whole.walks.read + whole.walks.write).toBe(walks);
  expect(whole.hits.execute + whole.hits.read + whole.hits.write).toBeGreaterThan(walks);
  const instruction = [...session.record.steps()].findLast(each => walked(session, each.index).length > 0);
  const at = (instruction?.index ?? 0) + 1;
  session.seek(at);
  const one = await lookups(session, 1);
  const found = one.rows.filter(row => row.answer === 'walk').map(row => `${row.access} ${row.linear & PAGE}`);
  expect(found.toSorted()).toEqual(walked(session, at - 1).toSorted());
  session.seek(length);
  expect(await lookups(session, 1500)).toEqual(whole);
});

test('an instruction fetches from one page, reads one and writes one: three translations, which the TLB knows the second time', async () => {
  const source = `bits 64
org 0x8000
  mov rsi, 0x9000
  mov rdi, 0xa000
  movsq
  mov rsi, 0x9000
  mov rdi, 0xa000
  movsq
  cli
  hlt
`;
  const session = new SimulationHost(SHIPPED).open({technique: 'bare', guest: {of: 'hello-kvm', source}});
  session.run(20);
  const moves = [...session.record.steps()].filter(step => step.length === 2).map(step => step.index);
  const told: (readonly string[])[] = [];
  for (const step of moves) {
    session.seek(step + 1);
    told.push((await lookups(session, 1)).rows.map(row => `${row.access} ${row.linear.toString(16)} ${row.answer}`));
  }
  expect(told).toEqual([
    ['execute 800a hit', 'read 9000 walk', 'write a000 walk'],
    ['execute 8016 hit', 'read 9000 hit', 'write a000 hit'],
  ]);
});

test('a file has no machine to run steps again, and says so', async () => {
  const session = new SimulationHost(SHIPPED).open({guest: 'popf', technique: 'bare'});
  session.run(50);
  const file = new PlaybackSession(await readRecord(await writeRecord(session.record)));
  file.seek(20);
  expect(await file.inspect({panel: 'lookups', steps: 1})).toMatchObject({
    content: undefined,
    why: expect.stringContaining('no machine to run them'),
  });
});
