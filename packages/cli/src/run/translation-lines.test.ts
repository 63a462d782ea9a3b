// A run in binary translation ends with what the translator did; a run on anything else says nothing of it.

import {expect, test} from 'vitest';
import {RUN} from '../commands/run.js';
import {runInProcess} from '../testing/run-in-process.js';
import {translationLines} from './translation-lines.js';

test('a run in binary translation is told in numbers that agree with each other', async () => {
  const {out, status} = await runInProcess([RUN], ['run', 'popf', '--on', 'binary-translation', '--json', '-']);
  expect(status).toBe(0);
  const {instructions, translation} = JSON.parse(out);
  const {ident, control, callout} = translation.instructions;
  expect(ident + control + callout + translation.instructions['in-cache']).toBeGreaterThan(translation.blocks);
  expect(translation.callouts).toBeGreaterThanOrEqual(translation.lookUpMisses);
  // Bare metal executes 79; a jump whose target took its place is no instruction.
  expect([78, 79]).toContain(instructions);
  const text = translationLines(translation).join('\n');
  expect(text).toMatch(new RegExp(`^blocks translated +${translation.blocks}$`, 'mu'));
  expect(text).toContain(`(${translation.lookUpMisses} of them found nothing)`);
});

test('returns find their way in the cache, once they have been there', async () => {
  const command = ['run', 'mini-os', '--on', 'binary-translation', '--max-instructions', '4000', '--json', '-'];
  const {translation} = JSON.parse((await runInProcess([RUN], command)).out);
  expect(translation.lookUpHits).toBeGreaterThan(5 * translation.lookUpMisses);
  expect(translation.chained).toBeGreaterThan(10);
});

test('bare metal translates nothing', async () => {
  const {notes} = await runInProcess([RUN], ['run', 'hello-real', '--on', 'bare']);
  expect(notes).not.toContain('binary translation');
});
