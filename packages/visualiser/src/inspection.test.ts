// The desk between a panel and the worker: one question for each moment, the newest first, nothing late.

import type {Inspection, InspectionRequest, Moment} from '@hyperscope/trace';
import {SHIPPED, SimulationHost} from '@hyperscope/simulation';
import {expect, test} from 'vitest';
import {InspectionDesk} from './inspection.js';

const host = new SimulationHost(SHIPPED);
const session = host.open({guest: 'hello-kvm', technique: 'vtx-ept'});
const CONTENT = {rows: [], identifierName: 'VPID', capacity: 256, sentence: 'The TLB is empty.'} as const;
const TLB = {panel: 'tlb'} as const;

/** A worker whose answers come when they are let go. */
function worker(): {
  readonly asked: InspectionRequest[];
  readonly inspect: (request: InspectionRequest) => Promise<Inspection>;
  readonly answer: (index: number) => Promise<void>;
} {
  const asked: InspectionRequest[] = [];
  const waiting: ((answer: Inspection) => void)[] = [];
  return {
    asked,
    inspect: request => {
      asked.push(request);
      return new Promise(resolve => waiting.push(resolve));
    },
    answer: async index => {
      waiting.shift()?.({panel: 'tlb', index, content: CONTENT});
      await new Promise(resolve => setTimeout(resolve, 0));
    },
  };
}

test('a moment is asked about once, however often it is drawn, and again when the playhead moves', async () => {
  const {asked, inspect, answer} = worker();
  let drawn = 0;
  const desk = new InspectionDesk({inspect}, () => drawn++);
  const moment = session.seek(3);
  expect(desk.about(moment, TLB).answer).toBeUndefined();
  desk.about({...moment, length: 99}, TLB);
  await answer(3);
  expect(drawn).toBe(1);
  expect(desk.about(moment, TLB).answer?.index).toBe(3);
  expect(asked).toHaveLength(1);
  desk.about(session.seek(4), TLB);
  expect(asked).toHaveLength(2);
});

test('while an answer is awaited only the newest question is kept, and the late answer is dropped', async () => {
  const {asked, inspect, answer} = worker();
  const desk = new InspectionDesk({inspect}, () => undefined);
  const moments: readonly Moment[] = [3, 4, 5].map(index => session.seek(index));
  for (const moment of moments) desk.about(moment, TLB);
  expect(asked).toHaveLength(1);
  await answer(3);
  expect(asked).toHaveLength(2);
  const last = moments.at(-1) ?? session.seek(5);
  expect(desk.about(last, TLB).answer).toBeUndefined();
  await answer(5);
  expect(desk.about(last, TLB).answer?.index).toBe(5);
  expect(asked).toHaveLength(2);
});

test('a worker that fails is told in words', async () => {
  const failing = {inspect: () => Promise.reject(new Error('No guest is open: open one first.'))};
  const desk = new InspectionDesk(failing, () => undefined);
  const moment = session.seek(2);
  desk.about(moment, TLB);
  await new Promise(resolve => setTimeout(resolve, 0));
  expect(desk.about(moment, TLB)).toEqual({answer: undefined, failed: 'No guest is open: open one first.'});
});
