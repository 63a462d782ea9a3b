// Asks axe about the page (WCAG 2.2 A and AA).

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import type {Page} from '@playwright/test';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const EVERY_RULE = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * What is wrong, as sentences; empty when nothing is. `part`: an element inside the lab, where the rest has been asked about before;
 * `rules`: tags or names of what is asked.
 */
export async function accessibilityTrouble(
  page: Page,
  part?: string,
  rules: readonly string[] = EVERY_RULE,
): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('typeof axe === "object"'))) await page.evaluate(AXE);
  const where = part === undefined ? 'document' : JSON.stringify({fromShadowDom: ['hs-lab', part]});
  const options = JSON.stringify({runOnly: rules, resultTypes: ['violations']});
  const found: unknown = await page.evaluate(`axe.run(${where}, ${options}).then(result =>
    result.violations.map(violation => violation.id + ': ' + violation.help + ': ' + violation.nodes.map(node => node.target.join(' ') + ' ' + node.failureSummary).join(' | ')))`);
  return Array.isArray(found) ? found.map(String) : ['axe gave no answer'];
}

/** The same in every theme: everything once, and in the others what depends on the colours. The page is left as it was. */
export async function troubleInEveryTheme(page: Page, part?: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const theme of ['light', 'dark', 'contrast'] as const) {
    await page.evaluate(name => (document.documentElement.dataset['theme'] = name), theme);
    const troubles = await accessibilityTrouble(page, part, theme === 'light' ? EVERY_RULE : ['color-contrast']);
    found.push(...troubles.map(trouble => `${theme}: ${trouble}`));
  }
  await page.evaluate(() => delete document.documentElement.dataset['theme']);
  return found;
}
