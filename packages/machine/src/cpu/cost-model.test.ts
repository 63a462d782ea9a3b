import {describe, expect, test} from 'vitest';
import {hpa, keysOf} from '@hyperscope/base';
import {DeviceClock} from '../devices/device-clock.js';
import {Machine} from '../machine.js';
import {PRESCOTT} from './profiles.js';
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

describe('running ahead with instructions that cost more than others', () => {
  /** A loop of CALL, RET and JMP, in which a RET costs 101 cycles: 103 a round. */
  function looping() {
    const costModel = withCosts(PRESCOTT_COSTS, ['near-return=100']);
    const machine = new Machine({memoryBytes: 1 << 20, profile: PRESCOTT, costModel});
    machine.memory.load(hpa(0x100), Uint8Array.of(0xe8, 0x02, 0x00, 0xeb, 0xfb, 0xc3));
    const {registers} = machine;
    registers.setSegment('CS', {selector: 0, base: 0n, limit: 0xffff, attributes: 0x9b});
    registers.set('RIP', 0x100n);
    registers.set('RSP', 0x8000n);
    for (let step = 0; step < 300; step++) machine.step();
    return machine;
  }

  test('each is charged', () => {
    const machine = looping();
    const before = machine.cycles;
    expect(machine.runAhead(300)).toBe(300);
    expect(machine.cycles - before).toBe(100 * 103);
  });

  test('it stops at the instruction in which a device’s moment comes', () => {
    const machine = looping();
    const start = machine.cycles;
    const clock = new DeviceClock(() => machine.cycles, 1000);
    const [nothing, wakes] = [() => undefined, () => true];
    clock.timer(nothing, wakes).arm(start + 500);
    machine.deviceClock = clock;
    // Four rounds are 412 cycles; the fifth RET reaches 514.
    expect([machine.runAhead(300), machine.cycles - start]).toEqual([14, 514]);
  });
});
