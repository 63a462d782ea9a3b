// A lecture hall: any panel fills the screen, larger or smaller, by keys alone; nothing that has to be read is small or cut off.

import {expect, test, type Page} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

/** Words of the page that are lower than `least` pixels, with what is magnified taken as it is seen. */
async function smallWords(page: Page, least: number): Promise<readonly string[]> {
  return page.evaluate(limit => {
    const found: string[] = [];
    const seenSize = (element: Element): number => {
      const size = Number.parseFloat(getComputedStyle(element).fontSize);
      const svg = element instanceof SVGElement ? element.ownerSVGElement : null;
      if (svg !== null) return (size * svg.getBoundingClientRect().width) / svg.viewBox.baseVal.width;
      return size * element.currentCSSZoom;
    };
    const look = (root: ParentNode): void => {
      for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot !== null) look(element.shadowRoot);
        const style = getComputedStyle(element);
        if (style.visibility !== 'visible' || element.closest('.visually-hidden') !== null) continue;
        for (const node of element.childNodes) {
          if (!(node instanceof Text) || node.data.trim() === '') continue;
          const range = document.createRange();
          range.selectNodeContents(node);
          const box = range.getBoundingClientRect();
          const isSeen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth;
          // A quarter of a pixel is what rounding makes.
          if (isSeen && seenSize(element) < limit - 0.25) found.push(`${seenSize(element)} px: ${node.data.trim()}`);
        }
      }
    };
    look(document);
    return found;
  }, least);
}

const PANELS = [
  ['S', 'hs-ring-stage'],
  ['W', 'hs-why'],
  ['C', 'hs-code-view'],
  ['O', 'hs-console'],
  ['i', 'hs-inspector'],
  ['T', 'hs-timeline'],
] as const;

for (const [width, height] of [
  [1024, 768],
  [1920, 1080],
] as const) {
  test(`at ${width} × ${height} each panel fills the screen by its key, with no word below 24 px`, async ({page}) => {
    await page.setViewportSize({width, height});
    const lab = new LabPage(page);
    await lab.open('#v2/vtx-ept/mini-os/2500');
    await page.keyboard.press('p');
    await page.keyboard.press('e');
    await expect(lab.why.locator('li.decided')).toBeInViewport({ratio: 1});
    expect(await smallWords(page, 24), 'all panels').toEqual([]);
    for (const [key, panel] of PANELS) {
      await page.keyboard.press(key);
      await expect(page.locator(panel)).toBeInViewport();
      const others = PANELS.filter(([, each]) => each !== panel && !(panel === 'hs-timeline' && each === 'hs-why'));
      for (const [, other] of others)
        await expect(page.locator(other).first(), `${other} beside ${panel}`).toBeHidden();
      expect(await smallWords(page, 24), panel).toEqual([]);
      expect(
        await page.evaluate(() => [
          document.documentElement.scrollWidth - innerWidth,
          document.documentElement.scrollHeight - innerHeight,
        ]),
      ).toEqual([0, 0]);
    }
    await page.keyboard.press('C');
    await expect(page.locator('hs-code-view :is(.current, .left)').first()).toBeInViewport({ratio: 1});
    await page.keyboard.press('W');
    await expect(lab.why.locator('li.decided')).toBeInViewport({ratio: 1});
    await lab.shot(`presenting-why-${width}`);
    expect(lab.troubles).toEqual([]);
  });
}

test('a panel is made larger and smaller, the inspector goes through its panels, and Escape leads back', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/vtx-ept/mini-os/2500');
  await page.keyboard.press('p');
  await page.keyboard.press('f');
  await page.keyboard.press('f');
  await expect(page.locator('hs-lab')).toHaveAttribute('filling', 'why');
  const height = async () => (await lab.why.locator('h2').boundingBox())?.height ?? 0;
  const ordinary = await height();
  await page.keyboard.press('+');
  await expect.poll(height).toBeGreaterThan(ordinary * 1.15);
  await page.keyboard.press('-');
  await page.keyboard.press('-');
  await expect.poll(height).toBeLessThan(ordinary);
  await page.keyboard.press('i');
  await expect(page.getByRole('tab', {name: 'Registers', selected: true})).toBeVisible();
  await page.keyboard.press(']');
  await expect(page.locator('[role=tab]#vcpu')).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('[');
  expect(await accessibilityTrouble(page)).toEqual([]);
  const step = await lab.step();
  await page.keyboard.press('PageDown');
  await expect.poll(() => lab.step()).toBe(step + 1);
  await page.keyboard.press('.');
  await expect(page.locator('.blackout')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.locator('.blackout')).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(page.locator('hs-lab')).not.toHaveAttribute('filling');
  await expect(page.locator('hs-lab')).toHaveAttribute('presenting');
  await page.keyboard.press('Escape');
  await expect(page.locator('hs-lab')).not.toHaveAttribute('presenting');
  expect(lab.troubles).toEqual([]);
});

test('on the timeline that fills the screen the pointer points where it is seen to point', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/vtx-ept/mini-os/10');
  await page.keyboard.press('p');
  await page.keyboard.press('T');
  const box = await page.locator('hs-timeline .track').boundingBox();
  if (box === null) throw new Error('the timeline is not there');
  await page.mouse.click(box.x + box.width * 0.75, box.y + box.height * 0.5);
  const head = page.locator('hs-timeline .playhead');
  await expect
    .poll(async () => {
      const at = await head.boundingBox();
      return at === null ? 0 : (at.x - box.x) / box.width;
    })
    .toBeCloseTo(0.75, 1);
});

test('the speaker’s window has the whole reason without a scenario too, and its keys move the lab', async ({
  page,
  context,
}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/vtx-ept/hello-kvm/88');
  await page.keyboard.press('p');
  const title = await lab.why.locator('h2').innerText();
  const [notes] = await Promise.all([context.waitForEvent('page'), page.keyboard.press('n')]);
  await expect(notes.locator('.now')).toHaveText(title);
  await expect(notes.getByText('(decided)')).toBeVisible();
  const step = await lab.step();
  await notes.keyboard.press('PageDown');
  await expect.poll(() => lab.step()).toBe(step + 1);
  await expect(notes.locator('.now')).not.toHaveText(title);
  await notes.keyboard.press('b');
  await expect(page.locator('.blackout')).toBeVisible();
});
