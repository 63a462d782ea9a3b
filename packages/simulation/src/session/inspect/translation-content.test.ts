// The translation cache at moments of a run: what lies in it, what it was made from, and how often it ran.

import {assertExists} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {SimulationHost} from '../../simulation-host.js';
import {SHIPPED} from '../../shipped.js';

const open = (guest: string, technique: string, steps: number) => {
  const session = new SimulationHost(SHIPPED).open({guest, technique});
  session.run(steps);
  return session;
};

describe('rings', () => {
  const session = open('rings', 'binary-translation', 2000);
  const at = async (index: number, block?: bigint) => {
    session.seek(index);
    const answer = await session.inspect({panel: 'translation', at: block});
    if (answer.panel !== 'translation' || answer.content === undefined) throw new Error('no content');
    return answer.content;
  };
  const last = session.record.length;

  test('before the first block the cache is empty', async () => {
    const content = await at(0);
    expect([content.used, content.fragments, content.block]).toEqual([0, [], undefined]);
  });

  test('each block stands beside what it became, byte for byte the one that was announced', async () => {
    let blocks = 0;
    for (const {step, event} of session.record.events.allOf('translation')) {
      const {block} = await at(step + 1, event.at);
      const rows = assertExists(block, 'the block').instructions;
      expect(rows.map(({rip, text}) => [rip, text])).toEqual(event.instructions.map(({rip, text}) => [rip, text]));
      expect(rows.flatMap(({bytes}) => [...bytes])).toEqual([...event.source]);
      for (const [index, {cache}] of rows.entries()) expect(cache[0]?.at).toBe(event.instructions[index]?.at);
      blocks++;
    }
    expect(blocks).toBeGreaterThan(5);
  });

  test('a copied instruction reads the same, and a callout calls the VMM', async () => {
    const announced = [...session.record.events.allOf('translation')];
    const rows = [];
    for (const {step, event} of announced) rows.push(...((await at(step + 1, event.at)).block?.instructions ?? []));
    for (const {translation, text, cache} of rows) {
      if (translation === 'callout') expect(cache.map(({what}) => what)).toEqual(['callout']);
      if (translation === 'ident' && !text.includes('rip'))
        expect(cache.slice(0, 1).map(each => each.text)).toEqual([text]);
    }
    expect(rows.length).toBeGreaterThan(20);
  });

  test('executions add up to the steps in the cache', async () => {
    const index = last;
    const {columns} = session.record;
    let steps = 0;
    for (let step = 0; step < index; step++)
      if (columns.who(step) === 'guest-kernel' && columns.kind(step) === 'instruction') steps++;
    const places = [];
    for (const {at: place} of (await at(index)).fragments)
      places.push(...((await at(index, place)).block?.instructions ?? []));
    const counted = places
      .flatMap(({cache}) => cache.filter(({what}) => what !== 'next'))
      .reduce((sum, row) => sum + row.executions, 0);
    expect(counted).toBe(steps);
    expect(steps).toBeGreaterThan(20);
  });

  test('the block is the one that the processor is in', async () => {
    const {columns} = session.record;
    for (let step = 0; step < last; step++) {
      if (columns.who(step) !== 'guest-kernel') continue;
      const here = (await at(step)).block?.instructions.flatMap(({cache}) => cache.filter(({isNext}) => isNext));
      expect([step, here?.length]).toEqual([step, 1]);
    }
  });
});

test('chained jumps say where they lead, and look-ups are counted', async () => {
  const session = open('mini-os', 'binary-translation', 4000);
  session.seek(4000);
  const answer = await session.inspect({panel: 'translation', at: undefined});
  if (answer.panel !== 'translation' || answer.content === undefined) throw new Error('no content');
  const counted = new Map(answer.content.counters.map(({name, value}) => [name, value]));
  expect(counted.get('look-ups that found something')).toBeGreaterThan(10);
  const looked = await Promise.all(
    answer.content.fragments.map(async ({at}) => session.inspect({panel: 'translation', at})),
  );
  const jumps = looked.flatMap(one => {
    const rows = one.panel === 'translation' ? (one.content?.block?.instructions ?? []) : [];
    return rows.flatMap(({cache}) => cache.filter(({what}) => what === 'jump' || what === 'stub'));
  });
  expect(jumps.filter(({what}) => what === 'jump').length).toBeGreaterThan(5);
  // A stub has not been needed yet.
  expect(new Set(jumps.filter(({what}) => what === 'stub').map(({executions}) => executions))).toEqual(new Set([0]));
  expect(jumps.every(({leadsTo}) => leadsTo !== undefined)).toBe(true);
});

test('elsewhere nothing is translated', async () => {
  const answer = await open('rings', 'trap-and-emulate', 100).inspect({panel: 'translation', at: undefined});
  expect(answer).toMatchObject({content: undefined, why: expect.stringContaining('only it')});
});
