// Without a mouse nobody gets stuck or lost: Tab goes through everything and out again, and what was opened gives the focus back.

import {expect, test, type Page} from '@playwright/test';
import {LabPage} from './lab-page.js';

/** The name of what has the focus, through all shadow roots. */
async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const name = element?.getAttribute('aria-label') ?? element?.textContent ?? '';
    return `${element?.localName ?? ''} ${name.trim().replaceAll(/\s+/g, ' ')}`.slice(0, 60);
  });
}

test('what a button opens gives the focus back to it', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  for (const name of ['Share', 'Scenarios', 'Switches', 'Help: keys and colours']) {
    await page.getByRole('button', {name, exact: true}).focus();
    const before = await focused(page);
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(page), name).not.toBe(before);
    await page.keyboard.press('Escape');
    await expect.poll(() => focused(page), name).toBe(before);
  }
  // Opened by a key while nothing has the focus, they leave the keys to the lab.
  await page.getByRole('button', {name: 'Help: keys and colours'}).blur();
  for (const key of ['g', '?', 's', 'w']) {
    await page.keyboard.press(key);
    await expect.poll(() => focused(page), key).not.toMatch(/^body/);
    await page.keyboard.press('Escape');
    await expect.poll(() => focused(page), key).toMatch(/^body/);
  }
  const step = await lab.step();
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => lab.step()).toBe(step + 1);
});

test('Tab goes through the whole lab and leaves it, forwards and backwards', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  for (const key of ['Tab', 'Shift+Tab']) {
    const seen: string[] = [];
    for (let presses = 0; presses < 120; presses++) {
      await page.keyboard.press(key);
      const name = await focused(page);
      if (seen.length > 0 && name.startsWith('body')) break;
      seen.push(name);
    }
    expect(seen.length, `${key}: ${seen.join(' / ')}`).toBeLessThan(120);
    expect(seen.length, key).toBeGreaterThan(25);
  }
});
