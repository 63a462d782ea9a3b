// Asks axe about the page (WCAG 2.2 A and AA).

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import type {Page} from '@playwright/test';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is wrong, as sentences; empty when nothing is. */
export async function accessibilityTrouble(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const found: unknown =
    await page.evaluate(`axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(result =>
    result.violations.map(violation => violation.id + ': ' + violation.help + ': ' + violation.nodes.map(node => node.target.join(' ') + ' ' + node.failureSummary).join(' | ')))`);
  return Array.isArray(found) ? found.map(String) : ['axe gave no answer'];
}
