// Every scenario that ships does what it says: it is run, step by step, and everything that it breaks is broken.

import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {SHIPPED, requireScenario} from '@hyperscope/walkthroughs';
import {describe, expect, test} from 'vitest';
import {runScenario} from '../run/check-scenario-files.js';
import {runInProcess} from '../testing/run-in-process.js';
import {SCENARIO} from './scenario.js';

const scenarios = SHIPPED.map(({name, text}) => requireScenario(text, name));

describe.each(scenarios.map(scenario => [scenario.id, scenario] as const))('%s', (_id, scenario) => {
  test('happens as it says', {timeout: 90_000}, () => {
    const wrong = runScenario(scenario).flatMap(({what, failures}) => failures.map(failure => `${what}: ${failure}`));
    expect(wrong).toEqual([]);
  });

  test('has a prediction, something to break, questions, notes and sources', () => {
    expect(scenario.steps.some(({prediction}) => prediction !== undefined)).toBe(true);
    expect(scenario.steps.flatMap(({breakIt}) => breakIt).length).toBeGreaterThan(1);
    expect(scenario.questions.length).toBeGreaterThanOrEqual(3);
    expect(scenario.steps.some(({note}) => note !== undefined)).toBe(true);
    expect(scenario.sources.length).toBeGreaterThan(0);
  });
});

describe('hyperscope scenario', () => {
  test('lists what ships', async () => {
    const {out, status} = await runInProcess([SCENARIO], ['scenario', 'list']);
    expect(status).toBe(0);
    for (const {id} of scenarios) expect(out).toContain(id);
  });

  test('says which step of a file does not happen', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hyperscope-')), 'mine.md');
    writeFileSync(
      file,
      '---\ntitle: Mine\nteaches: Nothing\nguest: popf\nmachine: bare\n---\n\n## Nowhere\n\n```step\nplace: {event: {instruction: vmlaunch}}\n```\n',
    );
    const {out, status} = await runInProcess([SCENARIO], ['scenario', 'check', file]);
    expect(status).toBe(1);
    expect(out).toContain('step 1, “Nowhere”: This run has no instruction “vmlaunch”');
  });

  test('says on which line a file is wrong, and what to write', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hyperscope-')), 'wrong.md');
    writeFileSync(file, '---\ntitle: Wrong\nteaches: x\nguest: popf\nmachine: bare\nmashine: bare\n---\n\n## Step\n');
    const {out, status} = await runInProcess([SCENARIO], ['scenario', 'check', file]);
    expect(status).toBe(1);
    expect(out).toContain('line 6: “mashine” is nothing that the front matter has. There are: title,');
    expect(out).toContain('line 9: “Step” does not say where it is.');
  });
});
