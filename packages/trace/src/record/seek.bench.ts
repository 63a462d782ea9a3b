// How long a seek takes in a history of a million steps. Run: npx vitest bench packages/trace

import {bench, describe} from 'vitest';
import {Playhead} from './playhead.js';
import {sampleRun} from './sample-run.js';

const STEPS = 1_000_000;
const {recorder} = sampleRun(STEPS);
const playhead = new Playhead(recorder.record);
let random = 1;
const anywhere = (): number => (random = (Math.imul(random, 1103515245) + 12345) >>> 0) % STEPS;

describe('a history of a million steps', () => {
  bench('seek to anywhere', () => playhead.seek(anywhere()));
  bench('one step back and forth', () => {
    const here = Math.max(1, playhead.index);
    playhead.seek(here - 1);
    playhead.seek(here);
  });
  bench('who wrote this byte last', () => {
    recorder.record.lastWriter('memory', anywhere() % 4000, playhead.index);
  });
});

describe('recording', () => {
  bench('ten thousand steps', () => {
    sampleRun(10_000);
  });
});
