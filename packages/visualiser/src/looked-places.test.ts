// Back and forward over the places that were looked at.

import {expect, test} from 'vitest';
import {LookedPlaces} from './looked-places.js';

const place = (address: bigint): {readonly space: 'gva'; readonly address: bigint} => ({space: 'gva', address});

test('one goes back over the places that were gone to, not over scrolling, and forward again', () => {
  const places = new LookedPlaces().go(place(1n)).go(place(2n)).scroll(place(3n)).go(place(9n));
  expect(places.back().current).toEqual(place(3n));
  expect(places.back().back().current).toEqual(place(1n));
  expect(places.back().back().canGoBack).toBe(false);
  expect(places.back().forward().current).toEqual(place(9n));
});

test('a new place forgets what lay ahead, and the same place is not one twice', () => {
  const places = new LookedPlaces().go(place(1n)).go(place(2n)).back().go(place(5n));
  expect(places.canGoForward).toBe(false);
  expect(places.go(place(5n)).back().current).toEqual(place(1n));
});
