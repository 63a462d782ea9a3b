// The lab as its visitors handle it: by names that they can read.

import {type Page, type Response, expect} from '@playwright/test';

export class LabPage {
  readonly page: Page;
  readonly troubles: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('pageerror', error => this.troubles.push(error.message));
    page.on('console', message => {
      if (message.type() === 'error') this.troubles.push(message.text());
    });
  }

  /** Opens the lab and waits until a guest is there and recorded. */
  async open(fragment = ''): Promise<Response | null> {
    const response = await this.page.goto(`/${fragment}`);
    await this.ready();
    return response;
  }

  async ready(): Promise<void> {
    await expect(this.page.locator('hs-lab')).toHaveAttribute('aria-busy', 'false');
    await expect(this.stage.getByRole('img')).toBeVisible();
    // A long guest is still being recorded: that takes as long as the machine is busy.
    await expect(this.position).not.toContainText('…', {timeout: 60_000});
  }

  get stage() {
    return this.page.locator('hs-ring-stage');
  }
  get why() {
    return this.page.locator('hs-why');
  }
  get position() {
    return this.page.locator('hs-transport output');
  }
  get code() {
    return this.page.locator('hs-code-view .current');
  }
  get hint() {
    return this.page.getByRole('note');
  }
  get console() {
    return this.page.locator('hs-console pre');
  }
  get nextExit() {
    return this.page.getByRole('button', {name: /Next exit/});
  }
  get forward() {
    return this.page.getByRole('button', {name: /^Forward one/});
  }
  get back() {
    return this.page.getByRole('button', {name: /^Back one/});
  }
  get realKvm() {
    return this.page.getByRole('button', {name: /^Real KVM/});
  }
  get slider() {
    return this.page.getByRole('slider', {name: /Timeline/});
  }

  /** The step under the playhead. */
  async step(): Promise<number> {
    const text = await this.position.innerText();
    return Number(/step ([\d\u2009]+)/.exec(text)?.[1]?.replaceAll('\u2009', '') ?? NaN);
  }

  async shot(name: string): Promise<void> {
    await this.page.screenshot({path: `playwright/output/${name}.png`});
  }

  /** Steps on by exits until the stage names one that `pattern` matches. */
  async exitNamed(pattern: RegExp): Promise<void> {
    for (let tries = 0; tries < 60; tries++) {
      const before = await this.step();
      await this.nextExit.click();
      await expect.poll(() => this.step()).not.toBe(before);
      if (pattern.test(await this.stage.locator('.card').innerText())) return;
    }
    throw new Error(`no exit is called ${pattern}`);
  }
}
