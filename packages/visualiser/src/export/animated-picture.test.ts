// An animated picture as a file: every frame has its time, and without animation the first is seen.

import {expect, test} from 'vitest';
import {animatedPicture} from './animated-picture.js';

const frame = (sentence: string) => ({svg: `<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>`, sentence});
const picture = (sentences: readonly string[], seconds = 4) =>
  animatedPicture({
    title: 'a < b',
    width: 100,
    height: 50,
    seconds,
    frames: sentences.map(frame),
    colours: {ground: '#fff', ink: '#000', played: '#00f'},
  });

test('each frame is shown for its share of the round, one after the other', () => {
  const text = picture(['one', 'two', 'three', 'four'], 3);
  expect(text).toContain('animation:show 12s step-end infinite');
  expect(text).toContain('25.0000%{visibility:hidden}');
  // A frame begins its own round so long before now that its beginning falls on its turn.
  const delays = [...text.matchAll(/animation-delay:(-?\d+)s/g)].map(([, delay]) => (Number(delay) + 12) % 12);
  expect(delays).toEqual([0, 3, 6, 9]);
});

test('where nothing is animated the first frame is seen, and no other', () => {
  const frames = [...picture(['one', 'two']).matchAll(/<g class="f f\d"([^>]*)>/g)].map(([, attributes]) => attributes);
  expect(frames.map(attributes => attributes?.includes('visibility="hidden"'))).toEqual([false, true]);
});

test('who wants no motion has none until a click; everything is told in words, and escaped', () => {
  const text = picture(['rings', 'if A & B']);
  expect(text).toMatch(/prefers-reduced-motion:reduce\)\{\.f,\.played\{animation-play-state:paused\}/);
  expect(text).toContain('<title>a &lt; b</title>');
  expect(text).toContain('<desc>1. rings\n2. if A &amp; B</desc>');
  expect(text).not.toMatch(/<script|foreignObject/);
});

test('no picture makes no animation', () => {
  expect(() => picture([])).toThrow('without pictures');
});
