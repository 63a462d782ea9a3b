import {expect, test} from 'vitest';
import {costFigures} from './cost-figures.js';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED} from './shipped.js';

test('the figures of a run name the processor, and each says whether it is sourced or assumed', () => {
  const session = new SimulationHost(SHIPPED).open({technique: 'vtx-ept', guest: 'hello-kvm'});
  const {machine} = session.moment().header;
  const costs = costFigures(machine?.costModel ?? '');
  expect(costs.title).toBe('Westmere (2010)');
  const exit = costs.figures.find(({name}) => name === 'VM exit');
  expect(exit).toMatchObject({cycles: 425, kind: 'derived'});
  for (const {kind, source} of costs.figures) expect(source.startsWith('our assumption')).toBe(kind === 'assumed');
});

test('an unknown model is refused with the ones that there are', () => {
  expect(() => costFigures('8086')).toThrow(/westmere-2010/);
});
