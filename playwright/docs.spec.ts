// The documentation: served beside the lab, with labs that run in it.

import {expect, test, type FrameLocator} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('the documentation has a lab in it that steps, and leads to the whole one', async ({page}) => {
  const {troubles} = new LabPage(page);
  await page.goto('/docs/getting-started.html');
  await expect(page.getByRole('heading', {name: 'Getting started', level: 1})).toBeVisible();
  const lab = page.frameLocator('hyperscope-lab iframe').first();
  await lab.getByRole('button', {name: /Next exit/}).click();
  await expect(lab.locator('hs-why')).toContainText('left the guest');
  const whole = lab.getByRole('link', {name: 'Open in the lab'});
  await expect(whole).toHaveAttribute('href', /#v1\/vtx-ept\/hello-kvm\/\d+$/);
  await page.screenshot({path: 'playwright/output/docs.png'});
  expect(troubles).toEqual([]);
});

test('every page of the sidebar is there', async ({page, request}) => {
  // Of a decision: there the list has all of them.
  await page.goto('/docs/decisions/0001-recorded-microcode.html');
  const links = await page
    .locator('.VPSidebar a')
    .evaluateAll(anchors => anchors.map(anchor => anchor.getAttribute('href') ?? ''));
  expect(links.length).toBeGreaterThan(45);
  for (const link of links) expect((await request.get(link)).status(), link).toBe(200);
});

test('labs are dark where the reader has chosen that for the documentation', async ({page}) => {
  await page.emulateMedia({colorScheme: 'light'});
  await page.goto('/docs/getting-started.html');
  const lab = page.locator('hyperscope-lab iframe').contentFrame().locator('html');
  await expect(lab).toHaveCSS('color-scheme', 'light');
  await page.getByRole('switch', {name: /dark/i}).first().click();
  await expect(lab).toHaveCSS('color-scheme', 'dark');
});

/** The element of a panel, and the least that can be read: pixels of width and height. */
const PANELS: Readonly<Record<string, readonly [element: string, width: number, height: number]>> = {
  code: ['hs-code-view', 300, 60],
  console: ['hs-console', 300, 20],
  stage: ['hs-ring-stage svg', 300, 140],
  why: ['hs-why', 240, 60],
  timeline: ['hs-timeline', 300, 60],
};

/** What cannot be seen of the panels that a lab was asked for. */
async function unseen(lab: FrameLocator, panels: readonly string[]): Promise<readonly string[]> {
  const troubles: string[] = [];
  for (const panel of panels) {
    const [element, width, height] = PANELS[panel] ?? ['hs-inspector', 200, 100];
    const box = await lab.locator(element).first().boundingBox();
    if (box === null || box.width < width || box.height < height) troubles.push(`${panel}: ${JSON.stringify(box)}`);
  }
  return troubles;
}

for (const name of ['index', 'getting-started', 'lecturers-guide', 'students-guide', 'tour']) {
  test(`each lab of ${name} runs, and each of its panels can be seen on a small projector`, async ({page}) => {
    await page.setViewportSize({width: 1024, height: 768});
    await page.goto(`/docs/${name}.html`);
    const labs = page.locator('hyperscope-lab');
    const count = await labs.count();
    expect(count).toBeGreaterThan(0);
    for (let at = 0; at < count; at++) {
      await labs.nth(at).scrollIntoViewIfNeeded();
      const lab = labs.nth(at).locator('iframe').contentFrame();
      await expect(lab.locator('hs-lab')).toHaveAttribute('aria-busy', 'false');
      await expect(lab.locator('hs-transport output')).toContainText(/step \d/);
      const panels = (await labs.nth(at).getAttribute('panels')) ?? 'stage';
      expect(await unseen(lab, panels.split(' ')), `lab ${at}: ${panels}`).toEqual([]);
    }
  });
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the documentation should be accessible, ${colorScheme}`, async ({page}) => {
    await page.emulateMedia({colorScheme});
    for (const name of ['getting-started', 'glossary', 'command-line']) {
      await page.goto(`/docs/${name}.html`);
      await expect(page.locator('.VPDoc h1')).toBeVisible();
      expect(await accessibilityTrouble(page), name).toEqual([]);
    }
  });
}
