// What the first load may weigh: the scripts that a newcomer fetches before there is a first moment on the screen, as the server
// compresses them. The editor, scenarios, other machines and the inspector's panels come when they are asked for.

import {expect, test} from '@playwright/test';
import {LabPage} from './lab-page.js';

const MOST_BYTES = 300_000;

/** Compressed sizes of the scripts that a page or a worker has fetched, by path. */
const scriptsHere = (): readonly (readonly [path: string, bytes: number])[] =>
  performance
    .getEntriesByType('resource')
    .flatMap(entry => (entry instanceof PerformanceResourceTiming ? [entry] : []))
    .map(({name, encodedBodySize}) => [new URL(name).pathname, encodedBodySize] as const)
    .filter(([path]) => path.endsWith('.js'));

test('the first load is at most 300 KB of compressed scripts, and is interactive soon (printed, not judged)', async ({
  page,
}) => {
  const lab = new LabPage(page);
  const begin = performance.now();
  await page.goto('/');
  await expect(page.locator('hs-lab')).toHaveAttribute('aria-busy', 'false');
  await expect(lab.stage.getByRole('img')).toBeVisible();
  console.log(`      interactive after ${(performance.now() - begin).toFixed(0)} ms`);
  const scripts = new Map(await page.evaluate(scriptsHere));
  expect(page.workers().length).toBeGreaterThan(0);
  for (const worker of page.workers()) {
    const response = await page.request.get(worker.url());
    scripts.set(new URL(worker.url()).pathname, Number(response.headers()['content-length'] ?? Number.NaN));
    for (const [path, bytes] of await worker.evaluate(scriptsHere)) scripts.set(path, bytes);
  }
  const largest = [...scripts].toSorted(([, a], [, b]) => b - a);
  expect(largest.length).toBeGreaterThan(2);
  for (const [path, bytes] of largest) expect(bytes, path).toBeGreaterThan(0);
  const total = largest.reduce((sum, [, bytes]) => sum + bytes, 0);
  console.log(`      ${total} bytes of scripts: ${largest.map(([path, bytes]) => `${path} ${bytes}`).join(', ')}`);
  expect(total).toBeLessThanOrEqual(MOST_BYTES);
  expect([...scripts.keys()].filter(path => path.includes('source-editor'))).toEqual([]);
});
