// VMCSs and VMCBs with random contents: no crash, no success where the manual says failure, no failure where it says success, and
// the field that is at fault is named. `hyperscope fuzz --vmcs` and `--vmcb` run as many as one likes.

import {AMD_SVM, MODERN_INTEL, NEHALEM, PRESCOTT, WESTMERE} from '@hyperscope/machine';
import {describe, expect, test} from 'vitest';
import {ControlBlockCampaign} from './control-block-campaign.js';
import type {ControlBlockBench} from './control-block-bench.js';
import {VmcbBench} from './vmcb-bench.js';
import {VmcsBench} from './vmcs-bench.js';
import {CONTROL_AND_HOST_RULES} from './vmcs-rules-controls.js';
import {GUEST_RULES} from './vmcs-rules-guest.js';
import {VMCB_RULES} from './vmcb-rules.js';

const CASES = 2500;

function findings<Field extends string>(
  bench: ControlBlockBench<Field>,
  seed: number,
): {campaign: ControlBlockCampaign<Field>; found: readonly unknown[]} {
  const campaign = new ControlBlockCampaign(bench, seed);
  const found = Array.from({length: CASES}, (_, number) => campaign.run(number)).filter(each => each !== undefined);
  return {campaign, found};
}

describe('unchanged', () => {
  test('every VMCS that fuzzing starts from is entered', () => {
    const bench = new VmcsBench(WESTMERE);
    for (const guest of bench.guests)
      expect([guest, bench.attempt(guest, [])]).toMatchObject([guest, {seen: 'entered', broken: []}]);
  });
  test('every VMCB too', () => {
    const bench = new VmcbBench(AMD_SVM);
    for (const guest of bench.guests)
      expect([guest, bench.attempt(guest, [])]).toMatchObject([guest, {seen: 'entered', broken: []}]);
  });
});

describe('changed', () => {
  test.each([
    ['Westmere', WESTMERE],
    ['a recent Intel', MODERN_INTEL],
  ])('VMCSs on %s', (_, profile) => {
    const {campaign, found} = findings(new VmcsBench(profile), 1);
    expect(found).toEqual([]);
    for (const ending of ['entered', 'controls', 'host', 'guest'] as const)
      expect([ending, (campaign.endings.get(ending) ?? 0) > CASES / 50]).toEqual([ending, true]);
  });

  // Their guests would need other controls to be entered unchanged; refused in the right way they must be all the same.
  test.each([
    ['Nehalem, without unrestricted guests', NEHALEM],
    ['Prescott, without secondary controls', PRESCOTT],
  ])('VMCSs on %s', (_, profile) => {
    const {found} = findings(new VmcsBench(profile), 2);
    expect(
      found.filter(
        each =>
          !/names a changed field/.test(
            JSON.stringify(each, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
          ),
      ),
    ).toEqual([]);
  });

  test('VMCBs', () => {
    const {campaign, found} = findings(new VmcbBench(AMD_SVM), 3);
    expect(found).toEqual([]);
    expect(campaign.endings.get('guest')).toBeGreaterThan(CASES / 10);
    expect(campaign.endings.get('entered')).toBeGreaterThan(CASES / 10);
  });
});

test('the rule tables are as long as the manuals’ sections', () => {
  expect(CONTROL_AND_HOST_RULES.length + GUEST_RULES.length).toBeGreaterThan(90);
  expect(VMCB_RULES.length).toBe(20);
});
