// Events of parts that are loaded later: their classes are not there when the page starts, so they are known by what they carry.

import type {Switches} from '@hyperscope/trace';
import type {Scenario} from '@hyperscope/walkthroughs';

export type ScenarioWish = 'choose' | 'compare' | 'leave' | 'notes';
const WISHES: readonly ScenarioWish[] = ['choose', 'compare', 'leave', 'notes'];

export function isSwitches(event: CustomEvent<unknown>): event is CustomEvent<Switches> {
  const {detail} = event;
  return (
    typeof detail === 'object' && detail !== null && Object.values(detail).every(value => typeof value === 'string')
  );
}

export function isScenario(event: CustomEvent<unknown>): event is CustomEvent<Scenario> {
  const {detail} = event;
  return typeof detail === 'object' && detail !== null && 'steps' in detail && 'choice' in detail;
}

export function isScenarioWish(event: CustomEvent<unknown>): event is CustomEvent<ScenarioWish> {
  return WISHES.some(wish => wish === event.detail);
}
