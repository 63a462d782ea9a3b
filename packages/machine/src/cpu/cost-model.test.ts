import {describe, expect, test} from 'vitest';
import {keysOf} from '@hyperscope/base';
import {COST_MODELS, PRESCOTT_COSTS, costModelById} from './cost-model.js';
import {COST_NAMES, withCosts} from './cost.js';
import type {CostName} from './cost.js';

test('every figure of every model says where it comes from', () => {
  for (const model of COST_MODELS) {
    expect(costModelById(model.id)).toBe(model);
    for (const name of keysOf<CostName>(COST_NAMES)) {
      const {cycles, source, kind} = model[name];
      expect(Number.isInteger(cycles) && cycles >= 0, `${model.id}: ${name}`).toBe(true);
      expect(source.startsWith('our assumption'), `${model.id}: ${name}`).toBe(kind === 'assumed');
    }
  }
});

test('entry and exit add up to the round trip that was measured', () => {
  const sums = COST_MODELS.map(({id, vmEntry, vmExit}) => [id, vmEntry.cycles + vmExit.cycles]);
  expect(Object.fromEntries(sums)).toEqual({
    'prescott-2005': 3963,
    'core2-2006': 2123,
    'merom-2006': 1579,
    'penryn-2008': 1266,
    'nehalem-2009': 1009,
    'westmere-2010': 761,
    'sandy-bridge-2011': 784,
  });
  expect(PRESCOTT_COSTS.vmEntry.cycles + PRESCOTT_COSTS.exceptionExit.cycles).toBe(4340);
});

describe('a figure that was changed', () => {
  test('counts, says so, and is in the name of the model', () => {
    const model = withCosts(PRESCOTT_COSTS, ['vm-entry=1000', 'vmread=0']);
    expect(model.vmEntry).toEqual({cycles: 1000, kind: 'given', source: 'given for this run; 2409 in the model'});
    expect(model.id).toBe('prescott-2005,vm-entry=1000,vmread=0');
    expect([model.vmExit, PRESCOTT_COSTS.vmEntry.cycles]).toEqual([PRESCOTT_COSTS.vmExit, 2409]);
  });

  test.each([
    ['tea=5', /There is no figure "tea".*vm-exit/],
    ['vmread', /"vmread" gives no cycles.*vmread=178/],
    ['vmread=-1', /gives no cycles/],
    ['vmread=1.5', /gives no cycles/],
    ['vmread=1=2', /gives no cycles/],
    ['instruction=0', /from 1 on/],
  ])('%s is refused in words', (change, words) => {
    expect(() => withCosts(PRESCOTT_COSTS, [change])).toThrow(words);
  });
});
